"""Copied pins: a copy that is appended to as its original grows, where no link is possible."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pilot.names import FileKey

SAMPLE = 64  # bytes compared at both ends, to tell a copied file from another with its inode
CHUNK = 1 << 20  # bytes per system call
AT_ONCE = 64 << 20  # bytes per look, so that others have their turn; the next look goes on
FLOOR = (256 << 20, 0.02)  # bytes, or part of the filesystem, whichever is less, that stay free


def copy_growth(file: int, target: Path, key: FileKey) -> tuple[int, bool]:
    """Append to a copy what its original grew by: (bytes added, still the same file).

    The copy's size is the offset; there is no other state. A file that became shorter, or that
    differs at either end of what was copied, is another file. Raises OSError, ENOSPC also where
    only the floor of free space is left.
    """
    source = os.open(f"/proc/self/fd/{file}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(source)
        if (found.st_dev, found.st_ino) != key:
            return 0, False
        # Not O_APPEND, which sendfile(2) refuses.
        copy = os.open(target, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            start = os.lseek(copy, 0, os.SEEK_END)
            if found.st_size < start or not _same(copy, source, start):
                return 0, False
            return _append(copy, source, start, min(found.st_size, start + AT_ONCE)), True
        finally:
            os.close(copy)
    finally:
        os.close(source)


def _append(copy: int, source: int, start: int, end: int) -> int:
    offset = start
    while offset < end:
        _keep_floor(copy)
        count = os.sendfile(copy, source, offset, min(CHUNK, end - offset))
        if not count:
            break
        offset += count
    return offset - start


def _keep_floor(copy: int) -> None:
    """Raises OSError (ENOSPC) where the filesystem is nearly full: others need the rest."""
    space = os.fstatvfs(copy)
    least = min(FLOOR[0], int(space.f_blocks * space.f_frsize * FLOOR[1]))
    if space.f_bavail * space.f_frsize < least:
        raise OSError(errno.ENOSPC, "the filesystem of the pins is nearly full: no copy grows")


def _same(copy: int, source: int, size: int) -> bool:
    """Whether a file still starts, and goes on where its copy ends, as the copy does."""
    places = (0, max(0, size - SAMPLE))
    return all(
        os.pread(copy, min(SAMPLE, size), place) == os.pread(source, min(SAMPLE, size), place)
        for place in places
    )
