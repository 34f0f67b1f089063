"""What applications do in a volume, as their container lets them, and what the ledger is told."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from tests.promise import steps as do
from tests.promise.steps import OUTSIDE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.promise.ledger import Generation, Ledger
    from tests.promise.volume import Volume


class Applications:
    """The programs that use one volume."""

    def __init__(
        self,
        volume: Volume,
        outside: Path,
        ledger: Ledger,
        clock: Callable[[], float],
        wanted: Callable[[Generation], frozenset[str]],
    ) -> None:
        """`wanted` gives the declarations by which a line that is completed now is wanted."""
        self._volume, self._outside, self._ledger = volume, outside, ledger
        self._clock, self._wanted = clock, wanted
        self._ticks = 0
        self._held: tuple[int, Generation] | None = None

    def take(self, step: do.Step) -> bool:
        """Do a step that is a program's; one that is impossible does nothing."""
        try:
            self._do(step)
        except OSError:
            pass
        except NotImplementedError:
            return False
        return True

    def release(self) -> None:
        """Close the file that is held open."""
        if self._held:
            os.close(self._held[0])
        self._held = None

    def named(self, file: Generation) -> bool:
        """Whether a file still has a name in the volume."""
        return any(
            (found.st_dev, found.st_ino) == file.key
            for folder, _, names in os.walk(self._volume.root)
            for name in names
            if (found := os.lstat(f"{folder}/{name}"))
        )

    def _do(self, step: do.Step) -> None:  # noqa: C901 -- a table
        match step:
            case do.Append():
                self._append(step)
            case do.Truncate():
                real, file = self._open(step.path)
                os.truncate(real, self._ledger.truncated(file, step.keep, self._clock()))
                self._stamp(real)
            case do.Rename():
                self._rename(step.old, step.new)
            case do.Rotate():
                self._rotate(step.path)
            case do.Unlink():
                place = self._place(step.path)
                is_folder = os.path.isdir(place) and not os.path.islink(place)
                (os.rmdir if is_folder else os.unlink)(place)
                self._changed(place)
            case do.Link():
                self._link(step)
            case do.Symlink():
                self._symlink(step)
            case do.MakeFolder():
                self._make(step.path, os.mkdir)
            case do.MakeFifo():
                self._make(step.path, os.mkfifo)
            case do.Hold():
                self.release()
                real, file = self._open(step.path)
                self._held = os.open(real, os.O_WRONLY | os.O_APPEND), file
            case do.WriteHeld():
                if self._held:
                    self._write(*self._held, step.whole, half=step.half)
            case _:
                raise NotImplementedError

    def _append(self, step: do.Append) -> None:
        folder = step.path.rpartition("/")[0]
        if not self._volume.find(folder):
            self._make(folder, os.mkdir)
        if not self._volume.find(step.path):
            self._create(step.path)
        real, file = self._open(step.path)
        descriptor = os.open(real, os.O_WRONLY | os.O_APPEND)
        try:
            self._write(descriptor, file, step.whole, half=step.half)
        finally:
            os.close(descriptor)

    def _create(self, path: str) -> None:
        place = self._place(path)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        status = os.fstat(descriptor)
        os.close(descriptor)
        self._ledger.created((status.st_dev, status.st_ino))
        self._changed(place)

    def _write(self, descriptor: int, file: Generation, whole: int, *, half: bool) -> None:
        data = self._ledger.append(
            file, whole, half=half, wanted=self._wanted(file), now=self._clock()
        )
        assert os.write(descriptor, data) == len(data)
        self._stamp(descriptor)

    def _rename(self, old: str, new: str) -> None:
        before, after = self._place(old), self._place(new)
        os.rename(before, after)
        self._changed(before, after)

    def _rotate(self, path: str) -> None:
        for old, new in ((f"{path}.1", f"{path}.2"), (path, f"{path}.1")):
            try:
                self._rename(old, new)
            except OSError:
                pass
        self._create(path)

    def _link(self, step: do.Link) -> None:
        old, new = self._place(step.old), self._place(step.new)
        if os.path.islink(old):
            raise PermissionError(old)
        os.link(old, new)
        self._changed(new)

    def _symlink(self, step: do.Symlink) -> None:
        place = self._place(step.path)
        if os.path.islink(place):
            os.unlink(place)
        os.symlink(step.target.replace(OUTSIDE, str(self._outside)), place)
        self._changed(place)

    def _make(self, path: str, how: Callable[[str], None]) -> None:
        place = self._place(path)
        how(place)
        self._changed(place)

    def _place(self, path: str) -> str:
        """The name on the node that a program uses by naming `path`. Raises OSError."""
        folder, _, name = path.rpartition("/")
        found = self._volume.find(folder)
        if not found or not stat.S_ISDIR(found.status.st_mode):
            raise FileNotFoundError(path)
        return f"{found.real}/{name}"

    def _open(self, path: str) -> tuple[str, Generation]:
        """Where a file that a program opens lies on the node. Raises OSError."""
        found = self._volume.find(path)
        if not found or not stat.S_ISREG(found.status.st_mode):
            raise FileNotFoundError(path)
        return found.real, self._ledger.alive[found.key]

    def _changed(self, *places: str) -> None:
        """Give folders times of their own: the kernel's clock is too coarse for steps this fast."""
        for place in places:
            self._stamp(os.path.dirname(place))

    def _stamp(self, file: int | str) -> None:
        self._ticks += 1000
        os.utime(file, ns=(self._ticks, self._ticks + 10**18))
