"""The pilot's stdout, for the collector's lines: a full disk holds them up and skips none.

A reader that is gone (`log-pilot demo | head`) ends the pilot, in order.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, TextIO

from pilot.hints import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

RETRY = (0.05, 5.0)  # seconds: first and longest wait after a failed write
CALM = 60.0  # seconds without trouble after which the next is said again

log = logging.getLogger(__name__)


class Output:
    """Prints lines; returns once a line is printed. Called from the collector's readers.

    While a line cannot be printed the caller waits, so the collector does, and its records say no
    more than what was taken from it. The waiting ends with the process: readers are daemon threads.
    """

    def __init__(self, printed: Callable[[str], object] = lambda _line: None) -> None:
        """Call `printed` with each line that was printed."""
        self._printed = printed
        self._lock = threading.Lock()  # the reader of a collector that ended may still hold a line
        self._end: Callable[[], None] | None = None
        self._failed_at: float | None = None
        self.gone = False  # nobody reads any more

    def when_gone(self, end: Callable[[], None]) -> None:
        """Call `end`, from some thread, when nobody reads any more; at once if that is so now."""
        self._end = end
        if self.gone:
            end()

    def __call__(self, line: str) -> None:
        """Print one line, however long it takes."""
        with self._lock:
            try:
                self._write(f"{line}\n".encode("utf-8", "backslashreplace"))
            except BrokenPipeError:
                self._give_up()
            self._printed(line)

    def _write(self, rest: bytes) -> None:
        backoff = Backoff(*RETRY)
        while rest:
            try:
                rest = rest[_write_some(sys.stdout, rest) :]
                backoff.reset()
            except BrokenPipeError:
                raise
            except OSError as error:
                self._say(error)
                time.sleep(backoff.wait())

    def _say(self, error: OSError) -> None:
        now = time.monotonic()
        if self._failed_at is None or now - self._failed_at > CALM:
            log.error("stdout takes no lines (%s): they wait, and the collector with them", error)
        self._failed_at = now

    def _give_up(self) -> None:
        """Never returns: a line that was taken would count as printed."""
        self.gone = True
        log.error("nobody reads stdout any more: the pilot ends")
        if self._end:
            self._end()
        threading.Event().wait()


def tell(text: str) -> None:
    """Write a line to stderr; where nobody reads that either, it is lost and nothing else is."""
    try:
        _write_some(sys.stderr, f"{text}\n".encode("utf-8", "backslashreplace"))
    except OSError:
        pass


def _write_some(stream: TextIO | None, data: bytes) -> int:
    """Past Python's own buffer, whose lock would let a blocked reader hold up the exit."""
    if stream is None:  # It was closed when the process began; its number may be another file's.
        raise BrokenPipeError
    try:
        return os.write(stream.fileno(), data)
    except io.UnsupportedOperation:
        stream.write(data.decode())  # It is no file.
        return len(data)
