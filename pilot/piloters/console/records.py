"""How far the collector is in each file: saved after the lines went out, read by the piloter.

One JSON file, `{"version": 1, "files": {<input id>: {<file>: {"offset": …, "read": …}}}}`. `file`
is the pin's path or, in direct mode, `<inode>-<device>`. Before `offset` everything is done with.
`read`, at or after it, tells which lines went out although an open line keeps the offset back.
While an event waits for further lines, `framed` and `seen` are what the two would be without it.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pilot.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

VERSION = 1
SAVE_EVERY = 0.2  # seconds between two saves, at least
FORGET_AFTER = 60.0  # seconds that a file is gone, before its record goes, too

Key = tuple[str, str]  # input id, file

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Record:
    """How far one file is read, in bytes.

    `framed` and `seen` are 0 unless an event waits for further lines: then they are what `offset`
    and `read` become, at least, when it need not wait any longer.
    """

    offset: int
    read: int
    framed: int = 0
    seen: int = 0


class RecordsError(OSError):
    """The records are there, but they are not ours."""


def load(path: Path) -> dict[Key, Record]:
    """The saved records; none where nothing was saved yet. Raises OSError for unusable ones."""
    try:
        raw = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise RecordsError(f"{path} is no JSON: {error}") from error
    try:
        if raw["version"] != VERSION:
            raise ValueError(f"its version is not {VERSION}")  # noqa: TRY301 -- said below
        return {
            (input_id, file): Record(
                int(record["offset"]),
                int(record["read"]),
                int(record.get("framed", 0)),
                int(record.get("seen", 0)),
            )
            for input_id, files in raw["files"].items()
            for file, record in files.items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RecordsError(f"{path} holds no records: {error!r}") from error


class Records:
    """The collector's own, in memory and saved at most every SAVE_EVERY seconds."""

    def __init__(self, path: Path, *, forget_after: float = FORGET_AFTER) -> None:
        """Start from what is saved; unusable records are put aside and said."""
        self._path, self._forget_after = path, forget_after
        self._gone_since: dict[Key, float] = {}
        self._changed, self._next_save, self._next_look, self._failed = False, 0.0, 0.0, False
        try:
            self._records = load(path)
        except RecordsError as error:
            aside = path.with_name(f"{path.name}.broken")
            log.warning("lines may come twice, the old records are now %s: %s", aside, error)
            path.replace(aside)
            self._records = {}

    def get(self, key: Key) -> Record | None:
        """The record of a file that was seen before."""
        return self._records.get(key)

    def put(self, key: Key, record: Record) -> None:
        """Say how far a file is; only after its lines went out."""
        if self._records.get(key) != record:
            self._records[key] = record
            self._changed = True

    def forget(self, present: Collection[Key], at: float) -> None:
        """Drop what has been gone for long enough: pins may come back within a moment.

        `present` are the files that are being read. A pin that nobody reads is kept while it
        exists.
        """
        if at < self._next_look:
            return
        self._next_look = at + min(1.0, self._forget_after)
        for key in list(self._records):
            if key in present or ("/" in key[1] and os.path.lexists(key[1])):
                self._gone_since.pop(key, None)
            elif at - self._gone_since.setdefault(key, at) >= self._forget_after:
                del self._records[key], self._gone_since[key]
                self._changed = True

    def save(self, at: float, *, now: bool = False) -> None:
        """Save if something changed and the last save is long enough ago, or `now`."""
        if not self._changed or (at < self._next_save and not now):
            return
        files: dict[str, dict[str, object]] = {}
        for (input_id, file), record in sorted(self._records.items()):
            files.setdefault(input_id, {})[file] = {
                key: value
                for key, value in asdict(record).items()
                if value or key in ("offset", "read")
            }
        content = json.dumps({"version": VERSION, "files": files}, indent=1).encode("ascii")
        self._next_save = at + SAVE_EVERY
        try:
            write_atomically(self._path, content)
        except OSError as error:
            if not self._failed:
                log.warning("records cannot be saved, lines may come twice: %s", error)
            self._failed = True
            return
        self._changed = self._failed = False
