"""What becomes of the collector's lines when stdout is full or gone; with real processes."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from pilot.cli.output import Output
from tests.cli.test_run import run, until

if TYPE_CHECKING:
    from pathlib import Path

LINES = """
import itertools, time
for number in itertools.count():
    print(number, flush=True)
    time.sleep(0.005)
"""

# A stdout that refuses, takes half a line and takes everything, as a disk that fills up.
FILLING = """
import resource, signal, sys, threading
from pilot.cli.output import Output
import logging; logging.basicConfig(format="%(message)s")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 1 << 20))
printed = []
output = Output(printed.append)
def lines():
    for number in range(5): output(f"line {number}")
thread = threading.Thread(target=lines, daemon=True)
thread.start()
sys.stdin.readline()
assert printed == ["line 0"], printed
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
thread.join(20)
assert len(printed) == 5, printed
"""


def agent(folder: Path, code: str, stdout: int, log: Path) -> subprocess.Popen[bytes]:
    """The daemon, whose collector is this text."""
    program = folder / "collector"
    program.write_text(f"#!{sys.executable}\n{textwrap.dedent(code)}")
    program.chmod(0o755)
    with log.open("wb") as stderr:
        return subprocess.Popen(
            run(folder, "--collector-program", str(program)), stdout=stdout, stderr=stderr
        )


def starts(log: Path) -> int:
    return len(re.findall("collector started", log.read_text()))


def test_a_reader_that_is_gone_ends_the_agent_in_order(tmp_path: Path) -> None:
    log = tmp_path / "log"
    read, write = os.pipe()
    process = agent(tmp_path, LINES, write, log)
    os.close(write)
    try:
        with os.fdopen(read, "rb") as stream:
            assert stream.readline() == b"0\n"
        assert process.wait(60) == 1
    finally:
        process.kill()
        process.wait()
    told = log.read_text()
    assert told.count("nobody reads stdout any more") == 1
    assert "Traceback" not in told
    assert starts(log) == 1
    assert not (tmp_path / "state/status.sock").exists()


def test_a_full_stdout_holds_the_collector_up_and_ends_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with open("/dev/full", "wb") as full:
        process = agent(tmp_path, LINES, full.fileno(), log)
    try:
        until(lambda: "stdout takes no lines" in log.read_text())
        until((tmp_path / "state/status.sock").exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    told = log.read_text()
    assert told.count("stdout takes no lines") == 1
    assert "Traceback" not in told
    assert starts(log) == 1


def test_a_stop_is_not_held_up_by_a_reader_that_does_not_read(tmp_path: Path) -> None:
    log = tmp_path / "log"
    read, write = os.pipe()
    process = agent(tmp_path, 'while True: print("x" * 1000)', write, log)
    try:
        until((tmp_path / "state/status.sock").exists)
        until(lambda: not writable(write))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()
        os.close(read)
        os.close(write)


def writable(descriptor: int) -> bool:
    return bool(select.select([], [descriptor], [], 0)[1])


def test_no_byte_is_lost_or_doubled_when_there_is_room_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with (
        out.open("wb") as stdout,
        subprocess.Popen(
            [sys.executable, "-c", FILLING],
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.PIPE,
        ) as process,
    ):
        until(lambda: out.stat().st_size == 10)  # one line and a half
        _, told = process.communicate(b"go\n", timeout=60)
    assert process.returncode == 0, told.decode()
    assert out.read_text() == "".join(f"line {number}\n" for number in range(5))


def test_a_stdout_that_was_closed_from_the_start_is_one_that_is_gone(tmp_path: Path) -> None:
    code = (
        "import threading; from pilot.cli.output import Output; over = threading.Event();"
        "output = Output(); output.when_gone(over.set);"
        "threading.Thread(target=output, args=('line',), daemon=True).start();"
        "raise SystemExit(0 if over.wait(20) and output.gone else 3)"
    )
    shell = 'exec "$0" -c "$1" >&-'
    done = subprocess.run(["sh", "-c", shell, sys.executable, code], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_the_end_of_the_reader_may_come_before_there_is_anything_to_end() -> None:
    output, ended = Output(), []
    output.gone = True
    output.when_gone(lambda: ended.append("now"))
    assert ended == ["now"]


def test_lines_are_printed_whole_and_counted(capfd: pytest.CaptureFixture[str]) -> None:
    printed: list[str] = []
    output = Output(printed.append)
    for line in ("one", "größe", ""):
        output(line)
    assert capfd.readouterr().out == "one\ngröße\n\n"
    assert printed == ["one", "größe", ""]


@pytest.mark.parametrize("with_stderr", [False, True])
def test_the_demo_ends_with_its_reader(tmp_path: Path, *, with_stderr: bool) -> None:
    command = [sys.executable, "-m", "pilot", "demo", "--lines", "100000"]
    read, write = os.pipe()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdout=write,
            stderr=subprocess.STDOUT if with_stderr else log,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )
    os.close(write)
    try:
        with os.fdopen(read, "rb") as stream:
            until(lambda: b"line=1" in stream.readline())
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    assert not list(tmp_path.glob("log-pilot-demo-*"))
