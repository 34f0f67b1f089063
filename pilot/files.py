"""Small files of our own, written so that a reader or a crash never sees half of one."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPORARY = ".log-pilot-"  # starts the name of a file that is being written


def write_atomically(
    path: Path, content: bytes, *, mode: int = 0o600, durable: bool = True
) -> None:
    """Replace a file's content: temporary file beside it, fsync, rename.

    The temporary name ends in `~`, so that no collector's `*.yml` matches it: a Go glob takes names
    that start with a dot. On failure the old content stays and nothing is left behind. Raises
    OSError.
    """
    temporary = path.with_name(f"{TEMPORARY}{path.name[-200:]}~")
    try:
        with os.fdopen(
            os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, mode), "wb"
        ) as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut: fsync(2) of a directory. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_temporaries(folder: Path) -> int:
    """Remove what a crash left of `write_atomically`; how many there were. Raises OSError."""
    found = [entry.path for entry in os.scandir(folder) if entry.name.startswith(TEMPORARY)]
    for path in found:
        Path(path).unlink(missing_ok=True)
    return len(found)


@contextmanager
def short_name(path: Path) -> Iterator[str]:
    """Another name for a socket, valid in this context only, however deep its folder is.

    The kernel allows 107 bytes: unix(7). Raises OSError where the folder is not there.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
