"""The loop's record of all pins: when to look at a folder, what to unpin, what is still unread.

A pin is made at first sight of a file and removed only when three things hold: the original is gone
(a link is the last one, a copy's inode is no longer found), the collector has read it to the end,
and it is quiet, because a writer may still hold it. Or when an allowance is exceeded. A file has
one pin on the node, whichever file set its names match. With pins off the same looks only list the
original files, and the collector reads those.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from pilot.pins.clearing import Clearing, floor_of
from pilot.pins.confine import FolderMissingError, RefusedError
from pilot.pins.intake import Intake
from pilot.pins.looks import Looks
from pilot.pins.notices import note_problem, notices
from pilot.pins.owners import Owners
from pilot.pins.record import Loss, Pin, PinSet, Place
from pilot.pins.restore import find_pins, unknown_set
from pilot.pins.shelf import Shelf
from pilot.pins.survey import Surveyor
from pilot.pins.sweep import Sweep
from pilot.treatment import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pilot.model import FileSet, Log, Rejection
    from pilot.piloters import Piloter
    from pilot.pins.roots import PinRoots
    from pilot.pins.survey import Survey
    from pilot.pins.watch import FolderWatch
    from pilot.settings import Settings
    from pilot.state import SavedPin, SavedSet, StateStore
    from pilot.workers import Workers

log = logging.getLogger(__name__)


class Keeper:
    """Keeps the pins of all file sets. Used by the one loop only."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: StateStore,
        roots: PinRoots | None,
        workers: Workers,
        readers: Workers,
        piloter: Piloter,
        forbids: Callable[[FileSet, str], str | None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`forbids(file set, folder as really opened)` gives a sentence if it may not be read.

        Without `roots` nothing is pinned. `workers` look at tenants' folders and may hang there;
        `readers` ask the collector.
        """
        self._settings, self._store, self._roots = settings, store, roots
        self._now = monotonic
        self.changed: Callable[[str], None] = lambda _: None  # after each look and survey
        self.sets: dict[str, PinSet] = {}
        self._owners = Owners()
        self.shelf = Shelf(settings, store, self.sets, self._owners, monotonic)
        self._intake = Intake(
            self.sets, self.shelf, self._owners, direct=roots is None, monotonic=monotonic
        )
        self.clearing = Clearing(
            settings=settings,
            sets=self.sets,
            shelf=self.shelf,
            owners=self._owners,
            roots=roots,
            monotonic=monotonic,
        )
        self.surveyor = Surveyor(settings, readers, piloter, monotonic)
        self._looks = Looks(
            settings=settings,
            roots=roots,
            floor=floor_of(settings),
            workers=workers,
            serial=store.next_serial,
            pinned=self._owners,
            forbids=forbids,
            readable_end=piloter.readable_end,
            done=self._looked,
            monotonic=monotonic,
        )

    def restore(self, saved: SavedSet) -> None:
        """Take over a set's pins after a restart: what lies there counts, the record completes."""
        if not self._roots:
            return  # Pins were on before; they come back with them.
        self._roots.add((saved.pin_root,))
        root = next((each for each in self._roots.roots if each.path == saved.pin_root), None)
        kept = self.sets[saved.file_set.name] = PinSet(saved.file_set, root, restored=True)
        kept.namespace, kept.loss = saved.namespace, Loss(saved.lost_files, saved.lost_bytes)
        self._adopt(kept, {pin.name: pin for pin in saved.pins})

    def adopt_strangers(self) -> None:
        """Keep pins that no record knows, as those of sets that nobody declares.

        To be called once all containers have been looked at: nobody else is left to want them.
        They go when their originals do, and what of them is unread is counted.
        """
        for root in self._roots.roots if self._roots else ():
            for name in self.shelf.unknown_sets(root):
                log.error("%s/%s holds pins that no record knows", root.path, name)
                kept = self.sets[name] = PinSet(unknown_set(name), root, ended=True)
                self._adopt(kept, {})
                self.shelf.forget_if_empty(kept)

    def _adopt(self, kept: PinSet, record: Mapping[str, SavedPin]) -> None:
        if not (folder := self.shelf.folder(kept)) or not kept.root:
            return
        try:
            found = find_pins(folder, kept.root.device, record, self._now())
        except OSError as error:
            log.error("the pins in %s cannot be listed: %s", folder, error)
            return
        kept.pins, kept.vanished, kept.strays = found.pins, found.vanished, found.strays
        self._owners.leave(kept.pins, kept.file_set.name)
        kept.sum_up()
        kept.reserve = kept.reserved  # What the next look finds is newer than those.

    def tend(
        self,
        file_set: FileSet,
        *,
        ended: bool = False,
        namespace: str = "",
        streams: tuple[Stream, ...] = (Stream.ALL,),
    ) -> None:
        """Look after a set from now on; the first look starts at once.

        `ended` says that the container has ended, so nobody is left to write to a deleted file.
        Each of `streams` is read by an input of its own: a file is read when all have read it.
        """
        kept = self.sets.get(file_set.name)
        if not kept:
            kept = self.sets[file_set.name] = PinSet(file_set)
            for root in self._roots.roots if self._roots else ():
                if (self._settings.on_node(root.path) / file_set.name).is_dir():
                    kept.root = root  # A crash came between its first pins and its record.
                    self._adopt(kept, {})
        owning = [pin for pin in kept.pins.values() if not pin.ownerless]
        taken = [pin for pin in owning if not self._owners.take(pin.key, file_set.name)]
        self.shelf.unpin(kept, taken)  # Another set pinned those meanwhile.
        kept.file_set, kept.tended, kept.ended = file_set, True, ended
        kept.namespace, kept.streams = namespace, streams
        for pin in kept.pins.values():
            pin.counted = pin.counted and ended  # Else somebody goes on with it.
        kept.path = str(self._settings.on_node(file_set.directory))
        self.look(file_set.name)

    def leave(self, name: str) -> None:
        """Nobody declares the set any more: its pins stay while their originals do.

        Its files are free for other sets that name them: nobody reads them here now.
        """
        if kept := self.sets.get(name):
            kept.tended, kept.ended = False, True
            self._looks.drop(name)
            if not self._roots:
                self.shelf.unpin(kept, [*kept.pins.values()])
            for other in self._owners.leave(kept.pins, name):
                self.look(other)
            self.shelf.forget_if_empty(kept)

    def place(self, name: str) -> Place | None:
        """Where the collector is to read a set; None while that is not known, or refused."""
        if not (kept := self.sets.get(name)):
            return None
        if self._roots:
            return Place(f"{kept.root.path}/{name}") if kept.root else None
        trusted = kept.folders and self._now() >= kept.distrusted
        return Place(None, kept.folders, kept.mounted) if trusted else None

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

    def give_up(self, name: str, why: str) -> Loss:
        """Stop waiting for a set: what nobody has read is counted, its last pins go."""
        if not (kept := self.sets.get(name)):
            return Loss()
        lost = self.shelf.count(kept, kept.pins.values(), why)
        self.shelf.unpin(kept, self.leftover(name))
        return lost

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
            self._intake.take(kept, result)
            saw_all = not result.failed and not result.unfinished and not result.paused
            kept.again = kept.again or result.unfinished
        else:
            note_problem(kept, result, self._now())
            saw_all = isinstance(result, FolderMissingError | RefusedError)
        if saw_all:
            kept.looked = began
        if kept.again:
            kept.again = False
            self.look(name)
        while self._intake.freed:
            self.look(self._intake.freed.pop())
        if not kept.tended:
            self.leave(name)  # Left during the look, which watched the folder again.
        self.changed(name)

    def state(self) -> dict[str, object]:
        """What status says of all pins together."""
        held_bytes, held_files = self.clearing.held
        return {
            "roots": [
                {"path": each.path, "usable": each.usable, "problem": each.problem}
                for each in (self._roots.state() if self._roots else ())
            ],
            "held_bytes": held_bytes,
            "held_files": held_files,
            "lost": {"files": self.shelf.lost.files, "bytes": self.shelf.lost.bytes},
            "output_blocked": self.surveyor.blocked,
            "problem": self.surveyor.problem,
        }

    def repair(self) -> None:
        """Once a minute: pin roots that somebody removed are made again."""
        if not self._roots:
            return
        self._roots.repair()
        today = {root.path: root for root in self._roots.roots}
        for kept in self.sets.values():
            if kept.root:  # What lies there now may have another device number.
                kept.root = today.get(kept.root.path, kept.root)

    def survey(self, names: Iterable[str]) -> None:
        """Ask how far the collector is with these sets, and with all that hold something."""
        asked = set(names)
        for kept in [kept for name in asked if (kept := self.sets.get(name)) and not kept.tended]:
            if kept.copied:
                self._looks.look(kept)  # Nothing else tells whether a copy's original is gone.
            self.shelf.forget_if_empty(kept)
        self.surveyor.ask(self.sets, asked, self._surveyed)
        self.clearing.enforce()

    def _surveyed(self, name: str, survey: Survey) -> None:
        if not (kept := self.sets.get(name)):
            return
        if wiped := self.clearing.take(kept, survey):
            log.error("%d pins of file set %s were removed by somebody", len(wiped), name)
            self.look(name)  # They are made again, under their names, where originals live.
        self.shelf.forget_if_empty(kept)
        self.changed(name)
