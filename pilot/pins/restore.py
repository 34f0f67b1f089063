"""Finds a set's pins again after a restart: what lies in its folder counts, a record completes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pilot.model import FileSet, Framing, PinKind
from pilot.names import RESERVE, parse_pin_name
from pilot.pins.record import Pin
from pilot.pins.sweep import Copy, Lost

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pilot.names import FileKey
    from pilot.state import SavedPin


@dataclass(slots=True)
class Found:
    """A set's pins as they were found."""

    pins: dict[FileKey, Pin] = field(default_factory=dict)
    vanished: dict[FileKey, Lost] = field(default_factory=dict)  # only in the record
    # Copies by their original's inode: a filesystem may have another number after a reboot.
    strays: dict[int, tuple[FileKey, Copy]] = field(default_factory=dict)


def find_pins(folder: Path, device: int, record: Mapping[str, SavedPin], now: float) -> Found:
    """The pins in a folder on that device. Raises OSError.

    A pin that the record lacks was made right before a crash; whose file a copy is, the next look
    tells.
    """
    found = Found()
    reserved = _names(folder / RESERVE)
    names = _names(folder) | reserved
    for name in sorted(names | set(record), key=serial_of):
        if not (parsed := parse_pin_name(name)):
            continue
        saved = record.get(name)
        born = saved.born if saved else 0
        # Links lie on today's own device, whatever its number was.
        key = (saved.device if saved and not saved.linked else device, parsed.inode)
        if name not in names:
            found.vanished[key] = Lost(name, born)
            continue
        file = f"{RESERVE}/{name}" if name in reserved else name
        status = (folder / file).stat(follow_symlinks=False)
        linked = status.st_ino == parsed.inode and (saved is None or saved.linked)
        if not linked and saved is None:
            key = (-1, parsed.serial)
        if older := found.pins.pop(key, None):  # A copy whose inode became another file's.
            other = (-1, serial_of(older.name))
            found.pins[other] = replace(older, key=other, missing=True)
        kind = PinKind.LINKED if linked else PinKind.COPIED
        pin = found.pins[key] = Pin(name, key, kind, born=born, since=now)
        pin.seen = status.st_size  # All of it counts as unread until a survey says otherwise.
        pin.reserved, pin.counted = name in reserved, bool(saved and saved.counted)
        if pin.copied:
            pin.unsure = True
            found.strays[parsed.inode] = (key, Copy(pin.file, born))
    return found


def _names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()


def unknown_set(name: str) -> FileSet:
    """What stands for a set of which only the folder of its pins is left."""
    return FileSet(name=name, root="/", folder="", pattern="", framing=Framing.LINES)


def serial_of(name: str) -> int:
    """The serial in a pin's name; 0 in a name that is no pin's."""
    parsed = parse_pin_name(name)
    return parsed.serial if parsed else 0
