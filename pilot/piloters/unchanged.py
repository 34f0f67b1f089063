"""Remembers what was found out about a file for as long as the file stays as it is."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Hashable

MOST = 10_000  # files; the one that was looked at longest ago is forgotten first
SETTLED = 50_000_000  # ns without a change; file times have the kernel's tick, 1 to 10 ms

Stamp = tuple[int, int, int]  # size, mtime and ctime in ns


class Unchanged:
    """One offset for each file. A survey asks about an unread file again each second.

    Used by several threads: in direct mode looks ask, too.
    """

    def __init__(self, now: Callable[[], int] = time.time_ns) -> None:
        """Remember nothing yet; `now` gives the time of day in ns, as in st_ctime_ns."""
        self._now = now
        self._lock = threading.Lock()
        self._known: dict[tuple[int, int, Hashable], tuple[Stamp, int]] = {}

    def ask(self, status: os.stat_result, about: Hashable, find: Callable[[], int]) -> int:
        """What `find` gives or, if the file is as the last time, gave then about the same.

        A file that changed a moment ago is not remembered: a second change could leave the same
        size and, within one tick, the same times. Raises what `find` does.
        """
        settled = self._now() - status.st_ctime_ns > SETTLED
        file = (status.st_dev, status.st_ino, about)
        stamp = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        with self._lock:
            known = self._known.get(file)
            if known and known[0] == stamp:
                return known[1]
            self._known.pop(file, None)
        found = find()
        if settled:
            with self._lock:
                if len(self._known) >= MOST:
                    del self._known[next(iter(self._known))]
                self._known[file] = (stamp, found)
        return found
