"""A config directory made equal to what is wanted, one file at a time, atomically.

What makes it correct: a file appears by rename, so a collector never reads half of one; the
temporary name is one that no collector matches; a file whose bytes would not change is not
touched; a file without our first line is somebody else's and is left alone; nothing is removed but
by name. A failed write leaves the last good file.
"""

from __future__ import annotations

import errno
import hashlib
import logging
from typing import TYPE_CHECKING

from pilot.files import TEMPORARY, remove_temporaries, sync_folder, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

MARK = b"# Written by log-pilot"  # starts each of our files

Sign = tuple[int, int, int] | None  # inode, mtime in ns, size; None for a missing file

log = logging.getLogger(__name__)


class ConfigDirectory:
    """The files of ours in one folder. Used by the one loop only."""

    def __init__(self, folder: Path, suffix: str) -> None:
        """Use this folder; `suffix` is what the collector matches in it."""
        self.folder, self._suffix = folder, suffix
        self._digests: dict[str, bytes] = {}
        self._signs: dict[str, Sign] = {}
        self._unsynced = False

    def adopt(self) -> None:
        """Make the folder if it is missing, clean up after a crash, remember what is there.

        Raises OSError.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if left := remove_temporaries(self.folder):
            log.info("removed %d unfinished files in %s", left, self.folder)
        for path in self.folder.iterdir():
            if path.name.endswith(self._suffix) and path.is_file() and not path.is_symlink():
                try:
                    content = path.read_bytes()
                except (PermissionError, FileNotFoundError):
                    continue  # Ours are always readable to us.
                if content.startswith(MARK):
                    self._digests[path.name] = _digest(content)
                    self._signs[path.name] = _sign(path)

    def forget_altered(self) -> bool:
        """Whether somebody removed or changed a file of ours, which `write` then writes again."""
        altered = [name for name, sign in self._signs.items() if _sign(self.folder / name) != sign]
        for name in altered:
            log.warning("%s was altered by somebody: written again", self.folder / name)
            del self._signs[name], self._digests[name]
        return bool(altered)

    def names(self) -> list[str]:
        """The names of our files."""
        return list(self._digests)

    def write(self, name: str, content: bytes) -> bool:
        """Make one file have this content; whether its bytes changed. Raises OSError."""
        if "/" in name or name.startswith((".", TEMPORARY)) or not content.startswith(MARK):
            raise ValueError(f"not a file for a config directory: {name!r}")
        digest = _digest(content)
        if self._digests.get(name) == digest:
            return False
        path = self.folder / name
        if name not in self._digests and path.exists() and not path.read_bytes().startswith(MARK):
            raise FileExistsError(errno.EEXIST, "not written by log-pilot, left alone", str(path))
        write_atomically(path, content)
        self._digests[name], self._signs[name] = digest, _sign(path)
        self._unsynced = True
        return True

    def remove(self, name: str) -> bool:
        """Remove one file of ours; whether it was there. Raises OSError."""
        if name not in self._digests:
            return False
        (self.folder / name).unlink(missing_ok=True)
        del self._digests[name], self._signs[name]
        self._unsynced = True
        return True

    def sync(self) -> None:
        """Make the changes since the last call survive a power cut. Raises OSError."""
        if self._unsynced:
            sync_folder(self.folder)
            self._unsynced = False


def _sign(path: Path) -> Sign:
    """What changes when a file is replaced or written to; nothing is read."""
    try:
        status = path.stat(follow_symlinks=False)
    except OSError:
        return None
    return (status.st_ino, status.st_mtime_ns, status.st_size)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
