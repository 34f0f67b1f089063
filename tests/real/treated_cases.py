"""The containers of tests/real/test_treatments.py: one for each thing that may be declared."""

from __future__ import annotations

from tests.real.treated import Case, Wanted

EACH = "lines() {{ n=$1; while [ $n -le $2 ]; do {}; n=$((n+1)); done; }}"
TRACE = (
    "printf '[{0} %d] ERROR cannot pay\\njava.lang.IllegalStateException: no card %d\\n"
    "\\tat com.example.Cart.pay(Cart.java:%d)\\nCaused by: java.io.IOException: x\\n"
    "\\t... 12 more\\n' $n $n $n"
)
PYTHON = (
    "[ $((n%3)) -eq 0 ] && w=DEBUG || w=ERROR; printf '[file %d] %s pay\\n"
    'Traceback (most recent call last):\\n  File "/app/a.py", line 3, in pay\\n'
    "    card = cards[user]\\nKeyError: %d\\n' $n $w $n"
)
WIDE = "x" * 1100


def both(first: str, second: str) -> str:
    """Two writers at once, so that what they write lies in one another."""
    return (
        "lines() { (n=$1; while [ $n -le $2 ]; do "
        f"{first}; n=$((n+1)); done) & (m=$1; while [ $m -le $2 ]; do n=$m; {second}; "
        "m=$((m+1)); done) & wait; }"
    )


def to_file(command: str, path: str) -> str:
    return f"{command} >> {path}"


def _json(text: str) -> tuple[str, ...]:
    number = text.split('"n":')[1].split(",")[0]
    return number, f"2026-01-31T08:15:00.{int(number):03}Z"


OUT_ERR = both('echo "[out $n] hello"', 'echo "[err $n] trouble" >&2')
TAIL = '; for k in 1 2 3 4 5 6 7 8; do echo "[tail $2] $k"{}; done; }}'
CASES = (
    Case(
        name="parted",
        declared={"out": "stdout", "err": "stderr"},
        wanted=(
            Wanted(name="out", streams=("stdout",)),
            Wanted(name="err", streams=("stderr",)),
        ),
        script=OUT_ERR[:-3] + TAIL.format(" >&2"),
    ),
    Case(
        name="err-only",
        declared={"err": "stderr"},
        wanted=(Wanted(name="err", streams=("stderr",)),),
        script=OUT_ERR[:-3] + TAIL.format(""),
    ),
    Case(
        name="err-joined",
        declared={"err": "stderr", "err_multiline": "java", "err_exclude": "[02468]\\] ERROR"},
        wanted=(
            Wanted(
                name="err",
                streams=("stderr",),
                joined=True,
                keep=lambda text: text.split("]")[0][-1] not in "02468",
            ),
        ),
        script=both('echo "[out $n] hello"', f"{TRACE.format('err')} >&2")[:-3] + TAIL.format(""),
    ),
    Case(
        name="joined",
        declared={"out": "stdout", "out_multiline": "java"},
        wanted=(Wanted(name="out", joined=True),),
        script=both(TRACE.format("out"), f"{TRACE.format('err')} >&2"),
    ),
    Case(
        name="joined-quiet",
        declared={"out": "stdout", "out_multiline": "java"},
        wanted=(Wanted(name="out", joined=True),),
        script=EACH.format(TRACE.format("out")),
    ),
    Case(
        name="joined-and-err",
        declared={"out": "stdout", "out_multiline": "java", "err": "stderr"},
        wanted=(
            Wanted(name="out", joined=True, streams=("stdout",)),
            Wanted(name="err", streams=("stderr",)),
        ),
        script=both(TRACE.format("out"), 'echo "[err $n] trouble" >&2')[:-3] + TAIL.format(" >&2"),
    ),
    Case(
        name="python",
        declared={"py": "/logs/py.log", "py_multiline": "python", "py_exclude": " DEBUG "},
        wanted=(
            Wanted(name="py", place="logs", joined=True, keep=lambda text: " DEBUG " not in text),
        ),
        script=EACH.format(to_file(f"({PYTHON})", "/logs/py.log")),
    ),
    Case(
        name="include",
        declared={"kept": "/logs/*.log", "kept_include": "^keep"},
        wanted=(Wanted(name="kept", place="logs", keep=lambda text: text.startswith("keep")),),
        script=EACH.format(
            "[ $((n%2)) -eq 0 ] && w=drop || w=keep; echo $w $n >> /logs/a.log; "
            "[ $((n%40)) -ne 0 ] || mv /logs/a.log /logs/a.log.$n"
        ),
    ),
    Case(
        name="json",
        declared={
            "ev": "/logs/ev.log",
            "ev_format": "json",
            "ev_format_target": "data",
            "ev_format_time_key": "when",
        },
        wanted=(Wanted(name="ev", place="logs", shape=_json, shown=("data.n", "@timestamp")),),
        script=EACH.format(
            'printf \'{"n":%d,"when":"2026-01-31T09:15:00.%03d+01:00","log":{"x":1}}\\n\' $n $n'
            " >> /logs/ev.log"
        ),
    ),
    Case(
        name="csv",
        declared={"rows": "stdout", "rows_format": "csv", "rows_format_keys": "who,what,number"},
        wanted=(
            Wanted(
                name="rows",
                shape=lambda text: ("a", "b,c", text.rsplit(",", 1)[1]),
                shown=("who", "what", "number"),
            ),
        ),
        script=EACH.format("printf 'a,\"b,c\",%d\\n' $n"),
    ),
    Case(
        name="gbk",
        declared={"zh": "/logs/zh.log", "zh_encoding": "gbk"},
        wanted=(
            Wanted(name="zh", place="logs", shape=lambda text: (f"你好 {text.split(' ')[-1]}",)),
        ),
        script=EACH.format("printf '\\304\\343\\272\\303 %d\\n' $n >> /logs/zh.log"),
    ),
    Case(
        name="wide",
        declared={"w": "stdout", "w_max_bytes": "1Ki"},
        wanted=(Wanted(name="w", shape=lambda text: (text[:1024],)),),
        script=EACH.format(f"echo $n {WIDE}"),
    ),
    Case(
        name="own-files",
        declared={"own": "/app/a.log", "own_exclude": "[05]$"},
        wanted=(Wanted(name="own", place="own", keep=lambda text: text[-1] not in "05"),),
        script="mkdir -p /app; " + EACH.format("echo own $n >> /app/a.log"),
    ),
    Case(
        name="under_scores",
        declared={"my_app_log": "stdout", "my_app_log_tags": "team=a", "my_app": "/logs/my.log"},
        wanted=(
            Wanted(name="my_app_log", shape=lambda text: (text, "a"), shown=("message", "team")),
            Wanted(name="my_app", place="logs"),
        ),
        script=EACH.format("echo out $n; echo file $n >> /logs/my.log"),
    ),
    Case(
        name="custom",
        declared={
            "svc": "stdout",
            "custom_config": "svc.multiline.pattern='^\\['\nsvc.multiline.negate=true\n"
            "svc.multiline.match=after\nsvc.exclude_lines=['1\\] ERROR', '2\\] ERROR']\n"
            "svc.fields.team=b",
        },
        wanted=(
            Wanted(
                name="svc",
                joined=True,
                keep=lambda text: text.split("]")[0][-1] not in "12",
                shape=lambda text: (text, "b"),
                shown=("message", "team"),
            ),
        ),
        script=EACH.format(TRACE.format("out")),
    ),
    Case(
        name="refused-option",
        declared={"ref": "stdout", "ref_raw_harvester_limit": "1"},
        wanted=(Wanted(name="ref"),),
        script=EACH.format("echo ref $n"),
        notices=("option-forbidden",),
    ),
)
