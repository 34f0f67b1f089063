"""Pin roots: the folders that hold pins, one per filesystem that logs lie on, found by trying."""

from __future__ import annotations

import errno
import logging
import os
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pilot.model import Framing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pilot.model import FileSet
    from pilot.settings import Settings

USUAL = ("/var/log/log-pilot", "/var/lib/docker/log-pilot", "/var/lib/kubelet/log-pilot")
FOLDER = "log-pilot"
PROBE = ".probe"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)  # it may pass, and says nothing of the place

log = logging.getLogger(__name__)


class NoPinRootError(Exception):
    """No folder for pins can be used. Said to a person, at start."""


@dataclass(frozen=True, slots=True)
class PinRoot:
    """One folder that holds pins: its path on the node and the filesystem that it lies on."""

    path: str
    device: int


class PinRoots:
    """The usable pin roots, in order of preference. Used by the one loop only."""

    def __init__(self, settings: Settings) -> None:
        """Try the chosen or the usual places. Raises NoPinRootError where none can be used."""
        self._settings = settings
        self._tried: set[str] = set()
        self.roots: tuple[PinRoot, ...] = ()
        self.problems: list[str] = []
        self.add(settings.pin_roots or USUAL)
        if not self.roots:
            raise NoPinRootError(
                f"no folder for pins can be used ({'; '.join(self.problems)}); "
                "name one with --pin-root (PILOT_PIN_ROOT) or choose --pin off (PILOT_PIN=off)"
            )

    def add(self, paths: Iterable[str]) -> None:
        """Try further places: make the folder, link a file in it, read it back, unlink both."""
        for path in paths:
            if path in self._tried:
                continue
            self._tried.add(path)
            folder = self._settings.on_node(path)
            try:
                root = self._try(path, folder)
            except OSError as error:
                if error.errno not in FULL or not folder.is_dir():
                    self.problems.append(f"{path}: {error.strerror}")
                    continue
                log.error("pins in %s: %s; what lies there stays in use", path, error.strerror)
                root = PinRoot(path, folder.stat().st_dev)
            else:
                log.info("pins can lie in %s", folder)
            self.roots = (*self.roots, root)

    def add_near(self, file_set: FileSet) -> None:
        """Try the place beside a runtime's own logs, for a Docker whose root is not the usual."""
        folder = PurePosixPath(file_set.root)
        if file_set.framing is Framing.DOCKER and folder.parent.name == "containers":
            near = str(folder.parent.parent / FOLDER)
            if near in self._tried or self._settings.pin_roots:
                return
            try:
                device = self._settings.on_node(str(folder.parent)).stat().st_dev
            except OSError:
                return
            if all(root.device != device for root in self.roots):
                self.add((near,))

    @staticmethod
    def _try(path: str, folder: Path) -> PinRoot:
        if not folder.parent.is_dir():
            raise FileNotFoundError(2, f"there is no folder {folder.parent}")
        folder.mkdir(mode=0o700, exist_ok=True)
        if (owner := folder.stat().st_uid) != os.geteuid():
            raise PermissionError(errno.EPERM, f"{folder} belongs to user {owner}, not to us")
        folder.chmod(0o700)  # A link keeps the file's own mode, and here no parent hides it.
        for left in folder.glob(f"{PROBE}*"):
            left.unlink()  # A kill came during an earlier try.
        probe, second = folder / PROBE, folder / f"{PROBE}-2"
        try:
            probe.write_bytes(b"probe")
            os.link(probe, second)
            if second.read_bytes() != b"probe":
                raise OSError(5, "a probe file reads back wrong")
        finally:
            for made in (probe, second):
                made.unlink(missing_ok=True)
        return PinRoot(path, folder.stat().st_dev)
