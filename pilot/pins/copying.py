"""Copied pins: a copy that is appended to as its original grows, where no link is possible."""

from __future__ import annotations

import ctypes
import errno
import functools
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pilot.settings import Floor

SAMPLE = 512  # bytes compared, to tell a copied file from another that has its inode now
CHUNK = 4 << 20  # bytes per system call
LEAST_ROOM = 4096  # bytes: the last block of a copy may have some left on a full disk
NO_HOLES = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS)  # a filesystem without SEEK_DATA
# fallocate(2), from linux/falloc.h
KEEP_SIZE, PUNCH_HOLE = 0x01, 0x02


@dataclass(frozen=True, slots=True)
class Growth:
    """What became of one copy. `size` and `added` are bytes."""

    size: int
    added: int = 0
    same: bool = True  # False: the original's inode, or its content, is another file's now
    more: bool = False  # the original holds more than was copied


def grow(
    file: int, target: Path, *, most: int, floor: Floor, same: bool = True, new: bool = True
) -> Growth:
    """Append to a copy at most that many bytes of what its original grew by.

    `file` is any descriptor of the original. The copy's size is the offset; there is no other
    state. An original that became shorter, or differs from the end of its copy, or of which the
    caller knows that it is not the `same`, is another file. Holes stay holes and cost nothing of
    `most`. `new` also begins a copy that is not there. Raises OSError if nothing could be added:
    ENOSPC also where only the floor of free space, or of inodes for a new copy, is left.
    """
    source = os.open(f"/proc/self/fd/{file}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        copy = _open_copy(target, floor, new=new)
        try:
            size, start = os.fstat(source).st_size, os.fstat(copy).st_size
            if not same or size < start or not _alike(copy, source, start):
                return Growth(start, same=False)
            end = _append(copy, source, start, most=most, floor=floor)
            more = end < min(size, os.fstat(source).st_size)
            return Growth(end, end - start, more=more)
        finally:
            os.close(copy)
    finally:
        os.close(source)


def punch(copy: Path, upto: int) -> None:
    """Give the space of the first `upto` bytes of a copy back; its size and offsets stay.

    Whole blocks only, and never the end, by which the original is told from another file. Where
    the filesystem cannot, nothing happens. Raises OSError, FileNotFoundError among them.
    """
    descriptor = os.open(copy, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        length = min(upto, found.st_size - SAMPLE) // found.st_blksize * found.st_blksize
        if length <= 0:
            return
        if _libc().fallocate(
            descriptor, PUNCH_HOLE | KEEP_SIZE, ctypes.c_int64(0), ctypes.c_int64(length)
        ):
            error = ctypes.get_errno()
            if error not in (errno.EOPNOTSUPP, errno.ENOSYS):
                raise OSError(error, os.strerror(error), str(copy))
    finally:
        os.close(descriptor)


def keep_floor(folder: int | Path, floor: Floor, *, begins: bool = False) -> int:
    """How many bytes a filesystem has above its floor, which is left to others.

    Raises OSError (ENOSPC) if none, or where too few inodes are left for what `begins` a file.
    """
    found = os.statvfs(folder)
    room = found.f_bavail * found.f_frsize - floor.space_of(found.f_blocks * found.f_frsize)
    if room < 0:
        raise OSError(errno.ENOSPC, "the filesystem of the pins is nearly full: no copy grows")
    if begins and found.f_favail < found.f_files * floor.inodes:
        raise OSError(errno.ENOSPC, "the filesystem of the pins has few inodes left: no new copy")
    return room


def _open_copy(target: Path, floor: Floor, *, new: bool) -> int:
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC  # Not O_APPEND, which sendfile(2) refuses.
    try:
        return os.open(target, flags)
    except FileNotFoundError:
        if not new:
            raise
    keep_floor(target.parent, floor, begins=True)
    return os.open(target, flags | os.O_CREAT, 0o600)


def _append(copy: int, source: int, start: int, *, most: int, floor: Floor) -> int:
    """Copy at most that many bytes of data from `start` on; returns how far it got."""
    found = os.fstat(source)
    sparse = found.st_blocks * 512 < found.st_size  # Asking for holes is dear on some filesystems.
    offset = os.lseek(copy, start, os.SEEK_SET)
    try:
        while offset < found.st_size and most > 0:
            end = found.st_size
            if sparse:
                data, end = _next_data(source, offset, end)
                if data > offset:
                    if os.fstat(source).st_size < data:
                        break  # It shrank: what is missing is no hole.
                    os.ftruncate(copy, data)
                    offset = os.lseek(copy, data, os.SEEK_SET)
                    continue
            room = max(keep_floor(copy, floor), LEAST_ROOM)
            count = os.sendfile(copy, source, offset, min(CHUNK, room, end - offset, most))
            if not count:
                break  # It shrank.
            offset, most = offset + count, most - count
    except OSError:
        if offset == start:
            raise
    return offset


def _next_data(source: int, offset: int, size: int) -> tuple[int, int]:
    """Where the next data after `offset` begin and end; (size, size) if only a hole is left."""
    try:
        data = os.lseek(source, offset, os.SEEK_DATA)
        return min(data, size), min(os.lseek(source, data, os.SEEK_HOLE), size)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return size, size
        if error.errno in NO_HOLES:
            return offset, size
        raise


def _alike(copy: int, source: int, size: int) -> bool:
    """Whether a file still goes on where its copy ends, and starts as the copy does.

    The start of the copy may have been given back; it has a hole there then.
    """
    places = {max(0, size - SAMPLE)}
    if size > SAMPLE and _next_data(copy, 0, size)[0] == 0:
        places.add(0)
    return all(
        os.pread(copy, min(SAMPLE, size), place) == os.pread(source, min(SAMPLE, size), place)
        for place in places
    )


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
