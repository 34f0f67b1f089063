"""Changes in the folders of the policy's files, told by watchdog on a thread of its own."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from watchdog.events import (
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver

# Not the opening and closing of a reader, which would make each look an event.
WATCHED = [FileClosedEvent, FileCreatedEvent, FileMovedEvent, FileDeletedEvent, DirMovedEvent]


def observe(folders: Iterable[Path], changed: Callable[[], None]) -> BaseObserver:
    """Call `changed` after each change in a folder until the observer is stopped.

    Raises OSError where a folder cannot be watched.
    """
    observer = Observer()
    for folder in sorted(folders):
        observer.schedule(_Handler(changed), str(folder), event_filter=[*WATCHED])
    observer.start()
    return observer


class _Handler(FileSystemEventHandler):
    """Any change may be one of our file: what a link leads to changes under another name."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed

    def dispatch(self, event: FileSystemEvent) -> None:
        """Pass it on, but for a file that its writer is about to fill and will close."""
        if isinstance(event, FileCreatedEvent):
            with contextlib.suppress(OSError):
                if Path(os.fsdecode(event.src_path)).stat().st_size == 0:
                    return
        self._changed()
