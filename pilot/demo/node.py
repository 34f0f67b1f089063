"""A pretend node below one folder: static files say what runs there, small programs write its logs.

The pilot is to run with `--node-root <folder>/node` and the static source on `<folder>/containers`.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pilot.demo.containers import DemoContainer, demo_containers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LINES = 30  # per program
INTERVAL = 0.4  # seconds between two lines of a program
REMOVED_AFTER = 1.0  # seconds between the end of `batch` and the removal of its container
STOP_GRACE = 2.0  # seconds between SIGTERM and SIGKILL
REMOVED = ("batch",)  # containers that are removed once they have ended

log = logging.getLogger(__name__)


class DemoNode:
    """The node's life: `start`, then `poll` often until `done`, then `stop`. Used by one thread."""

    def __init__(
        self,
        folder: Path,
        run: str,
        lines: int = LINES,
        *,
        interval: float = INTERVAL,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make nothing yet. `run` is the random id that every line carries.

        Removing the folder is left to who made it.
        """
        self.root, self.containers = folder / "node", folder / "containers"
        self._run, self._lines, self._interval = run, lines, interval
        self._monotonic = monotonic
        self._members = demo_containers(run, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}Z")
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._remove_at: dict[str, float] = {}
        self._started = False

    def expected(self) -> dict[str, int]:
        """How many lines each program writes, by its name."""
        return {each.name: self._lines for each in self._members if each.program}

    @property
    def done(self) -> bool:
        """Whether every program has ended and what is to be removed was removed, or all stopped."""
        return self._started and not self._running and not self._remove_at

    def start(self) -> None:
        """Make the folders, say what runs, then start the programs. Raises OSError."""
        self.containers.mkdir(parents=True, exist_ok=True)
        for each in self._members:
            self._on_node(each).parent.mkdir(parents=True, exist_ok=True)
            each.write(self.containers, "running")
        for each in self._members:
            if each.program:
                self._running[each.name] = self._start_program(each)
        self._started = True

    def poll(self) -> None:
        """Notice which programs have ended and move their containers on. Raises OSError."""
        for each in self._members:
            process = self._running.get(each.name)
            if process and process.poll() is not None:
                del self._running[each.name]
                _close_stdin(process)
                if process.returncode:
                    log.error("demo program %s failed with code %d", each.name, process.returncode)
                each.write(self.containers, "ended")
                if each.name in REMOVED:
                    self._remove_at[each.name] = self._monotonic() + REMOVED_AFTER
            if self._remove_at.get(each.name, float("inf")) <= self._monotonic():
                del self._remove_at[each.name]
                each.remove(self.containers)

    def stop(self) -> None:
        """End the programs that still run; returns when they are gone. May be called twice."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(STOP_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _close_stdin(process)
        self._running.clear()
        self._remove_at.clear()

    def _on_node(self, each: DemoContainer) -> Path:
        return self.root / each.program.lstrip("/")

    def _start_program(self, each: DemoContainer) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "pilot.demo.program", each.name),
                *("--file", str(self._on_node(each)), "--run", self._run),
                *("--lines", str(self._lines), "--interval", str(self._interval)),
            ],
            stdin=subprocess.PIPE,  # Closed by the kernel when this process ends, however it does.
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # A Ctrl-C in the terminal is for the demo, which stops them.
        )


def _close_stdin(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        process.stdin.close()
