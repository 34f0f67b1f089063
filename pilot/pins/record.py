"""One pin and one file set's pins, as the loop knows them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pilot.model import Code, Framing, Rejection, shorten
from pilot.names import parse_pin_name
from pilot.pins.confine import FolderMissingError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from pathlib import Path

    from pilot.model import FileSet, Log
    from pilot.names import FileKey
    from pilot.pins.roots import PinRoot
    from pilot.pins.survey import Answer
    from pilot.pins.sweep import FolderStamp
    from pilot.state import SavedPin

NAMED = 20  # files of one set that are named one by one
QUIET = 5.0  # seconds without a change after which nobody is taken to hold a deleted file
QUIET_WRITER = 60.0  # the same where the program that wrote it still runs
SETTLED = 1.0  # seconds without a change after which an ended container's file is complete
COPY_AWAY = 60.0  # seconds after which a copy's missing original is taken to be gone

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Pin:
    """One pin, as the loop knows it."""

    name: str
    key: FileKey
    linked: bool
    missing: bool = False  # no name of the original matches the file set any more
    missed: float = 0.0  # monotonic time from which it has been missing
    unread: int | None = None  # bytes, by the last survey
    alone: bool = False  # the original is gone, by the last survey
    print: tuple[int, int] = (-1, -1)  # size and mtime, by the last survey
    since: float = 0.0  # monotonic time from which `print` has not changed

    @property
    def left(self) -> int:
        """Bytes that nobody has read; all of them, while the collector was never asked."""
        return max(0, self.print[0]) if self.unread is None else self.unread

    def take(self, answer: Answer, asked: float) -> None:
        """What a survey that was asked at that monotonic time found."""
        if self.print != (answer.size, answer.modified):
            self.print, self.since = (answer.size, answer.modified), asked
        self.unread = answer.unread
        # A volume may be away for a while, and a copy has no other sign that its original lives.
        away = self.missing and asked - self.missed >= COPY_AWAY
        self.alone = answer.links == 1 if self.linked else away

    def unchanged(self, folder: Path) -> bool:
        """Whether it is now as the last survey found it, with no other name. Reads the disk."""
        try:
            status = (folder / self.name).stat(follow_symlinks=False)
        except OSError:
            return True  # There is nothing to lose by removing it.
        return status.st_nlink == 1 and self.print == (status.st_size, status.st_mtime_ns)


@dataclass(slots=True)
class PinSet:
    """One file set's pins and what the last look at its folder said."""

    file_set: FileSet
    root: PinRoot | None = None
    pins: dict[FileKey, Pin] = field(default_factory=dict)
    lost: dict[FileKey, str] = field(default_factory=dict)
    path: str = ""  # where the pilot sees the folder
    copied: bool = False  # some pin is a copy
    waiting: bool = False  # some pin's original may be gone
    tended: bool = False  # somebody declares it and its folder may still be there
    ended: bool = False  # the container that owns it has ended
    sweeping: bool = False
    rest: float = 0.0  # monotonic time before which it is not looked at again
    again: bool = False
    stamp: FolderStamp | None = None
    stamped: float = 0.0
    confirmed: bool = False
    looked: float = -1.0  # monotonic time at which the last look that saw everything began
    surveyed: float = -1.0  # monotonic time at which the last finished survey was asked
    problem: str = "not looked at yet"
    forbidden: str = ""  # why the folder may not be read at all
    refused: dict[str, str] = field(default_factory=dict)
    doubles: dict[str, str] = field(default_factory=dict)  # file name → file set that owns it

    def miss(self, seen: Container[FileKey], now: float) -> None:
        """Note which pins' originals a look did not see."""
        for key, pin in self.pins.items():
            if key in seen:
                pin.missing = False
            elif not pin.missing:
                pin.missing, pin.missed = True, now

    def drained(self, ended: float) -> bool:
        """Whether a survey, asked after a look after the end, found all files read and still."""
        fresh = self.looked >= ended and (not self.pins or self.surveyed >= self.looked)
        return fresh and all(
            pin.unread == 0 and self.surveyed - pin.since >= SETTLED for pin in self.pins.values()
        )

    def sum_up(self) -> None:
        """Note what the check of each second asks, so that it need not go through all pins."""
        self.copied = any(not pin.linked for pin in self.pins.values())
        self.waiting = any(pin.missing or pin.alone for pin in self.pins.values())


def done_with(kept: PinSet, pin: Pin, folder: Path | None, asked: float) -> bool:
    """Whether nothing more can come of a pin whose original is gone. Reads the disk once more."""
    writer = not kept.ended and kept.file_set.framing is Framing.LINES
    quiet = asked - pin.since >= (QUIET_WRITER if writer else QUIET)
    if not quiet or not folder or (pin.unread != 0 and kept.tended):
        return False
    return not pin.linked or pin.unchanged(folder)


def note_problem(kept: PinSet, error: Exception, now: float) -> None:
    """Remember why a look at a file set's folder failed; a new reason goes into the log."""
    if isinstance(error, FolderMissingError):
        when = "any more" if kept.stamp or kept.pins else "yet"
        problem = f"there is no folder {kept.file_set.directory} {when}"
        kept.miss((), now)
    elif isinstance(error, RefusedError):
        problem = str(error)
    else:
        problem = f"{kept.file_set.directory} cannot be read: {error}"
    if problem != kept.problem:
        level = logging.DEBUG if kept.ended else logging.WARNING
        log.log(level, "file set %s: %s", kept.file_set.name, problem)
    kept.problem, kept.stamp, kept.confirmed = problem, None, False
    kept.forbidden = problem if isinstance(error, RefusedError) else ""
    kept.sum_up()


def notices(kept: PinSet, log: Log) -> list[Rejection]:
    """What the last look at a file set's folder did not take, said to whoever declared the log."""
    if kept.forbidden:
        return [
            Rejection(code=Code.FOLDER_REFUSED, key=log.key, log=log.name, reason=kept.forbidden)
        ]
    claimed = {
        name: f"it is already collected as part of file set {owner}"
        for name, owner in kept.doubles.items()
    }
    found = [(Code.FILE_CLAIMED, each) for each in sorted(claimed.items())]
    found += [(Code.FILE_REFUSED, each) for each in sorted(kept.refused.items())]
    return [
        Rejection(
            code=code, key=log.key, log=log.name, value=shorten(name), reason=why, notice=True
        )
        for code, (name, why) in found[:NAMED]
    ]


def find_pins(
    folder: Path, device: int, record: Mapping[str, SavedPin], now: float
) -> tuple[dict[FileKey, Pin], dict[FileKey, str]]:
    """The pins that lie in a folder, and the names of those that are only in the record.

    A pin that the record lacks was made right before a crash, on the folder's own `device`.
    Raises OSError.
    """
    pins: dict[FileKey, Pin] = {}
    lost: dict[FileKey, str] = {}
    names = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    for name in sorted(names | set(record), key=serial_of):
        if not (parsed := parse_pin_name(name)):
            continue
        saved = record.get(name)
        # A filesystem may have another number after a reboot; links lie on today's own.
        key = (saved.device if saved and not saved.linked else device, parsed.inode)
        if name not in names:
            lost[key] = name
            continue
        inode = (folder / name).stat(follow_symlinks=False).st_ino
        linked = inode == parsed.inode and (saved is None or saved.linked)
        if older := pins.pop(key, None):  # A copy whose inode became another file's.
            pins[(-1, serial_of(older.name))] = replace(older, missing=True)
        pins[key] = Pin(name, key, linked, since=now)
    return pins, lost


def serial_of(name: str) -> int:
    """The serial in a pin's name; 0 in a name that is no pin's."""
    parsed = parse_pin_name(name)
    return parsed.serial if parsed else 0
