"""One pin and one file set's pins, as the loop knows them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilot.model import Framing, PinKind
from pilot.names import RESERVE
from pilot.treatment import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pilot.model import FileSet
    from pilot.names import FileKey
    from pilot.pins.expand import FolderStamp
    from pilot.pins.roots import PinRoot
    from pilot.pins.survey import Answer
    from pilot.pins.sweep import Copy, Lost, Seen

QUIET = 5.0  # seconds without a change after which nobody is taken to hold a deleted file
QUIET_WRITER = 60.0  # the same where the program that wrote it still runs
SETTLED = 1.0  # seconds without a change after which an ended container's file is complete
COPY_AWAY = 60.0  # seconds after which a copy's missing original is taken to be gone
DIRECT_AWAY = 60.0  # seconds for which a collector may go on reading a file that was deleted
SUSPECT = 30  # looks that follow what may be the copy of a copytruncate


@dataclass(slots=True)
class Pin:
    """One pin, as the loop knows it; in direct mode one original file.

    `name` is the pin's; of a direct one it is the file's, below the folder of its set.
    """

    name: str
    key: FileKey
    kind: PinKind
    born: int = 0  # ns; when the original was made, 0 where its filesystem does not say
    missing: bool = False  # no name of the original matches the file set any more
    missed: float = 0.0  # monotonic time from which it has been missing
    seen: int = -1  # bytes of the original, by the last look; -1: never seen
    where: str = ""  # its place below the file set's root, by the last look
    ends: tuple[int, ...] = ()  # how many of them each input can read; only of a direct file
    unread: int | None = None  # bytes, by the last survey
    alone: bool = False  # the original is gone, by the last survey
    print: tuple[int, int] = (-1, -1)  # size and mtime, by the last survey
    since: float = 0.0  # monotonic time from which `print` has not changed
    on_disk: int = 0  # bytes of disk that the pin occupies, by the last survey
    reserved: bool = False  # it lies where the collector does not see it yet
    unsure: bool = False  # a copy from before a restart, its original not seen since
    released: float = -math.inf  # monotonic time at which the collector was let see it
    counted: bool = False  # what is unread of it has been counted as lost

    @property
    def file(self) -> str:
        """Where it lies below its set's folder of pins."""
        return f"{RESERVE}/{self.name}" if self.reserved else self.name

    @property
    def linked(self) -> bool:
        """Whether it is a hard link."""
        return self.kind is PinKind.LINKED

    @property
    def copied(self) -> bool:
        """Whether it is a copy."""
        return self.kind is PinKind.COPIED

    @property
    def ownerless(self) -> bool:
        """Whether it says nothing of who owns its inode, which may be another file's by now."""
        return self.copied and (self.missing or self.unsure)

    @property
    def asked_as(self) -> str:
        """What surveys call it: several direct files may have had one name."""
        direct = self.kind is PinKind.DIRECT
        return f"{self.key[1]}-{self.key[0]}" if direct else self.name

    @property
    def grown(self) -> bool:
        """Whether a look found more to read than the last survey knew of."""
        if self.copied:
            return self.seen > self.print[0]
        return self.kind is PinKind.DIRECT and max(self.ends, default=-1) > self.print[0]

    @property
    def left(self) -> int:
        """Bytes that nobody has read; all of them, while the collector was never asked.

        Of a copy also those that it did not get.
        """
        if self.counted:
            return 0
        if self.unread is None:
            return max(0, self.seen, self.print[0])
        return self.unread + (max(0, self.seen - self.print[0]) if self.copied else 0)

    @property
    def holds(self) -> int:
        """Bytes of disk that would be free without this pin."""
        return self.on_disk if self.copied or (self.linked and self.alone) else 0

    def take(self, answer: Answer, asked: float, pins: int = 1) -> None:
        """What a survey that was asked at that monotonic time found; `pins` of ours are its names.

        A volume may be away for a while, and a copy has no other sign that its original lives.
        """
        if self.print != (answer.size, answer.modified):
            self.print, self.since = (answer.size, answer.modified), asked
        before = answer.unread if self.unread is None else self.unread
        gone = self.kind is PinKind.DIRECT and self.missing
        # Collectors forget how far they were in a file whose name is gone.
        self.unread = min(before, answer.unread) if gone else answer.unread
        self.on_disk = answer.on_disk
        if self.linked:
            self.alone = answer.links <= pins
        else:
            away = COPY_AWAY if self.copied else 0.0
            self.alone = self.missing and asked - self.missed >= away

    def unchanged(self, folder: Path, pins: int = 1) -> bool:
        """Whether it is now as the last survey found it, with no other name. Reads the disk."""
        try:
            status = (folder / self.file).stat(follow_symlinks=False)
        except OSError:
            return True  # There is nothing to lose by removing it.
        return status.st_nlink <= pins and self.print == (status.st_size, status.st_mtime_ns)


@dataclass(slots=True)
class Loss:
    """What was given up unread."""

    files: int = 0
    bytes: int = 0

    def add(self, pins: Iterable[Pin]) -> Loss:
        """Count these pins; returns what they add."""
        unread = [pin.left for pin in pins]
        more = Loss(sum(map(bool, unread)), sum(unread))
        self.files += more.files
        self.bytes += more.bytes
        return more

    def __bool__(self) -> bool:
        return bool(self.files or self.bytes)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a collector finds a set's files: the folder of its pins or, directly, `folders`."""

    pins: str | None
    folders: tuple[str, ...] = ()  # paths on the node, as they were really opened
    mounted: bool = False  # an open file there would block an unmount


@dataclass(slots=True)
class PinSet:
    """One file set's pins and what the last look at its folder said."""

    file_set: FileSet
    root: PinRoot | None = None
    pins: dict[FileKey, Pin] = field(default_factory=dict)
    vanished: dict[FileKey, Lost] = field(default_factory=dict)  # pins that somebody removed
    strays: dict[int, tuple[FileKey, Copy]] = field(default_factory=dict)  # restored copies
    loss: Loss = field(default_factory=Loss)
    namespace: str = ""
    streams: tuple[Stream, ...] = (Stream.ALL,)  # each is read by an input of its own
    path: str = ""  # where the pilot sees the folder
    folders: tuple[str, ...] = ()
    mounted: bool = False
    copied: bool = False  # some pin is a copy
    direct: bool = False  # its files are read without pins
    waiting: bool = False  # some pin's original may be gone
    reserved: bool = False  # some pin is kept from the collector
    held_bytes: int = 0
    held_files: int = 0
    tended: bool = False  # somebody declares it and its folder may still be there
    ended: bool = False  # the container that owns it has ended
    restored: bool = False  # not looked at since a restart
    sweeping: bool = False
    rest: float = 0.0  # monotonic time before which it is not looked at again
    again: bool = False
    stamps: Mapping[str, FolderStamp] = field(default_factory=dict)
    stamped: float = 0.0
    confirmed: bool = False
    suspect: int = 0  # looks still to follow, because a copytruncate may be under way
    looked: float = -1.0  # monotonic time at which the last look that saw everything began
    surveyed: float = -1.0  # monotonic time at which the last finished survey was asked
    proved: float = -1.0  # `looked`, when a survey that was asked after it last finished
    problem: str = "not looked at yet"
    forbidden: str = ""  # why the folder may not be read at all
    distrusted: float = 0.0  # monotonic time until which no collector is sent there
    warned: float = -math.inf  # monotonic time of the last warning about it
    refused: dict[str, str] = field(default_factory=dict)
    doubles: dict[str, str] = field(default_factory=dict)  # file name → file set that owns it
    further: dict[str, str] = field(default_factory=dict)  # file name → the same file's first name
    truncated: dict[str, None] = field(default_factory=dict)  # names of files that became shorter
    missed: str = ""  # what may have gone by unseen
    over: str = ""  # which allowance its pins exceeded, as last said
    crowded: bool = False  # no copy may be begun: it holds as many files as it may
    reserve: bool = False  # new pins are kept from the collector for now
    full: bool = False  # its copies may not grow: an allowance or a floor is reached
    paused: bool = False  # some copy did not grow for that

    @property
    def device(self) -> int | None:
        """The filesystem that its folder lies on; None while nobody knows."""
        return next((stamp[0] for stamp in self.stamps.values()), None)

    @property
    def notable(self) -> bool:
        """Whether each survey asks for it: something may have to go, to be released or to pause."""
        return self.waiting or self.copied or self.reserved or self.direct

    def take_sizes(self, seen: Mapping[FileKey, Seen], now: float) -> None:
        """Note of each pin what a look saw of its original, if it saw it."""
        for key, pin in self.pins.items():
            pin.unsure = False
            if found := seen.get(key):
                pin.missing, pin.seen, pin.ends = False, found.size, found.ends
                pin.where = found.where
            elif not pin.missing:
                pin.missing, pin.missed = True, now

    def miss_all(self, now: float) -> None:
        """The folder is gone, or leads elsewhere: no original was seen."""
        self.take_sizes({}, now)

    def drained(self, ended: float) -> bool:
        """Whether a survey, asked after a look after the end, found all files read and still.

        Later looks, which copies and originals get each second, undo that only by what they find.
        """
        proved = self.proved if self.pins else self.looked
        return proved >= ended and all(
            pin.unread == 0 and not pin.grown and self.surveyed - pin.since >= SETTLED
            for pin in self.pins.values()
        )

    def sum_up(self) -> None:
        """Note what the check of each second asks, so that it need not go through all pins."""
        pins = self.pins.values()
        self.copied = any(pin.copied for pin in pins)
        self.direct = any(pin.kind is PinKind.DIRECT for pin in pins)
        self.waiting = any(pin.missing or pin.alone for pin in pins)
        self.reserved = any(pin.reserved for pin in pins)
        self.held_bytes = sum(pin.holds for pin in pins)
        self.held_files = sum(pin.copied or (pin.linked and pin.alone) for pin in pins)


def done_with(kept: PinSet, pin: Pin, folder: Path | None, asked: float, pins: int = 1) -> bool:
    """Whether nothing more can come of a pin whose original is gone. Reads the disk once more.

    A direct file that was deleted is given up after a while: its collector says no more of it.
    """
    if pin.kind is PinKind.DIRECT:
        return pin.unread == 0 or (not kept.ended and asked - pin.missed >= DIRECT_AWAY)
    writer = not kept.ended and kept.file_set.framing is Framing.LINES
    quiet = asked - pin.since >= (QUIET_WRITER if writer else QUIET)
    if not quiet or not folder or (pin.unread != 0 and kept.tended):
        return False
    return not pin.linked or pin.unchanged(folder, pins)
