from __future__ import annotations

import fcntl
import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pilot.collector import Supervisor
from pilot.handover import Command
from tests.fakes.programs import DEADLINE, alive, program, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

SLEEP = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('up', flush=True); time.sleep(600)"
)


class Output:
    """The lines that a collector wrote."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)


@contextmanager
def supervised(command: Command) -> Iterator[tuple[Supervisor, Output]]:
    output = Output()
    supervisor = Supervisor(command, output)
    supervisor.start()
    try:
        yield supervisor, output
    finally:
        supervisor.stop()
        wait_for(lambda: "collector" not in [each.name for each in threading.enumerate()])


def test_output_comes_line_by_line_while_it_runs(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    code = (
        "import os, sys, time\n"
        "out = sys.stdout.buffer\n"
        "out.write(b'one\\ntwo \\xc3\\xa9\\nbad \\xff\\n\\ncr\\r\\nha'); out.flush()\n"
        f"open({str(gate)!r}).read()\n"
        "out.write(b'lf\\n' + b'x' * 300000 + b'\\nlast without newline'); out.flush()\n"
    )
    with supervised(program(code)) as (_, output):
        wait_for(lambda: len(output.lines) == 5)
        assert output.lines == ["one", "two é", "bad \N{REPLACEMENT CHARACTER}", "", "cr\r"]
        gate.write_text("go")
        wait_for(lambda: len(output.lines) >= 8)
        assert output.lines[5:8] == ["half", "x" * 300000, "last without newline"]


def test_what_it_says_on_stderr_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "collector")
    code = "import sys, time; print('%s {x}', file=sys.stderr, flush=True); time.sleep(600)"
    with supervised(program(code)):
        wait_for(lambda: "%s {x}" in caplog.messages)


def test_a_collector_that_ends_is_started_again(caplog: pytest.LogCaptureFixture) -> None:
    with supervised(program("print('hello'); raise SystemExit(3)")) as (supervisor, output):
        wait_for(lambda: supervisor.starts >= 3)
        assert supervisor.pid is None or alive(supervisor.pid)
    assert output.lines[:2] == ["hello", "hello"]
    assert "ended with code 3" in caplog.text
    assert supervisor.state == "stopped"


def test_a_collector_that_is_killed_is_started_again() -> None:
    with supervised(program(SLEEP)) as (supervisor, output):
        wait_for(lambda: output.lines == ["up"])
        first = supervisor.pid
        assert first
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: output.lines == ["up", "up"])
        assert supervisor.pid != first
        last = supervisor.pid
    assert last
    assert not alive(first)
    assert not alive(last)
    assert supervisor.pid is None


def test_stop_lets_it_end_in_order(tmp_path: Path) -> None:
    code = (
        "import pathlib, signal, sys, time\n"
        "def end(*_):\n"
        f"    pathlib.Path({str(tmp_path / 'ended')!r}).write_text('in order')\n"
        "    print('last words', flush=True)\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('up', flush=True)\n"
        "while True: time.sleep(600)\n"
    )
    with supervised(program(code)) as (supervisor, output):
        wait_for(lambda: output.lines == ["up"])
    assert (tmp_path / "ended").read_text() == "in order"
    assert output.lines == ["up", "last words"]
    assert supervisor.starts == 1


def test_one_that_does_not_stop_is_killed_after_its_grace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with supervised(program(STUBBORN, stop_grace=0.05)) as (supervisor, output):
        wait_for(lambda: output.lines == ["up"])
        pid = supervisor.pid
        assert pid
    assert not alive(pid)
    assert "killed" in caplog.text


def test_a_stop_right_after_the_start_leaves_nothing_behind(tmp_path: Path) -> None:
    # Whatever the moment, no collector may be alive once `stop` has returned.
    code = (
        "import os, pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"pathlib.Path({str(tmp_path)!r}, str(os.getpid())).touch(); time.sleep(600)"
    )
    for _ in range(10):
        supervisor = Supervisor(program(code, stop_grace=0.05), Output())
        supervisor.start()
        supervisor.stop()
        assert supervisor.pid is None
        assert supervisor.state == "stopped"
    assert [pid for pid in os.listdir(tmp_path) if alive(int(pid))] == []


def test_it_waits_for_the_lock_of_an_earlier_collector(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lock = tmp_path / "data.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with supervised(program(SLEEP, lock=str(lock))) as (supervisor, output):
            wait_for(lambda: supervisor.state == "waiting for an earlier collector")
            assert supervisor.starts == 0
            assert str(lock) in caplog.text
            fcntl.flock(held, fcntl.LOCK_UN)
            wait_for(lambda: output.lines == ["up"])


def test_it_stops_while_it_waits_for_a_lock(tmp_path: Path) -> None:
    lock = tmp_path / "data.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with supervised(program(SLEEP, lock=str(lock))) as (supervisor, _):
            wait_for(lambda: supervisor.state == "waiting for an earlier collector")
        assert supervisor.starts == 0


def test_a_lock_file_that_is_not_there_or_free_holds_up_nothing(tmp_path: Path) -> None:
    for name in ("missing", "free"):
        lock = tmp_path / name
        if name == "free":
            lock.touch()
        with supervised(program(SLEEP, lock=str(lock))) as (_, output):
            wait_for(lambda output=output: output.lines == ["up"])  # type: ignore[misc]


def test_a_lock_that_cannot_be_looked_at_is_said_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "loop").symlink_to("loop")  # open(2) says ELOOP, to root as well
    lock = tmp_path / "loop"
    with supervised(program(SLEEP, lock=str(lock))) as (supervisor, output):
        wait_for(lambda: "cannot be started" in supervisor.state)
        lock.unlink()
        wait_for(lambda: output.lines == ["up"])
    assert "cannot be started" in caplog.text


def test_a_program_that_is_missing_is_said_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "collector")
    missing = tmp_path / "collector"
    with supervised(Command((str(missing), "-e"))) as (supervisor, output):
        wait_for(lambda: f"log-pilot: cannot run {str(missing)!r}" in caplog.text)
        assert "No such file" in caplog.text
        assert "Traceback" not in caplog.text
        missing.write_text("#!/bin/sh\necho here $1\nexec sleep 600\n")
        missing.chmod(0o755)
        wait_for(lambda: output.lines == ["here -e"])
        assert supervisor.pid


def test_an_output_that_fails_costs_its_line_and_not_the_collector(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lines = []

    def fails(line: str) -> None:
        lines.append(line)
        if line.startswith("bad"):
            raise ValueError("no such line")

    code = "print('bad 1\\nbad 2'); print('x' * 300000, flush=True); import time; time.sleep(600)"
    supervisor = Supervisor(program(code), fails)
    supervisor.start()
    try:
        wait_for(lambda: len(lines) == 3)
    finally:
        supervisor.stop()
    assert [line[:5] for line in lines] == ["bad 1", "bad 2", "xxxxx"]
    assert supervisor.starts == 1
    assert caplog.text.count("was not passed on") == 1


def test_a_machine_without_room_for_a_thread_is_said_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lock = tmp_path / "data.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with supervised(program(SLEEP, lock=str(lock))) as (supervisor, output):
            wait_for(lambda: supervisor.state == "waiting for an earlier collector")
            before = threading.stack_size(1 << 47)  # bytes that no process has room for
            try:
                fcntl.flock(held, fcntl.LOCK_UN)
                wait_for(lambda: "can't start new thread" in supervisor.state)
                assert supervisor.pid is None
            finally:
                threading.stack_size(before)
            wait_for(lambda: output.lines == ["up"])
    assert "cannot be started: can't start new thread" in caplog.text


def test_it_runs_apart_from_the_terminal_s_signals_and_with_its_own_environment() -> None:
    code = (
        "import os; print(os.getsid(0) == os.getpid(), os.environ['X_TEST'], os.environ['PATH']);"
        "import time; time.sleep(600)"
    )
    command = Command((sys.executable, "-uc", code), env={"X_TEST": "a b"})
    with supervised(command) as (_, output):
        wait_for(lambda: output.lines)
        assert output.lines == [f"True a b {os.environ['PATH']}"]


def test_no_signal_is_ignored_or_blocked_that_a_program_expects() -> None:
    command = Command(("sh", "-c", "grep -E 'Sig(Ign|Blk)' /proc/self/status; exec sleep 600"))
    with supervised(command) as (_, output):
        wait_for(lambda: len(output.lines) == 2)
    for line, own in zip(output.lines, inherited(), strict=True):
        assert int(line.split()[1], 16) & ~own == 0, line


def inherited() -> tuple[int, int]:
    """The signals blocked and ignored here, less those that Python itself ignores."""
    with open("/proc/self/status") as file:
        found = dict(line.split(":", 1) for line in file)
    pythons = 1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)
    # 32 and 33 are the C library's own, and inherited from whoever ran the tests.
    library = 0b11 << 31
    return (int(found["SigBlk"], 16) | library, int(found["SigIgn"], 16) & ~pythons | library)


def test_it_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent_code = (
        "import sys, time\n"
        "from pilot.collector import Supervisor\n"
        "from pilot.handover import Command\n"
        "child = 'import os, time; print(os.getpid(), flush=True); time.sleep(600)'\n"
        "command = Command((sys.executable, '-c', child))\n"
        "Supervisor(command, lambda line: print(line, flush=True)).start()\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent_code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
        parent.wait(DEADLINE)
        wait_for(lambda: not alive(pid), "for the collector to end")


def test_it_does_not_start_under_a_parent_that_has_ended() -> None:
    # The process id is one that is not our own: as if the pilot had ended before the tether ran.
    ended = subprocess.run(
        [sys.executable, "-m", "pilot.tether", str(os.getppid()), "echo", "started"],
        capture_output=True,
    )
    assert ended.returncode == 1
    assert ended.stdout == b""


def test_the_tether_becomes_the_program_itself() -> None:
    code = "import os; print(os.getpid())"
    with subprocess.Popen(
        [sys.executable, "-m", "pilot.tether", str(os.getpid()), sys.executable, "-c", code],
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert int(process.stdout.read()) == process.pid
