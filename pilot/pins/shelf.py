"""What of the pins lies on disk, each set's record and its folder, and giving pins back."""

from __future__ import annotations

import logging
import os
import re
import time
from typing import TYPE_CHECKING

from pilot.model import PinKind, shorten
from pilot.names import RESERVE
from pilot.pins.record import Loss
from pilot.state import SavedPin, SavedSet

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, MutableMapping
    from pathlib import Path

    from pilot.pins.owners import Owners
    from pilot.pins.record import Pin, PinSet
    from pilot.pins.roots import PinRoot
    from pilot.settings import Settings
    from pilot.state import StateStore

SET_NAME = re.compile(r"[0-9A-Za-z_-][0-9A-Za-z._-]{0,99}", re.ASCII)
SAVING = 0.02  # seconds of saving between two passes

log = logging.getLogger(__name__)


class Shelf:
    """Saves records, removes pins and folders, counts losses. Used by the one loop only."""

    def __init__(
        self,
        settings: Settings,
        store: StateStore,
        sets: MutableMapping[str, PinSet],
        owners: Owners,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the disk in step with `sets`, which somebody else fills."""
        self._settings, self._store, self._sets, self._now = settings, store, sets, monotonic
        self._owners = owners
        self._changed: dict[str, None] = {}  # in the order of their change
        self.lost = Loss()  # of all sets, since the start

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

    def save_at_once(self, name: str, *, durable: bool = True) -> bool:
        """Save one set now; whether it could be."""
        self.note(name)
        return self._save_one(name, durable=durable)

    def remove_pin(self, kept: PinSet, pin: Pin) -> None:
        """Remove a pin from its folder."""
        if folder := self.folder(kept):
            try:
                (folder / pin.file).unlink(missing_ok=True)
                log.debug("unpinned %s/%s", kept.file_set.name, pin.name)
            except OSError as error:
                log.error("cannot remove pin %s/%s: %s", kept.file_set.name, pin.name, error)

    def release(self, kept: PinSet, pin: Pin) -> bool:
        """Let the collector see a pin that was kept from it; whether that could be done."""
        if not (folder := self.folder(kept)):
            return False
        try:
            (folder / pin.file).rename(folder / pin.name)
        except FileNotFoundError:
            pass  # Somebody removed it: the next survey says so.
        except OSError as error:
            log.error("cannot release pin %s/%s: %s", kept.file_set.name, pin.name, error)
            return False
        pin.reserved, pin.released = False, self._now()
        return True

    def unpin(self, kept: PinSet, pins: Collection[Pin]) -> None:
        """Remove pins, but first their record.

        A restart would give a name that only the record holds to whatever file has its inode then.
        After a power cut, which may bring back the record, the time of its birth tells it apart.
        """
        if not pins:
            return
        for pin in pins:
            kept.pins.pop(pin.key, None)
            self._owners.drop(pin.key, kept.file_set.name)
        self.save_at_once(kept.file_set.name, durable=False)
        for pin in pins:
            if pin.kind is not PinKind.DIRECT:
                self.remove_pin(kept, pin)

    def give_up(self, kept: PinSet, pins: Collection[Pin], why: str) -> Loss:
        """Remove pins, read or not; what is lost by it is counted and said."""
        lost = self.count(kept, pins, why)
        self.unpin(kept, pins)
        return lost

    def count(self, kept: PinSet, pins: Collection[Pin], why: str) -> Loss:
        """Count what is unread of these pins as lost, once."""
        lost = kept.loss.add(pins)
        self.lost.files += lost.files
        self.lost.bytes += lost.bytes
        if lost:
            log.error(
                "file set %s (%s): %s: %d files with %d unread bytes are given up",
                kept.file_set.name,
                shorten(f"{kept.file_set.directory}/{kept.file_set.pattern}", 200),
                why,
                lost.files,
                lost.bytes,
            )
            for pin in pins:
                pin.counted = True
            self.note(kept.file_set.name)
        return lost

    def unknown_sets(self, root: PinRoot) -> list[str]:
        """Folders of pins in a root that belong to no set that is known."""
        try:
            with os.scandir(self._settings.on_node(root.path)) as entries:
                return sorted(
                    each.name
                    for each in entries
                    if each.name not in self._sets
                    and SET_NAME.fullmatch(each.name)
                    and each.is_dir(follow_symlinks=False)
                )
        except OSError as error:
            log.error("the pins in %s cannot be listed: %s", root.path, error)
            return []

    def forget_if_empty(self, kept: PinSet) -> None:
        """Forget a set that nobody declares and that has no pins: its record and its folder."""
        if kept.tended or kept.pins or kept.sweeping:
            return
        self._sets.pop(kept.file_set.name, None)
        if (folder := self.folder(kept)) and folder.is_dir():
            try:
                if (folder / RESERVE).is_dir():
                    (folder / RESERVE).rmdir()
                folder.rmdir()
            except OSError as error:
                log.warning("cannot remove %s: %s", folder, error.strerror)
        self._changed.pop(kept.file_set.name, None)
        self._store.forget_set(kept.file_set.name)

    def _save_one(self, name: str, *, durable: bool = True) -> bool:
        kept = self._sets.get(name)
        if kept and kept.root:
            pins = tuple(
                SavedPin(p.name, p.key[0], p.linked, p.born, p.counted) for p in kept.pins.values()
            )
            saved = SavedSet(
                kept.file_set,
                kept.root.path,
                pins,
                namespace=kept.namespace,
                lost_files=kept.loss.files,
                lost_bytes=kept.loss.bytes,
            )
            if not self._store.save_set(saved, durable=durable):
                return False
        self._changed.pop(name, None)
        return True
