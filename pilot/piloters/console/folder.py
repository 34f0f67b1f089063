"""The folder of fragments, polled; a broken fragment keeps its last good state."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from pilot.piloters.console.inputs import InputError, parse

if TYPE_CHECKING:
    from pathlib import Path

    from pilot.piloters.console.inputs import ConsoleInput

SUFFIX = ".yml"

Stamp = tuple[int, int, int]  # inode, mtime in ns, size of a fragment

log = logging.getLogger(__name__)


class InputFolder:
    """The inputs that the fragments in one folder want."""

    def __init__(self, folder: Path) -> None:
        """Look at nothing yet; the folder may be missing."""
        self._folder = folder
        self._stamps: dict[str, Stamp] = {}
        self._inputs: dict[str, tuple[ConsoleInput, ...]] = {}
        self._unlisted = ""

    def refresh(self) -> bool:
        """Look at the folder and read what changed; whether the wanted inputs may have."""
        try:
            found = self._scan()
        except FileNotFoundError:
            found = {}
        except OSError as error:
            # A folder that cannot be listed says nothing about what is wanted.
            if str(error) != self._unlisted:
                self._unlisted = str(error)
                log.warning("fragments cannot be listed: %s", error)
            return False
        self._unlisted = ""
        if found == self._stamps:
            return False
        changed = False
        for name in self._stamps.keys() - found.keys():
            del self._stamps[name]
            changed |= self._inputs.pop(name, None) is not None
        for name, stamp in found.items():
            if self._stamps.get(name) != stamp:
                changed |= self._read(name, stamp)
        return changed

    def wanted(self) -> dict[str, ConsoleInput]:
        """The inputs by id. Where two fragments name one, the last by file name counts."""
        names = sorted(self._inputs)
        return {each.id: each for name in names for each in self._inputs[name]}

    def _scan(self) -> dict[str, Stamp]:
        found = {}
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if not entry.name.endswith(SUFFIX) or entry.name.startswith("."):
                    continue
                try:
                    status = entry.stat()
                except FileNotFoundError:
                    continue
                found[entry.name] = (status.st_ino, status.st_mtime_ns, status.st_size)
        return found

    def _read(self, name: str, stamp: Stamp) -> bool:
        try:
            self._inputs[name] = parse((self._folder / name).read_bytes())
        except FileNotFoundError:
            return False
        except (InputError, OSError) as error:
            self._stamps[name] = stamp
            kept = "its last good state is kept" if name in self._inputs else "it is left out"
            log.warning("fragment %r is broken, %s: %s", name, kept, error)
            return False
        self._stamps[name] = stamp
        return True
