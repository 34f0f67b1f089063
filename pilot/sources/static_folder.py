"""What the static source knows of its files: the last good containers of each, and who holds an id.

A file is the unit of everything: it is parsed again only when it changed, and while it is broken
its last good containers stay. A container in two files is taken from the first by file name.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pilot.model import shorten
from pilot.sources import SourceError
from pilot.sources.static_file import parse_static

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pilot.model import Container

SUFFIXES = (".yaml", ".yml")
LARGEST = 16 << 20  # bytes of one file

log = logging.getLogger(__name__)


@dataclass(slots=True)
class File:
    """One file: its last good containers, and what it is like now."""

    seen: tuple[int, int, int] | None = None  # its stat when it was last read
    containers: Mapping[str, Container] = field(default_factory=dict)
    stamps: Mapping[str, str] = field(default_factory=dict)
    broken: bytes | None = None  # its content, if that cannot be used
    unreadable: bool = False


class Folder:
    """The files of one folder, or one file; not safe for several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.directory = path  # the folder, also where the path is that of a file
        self._files: dict[str, File] = {}  # by file name
        self._holders: dict[str, set[str]] = {}  # container id → names of the files that hold it
        self._unusable: set[str] = set()  # names of files that are broken or unreadable

    def check(self) -> bool:
        """Whether the path is a folder. Raises SourceError if it is missing or out of reach."""
        try:
            is_folder = stat.S_ISDIR(self.path.stat().st_mode)
        except OSError as error:
            raise self._missing(error) from error
        self.directory = self.path if is_folder else self.path.parent
        return is_folder

    def names(self) -> set[str]:
        """The names of the files that count. Raises SourceError without the folder or file."""
        if not self.check():
            return {self.path.name}
        try:
            with os.scandir(self.path) as entries:
                return {entry.name for entry in entries if _is_wanted(entry.name)}
        except OSError as error:
            raise self._missing(error) from error

    def counts(self, name: str) -> bool:
        """Whether a name in the folder is one of ours."""
        return name == self.path.name if self.directory != self.path else _is_wanted(name)

    def scan(self) -> None:
        """Read what changed: one look at the folder, one stat per file."""
        names = self.names()
        for name in self._files.keys() - names:
            self._forget(name)
        for name in sorted(names):
            self.refresh(name)

    def scan_new(self) -> None:
        """Read the files that were never read: one look at the folder."""
        for name in sorted(self.names() - self._files.keys()):
            self.refresh(name)

    def stamps(self) -> Mapping[str, str]:
        """Every container's id, with a digest of all that is said about it."""
        return {
            container_id: self._files[min(holders)].stamps[container_id]
            for container_id, holders in self._holders.items()
        }

    def find(self, container_id: str) -> Container | None:
        """The container as its file has it now, or had it when the file was last good."""
        for name in sorted(self._holders.get(container_id, ())):
            self.refresh(name)
        if not (holders := self._holders.get(container_id)):
            return None
        file = self._files[min(holders)]
        return replace(file.containers[container_id], stamp=file.stamps[container_id])

    def knows(self, container_id: str) -> bool:
        """Whether some file held the container when it was last read."""
        return container_id in self._holders

    def doubt(self, container_id: str) -> str:
        """The file that may hold a container although nobody can tell; "" if there is none."""
        text = container_id.encode()
        for name in sorted(self._unusable):
            if self._files[name].unreadable or text in (self._files[name].broken or b""):
                return name
        return ""

    def refresh(self, name: str, *, always: bool = False) -> set[str]:
        """Make what is known of a file true if it changed; the ids of containers that changed.

        `always` reads it whatever its stat says: two writes may fall in one tick of its clock.
        """
        path = self.directory / name
        now = None
        try:
            status = path.stat()
            now = (status.st_mtime_ns, status.st_size, status.st_ino)
            if not stat.S_ISREG(status.st_mode):
                return self._forget(name)
            if not always and name in self._files and self._files[name].seen == now:
                return set()
            content = _content(path, status.st_size)
        except (FileNotFoundError, NotADirectoryError):
            self.check()  # nothing follows about the file if it is the folder that is missing
            return self._forget(name)
        except (OSError, ValueError) as error:
            return self._keep(name, File(now, unreadable=True), error)
        try:
            return self._take(name, parse_static(_decoded(content, path), str(path)), now)
        except ValueError as error:
            return self._keep(name, File(now, broken=content), error)

    def _take(self, name: str, found: list[Container], now: tuple[int, int, int]) -> set[str]:
        """Replace a file's containers."""
        old = self._files.get(name) or File()
        if name in self._unusable:
            self._unusable.remove(name)
            log.info("static source: %s can be used again", self.directory / name)
        containers = {container.id: container for container in found}
        stamps = {container.id: _digest(container) for container in found}
        self._files[name] = File(now, containers, stamps)
        for container_id in old.containers.keys() - containers.keys():
            self._release(container_id, name)
        for container_id in containers.keys() - old.containers.keys():
            self._hold(container_id, name)
        ids = old.stamps.keys() | stamps.keys()
        return {known for known in ids if old.stamps.get(known) != stamps.get(known)}

    def _keep(self, name: str, new: File, error: Exception) -> set[str]:
        """Note that a file cannot be used; its containers stay. Said once per change."""
        old = self._files.get(name) or File()
        new.containers, new.stamps = old.containers, old.stamps
        if old != new:
            path = self.directory / name
            problem = f"{path}: {error.strerror}" if isinstance(error, OSError) else str(error)
            kept = "its last good containers stay" if old.containers else "nothing is known of it"
            log.warning("static source: %s; %s", shorten(problem, 500), kept)
        self._files[name] = new
        self._unusable.add(name)
        return set()

    def _forget(self, name: str) -> set[str]:
        """Drop a file that is gone; the ids that it held."""
        file = self._files.pop(name, None) or File()
        self._unusable.discard(name)
        for container_id in file.containers:
            self._release(container_id, name)
        return set(file.containers)

    def _missing(self, error: OSError) -> SourceError:
        return SourceError(
            f"static source {self.path}: {error.strerror}; it must be a folder of YAML files or "
            "one such file"
        )

    def _hold(self, container_id: str, name: str) -> None:
        holders = self._holders.setdefault(container_id, set())
        holders.add(name)
        if len(holders) > 1:
            first, *others = sorted(holders)
            text = "static source: container %r is taken from %r, not from %r, which has it too"
            log.warning(text, container_id, first, ", ".join(others))

    def _release(self, container_id: str, name: str) -> None:
        holders = self._holders[container_id]
        holders.discard(name)
        if not holders:
            del self._holders[container_id]


def _is_wanted(name: str) -> bool:
    """Editors and Kubernetes begin the names of what they are not done with with a dot."""
    return name.endswith(SUFFIXES) and not name.startswith(".")


def _content(path: Path, size: int) -> bytes:
    if size > LARGEST:
        raise ValueError(f"{path}: larger than {LARGEST >> 20} MiB")
    # What was a file a moment ago may be a pipe, which must not make anybody wait.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(LARGEST)


def _decoded(content: bytes, path: Path) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}: line {line}: not UTF-8") from error


def _digest(container: Container) -> str:
    return hashlib.blake2b(repr(container).encode("utf-8", "replace"), digest_size=16).hexdigest()
