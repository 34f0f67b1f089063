"""Which mount a path lies in, without touching the mount: it may hang."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from pilot.mountinfo import OWN_TABLE, mounts

if TYPE_CHECKING:
    from collections.abc import Callable

FRESH = 1.0  # seconds for which a reading is used; nobody asks but for sets never looked at


class MountTable:
    """The mounts that this process sees, read again when somebody asks."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Read nothing yet."""
        self._now, self._read_at = monotonic, -math.inf
        self._mounts: dict[str, int] = {}  # where → mount id

    def mount_of(self, path: str) -> int:
        """The id of the mount that holds a path, as its text says; symlinks are not followed."""
        if self._now() - self._read_at >= FRESH:
            self._mounts, self._read_at = _read(), self._now()
        while path not in self._mounts:
            if path in ("", "/"):
                return 0
            path = path.rstrip("/").rpartition("/")[0] or "/"
        return self._mounts[path]


def _read() -> dict[str, int]:
    # Of several mounts at one place the last is seen.
    return {each.place: each.id for each in mounts(OWN_TABLE.read_bytes())}
