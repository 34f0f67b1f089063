"""Opens the folder that a file set may not leave, so that nobody's link or mount is in its place.

What was opened is judged afterwards, by every path that it has on this node.
"""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pilot.mountinfo import OWN_TABLE
from pilot.pins.kernel import mount_id
from pilot.pins.mounts import Place, other_places
from pilot.pins.tree import DIRECTORY, PATH_ONLY, Found, NotFollowedError, Tree, beneath

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pilot.model import FileSet
    from pilot.pins.tree import Names

# Only an administrator can have made links in these (`/var/lib/docker` → `/data/docker`).
ADMINISTRATORS: frozenset[Names] = frozenset({(), ("var",), ("var", "lib")})


class FolderMissingError(Exception):
    """The file set's folder is not there."""


class RefusedError(Exception):
    """The file set's folder may not be read; the text says why."""


@dataclass(slots=True)
class Volume:
    """The open root of a file set.

    `path` is where it really lies, as the pilot sees it. `mounted` says that it is a mount beside
    its parent folder, whose unmount an open handle would hold up.
    """

    tree: Tree
    path: str
    forbids: Callable[[str], str | None] | None = None  # None: the runtime's own folder
    node_mount: int = 0  # the mount that holds the node's /
    mount: int = 0  # the mount through which the tree is open
    mounted: bool = False
    places: list[str] = field(default_factory=list)  # all paths of the root, as they were judged
    table: bytes = b""  # mountinfo, once it was needed

    def judge(self, descriptor: int, where: Names) -> list[Place]:
        """Ask about what is open, by every path that it has; the further ones.

        `where` is its real place below the root. Raises RefusedError or OSError.
        """
        if not self.forbids:
            return []
        mount, others = mount_id(descriptor), list[Place]()
        if mount == self.mount:
            paths = ["/".join((place, *where)) for place in self.places]
        else:
            paths = [str(Path(f"/proc/self/fd/{descriptor}").readlink())]
            if mount != self.node_mount:
                self.table = self.table or OWN_TABLE.read_bytes()
                others = other_places(mount, paths[0], self.table)
                paths += [other.path for other in others]
        for path in paths:
            if why := self.forbids(path):
                raise RefusedError(why)
        if not where:
            self.places = paths
        return others

    def single(self, found: Found) -> Found:
        """A file that may be a mount by itself: judged, and the same by another way if there is."""
        if not self.forbids or mount_id(found.descriptor) == self.mount:
            return found
        self.mounted = True
        return another_way(found, self.judge(found.descriptor, found.where), nearest=self.mount)


@contextmanager
def open_volume(
    file_set: FileSet,
    on_node: Callable[[str], Path],
    forbids: Callable[[str], str | None],
    beneath: Callable[[str, int], int] = beneath,
) -> Iterator[Volume]:
    """A file set's root, for this context only.

    On the way to a mount's source no link is followed but an administrator's: a tenant may have
    made it. The runtime's own folders are opened as the runtime names them.

    Raises FolderMissingError, RefusedError or OSError.
    """
    with ExitStack() as opened:
        with explained(file_set):
            if file_set.inside:
                volume = _open(file_set, on_node, forbids, beneath)
            else:
                path = str(on_node(file_set.root))
                volume = Volume(Tree(os.open(path, os.O_PATH | DIRECTORY), beneath=beneath), path)
            opened.callback(os.close, volume.tree.descriptor)
        yield volume


def _open(
    file_set: FileSet,
    on_node: Callable[[str], Path],
    forbids: Callable[[str], str | None],
    beneath: Callable[[str, int], int],
) -> Volume:
    """The source of a mount, judged; the caller closes its descriptor."""
    with ExitStack() as opened:
        node = os.open(on_node("/"), os.O_PATH | DIRECTORY)
        opened.callback(os.close, node)
        way = Tree(node, seen_at="/", follows=ADMINISTRATORS.__contains__, beneath=beneath)
        root = way.reach(file_set.root)
        opened.callback(os.close, root.descriptor)
        above = way.folder(root.where[:-1])
        opened.callback(os.close, above)
        volume = Volume(
            Tree(-1, seen_at=file_set.mounted_at, beneath=beneath),
            path=str(on_node("/" + "/".join(root.where))),
            forbids=forbids,
            node_mount=mount_id(node),
        )
        others, parent = volume.judge(root.descriptor, ()), mount_id(above)
        volume.mount = mount_id(root.descriptor)
        volume.mounted = volume.mount != parent
        if volume.mounted:  # Otherwise pins may lie in that very mount.
            same = another_way(root, others, nearest=parent)
            if same is not root:
                volume.tree.descriptor, volume.mount = same.descriptor, mount_id(same.descriptor)
                return volume
        volume.tree.descriptor = os.dup(root.descriptor)
        return volume


def another_way(found: Found, others: list[Place], *, nearest: int) -> Found:
    """What is open, opened through another mount that shows the very same; or as it is.

    A bind mount is no place to make links from (link(2) compares mounts), and an open handle holds
    up its unmount. `nearest` is the mount that is tried first.
    """
    for other in sorted(others, key=lambda each: each.mount != nearest):
        if other.mount and (same := _same(found, other)):
            return same
    return found


def _same(found: Found, other: Place) -> Found | None:
    """What is open, opened by another of its paths; None where something else is there."""
    names = tuple(name for name in other.path.split("/") if name)
    try:
        top = os.open("/", os.O_PATH | DIRECTORY)
        try:
            folder = Tree(top).folder(names[:-1])
        finally:
            os.close(top)
        try:
            descriptor = os.open(names[-1] if names else ".", PATH_ONLY, dir_fd=folder)
        finally:
            os.close(folder)
    except OSError:
        return None
    same = Found(descriptor, os.fstat(descriptor), found.where)
    if os.path.samestat(same.status, found.status) and mount_id(descriptor) == other.mount:
        return same
    os.close(descriptor)
    return None


@contextmanager
def explained(file_set: FileSet) -> Iterator[None]:
    """What opening a file set's folder raises, as a person needs it."""
    try:
        yield
    except FileNotFoundError as error:
        raise FolderMissingError(file_set.directory) from error
    except NotFollowedError as error:
        raise RefusedError(f"{file_set.directory} is, or is reached through, {error}") from error
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise RefusedError(
                f"{file_set.directory} is, or is reached through, a symlink or a file: not "
                "followed; name the real path in the mount"
            ) from error
        raise
