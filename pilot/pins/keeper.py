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

from pilot.pins.confine import FolderMissingError, RefusedError
from pilot.pins.looks import Looks
from pilot.pins.owners import Owners
from pilot.pins.record import (
    Pin,
    PinSet,
    done_with,
    find_pins,
    note_problem,
    notices,
    serial_of,
)
from pilot.pins.shelf import Shelf
from pilot.pins.survey import Surveyor
from pilot.pins.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pilot.model import FileSet, Log, Rejection
    from pilot.names import FileKey
    from pilot.piloters import Piloter
    from pilot.pins.roots import PinRoots
    from pilot.pins.survey import Survey
    from pilot.pins.watch import FolderWatch
    from pilot.settings import Settings
    from pilot.state import SavedPin, SavedSet, StateStore
    from pilot.workers import Workers

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
        self.shelf = Shelf(settings, store, self.sets, monotonic)
        self._owners = Owners()
        self._surveyor = Surveyor(settings, readers, piloter, monotonic)
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
        self._roots.add((saved.pin_root,))
        root = next((each for each in self._roots.roots if each.path == saved.pin_root), None)
        kept = self.sets[saved.file_set.name] = PinSet(saved.file_set, root)
        self._adopt(kept, {pin.name: pin for pin in saved.pins})

    def _adopt(self, kept: PinSet, record: Mapping[str, SavedPin]) -> None:
        if not (folder := self.shelf.folder(kept)) or not kept.root:
            return
        try:
            kept.pins, kept.lost = find_pins(folder, kept.root.device, record, self._now())
        except OSError as error:
            log.error("the pins in %s cannot be listed: %s", folder, error)
        self._owners.leave(kept.pins, kept.file_set.name)
        kept.sum_up()

    def tend(self, file_set: FileSet, *, ended: bool = False) -> None:
        """Look after a set from now on; the first look starts at once.

        `ended` says that the container has ended, so nobody is left to write to a deleted file.
        """
        kept = self.sets.get(file_set.name)
        if not kept:
            kept = self.sets[file_set.name] = PinSet(file_set)
            for root in self._roots.roots:
                if (self._settings.on_node(root.path) / file_set.name).is_dir():
                    kept.root = root  # A crash came between its first pins and its record.
                    self._adopt(kept, {})
        for key in [key for key in kept.pins if not self._owners.take(key, file_set.name)]:
            self.shelf.remove_pin(kept, kept.pins.pop(key).name)  # Another set pinned it meanwhile.
            self._owners.drop(key, file_set.name)
        kept.file_set, kept.tended, kept.ended = file_set, True, ended
        kept.path = str(self._settings.on_node(file_set.directory))
        self.look(file_set.name)

    def leave(self, name: str) -> None:
        """Nobody declares the set any more: its pins stay while their originals do.

        Its files are free for other sets that name them: nobody reads them here now.
        """
        if kept := self.sets.get(name):
            kept.tended, kept.ended = False, True
            self._looks.drop(name)
            for other in self._owners.leave(kept.pins, name):
                self.look(other)
            self._forget_if_empty(kept)

    def pins_folder(self, name: str) -> str | None:
        """The folder of a set's pins on the node; None until its filesystem is known."""
        kept = self.sets.get(name)
        return f"{kept.root.path}/{name}" if kept and kept.root else None

    def notices(self, name: str, declared: Log) -> list[Rejection]:
        """What the last look at a set's folder did not take."""
        return notices(self.sets[name], declared) if name in self.sets else []

    def looked_since(self, name: str, since: float) -> bool:
        """Whether a look that saw everything began after that time and has finished."""
        return self.sets[name].looked >= since if name in self.sets else True

    def drained(self, name: str, ended: float) -> bool:
        """Whether the collector has read all there is of a set whose container ended then.

        A look after the end found all files, and a survey asked after that look found them read:
        what was known before proves nothing.
        """
        kept = self.sets.get(name)
        return not kept or kept.drained(ended)

    def leftover(self, name: str) -> list[Pin]:
        """Pins whose original is gone: what a retirement waits for."""
        kept = self.sets.get(name)
        return [pin for pin in kept.pins.values() if pin.alone] if kept else []

    def give_up(self, name: str) -> tuple[int, int]:
        """Stop waiting for a set: (files, bytes) that nobody has read; their last pins go."""
        if not (kept := self.sets.get(name)):
            return 0, 0
        unread = [pin.left for pin in kept.pins.values()]
        self._unpin(kept, self.leftover(name))
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
            saw_all = not result.failed
        else:
            note_problem(kept, result, self._now())
            saw_all = isinstance(result, FolderMissingError | RefusedError)
        if saw_all:
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
            self._displace(kept, key, now)
        if not result.failed:
            kept.miss(result.files, now)
            kept.lost.clear()  # The rest is gone; its inodes may soon be other files'.
        for key, pin in kept.pins.items():
            if not pin.linked and pin.missing:
                self._owners.drop(key, kept.file_set.name)  # Its inode may be another's by now.
        kept.doubles = self._owners.others(result.files, kept.file_set.name)
        kept.sum_up()
        if result.pinned or result.replaced:
            self.shelf.note(kept.file_set.name)

    def _displace(self, kept: PinSet, key: FileKey, now: float) -> None:
        """Another file has a copy's inode now: the copy stays, under a key that no file has."""
        if old := kept.pins.pop(key, None):
            kept.pins[(-1, serial_of(old.name))] = old
            old.missing, old.missed = True, now
            self._owners.drop(key, kept.file_set.name)
            kept.confirmed = False

    def _add(self, kept: PinSet, pin: Pin) -> None:
        keeping = self.sets.get(self._owners.kept_by(pin.key) or "")
        if not self._owners.take(pin.key, kept.file_set.name):
            self.shelf.remove_pin(kept, pin.name)  # Two sweeps met at one file.
            return
        if keeping and keeping is not kept:
            self._unpin(keeping, [keeping.pins[pin.key]])  # Nobody will read that one.
            self._forget_if_empty(keeping)
        kept.pins[pin.key] = pin
        kept.lost.pop(pin.key, None)
        kind = "linked" if pin.linked else "copied"
        log.debug("pinned (%s) %s/%s", kind, kept.file_set.name, pin.name)

    def survey(self, names: Iterable[str]) -> None:
        """Ask how far the collector is with these sets, and with all that lost an original."""
        asked = set(names)
        for kept in [kept for name in asked if (kept := self.sets.get(name)) and not kept.tended]:
            if any(not pin.linked for pin in kept.pins.values()):
                self._looks.look(kept)  # Nothing else tells whether a copy's original is gone.
            self._forget_if_empty(kept)
        self._surveyor.ask(self.sets, asked, self._surveyed)

    def _surveyed(self, name: str, survey: Survey) -> None:
        if not (kept := self.sets.get(name)):
            return
        kept.surveyed = survey.asked
        over, wiped = [], []
        for key, pin in kept.pins.items():
            if pin.name not in survey.answers:
                continue  # Made later, or it cannot be read.
            if not (answer := survey.answers[pin.name]):
                wiped.append(key)
                continue
            pin.take(answer, survey.asked)
            if pin.alone and done_with(kept, pin, self.shelf.folder(kept), survey.asked):
                over.append(pin)
        if over:
            self._unpin(kept, over)
        if wiped:
            self._wiped(kept, wiped)
        kept.sum_up()
        self._forget_if_empty(kept)
        self.changed(name)

    def _wiped(self, kept: PinSet, keys: list[FileKey]) -> None:
        """Somebody removed pins: they are made again, under their names, where originals live."""
        log.error("%d pins of file set %s were removed by somebody", len(keys), kept.file_set.name)
        for key in keys:
            kept.lost[key] = kept.pins.pop(key).name
            self._owners.drop(key, kept.file_set.name)
        self.look(kept.file_set.name)

    def _unpin(self, kept: PinSet, pins: Iterable[Pin]) -> None:
        """The record first: a restart would give a name that only it holds to a reused inode."""
        names = {pin.name for pin in pins}
        for key in [key for key, pin in kept.pins.items() if pin.name in names]:
            del kept.pins[key]
            self._owners.drop(key, kept.file_set.name)
        self.shelf.save_at_once(kept.file_set.name)
        for name in names:
            self.shelf.remove_pin(kept, name)

    def _forget_if_empty(self, kept: PinSet) -> None:
        if not (kept.tended or kept.pins or kept.sweeping):
            self.sets.pop(kept.file_set.name, None)
            self.shelf.forget(kept)
