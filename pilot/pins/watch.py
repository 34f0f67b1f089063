"""One inotify instance for all folders: says early that a file set is worth a sweep.

Only a hint: an overflow, a lost watch or a limit of watches costs at most the second until the
next regular look. Watches are added from the workers, by descriptor, so that a path is never
resolved twice and never on the loop.
"""

from __future__ import annotations

import fnmatch
import functools
import logging
import re
import threading
import time
from typing import TYPE_CHECKING

from inotify_simple import INotify, flags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from inotify_simple import Event

MASK = (
    flags.CREATE
    | flags.MOVED_TO
    | flags.MOVED_FROM
    | flags.DELETE
    | flags.DELETE_SELF
    | flags.ONLYDIR
)

SPACING = 0.02  # seconds between two reads: whoever makes names in a loop costs no more than these

MOST_COMPARED = 25_000  # names with patterns, in one batch of events

log = logging.getLogger(__name__)


class FolderWatch:
    """Watches folders and calls back with the name of a file set."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        """Call `changed(file set name)` from the watching thread."""
        self._changed = changed
        self._lock = threading.Lock()
        # watch → file set → whether it wants a name
        self._sets: dict[int, dict[str, Callable[[str], object]]] = {}
        self._watches: dict[str, set[int]] = {}  # file set → watches
        self._stale: dict[str, set[int]] = {}  # those of them that no look has added again
        self._complained = False
        try:
            self._inotify: INotify | None = INotify()
        except OSError as error:
            log.warning("no inotify (%s): new files are found by looking each second", error)
            self._inotify = None
            return
        threading.Thread(target=self._run, name="inotify", daemon=True).start()

    @property
    def count(self) -> int:
        """How many folders are watched."""
        return len(self._sets)

    def add(self, name: str, pattern: str, folder: int) -> None:
        """Watch another open folder for a file set; from any thread. The descriptor is not kept.

        `pattern` is that of the names in it.
        """
        if not self._inotify:
            return
        try:
            watch = self._inotify.add_watch(f"/proc/self/fd/{folder}", MASK)
        except OSError as error:
            if not self._complained:
                self._complained = True
                log.warning(
                    "inotify takes no more folders (%s): those are looked at each second", error
                )
            return
        matches = _matches(pattern)
        with self._lock:
            self._watches.setdefault(name, set()).add(watch)
            self._stale.get(name, set()).discard(watch)
            self._sets.setdefault(watch, {})[name] = matches

    def renew(self, name: str) -> None:
        """A look at a file set begins: what the last one did not add is watched no more."""
        with self._lock:
            self._forget(name, self._stale.get(name, set()))
            self._stale[name] = set(self._watches.get(name, ()))

    def drop(self, name: str) -> None:
        """Watch no more for a file set."""
        with self._lock:
            self._forget(name, self._watches.pop(name, set()))
            self._stale.pop(name, None)

    def _forget(self, name: str, watches: Iterable[int]) -> None:
        for watch in watches:
            self._watches.get(name, set()).discard(watch)
            sets = self._sets.get(watch, {})
            sets.pop(name, None)
            if sets or not self._inotify:
                continue
            self._sets.pop(watch, None)
            try:
                self._inotify.rm_watch(watch)
            except OSError:
                pass  # The folder is gone, and its watch with it.

    def _run(self) -> None:
        assert self._inotify  # noqa: S101 -- the thread is started only with one
        while True:
            for name in self._touched(self._inotify.read()):
                self._changed(name)
            time.sleep(SPACING)

    def _touched(self, events: Iterable[Event]) -> dict[str, None]:
        """The file sets that a batch of events is about, each once, in the order of the events.

        Names are compared without the lock, which the loop takes, and only so many of them: a set
        whose turn does not come is looked at, whatever the names are.
        """
        batch = list(events)
        with self._lock:
            watching = {event.wd: [*self._sets.get(event.wd, {}).items()] for event in batch}
            for event in batch:
                if event.mask & (flags.DELETE_SELF | flags.IGNORED):
                    for name in self._sets.pop(event.wd, {}):
                        self._watches.get(name, set()).discard(event.wd)
        touched: dict[str, None] = {}
        left = MOST_COMPARED
        for event in batch:
            for name, matches in watching[event.wd]:
                if name in touched:
                    continue
                left -= 1
                if not event.name or left < 0 or matches(event.name):
                    touched[name] = None
        return touched


@functools.lru_cache(maxsize=4096)
def _matches(pattern: str) -> Callable[[str], object]:
    return re.compile(fnmatch.translate(f"{pattern}*")).match
