"""The static source: containers written down in YAML files.

It serves runtimes that nobody wrote a source for, tests and the demo. The folder is watched, and
one change costs one file, however many there are. A list costs one look at the folder and one stat
per file, and finds what the watch missed.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from watchdog.events import (
    DirDeletedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from pilot.sources import SourceError
from pilot.sources.static_file import parse_static
from pilot.sources.static_folder import Folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver

    from pilot.hints import Hints
    from pilot.model import Container
    from pilot.settings import Settings

__all__ = ["StaticSource", "create", "parse_static"]

CHECK = 5.0  # seconds between looks whether the watched folder is still the one at its path
SWAPPED = "..data"  # the link that Kubernetes renames to change all files of a ConfigMap at once

# Not the opening and closing of a reader, which would make each look an event.
WATCHED = [FileClosedEvent, FileCreatedEvent, FileMovedEvent, FileDeletedEvent, DirDeletedEvent]

Outcome = queue.SimpleQueue[SourceError | None]


def create(settings: Settings) -> StaticSource:
    """Make the source for `settings.static_path`, which need not exist yet."""
    return StaticSource(settings.static_path)


class StaticSource:
    """Containers from one YAML file, or from all in one folder."""

    name = "static"
    declares_once = False

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()  # over the folder
        self._folder = Folder(path.absolute())
        self._listed = False
        self._closed = False
        self._outcome: Outcome = queue.SimpleQueue()

    def watch(self, hints: Hints) -> None:
        """Mark the containers of files that change, until `close`.

        Raises SourceError when the folder is missing, is replaced or cannot be watched.
        """
        outcome: Outcome = queue.SimpleQueue()
        with self._lock:
            if self._closed:
                return
            self._outcome = outcome
            self._folder.names()  # says what is wrong with the path, if anything is
            path = self._folder.directory
        try:
            identity = _identity(path)
            observer = _observe(path.resolve(), _Handler(self, hints, outcome))
        except OSError as error:
            raise SourceError(f"{path} cannot be watched: {error.strerror}") from error
        try:
            hints.mark_all()
            self._wait(outcome, path, identity)
        finally:
            observer.stop()
            observer.join()

    def list(self) -> Mapping[str, str]:
        """Every container in every usable file; only changed files are read."""
        with self._lock:
            self._folder.scan()
            self._listed = True
            return self._folder.stamps()

    def look(self, container_id: str) -> Container | None:
        """The container as its file has it now, or had it when the file was last good.

        None if no file holds it. Raises SourceError where that is not certain: the folder is
        missing, or a file that cannot be used may hold it.
        """
        with self._lock:
            if not self._listed:
                self.list()
            known = self._folder.knows(container_id)
            found = self._folder.find(container_id)
            if known and not found:  # it may have moved to a file that nobody has seen yet
                self._folder.scan_new()
                found = self._folder.find(container_id)
            if not found:
                self._folder.check()
                if name := self._folder.doubt(container_id):
                    raise SourceError(f"{container_id!r} may be in {name!r}, which cannot be used")
            return found

    def close(self) -> None:
        """End `watch` at once."""
        with self._lock:
            self._closed = True
            self._outcome.put(None)

    def changed(self, name: str) -> set[str]:
        """Read one file of the folder again; the ids of the containers that changed."""
        with self._lock:
            if not self._folder.counts(name):
                return set()
            return self._folder.refresh(name, always=True)

    def is_empty(self, name: str) -> bool:
        """Whether a file is there without content, as it is before it is first written."""
        with contextlib.suppress(OSError):
            return (self._folder.directory / name).stat().st_size == 0
        return False

    def _wait(self, outcome: Outcome, path: Path, identity: tuple[int, int]) -> None:
        while True:
            try:
                error = outcome.get(timeout=CHECK)
            except queue.Empty:
                with contextlib.suppress(OSError):
                    if _identity(path) == identity:
                        continue
                error = SourceError(f"{path} is no longer the folder that was watched")
            if error and not self._closed:
                raise error
            return


class _Handler(FileSystemEventHandler):
    """What to do about each change in the folder, on watchdog's thread."""

    def __init__(self, source: StaticSource, hints: Hints, outcome: Outcome) -> None:
        self._source, self._hints, self._outcome = source, hints, outcome

    def dispatch(self, event: FileSystemEvent) -> None:
        """Mark what changed; an error ends the watch, not watchdog's thread in silence."""
        try:
            self._handle(event)
        except SourceError as error:
            self._outcome.put(error)
        except Exception as error:  # noqa: BLE001 - watch raises it
            self._outcome.put(SourceError(f"static source: {error!r} while handling {event!r}"))

    def _handle(self, event: FileSystemEvent) -> None:
        if isinstance(event, DirDeletedEvent):
            self._outcome.put(SourceError(f"{event.src_path!r} was deleted"))
            return
        names = [Path(str(path)).name for path in (event.src_path, event.dest_path) if path]
        if SWAPPED in names:
            self._hints.mark_all()
        if isinstance(event, FileCreatedEvent) and self._source.is_empty(names[0]):
            return  # its writer will close it
        for name in names:
            for container_id in self._source.changed(name):
                self._hints.mark(container_id)


def _observe(path: Path, handler: _Handler) -> BaseObserver:
    observer = Observer()
    observer.schedule(handler, str(path), event_filter=[*WATCHED])
    observer.start()
    return observer


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino
