"""A demo program: writes numbered lines the way a container's log gets onto a node, then ends.

Run as `python -m pilot.demo.program KIND --file FILE --run ID --lines N --interval SECONDS`. It
ends early when its stdin is closed, so that it never outlives who started it.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

DOCKER_PIECE = 16 << 10  # bytes per json-file entry (moby daemon/logger/copier.go)
CRI_PIECE = (
    80  # bytes per piece; containerd's max_container_log_line_size is 16 KiB, dull to look at
)
LONG_LINE = 200  # characters that are added to every fifth line of `api`


class Program(Protocol):
    """One kind of program with its own way of logging."""

    def write(self, number: int, text: str) -> None:
        """Log a line."""

    def half(self) -> None:
        """Half of the lines are written: rotate or delete."""

    def end(self) -> None:
        """All lines are written."""


class Web:
    """Docker's json-file driver: stdout and stderr in one file, rotated with `max-file`."""

    def __init__(self, path: Path) -> None:
        """Write to the container's `<id>-json.log`."""
        self._path = path
        self._file = _create(path)

    def write(self, number: int, text: str) -> None:
        """One entry per piece; only the last one's text ends in a newline."""
        stream = "stderr" if number % 4 == 0 else "stdout"
        line = f"{text}\n"
        for start in range(0, len(line), DOCKER_PIECE):
            piece = line[start : start + DOCKER_PIECE]
            entry = {"log": piece, "stream": stream, "time": _now()}
            self._file.write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")

    def half(self) -> None:
        """Docker renames the full file to `.1` and creates the next one under the old name."""
        self._file.close()
        self._path.rename(f"{self._path}.1")
        self._file = _create(self._path)

    def end(self) -> None:
        """Docker leaves the files until the container is removed."""
        self._file.close()


class Api:
    """Kubernetes' logging format, with long lines split in pieces, rotated as the kubelet does."""

    def __init__(self, path: Path) -> None:
        """Write to the pod container's `0.log`."""
        self._path = path
        self._file = _create(path)

    def write(self, number: int, text: str) -> None:
        """Each piece but the last is tagged P (partial), the last one F (full)."""
        if number % 5 == 0:
            text += " padding=" + "x" * LONG_LINE
        for start in range(0, len(text), CRI_PIECE):
            tag = "P" if start + CRI_PIECE < len(text) else "F"
            piece = text[start : start + CRI_PIECE]
            self._file.write(f"{_now()} stdout {tag} {piece}\n".encode())

    def half(self) -> None:
        """The kubelet renames the file after the time, then the runtime opens it anew."""
        self._file.close()
        self._path.rename(f"{self._path}.{datetime.now(UTC):%Y%m%d-%H%M%S}")
        self._file = _create(self._path)

    def end(self) -> None:
        """The kubelet leaves the files until the pod is deleted."""
        self._file.close()


class Batch:
    """A plain file in a volume, deleted and created anew, and deleted again right after the end."""

    def __init__(self, path: Path) -> None:
        """Write to the program's own log file."""
        self._path = path
        self._file = _create(path)

    def write(self, number: int, text: str) -> None:
        """One line of text."""
        self._file.write(f"{text}\n".encode())

    def half(self) -> None:
        """What is in the deleted file can only be read under another name."""
        self._file.close()
        self._path.unlink()
        self._file = _create(self._path)

    def end(self) -> None:
        """The volume is emptied together with the program's end."""
        self._file.close()
        self._path.unlink()


KINDS: dict[str, Callable[[Path], Program]] = {"web": Web, "api": Api, "batch": Batch}


def main() -> None:
    """Write the lines at their pace; end when they are written or when stdin is closed."""
    options = _options()
    program = KINDS[options.kind](options.file)
    due = time.monotonic()
    for number in range(1, options.lines + 1):
        program.write(number, f"run={options.run} program={options.kind} line={number}")
        due += options.interval
        if _closed_before(due):
            return
        if number == options.lines // 2:
            program.half()
    program.end()


def _closed_before(due: float) -> bool:
    """Wait until this time; whether stdin was closed meanwhile."""
    wait = max(0.0, due - time.monotonic())
    readable, _, _ = select.select([sys.stdin], [], [], wait)
    return bool(readable) and not os.read(sys.stdin.fileno(), 4096)


def _create(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("ab", buffering=0)


def _now() -> str:
    """The time as the runtimes write it: RFC 3339 with nine digits."""
    seconds, nanoseconds = divmod(time.time_ns(), 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pilot.demo.program", description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--lines", type=int, required=True)
    parser.add_argument("--interval", type=float, required=True, help="seconds between two lines")
    return parser.parse_args()


if __name__ == "__main__":
    main()
