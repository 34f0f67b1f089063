"""One look at a file set's folders, under confinement, that pins what is new there.

Runs on a worker thread, because a tenant's mount may be dead. What is pinned is the very file that
was opened and checked. No descriptor on a tenant's mount is kept afterwards.
"""

from __future__ import annotations

import os
import posixpath
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pilot.names import RESERVE, FileKey, pin_name
from pilot.pins.expand import look_into
from pilot.pins.kernel import born, mount_id
from pilot.pins.making import Copier, PausedError, make
from pilot.pins.roots import lies_on
from pilot.pins.seek import seek

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pilot.model import FileSet, PinKind
    from pilot.pins.copying import Growth
    from pilot.pins.expand import FolderStamp, Match
    from pilot.pins.roots import PinRoot
    from pilot.settings import Floor

MOST_NAMES = 100  # tried for one pin, where a lost state folder made serials begin anew


@dataclass(frozen=True, slots=True)
class Seen:
    """One file that a look found, `where` below the file set's root.

    `size` is bytes, `ends` how many of them each input reads of it as it is now; `born` is ns since
    the epoch, 0: unknown.
    """

    name: str
    size: int
    born: int = 0
    ends: tuple[int, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Pinned:
    """A pin that a sweep made. `size` is how far a copy got, `born` when the original was made."""

    key: FileKey
    name: str
    kind: PinKind
    size: int = 0
    born: int = 0
    reserved: bool = False


@dataclass(frozen=True, slots=True)
class Copy:
    """A copied pin that a sweep should make grow: its place in its set's folder.

    `born` is 0 where its original's is unknown; `where` is the original's place below the file
    set's root, at the last look.
    """

    name: str
    born: int = 0
    where: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """A pin that vanished: made again under its old name if the file was born then (0: unknown)."""

    name: str
    born: int = 0


@dataclass(slots=True)
class Sweep:
    """What one look found and did."""

    stamps: dict[str, FolderStamp] = field(default_factory=dict)  # node path as the pilot sees it
    took: float = 0.0  # seconds, without those spent copying
    root: PinRoot | None = None  # the pin root that the folder's filesystem got
    mounted: bool = False  # the file set's root is a mount of its own: an open file blocks unmount
    folders: list[str] = field(default_factory=list)  # node paths that can hold matches
    files: dict[FileKey, Seen] = field(default_factory=dict)  # every file that matches
    # Originals of copies that match no more: renamed, or a link leads elsewhere now.
    strayed: dict[FileKey, Seen] = field(default_factory=dict)
    pinned: list[Pinned] = field(default_factory=list)
    grown: dict[FileKey, int] = field(default_factory=dict)  # copies → bytes added
    replaced: list[FileKey] = field(default_factory=list)  # copies whose inode is another file now
    moved: dict[FileKey, FileKey] = field(default_factory=dict)  # copies: recorded key → today's
    truncated: dict[FileKey, str] = field(default_factory=dict)  # shorter than at the last look
    further: dict[str, str] = field(default_factory=dict)  # further names of a file → its first
    unfinished: bool = False  # some copy has more to copy: look again at once
    paused: bool = False  # some copy did not grow, or was not begun, because of `Order.full`
    refused: dict[str, str] = field(default_factory=dict)  # name → why it is not collected
    failed: dict[str, str] = field(default_factory=dict)  # name → why it could not be pinned now


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a sweep needs to know. `owner` and `serial` are called from the worker thread."""

    file_set: FileSet
    on_node: Callable[[str], Path]
    forbids: Callable[[str], str | None]  # why a folder, as it really is, may not be read
    roots: tuple[PinRoot, ...]  # the set's own root first, if it has one
    owner: Callable[[FileKey], bool]  # is this file pinned already, by any set?
    serial: Callable[[], int]
    floor: Floor  # what copies leave free of a filesystem
    watch: Callable[[str, str, int], None] | None = None  # (set, pattern, folder's descriptor)
    copies: Mapping[FileKey, Copy] = field(default_factory=dict)
    # By inode, copies that were found on disk and not seen since, each with the key that it has:
    # their filesystem may have another number now, or no record knew them.
    strays: Mapping[int, tuple[FileKey, Copy]] = field(default_factory=dict)
    lost: Mapping[FileKey, Lost] = field(default_factory=dict)
    sizes: Mapping[FileKey, int] = field(default_factory=dict)  # bytes, at the last look
    births: Mapping[FileKey, int] = field(default_factory=dict)  # `Seen.born` at the last look
    full: bool = False  # copies may not grow and none is begun
    crowded: bool = False  # no copy is begun
    reserve: bool = False  # new pins are made where the collector does not see them yet
    direct: bool = False  # pin nothing, only list
    # Where a collector is done with a file; asked only of files that nobody writes to any more.
    readable_ends: Callable[[Path], tuple[int, ...]] | None = None


def sweep(order: Order) -> Sweep:
    """Look at the folders once. Raises FolderMissingError, RefusedError or OSError."""
    began = time.monotonic()
    looking = _Look(order, Copier(order.floor, full=order.full, crowded=order.crowded))
    result, copier = looking.result, looking.copier
    with look_into(order.file_set, order.on_node, order.forbids) as view:
        for folder in view.folders():
            result.folders.append(posixpath.join(order.file_set.root, folder.path).rstrip("/"))
            if order.watch:
                pattern = posixpath.basename(order.file_set.pattern)
                order.watch(order.file_set.name, pattern, folder.descriptor)
            if not result.root and not order.direct:
                result.root = _choose(folder.descriptor, order)
            for match in view.matches(folder):
                looking.take(match)
        away = {
            key: copy.where
            for key, copy in order.copies.items()
            if key not in result.files and copy.where
        }
        for key, elsewhere in seek(view, away):
            looking.follow(elsewhere, key)
        result.refused |= view.refused
        result.failed |= view.failed
        result.stamps, result.mounted = dict(view.stamps), view.mounted
    result.unfinished = copier.unfinished or bool(result.replaced)
    result.paused = copier.paused
    result.took = time.monotonic() - began - copier.spent
    return result


def _choose(folder: int, order: Order) -> PinRoot | None:
    """The pin root for a folder: one on its filesystem, and of those one on its mount.

    link(2) compares mounts, not filesystems.
    """
    device = os.fstat(folder).st_dev
    same = [root for root in order.roots if root.device == device]
    if len(same) > 1:
        mount = mount_id(folder)
        same.sort(key=lambda root: not lies_on(order.on_node(root.path), mount))
    return next(iter((*same, *order.roots)), None)


def _fits(before: int, now: int) -> bool:
    """Whether a file born then may be the one born now; 0 is unknown."""
    return not (before and now) or before == now


@dataclass(slots=True)
class _Look:
    """One look while it goes on."""

    order: Order
    copier: Copier
    result: Sweep = field(default_factory=Sweep)

    def take(self, match: Match) -> None:
        """Note what one name is, and pin the file if it is new."""
        order, result, found = self.order, self.result, match.status
        if found.st_mode & (stat.S_ISUID | stat.S_ISGID):
            why = "set-user-id or set-group-id: no log, and no second name for it"
            result.refused[match.name] = why
            return
        key = (found.st_dev, found.st_ino)
        if first := result.files.get(key):  # Or it was renamed since the listing.
            result.further[match.name] = first.name
            return
        copy = order.copies.get(key)
        owned = not copy and not order.direct and order.owner(key)
        known = owned and key not in order.births
        try:
            ends: tuple[int, ...] = (found.st_size,)
            if order.readable_ends:
                ends = order.readable_ends(Path(f"/proc/self/fd/{match.descriptor}"))
            when = 0 if known else born(match.descriptor)
            seen = Seen(match.name, found.st_size, when, ends, match.where)
            result.files[key] = seen
            before = order.births.get(key) or (copy.born if copy else 0)
            if seen.size < order.sizes.get(key, 0) and _fits(before, seen.born):
                result.truncated[key] = seen.name
            if result.root and not owned and not order.direct:
                self._keep(match.descriptor, key, seen, result.root)
        except PausedError:
            pass  # The copier notes it.
        except OSError as error:
            result.failed[match.name] = str(error.strerror)

    def follow(self, match: Match, key: FileKey) -> None:
        """Let a copy grow whose original has a name that does not match any more."""
        if (match.status.st_dev, match.status.st_ino) != key or not self.result.root:
            return
        seen = Seen(match.name, match.status.st_size, born(match.descriptor), where=match.where)
        try:
            self._keep(match.descriptor, key, seen, self.result.root)
        except PausedError:
            pass  # The copier notes it.
        except OSError as error:
            self.result.failed[match.name] = str(error.strerror)
        if key not in self.result.replaced:
            self.result.strayed[key] = seen

    def _keep(self, file: int, key: FileKey, seen: Seen, root: PinRoot) -> None:
        """Let a copy grow, or pin a file that has no pin."""
        result, folder = self.result, self.order.on_node(root.path) / self.order.file_set.name
        if copy := self.order.copies.get(key):
            same = _fits(copy.born, seen.born)
            growth = self._grow(file, folder, copy, same=same)
            if growth.same:
                result.grown[key] = growth.added
            else:
                result.replaced.append(key)
        elif not self._find_stray(file, key, seen, folder):
            lost = self.order.lost.get(key)
            again = lost if lost and _fits(lost.born, seen.born) else None
            reserved = self.order.reserve and not again  # The collector may have begun the other.
            try:
                made = make(
                    file,
                    folder / RESERVE if reserved else folder,
                    self._names(key, seen, again),
                    self.copier,
                )
            except FileNotFoundError:
                if os.fstat(file).st_nlink:
                    raise
                del result.files[key]  # It went after it was opened, and was empty.
                return
            result.pinned.append(Pinned(key, made.name, made.kind, made.size, seen.born, reserved))

    def _grow(
        self, file: int, folder: Path, copy: Copy, *, same: bool = True, new: bool = True
    ) -> Growth:
        """Let a copy grow where it lies: the collector may have been let see it meanwhile."""
        place, name = posixpath.split(copy.name)
        if place:
            try:
                return self.copier.grow(file, folder / copy.name, same=same, new=False)
            except FileNotFoundError:
                pass  # Nothing may be begun there again: it would be a second copy.
        return self.copier.grow(file, folder / name, same=same, new=new)

    def _find_stray(self, file: int, key: FileKey, seen: Seen, folder: Path) -> bool:
        """Go on with a copy of this file that lies here, if there is one, under its own name."""
        if not (stray := self.order.strays.get(key[1])):
            return False
        old, copy = stray
        if old in self.result.moved or not _fits(copy.born, seen.born):
            return False
        try:
            growth = self._grow(file, folder, copy, new=False)
        except FileNotFoundError:
            return False
        if not growth.same:
            return False
        self.result.moved[old] = key
        self.result.grown[key] = growth.added
        return True

    def _names(self, key: FileKey, seen: Seen, again: Lost | None) -> Iterator[str]:
        """The names that a new pin may get: that of a pin that vanished, then new ones."""
        if again:
            yield again.name
        for _ in range(MOST_NAMES):
            yield pin_name(seen.name, key[1], self.order.serial())
