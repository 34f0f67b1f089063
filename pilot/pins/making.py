"""Makes one pin: a hard link to the open file or, where that is impossible, a copy.

What is linked is the very file that was opened (linkat(2) of /proc/self/fd/N), so what was checked
is what is pinned.
"""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot.model import PinKind
from pilot.pins.copying import Growth, grow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pilot.settings import Floor

AT_ONCE = 64 << 20  # bytes that one look copies, so that others have their turn
LEAST = 256 << 10  # bytes that each file may have in any look, whatever those before it took
# Another filesystem or mount; append-only, or not ours without CAP_FOWNER; a filesystem without
# links; as many links as an inode can have.
NO_LINK = (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK)


class PausedError(Exception):
    """Only a copy is possible, and none may be begun now."""


@dataclass(slots=True)
class Copier:
    """Copies for one look: shares its bytes out, measures the time, notes what is left to do."""

    floor: Floor
    full: bool = False  # nothing may be added
    crowded: bool = False  # no copy may be begun
    left: int = AT_ONCE
    spent: float = 0.0  # seconds
    unfinished: bool = False
    paused: bool = False

    def grow(self, file: int, target: Path, *, same: bool = True, new: bool = True) -> Growth:
        """As `copying.grow`; while `full`, a copy that is not there is no error."""
        most = 0 if self.full else max(self.left, LEAST)
        began = time.monotonic()
        try:
            growth = grow(
                file, target, most=most, floor=self.floor, same=same, new=new and not self.full
            )
        except FileNotFoundError:
            if not (self.full and new):
                raise
            growth = Growth(0, more=True)
        finally:
            self.spent += time.monotonic() - began
        self.left -= growth.added
        if growth.more and self.full:
            self.paused = True
        elif growth.more and growth.added:
            self.unfinished = True
        return growth


@dataclass(frozen=True, slots=True)
class Made:
    """A pin that was made, or was found to be there already."""

    name: str
    kind: PinKind
    size: int = 0  # bytes of a copy


def make(file: int, folder: Path, names: Iterable[str], copier: Copier) -> Made:
    """Pin an open file under the first of the names that no other file's pin has.

    `folder` is the set's folder in its pin root, made if it is missing, and so is the root.
    Raises OSError, and PausedError if only a copy is possible while none may be begun.
    """
    target = _open_folder(folder)
    try:
        for name in names:
            if _linked(file, target, name):
                return Made(name, PinKind.LINKED)
            if copier.full or copier.crowded:
                copier.paused = True
                raise PausedError
            # A crash may have come between a copy and its record.
            growth = _begun(file, folder / name, copier)
            if growth.same:
                return Made(name, PinKind.COPIED, growth.size)
    finally:
        os.close(target)
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder))


def _begun(file: int, target: Path, copier: Copier) -> Growth:
    """A copy that begins; where nothing of it can be written, it is not left behind."""
    there = os.path.lexists(target)
    try:
        return copier.grow(file, target)
    except OSError:
        if not there:
            target.unlink(missing_ok=True)
        raise


def _open_folder(folder: Path) -> int:
    flags = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
    try:
        return os.open(folder, flags)
    except FileNotFoundError:
        folder.parent.mkdir(mode=0o700, exist_ok=True)  # Never its parents: a mount may be away.
        folder.mkdir(mode=0o700, exist_ok=True)
        return os.open(folder, flags)


def _linked(file: int, folder: int, name: str) -> bool:
    """Whether the open file is linked under that name now; False if it cannot be."""
    try:
        # With a dir_fd this is linkat(2) with AT_SYMLINK_FOLLOW, which links the open file itself.
        os.link(f"/proc/self/fd/{file}", name, dst_dir_fd=folder, follow_symlinks=True)
    except FileExistsError:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        return os.path.samestat(found, os.fstat(file))  # A crash came before its record.
    except FileNotFoundError:
        # The file lost its last name after it was opened. What it holds can still be saved.
        found = os.fstat(file)
        if found.st_nlink or not found.st_size:
            raise
        return False
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        return False
    return True
