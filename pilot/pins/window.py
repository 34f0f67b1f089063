"""How much unread data of deleted files and of copies a collector may see at once.

A collector opens whatever it sees, also while its output is blocked, and then holds lines of it
that arrive later. So what is to be given up exactly must be what it has not seen.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilot.pins.budget import Limits
    from pilot.pins.record import PinSet
    from pilot.settings import Allowance


class Room:
    """Counts what a collector sees, for each file set, each namespace and the node."""

    def __init__(self, limits: Limits) -> None:
        """Nothing is seen yet."""
        self._limits = limits
        self._bytes: Counter[tuple[str, str]] = Counter()
        self._files: Counter[tuple[str, str]] = Counter()

    def take(self, kept: PinSet, unread: int) -> None:
        """The collector sees a pin of this set with so many bytes that it has not read."""
        for group, _ in self._groups(kept):
            self._bytes[group] += unread
            self._files[group] += 1

    def over_half(self, kept: PinSet) -> bool:
        """Whether half of what is allowed to a set, its namespace or the node is seen.

        One pin always may be seen: under an allowance of nothing, too, files that live are read.
        """
        return any(
            self._files[group]
            and (2 * self._bytes[group] >= limit.bytes or 2 * self._files[group] >= limit.files)
            for group, limit in self._groups(kept)
        )

    def _groups(self, kept: PinSet) -> Iterable[tuple[tuple[str, str], Allowance]]:
        yield ("set", kept.file_set.name), self._limits.set
        if kept.namespace:
            yield ("namespace", kept.namespace), self._limits.namespace
        yield ("node", ""), self._limits.node
