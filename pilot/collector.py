"""Runs a collector as a child and keeps it running; its output is passed on line by line.

The child gets a process group of its own (a Ctrl-C in a terminal reaches the pilot alone, which
stops it in order) and dies with the pilot: PR_SET_PDEATHSIG, set by `pilot.tether` right before the
collector's program takes over.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import subprocess
import sys
import threading
import time
from typing import IO, TYPE_CHECKING

from pilot.hints import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilot.handover import Command

LOCK_POLL = 0.2  # seconds between two looks at the lock of a collector that still runs
STEADY = 60.0  # seconds after which a start counts as a success

LEVEL = re.compile(r'"(?:log\.)?level":"(\w+)"')  # in a line of JSON
LEVELS = {
    "debug": logging.DEBUG,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.ERROR,
}

log = logging.getLogger(__name__)


class Supervisor:
    """One collector process, restarted with growing waits when it ends."""

    def __init__(self, command: Command, output: Callable[[str], None]) -> None:
        """Run this command; `output` gets each line that the collector writes to stdout.

        An output that cannot take a line now does not return: the collector waits in its turn.
        """
        self._command, self._output = command, output
        self._stopping, self._starting = threading.Event(), threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="collector", daemon=True)
        self.starts = 0
        self.state = "starting"

    @property
    def pid(self) -> int | None:
        """The running collector's process id."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start the collector and keep it running."""
        self._thread.start()

    def stop(self) -> None:
        """SIGTERM, then SIGKILL after the command's grace; returns when the collector is gone."""
        self._stopping.set()
        with self._starting:  # From here on there is a process to stop or there will be none.
            process = self._process
        if process and process.poll() is None:
            process.terminate()
            try:
                process.wait(self._command.stop_grace)
            except subprocess.TimeoutExpired:
                log.warning("collector did not stop in %g s: killed", self._command.stop_grace)
                process.kill()
                process.wait()
        self._thread.join(2)
        self.state = "stopped"

    def _run(self) -> None:
        backoff = Backoff(first=0.5, limit=30)
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                if not self._wait_for_lock():
                    return
                started = time.monotonic()
                code = self._run_once()
            except (OSError, RuntimeError) as error:  # the latter: no thread to read its output
                self.state = f"cannot be started: {error}"
                log.error("collector %r cannot be started: %s", self._command.argv[0], error)
            else:
                self.state = f"ended with code {code}"
                if not self._stopping.is_set():
                    log.error(
                        "collector ended with code %d after %.1f s",
                        code,
                        time.monotonic() - started,
                    )
            if time.monotonic() - started > STEADY:
                backoff.reset()
            self._stopping.wait(backoff.wait())

    def _run_once(self) -> int:
        # PDEATHSIG is sent when the *thread* that forked ends; this one lives as long as the pilot.
        argv = [sys.executable, "-m", "pilot.tether", str(os.getpid()), *self._command.argv]
        with self._starting:
            if self._stopping.is_set():
                return 0
            process = self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, **self._command.env},
                start_new_session=True,
            )
        self.starts += 1
        self.state = "running"
        log.info("collector started: %s (pid %d)", " ".join(self._command.argv), process.pid)
        readers = _readers(process, self._output)
        code = process.wait()
        for reader in readers:
            reader.join(1)
        return code

    def _wait_for_lock(self) -> bool:
        """Wait until no other collector holds the data folder; False when stopped meanwhile."""
        said = False
        while not self._stopping.is_set():
            if not self._command.lock or not _locked(self._command.lock):
                return True
            if not said:
                said = True
                self.state = "waiting for an earlier collector"
                log.warning("waiting: another collector holds %s", self._command.lock)
            self._stopping.wait(LOCK_POLL)
        return False


def _locked(path: str) -> bool:
    """Whether somebody holds the flock(2) of this file."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _readers(
    process: subprocess.Popen[bytes], output: Callable[[str], None]
) -> list[threading.Thread]:
    """Threads that pass on what the collector says. Raises RuntimeError: then it was killed."""
    readers: list[threading.Thread] = []
    for stream, to in ((process.stdout, output), (process.stderr, _log_line)):
        assert stream  # noqa: S101 -- both are pipes
        reader = threading.Thread(target=_pass_on, args=(stream, to), daemon=True)
        try:
            reader.start()
        except RuntimeError:
            process.kill()
            process.wait()
            for left in (process.stdout, process.stderr)[len(readers) :]:
                if left:
                    left.close()
            raise
        readers.append(reader)
    return readers


def _pass_on(stream: IO[bytes], to: Callable[[str], None]) -> None:
    """Until the collector closes it. A defect in `to` costs its line, not the collector's pipe."""
    said = False
    with stream:
        for line in stream:
            try:
                to(line.decode("utf-8", "replace").rstrip("\n"))
            except Exception:
                if not said:
                    log.exception("a defect: a line of the collector was not passed on")
                said = True


def _log_line(line: str) -> None:
    """Pass on a line of the collector's own log, at the level that it names; else as a warning."""
    found = LEVEL.search(line)
    level = LEVELS.get(found[1], logging.INFO) if found else logging.WARNING
    logging.getLogger("collector").log(level, "%s", line)
