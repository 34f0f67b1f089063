"""One pin and one file set's pins, as the loop knows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilot.model import FileSet
    from pilot.pins.roots import PinRoot
    from pilot.pins.sweep import FileKey, FolderStamp


@dataclass(slots=True)
class Pin:
    """One pin, as the loop knows it."""

    name: str
    key: FileKey
    linked: bool
    missing: bool = False  # no name of the original matches the file set any more
    unread: int | None = None  # bytes, by the last survey
    alone: bool = False  # the original is gone, by the last survey
    print: tuple[int, int] = (-1, -1)  # size and mtime, by the last survey
    since: float = 0.0  # monotonic time from which `print` has not changed


@dataclass(slots=True)
class PinSet:
    """One file set's pins and what the last look at its folder said."""

    file_set: FileSet
    root: PinRoot | None = None
    pins: dict[FileKey, Pin] = field(default_factory=dict)
    lost: dict[FileKey, str] = field(default_factory=dict)
    tended: bool = False  # somebody declares it and its folder may still be there
    sweeping: bool = False
    again: bool = False
    stamp: FolderStamp | None = None
    stamped: float = 0.0
    confirmed: bool = False
    looked: float = -1.0  # monotonic time at which the last finished look began
    problem: str = "not looked at yet"
    refused: dict[str, str] = field(default_factory=dict)
    doubles: dict[str, str] = field(default_factory=dict)  # file name → file set that owns it
