"""What lies in the pin root: only files of the volume that a look could find, never a canary."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pilot.names import parse_pin_name

if TYPE_CHECKING:
    from pathlib import Path

    from pilot.names import FileKey
    from tests.promise.ledger import Generation, Ledger

CANARY = b"canary"


def plant(outside: Path, folders: tuple[str, ...], names: tuple[str, ...]) -> set[FileKey]:
    """Files that nobody may ever read, called as logs are; their keys."""
    found = set()
    for folder in ("", *folders):
        (outside / folder).mkdir()
        for name in names:
            path = outside / folder / name
            path.write_bytes(CANARY + b"\n")
            found.add((path.stat().st_dev, path.stat().st_ino))
    return found


class Pinned:
    """The pins of one life: name → folder of its file set, and the file that it stands for."""

    def __init__(self, folder: Path, ledger: Ledger, canaries: set[FileKey], device: int) -> None:
        """`device` is the volume's."""
        self._folder, self._ledger, self._canaries = folder, ledger, canaries
        self._device = device
        self.pins: dict[str, tuple[str, Generation]] = {}

    @property
    def files(self) -> list[Generation]:
        """The files that have a pin."""
        return [file for _, file in self.pins.values()]

    def scan(self) -> dict[str, tuple[str, Generation]]:
        """See what lies there now; what lay there before."""
        before, self.pins = self.pins, {}
        for folder in sorted(os.listdir(self._folder)):
            place = self._folder / folder
            if not place.is_dir():
                continue
            for name in sorted(os.listdir(place)):
                file = self._file(name, os.lstat(place / name), before)
                if self._ledger.copied:
                    _check_copy(place / name, file)
                self.pins[name] = folder, file
        return before

    def _file(
        self, name: str, status: os.stat_result, before: dict[str, tuple[str, Generation]]
    ) -> Generation:
        key = status.st_dev, status.st_ino
        assert key not in self._canaries, f"{name!r} is a file from outside the volume"
        if name in before:
            return before[name][1]
        parsed = parse_pin_name(name)
        assert parsed, f"{name!r} is no pin"
        if self._ledger.copied:
            key = self._device, parsed.inode
        assert key in self._ledger.alive, f"{name!r} is no file of the volume"
        file = self._ledger.alive[key]
        assert file.names, f"{name!r} is a file that no declaration names"
        return file


def _check_copy(path: Path, file: Generation) -> None:
    with path.open("rb") as pin:
        data = pin.read(64)
    mark = b"%d." % file.number
    assert mark.startswith(data) or data.startswith(mark), f"{path.name!r} holds {data!r}"
