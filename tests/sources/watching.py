"""A source's watch on a thread of its own, and what it marked."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pilot.hints import Hints
from pilot.sources import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pilot.sources import Source

DEADLINE = 20.0  # seconds; reached only by what would never happen


class Watch:
    """One call of `watch`: the hints that it gives, and how it ended."""

    def __init__(self, source: Source) -> None:
        self.hints = Hints(lambda: None)
        self.error: SourceError | None = None
        self._source = source
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def marked_all(self) -> None:
        """Wait until everything was marked."""
        until(self.hints.take_all, "everything is marked")

    def marked(self) -> list[str]:
        """Wait until something was marked, and take it."""
        taken: list[str] = []

        def take() -> bool:
            taken.extend(self.hints.take())
            return bool(taken)

        until(take, "something is marked")
        for key in taken:
            self.hints.done(key)
        return taken

    def ended(self) -> SourceError | None:
        """Wait until it returned or raised; what it raised."""
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive(), "watch did not end"
        return self.error

    def _run(self) -> None:
        try:
            self._source.watch(self.hints)
        except SourceError as error:
            self.error = error


@contextmanager
def watching(source: Source) -> Iterator[Watch]:
    """Watch until the end of the block; the source is closed then."""
    watch = Watch(source)
    try:
        yield watch
    finally:
        source.close()
        watch.ended()


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for a condition that another thread will make true."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.002)
