"""One look at a file set's folder, under confinement, that pins what is new there.

Runs on a worker thread, because a tenant's mount may be dead. Every name below the file set's root
is opened component by component with O_NOFOLLOW, so no symlink is followed; what is linked is the
very file that was opened (linkat(2) of /proc/self/fd/N), so what was checked is what is pinned. No
descriptor on a tenant's mount is kept afterwards.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilot.names import FileKey, matcher, pin_name
from pilot.pins.confine import open_folder
from pilot.pins.copying import copy_growth

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pilot.model import FileSet
    from pilot.pins.roots import PinRoot

MOST_FILES = 10_000  # matches of one file set; what is beyond is said and left alone

FolderStamp = tuple[int, int, int]  # device, inode, mtime in ns of a folder


@dataclass(frozen=True, slots=True)
class Pinned:
    """A pin that a sweep made."""

    key: FileKey
    name: str
    linked: bool
    size: int = 0  # of a copy: how far it got


@dataclass(frozen=True, slots=True)
class Copy:
    """A copied pin that a sweep should make grow: where it lies."""

    name: str


@dataclass(slots=True)
class Sweep:
    """What one look found and did."""

    stamp: FolderStamp
    took: float = 0.0  # seconds
    root: PinRoot | None = None  # the pin root that the folder's filesystem got
    files: dict[FileKey, str] = field(default_factory=dict)  # every match → its name
    pinned: list[Pinned] = field(default_factory=list)
    grown: dict[FileKey, int] = field(default_factory=dict)  # copies → bytes added
    replaced: list[FileKey] = field(default_factory=list)  # copies whose inode is another file now
    refused: dict[str, str] = field(default_factory=dict)  # name → why it is not collected
    failed: dict[str, str] = field(default_factory=dict)  # name → why it could not be pinned now


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a sweep needs to know. `owner` and `serial` are called from the worker thread."""

    file_set: FileSet
    on_node: Callable[[str], Path]
    forbids: Callable[[str], str | None]  # may this folder, as it really is, be read?
    roots: tuple[PinRoot, ...]  # the set's own root first, if it has one
    owner: Callable[[FileKey], bool]  # is this file pinned already, by any set?
    serial: Callable[[], int]
    copies: Mapping[FileKey, Copy]
    lost: Mapping[FileKey, str]  # pins that vanished: made again under the old name
    watch: Callable[[str, str, int], None] | None  # (set, pattern, descriptor of the folder)


def sweep(order: Order) -> Sweep:
    """Look at the folder once. Raises FolderMissingError, RefusedError or OSError."""
    began = time.monotonic()
    with open_folder(order.file_set, order.on_node, order.forbids) as folder:
        if order.watch:
            order.watch(order.file_set.name, order.file_set.pattern, folder)
        found = os.fstat(folder)  # Before the listing: a change during it changes the stamp.
        result = Sweep(stamp=(found.st_dev, found.st_ino, found.st_mtime_ns))
        if order.roots:
            same = [root for root in order.roots if root.device == found.st_dev]
            result.root = same[0] if same else order.roots[0]
            if len(same) > 1:
                result.root = _linkable(folder, same, order) or result.root
        for name in matching_names(folder, order.file_set, result.refused):
            _take(name, folder, order, result)
    result.took = time.monotonic() - began
    return result


def folder_stamp(path: str) -> FolderStamp | None:
    """A cheap sign that a folder changed; None if it is missing. Reads nothing below it."""
    try:
        found = os.stat(path, follow_symlinks=False)  # noqa: PTH116 -- asked of every set each second
    except FileNotFoundError:
        return None
    return (found.st_dev, found.st_ino, found.st_mtime_ns)


def matching_names(folder: int, file_set: FileSet, refused: dict[str, str]) -> list[str]:
    """The names in a folder that belong to the file set, sorted, at most MOST_FILES."""
    matches = matcher(file_set.pattern, rotated=file_set.rotated)
    names = sorted(name for name in os.listdir(folder) if matches(name))
    if len(names) > MOST_FILES:
        refused["…"] = f"more than {MOST_FILES} files match; the rest is not collected"
    return names[:MOST_FILES]


def _take(name: str, folder: int, order: Order, result: Sweep) -> None:
    """Find out what one name is and pin it if it is new."""
    try:
        file = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return
    except OSError as error:
        result.failed[name] = str(error.strerror)
        return
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            kind = "a symlink" if stat.S_ISLNK(found.st_mode) else "not a regular file"
            result.refused[name] = f"{kind}: not followed, not read"
            return
        if found.st_mode & (stat.S_ISUID | stat.S_ISGID):
            result.refused[name] = "set-user-id or set-group-id: no log, and no second name for it"
            return
        key = (found.st_dev, found.st_ino)
        seen = key in result.files  # Under another name, or renamed since the listing.
        result.files[key] = name
        if seen or not result.root:
            return
        try:
            if copy := order.copies.get(key):
                _grow(copy, key, file, order, result)
            elif not order.owner(key):
                result.pinned.append(_pin(name, key, file, order, result.root))
        except OSError as error:
            result.failed[name] = str(error.strerror)
    finally:
        os.close(file)


def _linkable(folder: int, roots: list[PinRoot], order: Order) -> PinRoot | None:
    """The first of several roots on one filesystem that a file of this folder can be linked into.

    link(2) compares mounts, not filesystems, so only trying tells. None while there is no file.
    """
    for name in matching_names(folder, order.file_set, {}):
        for root in roots:
            probe = order.on_node(root.path) / f".probe-{order.file_set.name}"
            probe.unlink(missing_ok=True)
            target = os.open(probe.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.link(
                    name, probe.name, src_dir_fd=folder, dst_dir_fd=target, follow_symlinks=False
                )
            except OSError:
                continue
            finally:
                os.close(target)
                probe.unlink(missing_ok=True)
            return root
        break
    return None


def _pin(name: str, key: FileKey, file: int, order: Order, root: PinRoot) -> Pinned:
    """Link the open file into its set's folder of pins or, where that is impossible, copy it."""
    pins = order.on_node(root.path) / order.file_set.name
    pins.mkdir(mode=0o700, parents=True, exist_ok=True)
    called = order.lost.get(key) or pin_name(name, key[1], order.serial())
    target = os.open(pins, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # With a dir_fd this is linkat(2) with AT_SYMLINK_FOLLOW, which links the open file itself.
        os.link(f"/proc/self/fd/{file}", called, dst_dir_fd=target, follow_symlinks=True)
    except FileExistsError:
        os.close(target)
        return Pinned(key, called, linked=True)  # A crash came between the link and its record.
    except OSError as error:
        os.close(target)
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP):
            raise
        try:
            size = copy_growth(file, pins / called, key)[0]
        except OSError:
            if not (pins / called).exists():
                raise
            size = (pins / called).stat().st_size  # The disk is full: the next look goes on.
        return Pinned(key, called, linked=False, size=size)
    os.close(target)
    return Pinned(key, called, linked=True)


def _grow(copy: Copy, key: FileKey, file: int, order: Order, result: Sweep) -> None:
    if not result.root:
        return
    path = order.on_node(result.root.path) / order.file_set.name / copy.name
    added, same = copy_growth(file, path, key)
    if same:
        result.grown[key] = added
    else:
        result.replaced.append(key)
