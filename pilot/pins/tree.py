"""A folder that nobody's link, rename or `..` leads out of: how names below it are opened.

Every step is by descriptor and without following; a link is read through the descriptor of the
link itself and then walked by us, as the container that sees the folder would.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot.model import shorten
from pilot.pins import kernel

if TYPE_CHECKING:
    from collections.abc import Callable

Names = tuple[str, ...]  # a real place below the folder: no links, no `..`

PATH_ONLY = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
DIRECTORY = os.O_DIRECTORY | os.O_CLOEXEC
MOST_STEPS = 2048  # in one look-up: 40 links of `a/../a/../…` would be 80 000, each from the top
MOST_LINKS = 40  # in one look-up, as path_resolution(7) says of the kernel
WALK = (errno.ELOOP, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EXDEV, errno.EAGAIN, errno.EINVAL)


class NotFollowedError(Exception):
    """A link that is not followed; the text says what it is and why."""


def beneath(path: str, dir_fd: int) -> int:
    """An O_PATH descriptor of a folder below another, by one call that follows no link at all."""
    return kernel.openat2(
        path,
        os.O_PATH | DIRECTORY,
        resolve=kernel.BENEATH | kernel.NO_SYMLINKS | kernel.NO_MAGICLINKS,
        dir_fd=dir_fd,
    )


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up came to: an O_PATH descriptor that the caller closes, and its real place."""

    descriptor: int
    status: os.stat_result
    where: Names


def _ignore(_: Names, __: int) -> None:
    pass


@dataclass(slots=True)
class Tree:
    """An open folder and the rules for links below it.

    `seen_at` is where those who made the links see the folder, "" if no link is followed;
    `follows` tells whether links that lie in a folder of the tree may be. `touched` is called with
    each folder that holds a link that was followed, or in which a look-up ended.
    """

    descriptor: int
    seen_at: str = ""
    follows: Callable[[Names], bool] = lambda _: True
    touched: Callable[[Names, int], None] = _ignore
    beneath: Callable[[str, int], int] = beneath

    def folder(self, names: Names) -> int:
        """An O_PATH descriptor of the folder that really is there. No link is followed.

        Raises OSError: ELOOP or ENOTDIR for a link or a file on the way.
        """
        if not names:
            return os.dup(self.descriptor)
        try:
            return self.beneath("/".join(names), self.descriptor)
        except kernel.NotOfferedError:
            pass
        except OSError as error:
            if error.errno not in WALK:
                raise
        here = os.dup(self.descriptor)
        for name in names:
            try:
                below = os.open(name, PATH_ONLY | DIRECTORY, dir_fd=here)
            finally:
                os.close(here)
            here = below
        return here

    def reach(self, path: str) -> Found:
        """The folder or file at a path; the quick way where no link is on it. Raises as `find`."""
        names = tuple(name for name in path.split("/") if name)
        try:
            descriptor = self.folder(names)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise
            return self.find(path)
        return Found(descriptor, os.fstat(descriptor), names)

    def find(self, path: str, *, at: Names = (), start: int | None = None) -> Found:
        """What a path means in the folder at `at` (open as `start`), links resolved.

        Raises NotFollowedError for a link that leads out or may not be followed, and OSError.
        """
        here = os.dup(start) if start is not None else self.folder(at)
        walk = _Walk(self, here, list(at), _steps(path))
        try:
            for _ in range(MOST_STEPS):
                if not walk.todo:
                    break
                if found := walk.step(walk.todo.pop()):
                    return found
            if walk.todo:
                raise NotFollowedError("a symlink through too many folders: not followed")
            descriptor = os.dup(walk.here)
            return Found(descriptor, os.fstat(descriptor), tuple(walk.where))
        finally:
            os.close(walk.here)


@dataclass(slots=True)
class _Walk:
    """One look-up under way: the folder that it came to, and the names to come, the last first."""

    tree: Tree
    here: int
    where: list[str]
    todo: list[str]
    links: int = 0
    target: str = ""  # of the last link

    def step(self, name: str) -> Found | None:
        """Go on by one name; a file ends the walk."""
        if name == "..":
            if self.where:
                self.where.pop()
            else:
                self._enter(self._way()[:-1])
            self._move(self.tree.folder(tuple(self.where)))
            return None
        return None if name == "." else self._down(name)

    def _down(self, name: str) -> Found | None:
        try:
            found = os.open(name, PATH_ONLY, dir_fd=self.here)
        except OSError:
            self.tree.touched(tuple(self.where), self.here)
            raise
        try:
            status = os.fstat(found)
            if stat.S_ISDIR(status.st_mode):
                self._move(os.dup(found))
                self.where.append(name)
                return None
            self.tree.touched(tuple(self.where), self.here)
            if stat.S_ISLNK(status.st_mode):
                self._follow(found)
                return None
            if self.todo:
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name)
            result, found = Found(found, status, (*self.where, name)), -1
            return result
        finally:
            if found >= 0:
                os.close(found)

    def _follow(self, link: int) -> None:
        if not self.tree.seen_at or not self.tree.follows(tuple(self.where)):
            raise NotFollowedError("a symlink: not followed, not read")
        self.links += 1
        if self.links > MOST_LINKS:
            raise NotFollowedError("a symlink behind too many symlinks: not followed")
        self.target = os.readlink("", dir_fd=link)
        self.todo += _steps(self.target)
        if self.target.startswith("/"):
            self._enter([])
            self.where.clear()
            self._move(os.dup(self.tree.descriptor))

    def _way(self) -> list[str]:
        return [name for name in self.tree.seen_at.split("/") if name]

    def _enter(self, above: list[str]) -> None:
        """Come back into the tree from `above` it, as far as its own way leads.

        Nobody here sees the folders above as the container does, so whatever goes anywhere beside
        the way to the tree is refused.
        """
        way = self._way()
        while above != way:
            name = self.todo.pop() if self.todo else ""
            if name == "..":
                above = above[:-1]
            elif name != ".":
                above = [*above, name]
            if above != way[: len(above)]:
                raise NotFollowedError(
                    f"a symlink to {shorten(self.target)!r}, which is outside of the volume: "
                    "not followed"
                )

    def _move(self, descriptor: int) -> None:
        os.close(self.here)
        self.here = descriptor


def _steps(path: str) -> list[str]:
    """The names of a path, the last one first; a slash at the end asks for a folder."""
    names = [name for name in path.split("/") if name]
    if path.endswith("/"):
        names.append(".")
    return names[::-1]
