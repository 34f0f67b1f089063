"""Which files a file set's pattern names, under confinement: the globs are expanded by us.

Everything is bounded: folders, matches, the depth of `**`, and the time. Nothing stays open after
a look.
"""

from __future__ import annotations

import errno
import itertools
import os
import stat
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilot.names import matcher
from pilot.pins.confine import RefusedError, explained, open_volume
from pilot.pins.kernel import mount_id
from pilot.pins.plan import REST, plan, split
from pilot.pins.tree import DIRECTORY, PATH_ONLY, Found, NotFollowedError, beneath

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from pilot.model import FileSet
    from pilot.pins.confine import Volume
    from pilot.pins.tree import Names

MOST_FILES = 10_000  # matches of one file set; what is beyond is said and left alone
AT_A_TIME = 4096  # names of a folder between two looks at the clock

FolderStamp = tuple[int, int, int]  # device, inode, mtime in ns of a folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one look may take: folders below a `**`, folders, matches, seconds."""

    depth: int = 8
    folders: int = 1_000
    files: int = MOST_FILES
    seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Folder:
    """An open folder of the volume, until the next is asked for.

    `path` is its real place below the file set's root, "" for the root itself.
    """

    path: str
    descriptor: int


@dataclass(frozen=True, slots=True)
class Match:
    """One name that matches, until the next is asked for.

    `name` is below the file set's folder, as it was written: a link keeps its own. `descriptor`
    (O_PATH) is the regular file's, links resolved; `where` is its real place below the root.
    """

    name: str
    descriptor: int
    status: os.stat_result
    where: str = ""


@dataclass(slots=True, kw_only=True)
class View:
    """What a file set's pattern names now.

    `refused`: name → why it is not collected, until something changes. `failed`: name → why it
    could not be looked at now; while it holds anything, what was not found need not be gone.
    `stamps`: path as the pilot sees it → stamp, of each folder whose change may change what
    matches. `mounted`: the root is a mount beside its parent folder, whose unmount an open handle
    would hold up.
    """

    file_set: FileSet
    volume: Volume
    limits: Limits
    opened: ExitStack
    until: float  # monotonic time at which the look ends
    refused: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    stamps: dict[str, FolderStamp] = field(default_factory=dict)
    base: Found = field(init=False)
    _written: dict[str, str] = field(default_factory=dict)  # real place → as the pattern names it
    _left: int = 0

    @property
    def mounted(self) -> bool:
        """Whether an open handle below the root would hold up an unmount."""
        return self.volume.mounted

    def folders(self) -> Iterator[Folder]:
        """Each folder that can hold matches, once, sorted by its real place."""
        found = self._folders()
        self.opened.callback(found.close)
        return found

    def matches(self, folder: Folder) -> Iterator[Match]:
        """The files of one folder that match, sorted by name. Raises OSError."""
        found = self._matches(folder)
        self.opened.callback(found.close)
        return found

    def touched(self, where: Names, descriptor: int) -> None:
        """Note a folder whose change may change what matches."""
        path = "/".join((self.volume.path, *where))
        if path not in self.stamps:
            status = os.fstat(descriptor)
            self.stamps[path] = (status.st_dev, status.st_ino, status.st_mtime_ns)

    def late(self) -> bool:
        """Whether the look has taken as long as it may; says so."""
        if time.monotonic() < self.until:
            return False
        self.failed[REST] = (
            f"looking took longer than {self.limits.seconds:g} s; what is not found yet has to wait"
        )
        return True

    def _folders(self) -> Generator[Folder, None, None]:
        self._left = self.limits.files
        folders, _ = split(self.file_set.pattern)
        planned = plan(self, folders) if folders else {self.base.where: ""}
        for where, written in sorted(planned.items()):
            if self.late():
                return
            path = "/".join(where)
            self._written[path] = f"{written}/" if written else ""
            try:
                descriptor = self.list_folder(where)
            except FileNotFoundError:
                continue
            except RefusedError as error:
                self.refused[written] = str(error)
                continue
            except OSError as error:
                if not folders:
                    raise
                self.failed[written] = str(error.strerror)
                continue
            try:
                yield Folder(path, descriptor)
            finally:
                os.close(descriptor)

    def list_folder(self, where: Names) -> int:
        """A folder for listing, judged and noted; the caller closes it."""
        if where == self.base.where:
            listed = os.open(".", os.O_RDONLY | DIRECTORY, dir_fd=self.base.descriptor)
        else:
            folder = self.volume.tree.folder(where)
            try:
                self.volume.judge(folder, where)
                listed = os.open(".", os.O_RDONLY | DIRECTORY, dir_fd=folder)
            finally:
                os.close(folder)
        self.touched(where, listed)
        return listed

    def _matches(self, folder: Folder) -> Generator[Match, None, None]:
        _, last = split(self.file_set.pattern)
        wanted = matcher(last, rotated=self.file_set.rotated)
        names = sorted(self.names(folder.descriptor, lambda each: wanted(each.name)))
        if len(names) > self._left:
            self.refused[REST] = (
                f"more than {self.limits.files} files match; the rest is not collected"
            )
            del names[self._left :]
        self._left -= len(names)
        where = tuple(folder.path.split("/")) if folder.path else ()
        mount = mount_id(folder.descriptor)
        for name in names:
            if self.late():
                return
            written = self._written[folder.path] + name
            found = self._file(name, written, where, folder.descriptor, mount)
            if found:
                began = time.monotonic()
                try:
                    yield Match(written, found.descriptor, found.status, "/".join(found.where))
                finally:
                    os.close(found.descriptor)
                self.until += time.monotonic() - began  # Pinning and copying are not the look.

    def names(self, folder: int, wanted: Callable[[os.DirEntry[str]], bool]) -> list[str]:
        """The names in an open folder that are wanted, as far as the time allows."""
        found: list[str] = []
        with os.scandir(folder) as entries:
            while some := list(itertools.islice(entries, AT_A_TIME)):
                found += [each.name for each in some if wanted(each)]
                if len(some) < AT_A_TIME or self.late():
                    break
        return found

    def _file(self, name: str, written: str, where: Names, folder: int, mount: int) -> Found | None:
        """The regular file that a name means; None if it is none, which is said."""
        try:
            descriptor = os.open(name, PATH_ONLY, dir_fd=folder)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISLNK(status.st_mode):
                    if not stat.S_ISREG(status.st_mode):
                        raise RefusedError("not a regular file: not followed, not read")
                    found = Found(descriptor, status, (*where, name))
                    if not self.file_set.rotated:
                        found = self.volume.single(found)
                    elif mount_id(descriptor) != mount:  # A file that is a mount by itself.
                        self.volume.judge(descriptor, found.where)
                    descriptor = -1 if found.descriptor == descriptor else descriptor
                    return found
            finally:
                if descriptor >= 0:
                    os.close(descriptor)
            return self._behind(name, where, folder)
        except FileNotFoundError:
            pass
        except (RefusedError, NotFollowedError) as error:
            self.refused[written] = str(error)
        except OSError as error:
            self.failed[written] = str(error.strerror)
        return None

    def _behind(self, name: str, where: Names, folder: int) -> Found:
        """The regular file that a link means to those who see the volume."""
        try:
            found = self.volume.tree.find(name, at=where, start=folder)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise RefusedError("a symlink to what is not there") from error
        regular = stat.S_ISREG(found.status.st_mode)
        with ExitStack() as failing:
            failing.callback(os.close, found.descriptor)
            if regular:
                self.volume.judge(found.descriptor, found.where)
                failing.pop_all()
        if not regular:
            raise RefusedError("a symlink to what is no regular file: not read")
        return found


@contextmanager
def look_into(
    file_set: FileSet,
    on_node: Callable[[str], Path],
    forbids: Callable[[str], str | None],
    limits: Limits | None = None,
    *,
    beneath: Callable[[str, int], int] = beneath,
) -> Iterator[View]:
    """A look at what a file set's pattern names, for this context only.

    Raises FolderMissingError, RefusedError or OSError for the folder that the pattern begins in.
    """
    limits = limits or Limits()
    if ".." in file_set.folder.split("/"):
        raise RefusedError(f"{file_set.directory} leads upwards")
    with (
        open_volume(file_set, on_node, forbids, beneath) as volume,
        ExitStack() as opened,
    ):
        view = View(
            file_set=file_set,
            volume=volume,
            limits=limits,
            opened=opened,
            until=time.monotonic() + limits.seconds,
        )
        volume.tree.touched = view.touched
        with explained(file_set):
            view.base = volume.tree.reach(file_set.folder)
            opened.callback(os.close, view.base.descriptor)
            if not stat.S_ISDIR(view.base.status.st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            if view.base.where:
                volume.judge(view.base.descriptor, view.base.where)
        yield view
