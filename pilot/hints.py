"""Hints: a coalescing set of keys to look at again, with back-off and deadlines beside it.

The argument for correctness is that of a level-triggered queue: a key is either *dirty* (somebody
should look), *processing* (somebody is looking), or neither. A mark during processing makes it
dirty again, so a change after the look began is never lost; a mark while dirty adds nothing, so a
burst costs one look. Marks carry no content, so a duplicated or reordered event does no harm.
"""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable


class Hints:
    """Keys that were marked, taken by the one loop; `mark` may be called from any thread."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """Call `wake`, from the marking thread, whenever there is something new to take."""
        self._wake = wake
        self._lock = threading.Lock()
        self._dirty: dict[str, None] = {}  # in the order of marking
        self._processing: set[str] = set()
        self._all = False
        self.marked = 0

    def mark(self, key: str) -> None:
        """Say that this one should be looked at again."""
        with self._lock:
            self.marked += 1
            if key in self._dirty:
                return
            self._dirty[key] = None
        self._wake()

    def mark_all(self) -> None:
        """Say that everything should be listed again."""
        with self._lock:
            self.marked += 1
            self._all = True
        self._wake()

    def take_all(self) -> bool:
        """Whether everything was marked since the last call."""
        with self._lock:
            marked, self._all = self._all, False
        return marked

    def take(self) -> list[str]:
        """The dirty keys that nobody is processing; they count as processing until `done`."""
        with self._lock:
            taken = [key for key in self._dirty if key not in self._processing]
            for key in taken:
                del self._dirty[key]
            self._processing.update(taken)
        return taken

    @property
    def busy(self) -> bool:
        """Whether anything is dirty or processing."""
        with self._lock:
            return bool(self._all or self._dirty or self._processing)

    def done(self, key: str) -> None:
        """Say that processing ended; a mark made meanwhile can be taken now."""
        with self._lock:
            self._processing.discard(key)
            again = key in self._dirty
        if again:
            self._wake()


K = TypeVar("K", bound=Hashable)


class Deadlines(Generic[K]):
    """One heap of (monotonic time, key): the loop sleeps until the earliest; no timers."""

    def __init__(self) -> None:
        self._at: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._count = 0  # breaks ties, so that keys are never compared

    def set(self, key: K, at: float) -> None:
        """Set or move a key's deadline."""
        self._at[key] = at
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, key))

    def drop(self, key: K) -> None:
        """Forget a key's deadline, if it has one."""
        self._at.pop(key, None)

    def next(self) -> float | None:
        """The earliest deadline, None without any."""
        while self._heap and self._at.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now: float) -> Iterator[K]:
        """Take the keys whose time has come, one by one; what is not taken stays due."""
        while (at := self.next()) is not None and at <= now:
            key = heapq.heappop(self._heap)[2]
            del self._at[key]
            yield key


class Backoff:
    """Growing, jittered waits between tries of one thing; `reset` after a success. Seconds."""

    def __init__(
        self, first: float, limit: float, uniform: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._first, self._limit, self._uniform = first, limit, uniform
        self._next = first

    def wait(self) -> float:
        """How long to wait before the next try: 50 to 100 % of a time that doubles to a limit."""
        wait, self._next = self._next, min(self._next * 2, self._limit)
        return self._uniform(wait / 2, wait)

    def reset(self) -> None:
        """Start from the first wait again."""
        self._next = self._first
