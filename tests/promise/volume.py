"""A volume as the container sees it: an independent reading of which files a file set names.

Nothing here races: one thread changes the tree, and only between two looks. So plain lstat(2) and
readlink(2), component by component, are enough to say what confinement has to come to.
"""

from __future__ import annotations

import fnmatch
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot.names import FileKey, matcher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_LINKS = 40  # path_resolution(7)


@dataclass(frozen=True, slots=True)
class Place:
    """What a path in the container is: where it lies on the node, and as what."""

    real: str
    status: os.stat_result
    doubtful: bool = False  # the way to it left the volume for a moment: may be refused

    @property
    def key(self) -> FileKey:
        return self.status.st_dev, self.status.st_ino


class Volume:
    """One volume, mounted in the container at `/<mounted>`; nothing else there can be had."""

    def __init__(self, root: Path, mounted: str) -> None:
        self.root, self.mounted = str(root), mounted

    def find(self, path: str) -> Place | None:
        """What lies at a path below the volume; None for nothing, or for what is not in it."""
        here, doubtful, links = [self.mounted], False, 0
        todo = path.split("/")
        if path.endswith("/"):
            todo.append(".")
        while todo:
            part = todo.pop(0)
            if not part:
                continue
            if not self._is_folder(here):
                return None
            if part == "..":
                doubtful |= len(here) <= 1
                here = here[:-1]
            elif part != ".":
                here = [*here, part]
            if target := self._link(here):
                links += 1
                if links > MOST_LINKS:
                    return None
                here = [] if target.startswith("/") else here[:-1]
                todo = [*target.split("/"), *(["."] if target.endswith("/") else []), *todo]
        try:
            return Place(self._real(here), os.lstat(self._real(here)), doubtful)
        except OSError:
            return None

    def matches(self, folder: str, pattern: str) -> Iterator[tuple[str, Place]]:
        """The regular files that a file set names: (name below its folder, the file itself)."""
        *folders, last = pattern.split("/")
        takes = matcher(last, rotated=True)
        for below, doubtful in self._folders(folder, "", folders):
            for name in self._names(_join(folder, below)):
                if not takes(name):
                    continue
                place = self.find(_join(folder, below, name))
                if place and stat.S_ISREG(place.status.st_mode):
                    doubt = doubtful or place.doubtful
                    yield _join(below, name), Place(place.real, place.status, doubt)

    def _folders(self, folder: str, below: str, globs: list[str]) -> Iterator[tuple[str, bool]]:
        place = self.find(_join(folder, below))
        if not place or not stat.S_ISDIR(place.status.st_mode):
            return
        if not globs:
            yield below, place.doubtful
            return
        for name in self._names(_join(folder, below)):
            if fnmatch.fnmatchcase(name, globs[0]):
                for found, doubtful in self._folders(folder, _join(below, name), globs[1:]):
                    yield found, doubtful or place.doubtful

    def _names(self, path: str) -> list[str]:
        place = self.find(path)
        return sorted(os.listdir(place.real)) if place else []

    def _real(self, here: list[str]) -> str:
        """Where a place in the container lies on the node; the mount is all there is of that."""
        if here[:1] != [self.mounted]:
            raise FileNotFoundError("/".join(here))
        return "/".join([self.root, *here[1:]])

    def _is_folder(self, here: list[str]) -> bool:
        try:
            return not here or stat.S_ISDIR(os.lstat(self._real(here)).st_mode)
        except OSError:
            return False

    def _link(self, here: list[str]) -> str:
        try:
            return os.readlink(self._real(here))
        except OSError:
            return ""


def _join(*parts: str) -> str:
    return "/".join(part for part in parts if part)
