"""When to look at which folder: at once on a hint, else each second where something changed."""

from __future__ import annotations

import functools
import logging
import os
import time
from typing import TYPE_CHECKING

from pilot.model import shorten
from pilot.pins.mount_table import MountTable
from pilot.pins.sweep import Copy, Order, Sweep, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable
    from pathlib import Path

    from pilot.model import FileSet
    from pilot.names import FileKey
    from pilot.pins.expand import FolderStamp
    from pilot.pins.record import PinSet
    from pilot.pins.roots import PinRoot, PinRoots
    from pilot.pins.watch import FolderWatch
    from pilot.settings import Floor, Settings
    from pilot.treatment import Stream
    from pilot.workers import Workers

AT_ONCE = 3  # looks at one filesystem: more would only wait for each other, or all hang
SLOW = 0.05  # seconds: a look that takes longer is followed by a rest
REST = 10  # times its own length, so that no folder takes more than a tenth of a worker
SILENT = 5.0  # seconds after which a look that has not come back is said to hang

log = logging.getLogger(__name__)


class Looks:
    """Runs sweeps on workers, one at a time for each file set. Used by the one loop only."""

    def __init__(
        self,
        *,
        settings: Settings,
        roots: PinRoots | None,
        floor: Floor,
        workers: Workers,
        serial: Callable[[], int],
        pinned: Container[FileKey],
        forbids: Callable[[FileSet, str], str | None],
        readable_end: Callable[[Path, FileSet, Stream], int],
        done: Callable[[PinSet, float, Sweep | Exception], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`done(set, monotonic time at which the look began, result)` is called on the loop.

        Without `roots` a look only lists the files and, once nobody writes to them any more, asks
        `readable_end` of each.
        """
        self._settings, self._roots, self._workers = settings, roots, workers
        self._serial, self._pinned, self._forbids = serial, pinned, forbids
        self._floor, self._readable_end = floor, readable_end
        self._done, self._now = done, monotonic
        self._checking: set[int] = set()
        self._table = MountTable(monotonic)
        self._running: dict[
            int, dict[int, tuple[PinSet, float]]
        ] = {}  # filesystem → looks under way and their begin, by id
        self._waiting: dict[int, list[PinSet]] = {}  # filesystem → looks that wait for those
        self.watch: FolderWatch | None = None

    def look(self, kept: PinSet) -> None:
        """Look at a set's folder now; a look that is under way is followed by another."""
        if kept.sweeping:
            kept.again = True
            return
        if self._now() < kept.rest:
            kept.confirmed = False  # A check after the rest looks, whether or not anything changed.
            return
        kept.sweeping = True
        group = self._group(kept)
        waiting = self._waiting.setdefault(group, [])
        waiting.append(kept)
        self._start(group)

    def _start(self, group: int) -> None:
        """Start looks of one filesystem, as far as those that have not come back leave room."""
        waiting = self._waiting[group]
        running = self._running.setdefault(group, {})
        while waiting and len(running) < AT_ONCE:
            kept, began = waiting.pop(0), self._now()
            running[id(kept)] = (kept, began)
            if self.watch:
                self.watch.renew(kept.file_set.name)
            self._workers.submit(
                functools.partial(sweep, self._order(kept)),
                functools.partial(self._ended, group, kept, began),
            )
        if not waiting:
            del self._waiting[group]

    def _ended(self, group: int, kept: PinSet, began: float, result: Sweep | Exception) -> None:
        self._running[group].pop(id(kept))
        if not self._running[group]:
            del self._running[group]
        if group in self._waiting:
            self._start(group)
        if isinstance(result, Sweep) and result.took > SLOW:
            # One that hung says nothing of the next: its log has waited long enough.
            kept.rest = self._now() + (REST * result.took if result.took <= SILENT else SILENT)
        self._done(kept, began, result)

    def _group(self, kept: PinSet) -> int:
        """The filesystem of a set's folder; while it is not known, the mount that its path names.

        So a dead mount holds up its own sets only, even before any of them was ever looked at.
        """
        device = kept.device
        return -1 - self._table.mount_of(kept.path) if device is None else device

    def drop(self, name: str) -> None:
        """Watch a set's folder no more."""
        if self.watch:
            self.watch.drop(name)

    def check(self, sets: Iterable[PinSet]) -> None:
        """Once a second: look again wherever a folder changed since its last look."""
        self._workers.relieve()
        self._note_silence()
        groups: dict[int, list[PinSet]] = {}
        for kept in sets:
            if not kept.tended or kept.sweeping:
                continue
            if kept.stamps and self._changes_unseen(kept):
                self.look(kept)
                continue
            groups.setdefault(self._group(kept), []).append(kept)
        for device, group in groups.items():
            if device not in self._checking:  # A dead mount holds up its own group only.
                self._checking.add(device)
                self._check_group(device, group)

    def _note_silence(self) -> None:
        """Say of a set that its look does not come back, or waits for such only."""
        now = self._now()
        for group, running in self._running.items():
            silent = [kept for kept, began in running.values() if now - began > SILENT]
            if len(silent) >= AT_ONCE:
                silent += self._waiting.get(group, [])
            for kept in silent:
                folder = shorten(kept.file_set.directory, 200)
                problem = f"{folder} does not answer: its mount may hang"
                if kept.problem != problem:
                    kept.problem = problem  # The next look that comes back says otherwise.
                    log.warning("file set %s: %s", kept.file_set.name, problem)

    def _changes_unseen(self, kept: PinSet) -> bool:
        """Whether there may be something new although no folder changed."""
        return (
            kept.copied
            or not kept.confirmed
            or kept.suspect > 0
            or (self._roots is None and kept.distrusted > 0)
            or (self._roots is None and kept.ended and bool(kept.pins))
        )

    def _check_group(self, device: int, group: list[PinSet]) -> None:
        def differing() -> list[PinSet]:
            return [kept for kept in group if _differs(kept)]

        def then(result: list[PinSet] | Exception) -> None:
            self._checking.discard(device)
            for kept in result if isinstance(result, list) else ():
                if kept.tended:  # It may have been left, and forgotten, meanwhile.
                    self.look(kept)

        self._workers.submit(differing, then)

    def _order(self, kept: PinSet) -> Order:
        roots: tuple[PinRoot, ...] = ()  # Without one nothing is pinned.
        if self._roots and kept.tended:
            self._roots.add_near(kept.file_set)
            roots = (kept.root,) if kept.root else self._roots.roots
        return Order(
            file_set=kept.file_set,
            on_node=self._settings.on_node,
            forbids=lambda really: self._forbids(kept.file_set, really),
            roots=roots,
            owner=self._pinned.__contains__,
            serial=self._serial,
            copies={
                key: Copy(pin.file, pin.born, "" if pin.alone else pin.where)
                for key, pin in kept.pins.items()
                if pin.copied
            },
            strays=dict(kept.strays),
            lost=dict(kept.vanished),
            sizes={key: pin.seen for key, pin in kept.pins.items() if pin.seen >= 0},
            births={key: pin.born for key, pin in kept.pins.items() if pin.born},
            watch=self.watch.add if self.watch and kept.tended else None,
            floor=self._floor,
            full=kept.full,
            crowded=kept.crowded,
            reserve=kept.reserve,
            direct=self._roots is None,
            readable_ends=self._ends_of(kept),
        )

    def _ends_of(self, kept: PinSet) -> Callable[[Path], tuple[int, ...]] | None:
        if self._roots or not kept.ended:
            return None
        file_set, streams, ask = kept.file_set, kept.streams, self._readable_end
        return lambda path: tuple(ask(path, file_set, each) for each in streams)


def _differs(kept: PinSet) -> bool:
    """Whether a folder is not as it was at the last look, or there is one now."""
    if not kept.stamps:
        return _stamp(kept.path) is not None
    return any(_stamp(path) != stamp for path, stamp in kept.stamps.items())


def _stamp(path: str) -> FolderStamp | None:
    """A cheap sign that a folder changed; None if it cannot be had. Reads nothing below it."""
    try:
        found = os.stat(path, follow_symlinks=False)  # noqa: PTH116 -- asked of every set each second
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_mtime_ns)
