"""A source whose containers a test sets, and which can fail, hang and lose events on demand."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from pilot.sources import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilot.hints import Hints
    from pilot.model import Container


class FakeSource:
    """Speaks the Source protocol; counts what is asked of it."""

    name = "fake"
    declares_once = True

    def __init__(self) -> None:
        self.containers: dict[str, Container] = {}
        self.hidden: set[str] = set()  # ids that lists leave out
        self.broken = ""  # every answer is this SourceError
        self.failing: set[str] = set()  # ids that no look can say anything of
        self.silent = False  # changes are not announced
        self.hang = threading.Event()
        self.hang.set()  # cleared: every answer waits
        self.looks: list[str] = []
        self.lists = self.watches = 0
        self._over = threading.Event()
        self._cut = threading.Event()
        self._hints: Hints | None = None

    def watch(self, hints: Hints) -> None:
        self.watches += 1
        self._answer()
        self._cut.clear()
        self._hints = hints
        hints.mark_all()
        while not self._over.is_set():
            if self._cut.wait(0.01):
                raise SourceError("the stream ended")

    def list(self) -> Mapping[str, str]:
        self.lists += 1
        self._answer()
        return {i: c.state for i, c in self.containers.items() if i not in self.hidden}

    def look(self, container_id: str) -> Container | None:
        self.looks.append(container_id)
        self._answer()
        if container_id in self.failing:
            raise SourceError(f"container {container_id}: layer does not exist")
        found = self.containers.get(container_id)
        return found and replace(found, stamp=found.state)

    def close(self) -> None:
        self._over.set()
        self.hang.set()

    def put(self, container: Container) -> None:
        """A container is there, or changed."""
        self.containers[container.id] = container
        self.mark(container.id)

    def remove(self, container_id: str) -> None:
        """A container is there no more."""
        del self.containers[container_id]
        self.mark(container_id)

    def mark(self, container_id: str) -> None:
        """An event, unless events are lost."""
        if self._hints and not self.silent:
            self._hints.mark(container_id)

    def cut(self) -> None:
        """End the stream."""
        self._cut.set()

    def _answer(self) -> None:
        self.hang.wait()
        if self.broken:
            raise SourceError(self.broken)
