"""Finds files again that no name of their file set leads to any more, where they were."""

from __future__ import annotations

import itertools
import os
import posixpath
import stat
import time
from typing import TYPE_CHECKING

from pilot.pins.confine import RefusedError
from pilot.pins.expand import Match
from pilot.pins.tree import PATH_ONLY, NotFollowedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pilot.names import FileKey
    from pilot.pins.expand import View


def seek(view: View, away: Mapping[FileKey, str]) -> Iterator[tuple[FileKey, Match]]:
    """Of these files, each with the place where it was, those that are in its folder still.

    It was renamed there, or a link that led to it leads elsewhere now. The folder is judged as any
    other, and listed once for all. A descriptor is open until the next file is asked for.
    """
    by_folder = sorted(away, key=lambda key: posixpath.dirname(away[key]))
    for folder, keys in itertools.groupby(by_folder, lambda key: posixpath.dirname(away[key])):
        if view.late():
            return
        try:
            descriptor = view.list_folder(tuple(folder.split("/")) if folder else ())
        except (OSError, RefusedError, NotFollowedError):
            continue
        try:
            yield from _in_folder(view, folder, descriptor, {key[1]: key for key in keys}, away)
        finally:
            os.close(descriptor)


def _in_folder(
    view: View,
    folder: str,
    descriptor: int,
    wanted: Mapping[int, FileKey],
    away: Mapping[FileKey, str],
) -> Iterator[tuple[FileKey, Match]]:
    """The files of one open folder whose inodes are wanted, under whatever names."""
    names: dict[int, list[str]] = {inode: [] for inode in wanted}

    def note(entry: os.DirEntry[str]) -> bool:
        if entry.inode() in names:
            names[entry.inode()].append(entry.name)
        return False

    view.names(descriptor, note)
    for inode, others in names.items():
        if view.late():
            return
        before = posixpath.basename(away[wanted[inode]])
        if found := _first(descriptor, folder, inode, dict.fromkeys((before, *others))):
            began = time.monotonic()
            try:
                yield wanted[inode], found
            finally:
                os.close(found.descriptor)
            view.until += time.monotonic() - began  # Copying is not the look.


def _first(descriptor: int, folder: str, inode: int, names: Iterable[str]) -> Match | None:
    """The regular file with that inode under one of these names; the caller closes it."""
    for name in names:
        try:
            file = os.open(name, PATH_ONLY, dir_fd=descriptor)
        except OSError:
            continue
        status = os.fstat(file)
        if stat.S_ISREG(status.st_mode) and status.st_ino == inode:
            return Match(name, file, status, posixpath.join(folder, name))
        os.close(file)
    return None
