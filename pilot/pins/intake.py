"""What a look at a file set's folder found becomes the loop's record of it."""

from __future__ import annotations

import glob
import logging
import re
import time
from typing import TYPE_CHECKING

from pilot.model import PinKind, shorten
from pilot.names import escape, matcher, parse_pin_name
from pilot.pins.notices import NAMED
from pilot.pins.plan import REST
from pilot.pins.record import SUSPECT, Pin
from pilot.pins.restore import serial_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pilot.names import FileKey
    from pilot.pins.owners import Owners
    from pilot.pins.record import PinSet
    from pilot.pins.shelf import Shelf
    from pilot.pins.sweep import Sweep

CONFIRM = 0.05  # seconds; an mtime cannot tell two changes within one tick of the kernel's clock

log = logging.getLogger(__name__)


class Intake:
    """Used by the one loop only."""

    def __init__(
        self,
        sets: Mapping[str, PinSet],
        shelf: Shelf,
        owners: Owners,
        *,
        direct: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take looks into these records; with `direct` nothing is pinned, only listed."""
        self._sets, self._shelf, self._owners, self._now = sets, shelf, owners, monotonic
        self._direct = direct
        self.freed: set[str] = set()  # sets that wanted a file that nobody owns any more
        self._taken: dict[str, list[Pin]] = {}  # left set → pins whose files another set took
        self._live: dict[str, Pin | None] = {}  # of restored sets, what was written to before

    def take(self, kept: PinSet, result: Sweep) -> None:
        """Take in what a look found."""
        now, whole = self._now(), not result.failed
        self._note(kept, result, now)
        if kept.restored:
            self._resume(kept, result)
        for old, new in result.moved.items():
            self._move(kept, old, new, result.files[new].born)
        for pinned in result.pinned:
            pin = Pin(pinned.name, pinned.key, pinned.kind, born=pinned.born, since=now)
            pin.reserved = pinned.reserved
            self._add(kept, pin)
        for key in result.replaced:
            self._displace(kept, key, now)
        if self._direct:
            self._list(kept, result, now)
        self._hand_over()
        self._make_sure(kept, result)
        if whole and REST not in result.refused:
            kept.take_sizes(result.files | result.strayed, now)
            kept.vanished.clear()  # The rest is gone; its inodes may soon be other files'.
            kept.strays.clear()
        self._free(kept)
        names = {key: seen.name for key, seen in result.files.items()}
        kept.doubles = self._owners.others(names, kept.file_set.name)
        kept.sum_up()
        if result.pinned or result.replaced or result.moved:
            self._shelf.note(kept.file_set.name)

    @staticmethod
    def _note(kept: PinSet, result: Sweep, now: float) -> None:
        if result.stamps != kept.stamps:
            kept.stamps, kept.stamped, kept.confirmed = result.stamps, now, False
        elif now - kept.stamped >= CONFIRM and not result.failed:
            kept.confirmed = True
        kept.suspect = SUSPECT if _may_be_copied(kept, result) else max(0, kept.suspect - 1)
        failed = sorted(result.failed.items())
        told = [f"{shorten(name)!r}: {why}" for name, why in failed[:NAMED]]
        more = [f"and {len(failed) - NAMED} more"] if len(failed) > NAMED else []
        kept.problem = "; ".join([*told, *more])
        kept.refused, kept.forbidden, kept.further = result.refused, "", result.further
        kept.root = kept.root or result.root
        kept.folders, kept.mounted = tuple(result.folders), result.mounted
        kept.paused = result.paused
        for name in result.truncated.values():
            if len(kept.truncated) < NAMED:
                kept.truncated[name] = None

    def _resume(self, kept: PinSet, result: Sweep) -> None:
        """The first look after a restart that sees all: whether something went by unseen.

        What an earlier one adds must not pass for what was there before the restart.
        """
        live = self._live.setdefault(kept.file_set.name, _live(kept))
        if not result.failed:
            kept.restored = False
            del self._live[kept.file_set.name]
            _note_missed(kept, live, result)

    def _list(self, kept: PinSet, result: Sweep, now: float) -> None:
        """In direct mode each file that was seen is recorded under its own name."""
        for key, seen in result.files.items():
            if not (pin := kept.pins.get(key)):
                self._add(kept, Pin(seen.name, key, PinKind.DIRECT, born=seen.born, since=now))
            else:
                pin.name = seen.name

    def _move(self, kept: PinSet, old: FileKey, new: FileKey, born: int) -> None:
        """A copy's filesystem has another number than it had: the same file under a new key."""
        if pin := kept.pins.pop(old, None):
            self._owners.drop(old, kept.file_set.name)
            pin.key, pin.born = new, born
            self._add(kept, pin)

    def _displace(self, kept: PinSet, key: FileKey, now: float) -> None:
        """Another file has a copy's inode now: the copy stays, under a key that no file has."""
        if old := kept.pins.pop(key, None):
            old.key = (-1, serial_of(old.name))
            kept.pins[old.key] = old
            old.missing, old.missed = True, now
            self._owners.drop(key, kept.file_set.name)
            kept.confirmed = False

    def _make_sure(self, kept: PinSet, result: Sweep) -> None:
        """Copies from before a restart whose originals were seen own those, if nobody else does."""
        seen = [pin for key, pin in kept.pins.items() if pin.unsure and key in result.files]
        name = kept.file_set.name
        self._shelf.unpin(kept, [pin for pin in seen if not self._owners.take(pin.key, name)])

    def _free(self, kept: PinSet) -> None:
        """What a copy's missing original was is free for other sets, which look again then."""
        freed = [
            self._owners.drop(key, kept.file_set.name)
            for key, pin in kept.pins.items()
            if pin.ownerless
        ]
        if any(freed):
            self.freed |= self._owners.wanting(kept.file_set.name)

    def _hand_over(self) -> None:
        """Remove the pins of files that were taken from left sets: nobody will read those.

        All of a set's at once, because each time its record is saved.
        """
        taken, self._taken = self._taken, {}
        for name, pins in taken.items():
            self._shelf.unpin(self._sets[name], pins)
            self._shelf.forget_if_empty(self._sets[name])

    def _part(self, other: PinSet, pin: Pin) -> None:
        """A left set's copy of a deleted file is no pin of the file that has its inode now."""
        old = other.pins[pin.key]
        if old.copied and (old.missing or (old.born and pin.born and old.born != pin.born)):
            self._displace(other, pin.key, self._now())

    def _add(self, kept: PinSet, pin: Pin) -> None:
        name = kept.file_set.name
        keeping = [self._sets[each] for each in self._owners.kept_by(pin.key) if each != name]
        for other in keeping:
            self._part(other, pin)
        if not self._owners.take(pin.key, name):
            if pin.kind is not PinKind.DIRECT:
                self._shelf.remove_pin(kept, pin)  # Two sweeps met at one file.
            return
        for other in keeping:
            if pin.key in other.pins:
                self._taken.setdefault(other.file_set.name, []).append(other.pins[pin.key])
        kept.pins[pin.key] = pin
        kept.vanished.pop(pin.key, None)
        log.debug("pinned (%s) %s/%s", pin.kind, name, pin.name)


def _may_be_copied(kept: PinSet, result: Sweep) -> bool:
    """Whether a new file may be the copy that a copytruncate begins with.

    It has a rotated name, and no file that was here before has gone from its own name.
    """
    if not kept.file_set.rotated or not kept.pins or not result.pinned:
        return False
    own = matcher(kept.file_set.pattern.rpartition("/")[2], rotated=False)
    names = (result.files[each.key].name for each in result.pinned if each.key in result.files)
    if all(own(name.rpartition("/")[2]) for name in names):
        return False
    return all(key in result.files for key, pin in kept.pins.items() if not pin.missing)


def _live(kept: PinSet) -> Pin | None:
    """The last pin whose file had the log's own name; None where that is one of several."""
    pattern = kept.file_set.pattern
    literal = re.sub(r"\[([*?[])\]", r"\1", pattern)
    if glob.escape(literal) != pattern or not kept.file_set.rotated:
        return None
    live = [
        pin
        for pin in kept.pins.values()
        if (name := parse_pin_name(pin.name)) and name.path == escape(literal)
    ]
    return max(live, key=lambda pin: serial_of(pin.name), default=None)


def _note_missed(kept: PinSet, live: Pin | None, result: Sweep) -> None:
    """After a restart: whether files may have come and gone meanwhile.

    The file that was written to before is not there under any name: it was rotated past what is
    kept, and so may have been its successors.
    """
    if live and live.linked and live.key not in result.files:
        kept.missed = (
            "while the pilot was down this log was rotated past what its writer keeps: the file"
            " that was written to before is gone, and files that came after it may be gone as well;"
            " what was in those is lost"
        )
        log.warning("file set %s: %s", kept.file_set.name, kept.missed)
