"""The loop's record of all pins: when to sweep a folder, what to unpin, what is still unread.

A pin is made at first sight of a file and removed only when three things hold: the original is gone
(a link is the last one, a copy's inode is no longer found), the collector has read it to the end,
and it is quiet, because a writer may still hold it. A file has one pin on the node, whichever file
sets its names match.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from pilot.pins.looks import Looks
from pilot.pins.record import Pin, PinSet, find_pins, note_problem, notices, serial_of
from pilot.pins.survey import Surveyor
from pilot.pins.sweep import FileKey, Sweep
from pilot.state import SavedPin, SavedSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from pilot.model import FileSet, Log, Rejection
    from pilot.piloters import Piloter
    from pilot.pins.roots import PinRoots
    from pilot.pins.survey import Answer
    from pilot.pins.watch import FolderWatch
    from pilot.settings import Settings
    from pilot.state import StateStore
    from pilot.workers import Workers

QUIET = 5.0  # seconds without a change after which nobody is taken to hold a deleted file
CONFIRM = 0.05  # seconds; an mtime cannot tell two changes within one tick of the kernel's clock

log = logging.getLogger(__name__)


class Keeper:
    """Keeps the pins of all file sets. Used by the one loop only, but for `hint` and `owned`."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: StateStore,
        roots: PinRoots,
        workers: Workers,
        readers: Workers,
        piloter: Piloter,
        forbids: Callable[[FileSet, str], str | None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`forbids(file set, folder as really opened)` gives a sentence if it may not be read.

        `workers` look at tenants' folders and may hang there; `readers` ask the collector.
        """
        self._settings, self._store, self._roots = settings, store, roots
        self._now = monotonic
        self.changed: Callable[[str], None] = lambda _: None  # after each look and survey
        self.sets: dict[str, PinSet] = {}
        self._owners: dict[FileKey, str] = {}
        self._surveyor = Surveyor(settings, readers, piloter)
        self._unsaved: set[str] = set()
        self._looks = Looks(
            settings=settings,
            roots=roots,
            workers=workers,
            serial=store.next_serial,
            pinned=self._owners,
            forbids=forbids,
            done=self._looked,
            monotonic=monotonic,
        )

    def restore(self, saved: SavedSet) -> None:
        """Take over a set's pins after a restart: what lies there counts, the record completes."""
        root = next((each for each in self._roots.roots if each.path == saved.pin_root), None)
        kept = self.sets[saved.file_set.name] = PinSet(saved.file_set, root)
        self._adopt(kept, {pin.name: pin for pin in saved.pins})

    def _adopt(self, kept: PinSet, record: Mapping[str, SavedPin]) -> None:
        if not (folder := self._folder(kept)) or not kept.root:
            return
        kept.pins, kept.lost = find_pins(folder, kept.root.device, record, self._now())
        name = kept.file_set.name
        for key in [key for key in kept.pins if self._owners.setdefault(key, name) != name]:
            self._remove(kept, kept.pins.pop(key).name)  # Two sweeps met at it, then a crash.

    def tend(self, file_set: FileSet) -> None:
        """Look after a set from now on; the first look starts at once."""
        kept = self.sets.get(file_set.name)
        if not kept:
            kept = self.sets[file_set.name] = PinSet(file_set)
            for root in self._roots.roots:
                if (self._settings.on_node(root.path) / file_set.name).is_dir():
                    kept.root = root  # A crash came between its first pins and its record.
                    self._adopt(kept, {})
        kept.file_set, kept.tended = file_set, True
        kept.path = str(self._settings.on_node(file_set.directory))
        self.look(file_set.name)

    def leave(self, name: str) -> None:
        """Nobody declares the set any more: its pins stay while their originals do."""
        if kept := self.sets.get(name):
            kept.tended = False
            self._looks.drop(name)
            self._forget_if_empty(kept)

    def pins_folder(self, name: str) -> str | None:
        """The folder of a set's pins on the node; None until its filesystem is known."""
        kept = self.sets.get(name)
        return f"{kept.root.path}/{name}" if kept and kept.root else None

    def notices(self, name: str, declared: Log) -> list[Rejection]:
        """What the last look at a set's folder did not take."""
        return notices(self.sets[name], declared) if name in self.sets else []

    def looked_since(self, name: str, since: float) -> bool:
        """Whether a look at the set's folder began after that time and has finished."""
        return self.sets[name].looked >= since if name in self.sets else True

    def drained(self, name: str) -> bool:
        """Whether the collector has read everything there is, by the last survey."""
        kept = self.sets.get(name)
        now = self._now()
        return not kept or all(
            pin.unread == 0 and now - pin.since >= QUIET / 5 for pin in kept.pins.values()
        )

    def leftover(self, name: str) -> list[Pin]:
        """Pins whose original is gone: what a retirement waits for."""
        kept = self.sets.get(name)
        return [pin for pin in kept.pins.values() if pin.alone] if kept else []

    def give_up(self, name: str) -> tuple[int, int]:
        """Remove the pins that are all that is left of a file: (files, unread bytes) lost."""
        if not (left := self.leftover(name)):
            return 0, 0
        unread = [p.unread if p.unread is not None else max(0, p.print[0]) for p in left]
        self._unpin(self.sets[name], left)
        return sum(map(bool, unread)), sum(unread)

    def look(self, name: str) -> None:
        """Look at a set's folder now, because something hints at a change."""
        kept = self.sets.get(name)
        if kept and kept.tended:
            self._looks.look(kept)

    def check(self) -> None:
        """Once a second: look again wherever a folder changed since its last look."""
        self._looks.check(self.sets.values())

    def watch_with(self, watch: FolderWatch) -> None:
        """Have folders watched, so that `look` is called early."""
        self._looks.watch = watch

    def _looked(self, kept: PinSet, began: float, result: Sweep | Exception) -> None:
        name = kept.file_set.name
        kept.sweeping = False
        if isinstance(result, Sweep):
            self._take_in(kept, result)
        else:
            note_problem(kept, result)
        kept.looked = began
        if kept.again:
            kept.again = False
            self.look(name)
        if not kept.tended:
            self.leave(name)  # Left during the look, which watched the folder again.
        self.changed(name)

    def _take_in(self, kept: PinSet, result: Sweep) -> None:
        now = self._now()
        if result.stamp != kept.stamp:
            kept.stamp, kept.stamped, kept.confirmed = result.stamp, now, False
        elif now - kept.stamped >= CONFIRM and not result.failed:
            kept.confirmed = True
        kept.problem = "; ".join(f"{n!r}: {why}" for n, why in sorted(result.failed.items()))
        kept.refused, kept.forbidden = result.refused, ""
        kept.root = kept.root or result.root
        for pinned in result.pinned:
            self._add(kept, Pin(pinned.name, pinned.key, pinned.linked, since=now))
        for key in result.replaced:
            if not (old := kept.pins.pop(key, None)):
                continue
            kept.pins[(-1, serial_of(old.name))] = old  # Its inode belongs to another file now.
            old.missing = True
            self._owners.pop(key, None)
            kept.confirmed = False
        for key, pin in kept.pins.items():
            pin.missing = key not in result.files
        if not result.failed:
            kept.lost.clear()  # The rest is gone; its inodes may soon be other files'.
        kept.doubles = {
            file: owner
            for key, file in result.files.items()
            if (owner := self._owners.get(key, kept.file_set.name)) != kept.file_set.name
        }
        kept.sum_up()
        if result.pinned or result.replaced:
            self._unsaved.add(kept.file_set.name)

    def _add(self, kept: PinSet, pin: Pin) -> None:
        owner = self._owners.get(pin.key)
        if owner is None or owner == kept.file_set.name:
            self._owners[pin.key] = kept.file_set.name
            kept.pins[pin.key] = pin
            kept.lost.pop(pin.key, None)
            kind = "linked" if pin.linked else "copied"
            log.debug("pinned (%s) %s/%s", kind, kept.file_set.name, pin.name)
        else:
            self._remove(kept, pin.name)  # Two sweeps met at one file.

    def untended(self) -> list[str]:
        """Sets that nobody declares any more, whose pins wait for their originals to go."""
        return [name for name, kept in self.sets.items() if not kept.tended]

    def survey(self, names: Iterable[str]) -> None:
        """Ask how far the collector is with these sets, and with all that lost an original."""
        asked = set(names)
        for kept in [kept for name in asked if (kept := self.sets.get(name)) and not kept.tended]:
            if any(not pin.linked for pin in kept.pins.values()):
                self._looks.look(kept)  # Nothing else tells whether a copy's original is gone.
            self._forget_if_empty(kept)
        self._surveyor.ask(self.sets, asked, self._surveyed)

    def _surveyed(self, name: str, answers: Mapping[str, Answer]) -> None:
        kept, now = self.sets.get(name), self._now()
        if not kept:
            return
        over = []
        for pin in kept.pins.values():
            answer = answers.get(pin.name)
            if not answer:
                continue  # Made after the question was asked, or wiped by somebody.
            if pin.print != (answer.size, answer.modified):
                pin.print, pin.since = (answer.size, answer.modified), now
            pin.unread = answer.unread
            pin.alone = answer.links == 1 if pin.linked else pin.missing
            done = pin.unread == 0 or not kept.tended
            if pin.alone and done and now - pin.since >= QUIET:
                over.append(pin)
        if over:
            self._unpin(kept, over)
        kept.sum_up()
        self._forget_if_empty(kept)
        self.changed(name)

    def _unpin(self, kept: PinSet, pins: Iterable[Pin]) -> None:
        """The record first: a restart would give a name that only it holds to a reused inode."""
        names = {pin.name for pin in pins}
        for key in [key for key, pin in kept.pins.items() if pin.name in names]:
            del kept.pins[key]
            self._owners.pop(key, None)
        self._unsaved.add(kept.file_set.name)
        self.save()
        for name in names:
            self._remove(kept, name)

    def _remove(self, kept: PinSet, name: str) -> None:
        if folder := self._folder(kept):
            try:
                (folder / name).unlink(missing_ok=True)
                log.debug("unpinned %s/%s", kept.file_set.name, name)
            except OSError as error:
                log.error("cannot remove pin %s/%s: %s", kept.file_set.name, name, error)

    def _forget_if_empty(self, kept: PinSet) -> None:
        name = kept.file_set.name
        if kept.tended or kept.pins or kept.sweeping:
            return
        if (folder := self._folder(kept)) and folder.is_dir():
            try:
                folder.rmdir()
            except OSError as error:
                log.warning("cannot remove %s: %s", folder, error.strerror)
        self.sets.pop(name, None)
        self._store.forget_set(name)

    def save(self) -> None:
        """Save the sets whose pins changed; what cannot be saved is tried again."""
        for name in list(self._unsaved):
            kept = self.sets.get(name)
            if kept and kept.root:
                pins = tuple(SavedPin(p.name, p.key[0], p.linked) for p in kept.pins.values())
                if not self._store.save_set(SavedSet(kept.file_set, kept.root.path, pins)):
                    return
            self._unsaved.discard(name)

    def _folder(self, kept: PinSet) -> Path | None:
        return self._settings.on_node(kept.root.path) / kept.file_set.name if kept.root else None
