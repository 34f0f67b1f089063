"""`log-pilot demo` as a process: all its lines, and nothing left behind however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DEADLINE = 60.0  # seconds; only a failing test waits so long


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


def demo(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pilot", "demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )


def processes(folder: Path) -> list[str]:
    """The command lines of processes that name the folder."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                with open(f"/proc/{entry.name}/cmdline", "rb") as file:
                    line = file.read()
            except OSError:
                continue
            if os.fsencode(folder) in line:
                found.append(line.decode())
    return found


def test_every_line_comes_and_nothing_is_left(tmp_path: Path) -> None:
    tmp_path = tmp_path / ("deep" * 30)  # deeper than a socket's path may be
    tmp_path.mkdir()
    with demo(tmp_path, "--lines", "5", "--exit-when-done") as process:
        _, told = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, told
    assert "# web: 5 of 5 lines arrived, missing 0, twice 0" in told
    assert "# api: 5 of 5 lines arrived, missing 0, twice 0" in told
    assert "# batch: 5 of 5 lines arrived, missing 0, twice 0" in told
    assert os.listdir(tmp_path) == []
    assert processes(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("when", ["at once", "when it runs"])
def test_a_signal_leaves_no_process_and_no_folder(
    tmp_path: Path, number: signal.Signals, when: str
) -> None:
    with demo(tmp_path) as process:
        until(lambda: os.listdir(tmp_path))
        if when == "when it runs":
            assert process.stdout
            process.stdout.readline()
        process.send_signal(number)
        process.send_signal(number)
        _, told = process.communicate(timeout=DEADLINE)
    assert "Traceback" not in told
    assert os.listdir(tmp_path) == []
    until(lambda: not processes(tmp_path))


def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    starter = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'pilot', 'demo'])"
    with subprocess.Popen(
        [sys.executable, "-c", starter],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as process:
        until(lambda: processes(tmp_path))
        process.kill()
    until(lambda: not processes(tmp_path))
    until(lambda: os.listdir(tmp_path) == [])
