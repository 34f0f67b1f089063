"""What programs really print, event by event, for each multiline preset.

Each sample is a list of events; joined with newlines it is the log. Versions are those of the
runtimes that printed them; names and texts are made up.
"""

from __future__ import annotations

JAVA = [
    (
        "2026-01-31 08:15:00.123 ERROR [main] c.e.shop.Cart - cannot pay\n"
        "java.lang.IllegalStateException: no card\n"
        "\tat com.example.shop.Cart.pay(Cart.java:42) ~[shop.jar:1.0]\n"
        "\tat com.example.shop.Cart$$Lambda$14/0x0000000800c9c840.run(Unknown Source)\n"
        "\tat java.base/java.lang.Thread.run(Thread.java:1583)\n"
        "Caused by: java.io.IOException: connection reset by peer\n"
        "\tat com.example.shop.Bank.call(Bank.java:7)\n"
        "\t... 12 more\n"
        "\tSuppressed: java.lang.RuntimeException: close failed\n"
        "\t\tat com.example.shop.Bank.close(Bank.java:9)\n"
        "\t\t... 12 more\n"
        "Caused by: java.net.SocketException: Broken pipe\n"
        "\t... 14 common frames omitted"
    ),
    "2026-01-31 08:15:01.000 INFO [main] c.e.shop.Cart - paid",
    (
        'Exception in thread "main" java.lang.NullPointerException: Cannot invoke "X.f()"\n'
        "\tat Main.main(Main.java:5)"
    ),
    "WARN next try",
    "Jan 31, 2026 8:15:02 AM com.example.Tomcat log",
    (
        "SEVERE: Servlet.service() threw\n"
        "org.springframework.dao.DataAccessException\n"
        "\tat org.springframework.Dao.read(Dao.java:3)\n"
        "Wrapped by: javax.servlet.ServletException: outer\n"
        "\tat org.apache.Servlet.run(Servlet.java:2)"
    ),
    "com.example.Main started",
]
PYTHON = [
    (
        "ERROR:root:cannot pay\n"
        "Traceback (most recent call last):\n"
        '  File "/app/cart.py", line 3, in pay\n'
        "    card = cards[user]\n"
        "           ~~~~~^^^^^^\n"
        "KeyError: 'bob'\n"
        "\n"
        "During handling of the above exception, another exception occurred:\n"
        "\n"
        "Traceback (most recent call last):\n"
        '  File "/app/main.py", line 9, in <module>\n'
        "    pay('bob')\n"
        '  File "/app/cart.py", line 5, in pay\n'
        "    raise requests.exceptions.Timeout('bank') from None\n"
        "requests.exceptions.Timeout: bank\n"
        "\n"
        "The above exception was the direct cause of the following exception:\n"
        "\n"
        "Traceback (most recent call last):\n"
        '  File "/app/main.py", line 11, in <module>\n'
        "    raise SystemExit\n"
        "SystemExit"
    ),
    "INFO:root:next",
    "INFO:     127.0.0.1:5000 - GET / 200",
    (
        "2026-01-31 08:15:00,123 ERROR worker failed\n"
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "/app/main.py", line 1, in <module>\n'
        "  |     raise ExceptionGroup('several', errors)\n"
        "  | ExceptionGroup: several (1 sub-exception)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | ValueError: bad\n"
        "    +------------------------------------"
    ),
    "uvicorn.error: a logger's name is no exception",
    (
        "2026-01-31 08:15:01,000 ERROR again\n"
        "Traceback (most recent call last):\n"
        '  File "/app/main.py", line 2, in <module>\n'
        "    1 / 0\n"
        "    ~~^~~\n"
        "ZeroDivisionError: division by zero"
    ),
    "2026-01-31 08:15:02,000 INFO done",
]
GO = [
    "2026/01/31 08:15:00 listening on :8080",
    (
        "panic: runtime error: index out of range [5] with length 3 [recovered]\n"
        "\tpanic: again\n"
        "\n"
        "goroutine 1 [running]:\n"
        "panic({0x4a1b20?, 0xc0000180a8?})\n"
        "\t/usr/local/go/src/runtime/panic.go:770 +0x132\n"
        "main.(*Cart).Pay(0xc000012345, {0x4b2c30, 0x3})\n"
        "\t/app/cart.go:42 +0x1d\n"
        "main.main.func1()\n"
        "\t/app/main.go:9 +0x25\n"
        "main.Map[...](...)\n"
        "\t/app/map.go:3\n"
        "github.com/example/shop/v2/bank.(*Client[...]).Do(0x0)\n"
        "\t/go/pkg/mod/github.com/example/shop/v2@v2.1.0/bank/bank.go:7 +0x11\n"
        "created by net/http.(*Server).Serve in goroutine 1\n"
        "\t/usr/local/go/src/net/http/server.go:3285 +0x4b4\n"
        "\n"
        "goroutine 18 [chan receive, 5 minutes]:\n"
        "net/http.HandlerFunc.ServeHTTP(...)\n"
        "\t/usr/local/go/src/net/http/server.go:2166\n"
        "...additional frames elided...\n"
        "exit status 2"
    ),
    "2026/01/31 08:15:01 listening on :8080",
    (
        "panic: runtime error: invalid memory address or nil pointer dereference\n"
        "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x48c1a2]\n"
        "\n"
        "goroutine 1 [running]:\n"
        "main.main()\n"
        "\t/app/main.go:5 +0x2\n"
        "rax    0x0\n"
        "rip    0x48c1a2\n"
        "rflags 0x10246\n"
        "fs     0x0"
    ),
    (
        "fatal error: all goroutines are asleep - deadlock!\n"
        "\n"
        "goroutine 1 [chan receive]:\n"
        "main.main()\n"
        "\t/app/main.go:4 +0x2d"
    ),
    '{"level":"info","msg":"main.main() was here"}',
]
RUBY = [
    "I, [2026-01-31T08:15:00.1 #1]  INFO -- : started",
    (
        "app.rb:2:in `pay': no card (RuntimeError)\n"
        "\tfrom app.rb:5:in `block in <main>'\n"
        "\tfrom app.rb:7:in `<main>'"
    ),
    (
        "E, [2026-01-31T08:15:01.2 #1] ERROR -- : divided by 0 (ZeroDivisionError)\n"
        "/app/cart.rb:3:in `/'\n"
        "/app/cart.rb:3:in `pay'\n"
        "/app/main.rb:9:in `<main>'"
    ),
    (
        "ActionView::Template::Error (undefined method `x' for nil:NilClass):\n"
        "    1: <h1><%= x %></h1>\n"
        "  \n"
        "app/views/carts/show.html.erb:1:in `_app_views_carts_show'\n"
        "Caused by:\n"
        "app/models/cart.rb:8:in 'Cart#total'"
    ),
    "I, [2026-01-31T08:15:02.3 #1]  INFO -- : done",
]
DOTNET = [
    (
        "Unhandled exception. System.InvalidOperationException: no card\n"
        " ---> System.Net.Sockets.SocketException (111): Connection refused\n"
        "   at Shop.Bank.Call() in /src/Bank.cs:line 5\n"
        "   --- End of inner exception stack trace ---\n"
        "   at Shop.Cart.Pay() in /src/Cart.cs:line 42\n"
        "--- End of stack trace from previous location ---\n"
        "   at Program.<Main>$(String[] args) in /src/Program.cs:line 1"
    ),
    (
        "[08:15:00 ERR] cannot pay\n"
        "System.AggregateException: One or more errors occurred. (no card)\n"
        "   at Shop.Cart.Pay()"
    ),
    "[08:15:01 INF] done",
    (
        "fail: Shop.Cart[0]\n"
        "      cannot pay\n"
        "      System.IO.IOException: reset\n"
        "         at Shop.Bank.Call()"
    ),
    "info: Shop.Cart[0]\n      done",
]
INDENT = ["one", "two\n  a\n\tb", "three", "four\n "]
DATE = [
    "2026-01-31 08:15:00,123 ERROR cannot pay\njava.lang.Error: x\n\tat a.B\n\nCaused by: y",
    "2026/01/31 08:15:01 [error] 7#7: *1 open() failed\nand more",
    "[2026-01-31T08:15:02Z] INFO one",
    "[31/Jan/2026:08:15:03 +0100] two",
    "31-Jan-2026 08:15:04.000 SEVERE three\n  detail: 2026-01-31 is not at the beginning",
    "31.01.2026 08:15 four",
    "Jan 31 08:15:05 node five",
    "Sat Jan 31 08:15:06 2026 six",
    "08:15:07.123 [main] seven",
    "I0131 08:15:08.123456   1 main.go:1] eight",
    "ERROR 2026-01-31 08:15:09 nine\nsince 2026-01-31 nobody came",
    "[WARN] 2026-01-31 08:15:10 ten",
    "20260131T081511 eleven",
]

TRACES = {
    "java": JAVA,
    "python": PYTHON,
    "go": GO,
    "ruby": RUBY,
    "dotnet": DOTNET,
    "indent": INDENT,
    "date": DATE,
}
