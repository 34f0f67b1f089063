"""Pin roots: the folders that hold pins, one per filesystem that logs lie on, found by trying."""

from __future__ import annotations

import errno
import logging
import os
import stat
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pilot import kubelet
from pilot.locate import runtime_home
from pilot.model import Framing
from pilot.pins.budget import Short
from pilot.pins.kernel import mount_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pilot.model import FileSet
    from pilot.settings import Floor, Settings

FOLDER = "log-pilot"
USUAL = tuple(f"{home}/{FOLDER}" for home in ("/var/log", "/var/lib/docker", kubelet.ROOT))
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


@dataclass(frozen=True, slots=True)
class RootState:
    """What the last try of one place said. `root` is None where nothing of ours can lie."""

    path: str
    root: PinRoot | None
    problem: str = ""  # why no new pin can be made there

    @property
    def usable(self) -> bool:
        """Whether new pins can be made there."""
        return not self.problem


class PinRoots:
    """The usable pin roots, in order of preference. Used by the one loop only."""

    def __init__(self, settings: Settings) -> None:
        """Try the chosen or the usual places. Raises NoPinRootError where none can be used."""
        self._settings = settings
        self._states: dict[str, RootState] = {}  # in order of preference
        self._passed: set[str] = set()  # places beside a runtime's folders that are not needed
        self.roots: tuple[PinRoot, ...] = ()
        self.add(settings.pin_roots or USUAL)
        if not self.roots:
            raise NoPinRootError(
                f"no folder for pins can be used ({'; '.join(self.problems)}); "
                "name one with --pin-root (PILOT_PIN_ROOT) or choose --pin off (PILOT_PIN=off)"
            )

    @property
    def problems(self) -> list[str]:
        """The places where no pin can be made, each with the reason."""
        return [f"{each.path}: {each.problem}" for each in self._states.values() if each.problem]

    def state(self) -> list[RootState]:
        """Every place that was tried, in order of preference."""
        return list(self._states.values())

    def add(self, paths: Iterable[str]) -> None:
        """Try further places: make the folder, link a file in it, read it back, unlink both."""
        for path in paths:
            if path not in self._states:
                self._note(self._try(path), None)

    def repair(self) -> None:
        """Try all places again, making folders that are missing; to be called once a minute."""
        for path, before in list(self._states.items()):
            self._note(self._try(path), before)

    def filesystem(self, device: int) -> str:
        """The path of the first root on that device: it stands for the filesystem in `short`."""
        return next((root.path for root in self.roots if root.device == device), "")

    def short(self, floor: Floor) -> dict[str, Short]:
        """How much each filesystem lacks to a floor, by the path of its first root.

        What is free counts as a tenant may use it, as the kubelet counts it.
        """
        found: dict[str, Short] = {}
        for root in self.roots:
            if self.filesystem(root.device) != root.path:
                continue
            try:
                space = os.statvfs(self._settings.on_node(root.path))
            except OSError:
                continue  # The next repair says so.
            found[root.path] = Short(
                bytes=max(
                    0,
                    floor.space_of(space.f_blocks * space.f_frsize)
                    - space.f_bavail * space.f_frsize,
                ),
                files=int(max(0, space.f_files * floor.inodes - space.f_favail)),
            )
        return found

    def add_near(self, file_set: FileSet) -> None:
        """Try the place beside a runtime's own logs or snapshots, or in a kubelet's folder of pods.

        For a runtime or a kubelet whose root is not the usual. A kubelet's may be only what a
        volume's path pretends: it must be an administrator's folder and the pin root no symlink.
        """
        own = PurePosixPath(file_set.root)
        if file_set.framing is Framing.DOCKER and own.parent.name == "containers":
            home = own.parent.parent
        elif runtime := kubelet.root_of(file_set.root) or runtime_home(file_set.root):
            home = PurePosixPath(runtime)
        else:
            return
        near = str(home / FOLDER)
        if near in self._passed or near in self._states or self._settings.pin_roots:
            return
        folder = self._settings.on_node(str(home))
        try:
            pretended = file_set.framing is not Framing.DOCKER and not (
                _is_administrators(folder) and self._is_no_link(home)
            )
            mount = mount_of(folder)
        except OSError:
            return
        paths = [self._settings.on_node(root.path) for root in self.roots]
        if pretended or any(lies_on(path, mount) for path in paths):
            self._passed.add(near)
        else:
            self.add((near,))

    def _is_no_link(self, home: PurePosixPath) -> bool:
        """Whether no symlink lies on the way to a folder of the node."""
        base = self._settings.node_root.resolve()
        return self._settings.on_node(str(home)).resolve() == base / str(home).lstrip("/")

    def _note(self, now: RootState, before: RootState | None) -> None:
        """Remember what a try said; a change goes into the log."""
        self._states[now.path] = now
        self.roots = tuple(each.root for each in self._states.values() if each.root)
        if before and (before.problem, before.root) == (now.problem, now.root):
            return
        if now.usable:
            log.info("pins can lie in %s", self._settings.on_node(now.path))
        elif now.root:
            log.error("pins in %s: %s; what lies there stays in use", now.path, now.problem)
        elif before and before.root:
            log.error("pins in %s: %s; no new ones are made there", now.path, now.problem)
        elif not before:  # Of the usual places most nodes lack one.
            level = logging.WARNING if self._settings.pin_roots else logging.INFO
            log.log(level, "no pins in %s: %s", now.path, now.problem)

    def _try(self, path: str) -> RootState:
        folder = self._settings.on_node(path)
        follow = path in (self._settings.pin_roots or USUAL)  # What a person named may be a link.
        try:
            return RootState(path, PinRoot(path, _try(folder, follow=follow)))
        except OSError as error:
            problem = str(error.strerror)
            if error.errno in FULL and folder.is_dir():
                return RootState(path, PinRoot(path, folder.stat().st_dev), problem)
            return RootState(path, None, problem)


def _try(folder: Path, *, follow: bool) -> int:
    """Make a pin root if it is missing and link a file in it; its device. Raises OSError."""
    if not folder.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, f"there is no folder {folder.parent}")
    folder.mkdir(mode=0o700, exist_ok=True)
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    opened = os.open(folder, flags)
    try:
        found = os.fstat(opened)
        if found.st_uid != os.geteuid():
            raise PermissionError(
                errno.EPERM, f"{folder} belongs to user {found.st_uid}, not to us"
            )
        if stat.S_IMODE(found.st_mode) != 0o700:
            os.fchmod(opened, 0o700)  # A link keeps the file's own mode, and no parent hides it.
        for left in os.listdir(opened):  # noqa: PTH208 -- a descriptor
            if left.startswith(PROBE):
                os.unlink(left, dir_fd=opened)  # A kill came during an earlier try.
        _link_a_probe(opened)
        return found.st_dev
    finally:
        os.close(opened)


def _link_a_probe(folder: int) -> None:
    second = f"{PROBE}-2"
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    probe = os.open(PROBE, flags, 0o600, dir_fd=folder)
    try:
        os.write(probe, b"probe")
        os.link(PROBE, second, src_dir_fd=folder, dst_dir_fd=folder)
        linked = os.open(second, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            if os.read(linked, 16) != b"probe":
                raise OSError(errno.EIO, "a probe file reads back wrong")
        finally:
            os.close(linked)
    finally:
        os.close(probe)
        for made in (PROBE, second):
            try:
                os.unlink(made, dir_fd=folder)
            except FileNotFoundError:
                pass  # The link was not made.


def _is_administrators(folder: Path) -> bool:
    """Whether nobody but an administrator can have made a folder. Raises OSError."""
    found = folder.stat(follow_symlinks=False)
    ours = found.st_uid in (0, os.geteuid()) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return ours and stat.S_ISDIR(found.st_mode)


def mount_of(path: Path) -> int:
    """The mount that a folder is seen through, which is what link(2) compares; raises OSError."""
    opened = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return mount_id(opened)
    finally:
        os.close(opened)


def lies_on(path: Path, mount: int) -> bool:
    """Whether a folder is seen through that mount; False while it is away."""
    try:
        return mount_of(path) == mount
    except OSError:
        return False
