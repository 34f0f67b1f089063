"""log-pilot's tree of links to volumes (`PILOT_CREATE_SYMLINK`): one folder for each container.

`<symlink root>/<app>/<service>/<container id>/<volume>` leads to the volume's folder on the node;
an empty app or service has no level. The links are for people and their tools: nothing in the
pilot reads them, and what goes wrong with them is said and stops nothing.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import stat
from contextlib import ExitStack
from typing import TYPE_CHECKING

from pilot.model import VOLUME, shorten
from pilot.names import escape, file_stem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pilot.model import Container
    from pilot.settings import Settings

# The labels of log-pilot's fields docker_app and docker_service; the first that is there counts.
APP = ("com.docker.stack.namespace", "com.docker.compose.project")
SERVICE = ("com.docker.swarm.service.name", "com.docker.compose.service")
DEEPEST = 3  # levels below the root: app, service, id
LEVEL = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
TEMPORARY = ".log-pilot~"  # a link that is being made; no volume is called so
_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)

log = logging.getLogger(__name__)


class Symlinks:
    """The tree, which belongs to the pilot alone. Used by the one loop only.

    Only links are removed, and folders that are empty then. No link in the tree is ever followed.
    """

    def __init__(self, settings: Settings) -> None:
        """Change nothing yet; without `create_symlink` nothing is ever done."""
        self._on = settings.create_symlink
        self._root = settings.on_node(str(settings.symlink_root))
        self._folders: dict[str, tuple[str, ...]] = {}  # container's folder name → way there
        self._said: set[str] = set()

    def want(self, container: Container) -> None:
        """Have a link for each named volume of a container, and no other."""
        if not self._on:
            return
        try:
            name, links = file_stem(container.id), _links(container)
            way = (*_levels(container), name)
            if self._folders.get(name, way) != way or not links:
                self._remove(name)
            if links:
                self._make(way, links)
        except (OSError, ValueError) as error:
            self._say(f"links to the volumes of container {shorten(container.name)!r}", error)

    def drop(self, container_id: str) -> None:
        """Remove the links of a container; none is no problem."""
        name = file_stem(container_id)
        try:
            if self._on:
                self._remove(name)
        except OSError as error:
            self._say(f"links to the volumes of container {name[:12]}", error)

    def sweep(self, known_ids: Collection[str]) -> None:
        """Remove the links of all other containers, at start.

        Only folders that are called as Docker calls containers count: a person may have chosen a
        folder for the tree that holds other things.
        """
        if not self._on:
            return
        known = {file_stem(each) for each in known_ids}
        try:
            with ExitStack() as opened:
                root = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                opened.callback(os.close, root)
                found = list(_containers(root, (), known))
        except FileNotFoundError:
            return
        except OSError as error:
            self._say("stale links to volumes", error)
            return
        for way in found:
            name = way[-1]
            try:
                if name in known:
                    self._folders[name] = way
                else:
                    self._clear(way)
            except OSError as error:
                self._say(f"stale links to the volumes of container {name[:12]}", error)

    def _make(self, way: tuple[str, ...], links: Mapping[str, str]) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        self._folders[way[-1]] = way
        with ExitStack() as opened:
            folder = self._open(way, opened, make=True)
            for name in _links_in(folder):
                if name not in links:
                    os.unlink(name, dir_fd=folder)
            for name, target in links.items():
                _link(folder, name, target)

    def _remove(self, name: str) -> None:
        if way := self._folders.pop(name, None):
            self._clear(way)

    def _clear(self, way: tuple[str, ...]) -> None:
        """Remove a container's links, then what is empty of the way to them. Raises OSError."""
        try:
            with ExitStack() as opened:
                folder = self._open(way, opened)
                for name in _links_in(folder):
                    os.unlink(name, dir_fd=folder)
            for depth in range(len(way), 0, -1):
                with ExitStack() as opened:
                    os.rmdir(way[depth - 1], dir_fd=self._open(way[: depth - 1], opened))
        except FileNotFoundError:
            pass  # Somebody was faster.
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise

    def _open(self, way: Sequence[str], opened: ExitStack, *, make: bool = False) -> int:
        """A folder of the tree; `opened` closes it. Raises OSError, for a link on the way too."""
        folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        opened.callback(os.close, folder)
        for name in way:
            if make:
                try:
                    os.mkdir(name, 0o755, dir_fd=folder)
                except FileExistsError:
                    pass  # Opening says whether it is a folder.
            folder = os.open(name, LEVEL, dir_fd=folder)
            opened.callback(os.close, folder)
        return folder

    def _say(self, what: str, error: Exception) -> None:
        text = f"{what} in {self._root}: {shorten(str(error), 200)}"
        if text not in self._said and len(self._said) < 1000:
            self._said.add(text)
            log.error("%s", text)


def _links(container: Container) -> dict[str, str]:
    """A container's links: name → folder of the node."""
    return {
        _component(mount.name): mount.source
        for mount in container.mounts
        if mount.kind == VOLUME and mount.name and mount.source.startswith("/")
    }


def _levels(container: Container) -> Iterator[str]:
    """App and service, without those that are empty."""
    for labels in (APP, SERVICE):
        text = next((t for label in labels if (t := container.labels.get(label, ""))), "")
        if text:
            # A container's folder is known by its name, so no other may be called so.
            name = _component(text)
            yield f"={ord(name[0]):02X}{name[1:]}" if _ID.fullmatch(name) else name


def _component(text: str) -> str:
    """Any text as one part of a path, never hidden and never `.` or `..`."""
    name = escape(text)
    return f"=2E{name[1:]}" if name.startswith(".") else name


def _containers(folder: int, way: tuple[str, ...], known: set[str]) -> Iterator[tuple[str, ...]]:
    """The way to every container's folder in an open one. Raises OSError."""
    with os.scandir(folder) as entries:
        names = sorted(each.name for each in entries if each.is_dir(follow_symlinks=False))
    for name in names:
        if _ID.fullmatch(name) or name in known:
            yield (*way, name)
        elif len(way) + 1 < DEEPEST:
            try:
                below = os.open(name, LEVEL, dir_fd=folder)
            except FileNotFoundError:
                continue
            try:
                yield from _containers(below, (*way, name), known)
            finally:
                os.close(below)


def _links_in(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return [each.name for each in entries if each.is_symlink()]


def _link(folder: int, name: str, target: str) -> None:
    """Have a link, in place of another link only. Raises OSError or ValueError."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        os.symlink(target, name, dir_fd=folder)
        return
    if not stat.S_ISLNK(found.st_mode):
        raise FileExistsError(errno.EEXIST, "something else than a link is there", name)
    if os.readlink(name, dir_fd=folder) != target:
        try:
            os.symlink(target, TEMPORARY, dir_fd=folder)
        except FileExistsError:  # A crash came during an earlier one.
            os.unlink(TEMPORARY, dir_fd=folder)
            os.symlink(target, TEMPORARY, dir_fd=folder)
        os.rename(TEMPORARY, name, src_dir_fd=folder, dst_dir_fd=folder)
