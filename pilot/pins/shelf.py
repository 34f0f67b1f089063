"""What of the pins lies on disk: each set's record in the state folder, and its folder of pins."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from pilot.state import SavedPin, SavedSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pilot.pins.record import PinSet
    from pilot.settings import Settings
    from pilot.state import StateStore

SAVING = 0.02  # seconds of saving between two passes

log = logging.getLogger(__name__)


class Shelf:
    """Saves records, removes pins and folders. Used by the one loop only."""

    def __init__(
        self,
        settings: Settings,
        store: StateStore,
        sets: Mapping[str, PinSet],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the disk in step with `sets`, which somebody else fills."""
        self._settings, self._store, self._sets, self._now = settings, store, sets, monotonic
        self._changed: dict[str, None] = {}  # in the order of their change

    def folder(self, kept: PinSet) -> Path | None:
        """Where the pilot sees a set's pins; None while it has no pin root."""
        return self._settings.on_node(kept.root.path) / kept.file_set.name if kept.root else None

    @property
    def pending(self) -> bool:
        """Whether another save would get on with something."""
        return bool(self._changed) and not self._store.problem

    def note(self, name: str) -> None:
        """A set's pins changed."""
        self._changed[name] = None

    def save(self) -> None:
        """Save sets that changed, a few at a time; what cannot be saved is tried again."""
        until = self._now() + SAVING
        for name in list(self._changed):
            if not self._save_one(name) or self._now() >= until:
                return

    def save_at_once(self, name: str) -> bool:
        """Save one set now; whether it could be."""
        self.note(name)
        return self._save_one(name)

    def remove_pin(self, kept: PinSet, pin: str) -> None:
        """Remove a pin from its folder."""
        if folder := self.folder(kept):
            try:
                (folder / pin).unlink(missing_ok=True)
                log.debug("unpinned %s/%s", kept.file_set.name, pin)
            except OSError as error:
                log.error("cannot remove pin %s/%s: %s", kept.file_set.name, pin, error)

    def forget(self, kept: PinSet) -> None:
        """Remove a set's record and its folder, which has no pins any more."""
        if (folder := self.folder(kept)) and folder.is_dir():
            try:
                folder.rmdir()
            except OSError as error:
                log.warning("cannot remove %s: %s", folder, error.strerror)
        self._changed.pop(kept.file_set.name, None)
        self._store.forget_set(kept.file_set.name)

    def _save_one(self, name: str) -> bool:
        kept = self._sets.get(name)
        if kept and kept.root:
            pins = tuple(SavedPin(p.name, p.key[0], p.linked) for p in kept.pins.values())
            if not self._store.save_set(SavedSet(kept.file_set, kept.root.path, pins)):
                return False
        self._changed.pop(name, None)
        return True
