"""What the kernel offers and Python's os does not: openat2(2) and statx(2), called by ctypes.

Both are asked with descriptors that only name a file (O_PATH), so nothing is opened for reading.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import struct
from pathlib import Path

OPENAT2 = 437  # on every architecture that has the common numbers
# linux/openat2.h
NO_MAGICLINKS = 0x02
NO_SYMLINKS = 0x04
BENEATH = 0x08
# linux/stat.h, linux/fcntl.h
STATX_BTIME = 0x800
STATX_MNT_ID = 0x1000
AT_EMPTY_PATH = 0x1000
_STATX_SIZE = 256
_BTIME = struct.Struct("=qI")  # at 80: seconds, nanoseconds
_U64 = struct.Struct("=Q")
_U32 = struct.Struct("=I")
_TRIES = 5  # of EAGAIN, which a rename during the look-up gives


class NotOfferedError(Exception):
    """The kernel, or its seccomp profile, does not offer the call (ENOSYS, EPERM)."""


class _OpenHow(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


def openat2(path: str, flags: int, *, resolve: int, dir_fd: int) -> int:
    """Open a path with rules for each of its steps, by a call of Linux 5.6.

    Raises NotOfferedError, or OSError as open(2) would: EXDEV for a path that leaves `dir_fd`
    (BENEATH), ELOOP for a symlink (NO_SYMLINKS), EAGAIN if somebody renames all the time.
    """
    how = _OpenHow(flags | os.O_CLOEXEC, 0, resolve)
    raw = os.fsencode(path)
    if b"\0" in raw:
        raise ValueError("embedded null byte")
    for _ in range(_TRIES):
        opened = _libc().syscall(OPENAT2, dir_fd, raw, ctypes.byref(how), ctypes.sizeof(how))
        if opened >= 0:
            return int(opened)
        if (number := ctypes.get_errno()) not in (errno.EAGAIN, errno.EINTR):
            break
    # None of the flags used here makes the call itself answer EPERM: seccomp profiles do.
    if number in (errno.ENOSYS, errno.EPERM):
        raise NotOfferedError
    raise OSError(number, os.strerror(number), path)


def born(descriptor: int) -> int:
    """When the file was made, in nanoseconds since the epoch; 0 where the filesystem tells none.

    Tells a file from one that got its inode number later. Raises OSError.
    """
    found = _statx(descriptor, STATX_BTIME)
    if not found or not _U32.unpack_from(found)[0] & STATX_BTIME:
        return 0
    seconds, nanoseconds = _BTIME.unpack_from(found, 80)
    return int(seconds * 1_000_000_000 + nanoseconds)


def mount_id(descriptor: int) -> int:
    """The mount through which a descriptor was opened, as mountinfo numbers it; raises OSError."""
    found = _statx(descriptor, STATX_MNT_ID)  # Linux 5.8
    if found and _U32.unpack_from(found)[0] & STATX_MNT_ID:
        return int(_U64.unpack_from(found, 144)[0])
    for line in Path(f"/proc/self/fdinfo/{descriptor}").read_text().splitlines():
        if line.startswith("mnt_id:"):
            return int(line.split()[1])
    raise OSError(errno.ENOTSUP, "the kernel does not tell mounts apart")


def _statx(descriptor: int, mask: int) -> bytes | None:
    """Struct statx of a descriptor; None where the call is not offered."""
    call = getattr(_libc(), "statx", None)
    if call is None:
        return None
    found = ctypes.create_string_buffer(_STATX_SIZE)
    if call(descriptor, b"", AT_EMPTY_PATH, mask, found) == 0:
        return found.raw
    if (number := ctypes.get_errno()) in (errno.ENOSYS, errno.EPERM):
        return None
    raise OSError(number, os.strerror(number))


@functools.cache
def _libc() -> ctypes.CDLL:
    """The C library, with types that let the calls take 64 bit arguments."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    libc.syscall.argtypes = (
        ctypes.c_long,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_void_p,
        ctypes.c_size_t,
    )
    if statx := getattr(libc, "statx", None):
        statx.argtypes = (
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_void_p,
        )
    return libc
