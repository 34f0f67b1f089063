"""Log lines, written by a thread of their own so that a blocked stderr never stops the loop."""

from __future__ import annotations

import io
import logging
import logging.handlers
import os
import queue
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from pilot.model import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

LEVELS = ("debug", "info", "warning", "error")
QUEUED = 10_000  # log lines that may wait for stderr before further ones are dropped
LAST = 1.0  # seconds that a slow stderr gets at the end, twice


class _OneLine(logging.Formatter):
    """A message is one line whatever is in it; so is each line of a traceback, set in below it."""

    def format(self, record: logging.LogRecord) -> str:
        """The message and the traceback, without time and level."""
        below = self.formatException(record.exc_info).split("\n") if record.exc_info else []
        below += record.stack_info.split("\n") if record.stack_info else []
        return "\n".join([printable(record.getMessage()), *(f"  {printable(x)}" for x in below)])


class _DroppingHandler(logging.handlers.QueueHandler):
    """Drops a record, and counts it, where the standard handler would write to stderr itself."""

    dropped = 0

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1


@contextmanager
def logging_to_stderr(level: str) -> Iterator[None]:
    """Send log lines of this level and above to stderr while the context lasts."""
    lines: queue.Queue[logging.LogRecord | None] = queue.Queue(QUEUED)
    handler = _DroppingHandler(lines)
    handler.setFormatter(_OneLine())  # The handler joins message and traceback, so here or never.
    writer = threading.Thread(target=_write, args=(lines, sys.stderr), name="log", daemon=True)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level.upper())
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    writer.start()
    try:
        yield
    finally:
        root.removeHandler(handler)
        try:
            lines.put(None, timeout=LAST)
        except queue.Full:
            pass  # Nobody reads: what waits is lost, but the pilot ends.
        writer.join(LAST)
        if handler.dropped and not writer.is_alive():
            _say(f"log-pilot: {handler.dropped} log lines dropped\n", sys.stderr)


def _write(lines: queue.Queue[logging.LogRecord | None], stream: TextIO) -> None:
    formatter = logging.Formatter(
        "%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z"
    )
    while (record := lines.get()) is not None:
        _say(f"{formatter.format(record)}\n", stream)


def _say(text: str, stream: TextIO) -> None:
    """Past Python's own buffer, whose lock would let a blocked stderr hold up the exit."""
    rest = text.encode("utf-8", "backslashreplace")
    try:
        while rest:
            rest = rest[os.write(stream.fileno(), rest) :]
    except io.UnsupportedOperation:
        stream.write(text)  # It is no file.
    except OSError:
        pass  # Nobody is left to tell.
