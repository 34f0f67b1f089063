"""Saves what is tracked, a little in each pass, so that a disk never holds up the loop for long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pilot.state import SavedContainer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pilot.state import StateStore
    from pilot.tracked import Tracked

SAVING = 0.02  # seconds of saving between two passes
LAST_SAVING = 2.0  # seconds of saving at the end


class Saver:
    """Knows which tracked containers changed since they were saved. Used by the one loop only."""

    def __init__(
        self,
        store: StateStore,
        tracked: Mapping[str, Tracked],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Save what is in `tracked`, which somebody else fills."""
        self._store, self._tracked, self._now = store, tracked, monotonic
        self._changed: dict[str, None] = {}  # in the order of their change

    @property
    def pending(self) -> bool:
        """Whether another save would get on with something."""
        return bool(self._changed) and not self._store.problem

    def note(self, container_id: str) -> None:
        """Remember that a container changed."""
        self._changed[container_id] = None

    def save_first(self, known: Tracked) -> None:
        """Save a new container at once: it survives a kill; `save` makes it survive a power cut."""
        self._save_one(known, durable=False)

    def save(self, *, durable: bool = True, within: float = SAVING) -> None:
        """Save what changed, for at most so many seconds; the rest has its turn later."""
        until = self._now() + within
        for container_id in list(self._changed):
            if not self._save_one(self._tracked[container_id], durable=durable):
                return
            del self._changed[container_id]
            if self._now() >= until:
                return

    def save_drains(self) -> None:
        """Save the seconds left of what drains, so that a restart does not start over."""
        now = self._now()
        self._store.save_drains(
            {
                container_id: max(0.0, known.deadline - now)
                for container_id, known in self._tracked.items()
                if known.deadline is not None
            }
        )

    def save_all(self) -> None:
        """Save everything before the end, quickly: only a power cut can undo it."""
        self.save(durable=False, within=LAST_SAVING)
        self.save_drains()

    def forget(self, container_id: str) -> None:
        """Nothing is to be remembered of this container."""
        self._changed.pop(container_id, None)
        self._store.forget_container(container_id)

    def _save_one(self, known: Tracked, *, durable: bool) -> bool:
        saved = SavedContainer(known.container, known.gone)
        return self._store.save_container(saved, durable=durable)
