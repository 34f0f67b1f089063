"""Log lines, written by a thread of their own so that a blocked stderr never stops the loop."""

from __future__ import annotations

import logging
import logging.handlers
import queue
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LEVELS = ("debug", "info", "warning", "error")
QUEUED = 10_000  # log lines that may wait for stderr before further ones are dropped


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
    lines: queue.Queue[logging.LogRecord] = queue.Queue(QUEUED)
    handler = _DroppingHandler(lines)
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(
        logging.Formatter(
            "%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z"
        )
    )
    listener = logging.handlers.QueueListener(lines, output)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level.upper())
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    listener.start()
    try:
        yield
    finally:
        root.removeHandler(handler)
        listener.stop()
        if handler.dropped:
            output.handle(
                root.makeRecord(
                    __name__,
                    logging.WARNING,
                    "",
                    0,
                    "%d log lines dropped",
                    (handler.dropped,),
                    None,
                )
            )
