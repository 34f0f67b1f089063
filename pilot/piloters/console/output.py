"""The collector's stdout: a slow or stopped reader only delays, one that is gone ends it."""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

STOP_GRACE = 1.0  # seconds that a blocked reader delays a stop
LOOK_EVERY = 100  # milliseconds between two looks at whether to stop, while blocked

GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL


class OutputClosedError(Exception):
    """Nobody reads any more."""


class OutputBlockedError(Exception):
    """The collector is to stop, and the reader takes nothing; the batch is not written."""


class Output:
    """Writes whole batches to a descriptor that other processes may share, so it stays blocking.

    poll(2) reports a pipe writable only if PIPE_BUF bytes fit (pipe(7)), so pieces of that size
    never block and a signal is heard between them.
    """

    def __init__(self, descriptor: int, stopping: Callable[[], bool]) -> None:
        """Write to this descriptor; `stopping` tells whether the collector was asked to end."""
        self._descriptor, self._stopping = descriptor, stopping
        self._writable, self._error = select.poll(), select.poll()
        self._writable.register(descriptor, select.POLLOUT)
        self._error.register(descriptor, 0)

    def write(self, batch: bytes) -> None:
        """Write all of it, however long the reader takes.

        Raises OutputClosedError, or OutputBlockedError when asked to stop meanwhile.
        """
        view = memoryview(batch)
        while view:
            self._wait_until_writable()
            try:
                written = os.write(self._descriptor, view[: select.PIPE_BUF])
            except OSError as error:
                raise OutputClosedError(str(error)) from error
            view = view[written:]

    def wait(self, seconds: float) -> None:
        """Sleep. Raises OutputClosedError as soon as nobody reads any more."""
        if any(events & GONE for _, events in self._error.poll(seconds * 1000)):
            raise OutputClosedError("the reader is gone")

    def _wait_until_writable(self) -> None:
        stop_at = None
        while True:
            events = self._writable.poll(LOOK_EVERY)
            if events:
                if events[0][1] & GONE:
                    raise OutputClosedError("the reader is gone")
                return
            if self._stopping():
                stop_at = stop_at or time.monotonic() + STOP_GRACE
                if time.monotonic() >= stop_at:
                    raise OutputBlockedError("the reader takes nothing")
