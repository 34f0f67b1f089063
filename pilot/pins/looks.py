"""When to look at which folder: at once on a hint, else each second where something changed."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING

from pilot.pins.sweep import Copy, FolderStamp, Order, Sweep, folder_stamp, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from pilot.model import FileSet
    from pilot.names import FileKey
    from pilot.pins.record import PinSet
    from pilot.pins.roots import PinRoots
    from pilot.pins.watch import FolderWatch
    from pilot.settings import Settings
    from pilot.workers import Workers

AT_ONCE = 3  # looks at one filesystem: more would only wait for each other, or all hang
SLOW = 0.05  # seconds: a look that takes longer is followed by a rest
REST = 10  # times its own length, so that no folder takes more than a tenth of a worker
UNKNOWN = 16  # groups of sets whose filesystem is not known


class Looks:
    """Runs sweeps on workers, one at a time for each file set. Used by the one loop only."""

    def __init__(
        self,
        *,
        settings: Settings,
        roots: PinRoots,
        workers: Workers,
        serial: Callable[[], int],
        pinned: Container[FileKey],
        forbids: Callable[[FileSet, str], str | None],
        done: Callable[[PinSet, float, Sweep | Exception], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`done(set, monotonic time at which the look began, result)` is called on the loop."""
        self._settings, self._roots, self._workers = settings, roots, workers
        self._serial, self._pinned, self._forbids = serial, pinned, forbids
        self._done, self._now = done, monotonic
        self._checking: set[int] = set()
        self._running: dict[int, int] = {}  # filesystem → looks under way
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
        while waiting and self._running.get(group, 0) < AT_ONCE:
            kept, began = waiting.pop(0), self._now()
            self._running[group] = self._running.get(group, 0) + 1
            self._workers.submit(
                functools.partial(sweep, self._order(kept)),
                functools.partial(self._ended, group, kept, began),
            )
        if not waiting:
            del self._waiting[group]

    def _ended(self, group: int, kept: PinSet, began: float, result: Sweep | Exception) -> None:
        self._running[group] -= 1
        if not self._running[group]:
            del self._running[group]
        if group in self._waiting:
            self._start(group)
        if isinstance(result, Sweep) and result.took > SLOW:
            kept.rest = self._now() + REST * result.took
        self._done(kept, began, result)

    @staticmethod
    def _group(kept: PinSet) -> int:
        """The filesystem of a set's folder, or one of a few groups while it is not known."""
        return kept.stamp[0] if kept.stamp else -1 - hash(kept.file_set.root) % UNKNOWN

    def drop(self, name: str) -> None:
        """Watch a set's folder no more."""
        if self.watch:
            self.watch.drop(name)

    def check(self, sets: Iterable[PinSet]) -> None:
        """Once a second: look again wherever a folder changed since its last look."""
        self._workers.relieve()
        groups: dict[int, list[PinSet]] = {}
        for kept in sets:
            if not kept.tended or kept.sweeping:
                continue
            if kept.stamp and (kept.copied or not kept.confirmed):
                self.look(kept)
                continue
            groups.setdefault(self._group(kept), []).append(kept)
        for device, group in groups.items():
            if device not in self._checking:  # A dead mount holds up its own group only.
                self._checking.add(device)
                self._check_group(device, group)

    def _check_group(self, device: int, group: list[PinSet]) -> None:
        def differing() -> list[PinSet]:
            return [kept for kept in group if _stamp(kept.path) != kept.stamp]

        def then(result: list[PinSet] | Exception) -> None:
            self._checking.discard(device)
            for kept in result if isinstance(result, list) else ():
                if kept.tended:  # It may have been left, and forgotten, meanwhile.
                    self.look(kept)

        self._workers.submit(differing, then)

    def _order(self, kept: PinSet) -> Order:
        self._roots.add_near(kept.file_set)
        roots = self._roots.roots if kept.tended else ()  # Without one nothing is pinned.
        return Order(
            file_set=kept.file_set,
            on_node=self._settings.on_node,
            forbids=lambda really: self._forbids(kept.file_set, really),
            roots=(kept.root,) if kept.root and kept.tended else roots,
            owner=self._pinned.__contains__,
            serial=self._serial,
            copies={key: Copy(pin.name) for key, pin in kept.pins.items() if not pin.linked},
            lost=dict(kept.lost),
            watch=self.watch.add if self.watch and kept.tended else None,
        )


def _stamp(path: str) -> FolderStamp | None:
    try:
        return folder_stamp(path)
    except OSError:
        return None
