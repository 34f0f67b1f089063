"""Filebeat's registry, read from outside while it is written: how far each file was acknowledged.

The memory log store of 7.17, 8 and 9 (libbeat/statestore/backend/memlog): `<number>.json` is a
checkpoint, `log.json` what happened since, as pairs of lines with continuous numbers. When the log
is long, Filebeat writes a new checkpoint and cuts the log to nothing, in place.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

VERSION = "1"
CHECKPOINT = re.compile(r"(?P<number>\d+)\.json\Z", re.ASCII)
BEGIN, BETWEEN, END = (re.compile(each) for each in (r"\s*\[\s*", r"\s*,\s*", r"\s*\]\s*\Z"))
IDENTITIES = ("path", "native")
TRIES = 5  # at a consistent reading, while checkpoints change under it


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells whether the files are still those that were read."""

    checkpoint: str  # name of the newest; "" without any
    checkpoint_inode: int
    log_inode: int
    log_size: int


@dataclass(slots=True)
class Reading:
    """What was read so far."""

    stamp: Stamp
    last: int = 0  # number of the last entry taken
    position: int = 0  # in log.json, behind the last pair taken
    offsets: dict[str, dict[str, int]] = field(default_factory=dict)  # input id → file → offset

    @property
    def total(self) -> int:
        """All offsets together."""
        return sum(sum(files.values()) for files in self.offsets.values())


class Registry:
    """The registry below a data folder. Costs a listing of one folder when nothing changed."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "registry" / "filebeat"
        self._reading: Reading | None = None

    def progress(self, input_ids: Collection[str]) -> Mapping[tuple[str, str], int]:
        """Offsets of these inputs' files: (input id, pin's path or `<inode>-<device>`) → bytes.

        Nothing if Filebeat has not run yet. Raises OSError where the registry cannot be read, and
        where its format is one that we do not know.
        """
        self._refresh()
        offsets = self._reading.offsets if self._reading else {}
        found: dict[tuple[str, str], int] = {}
        for input_id in input_ids:
            for name, offset in offsets.get(input_id, {}).items():
                # Where its parser reads one stream, the file has that stream's name behind it: no
                # pin ends so. Of an input that read both before, both are there.
                file = name.removesuffix("-stdout").removesuffix("-stderr")
                found[input_id, file] = max(offset, found.get((input_id, file), 0))
        return found

    @property
    def total(self) -> int:
        """The bytes that were acknowledged of all files in it, as of the last `progress`."""
        return self._reading.total if self._reading else 0

    def _refresh(self) -> None:
        for _ in range(TRIES):
            stamp = self._stamp()
            if stamp is None:
                self._reading = None
                return
            reading = self._reading
            if reading is not None and reading.stamp == stamp:
                return
            if reading is None or not _continues(reading, stamp):
                reading = self._from_checkpoint(stamp)
            whole = reading is not None and self._read_log(reading)
            # A checkpoint that came meanwhile cut the log: what was read may have a gap.
            if reading is not None and whole and self._same_checkpoint(stamp):
                reading.stamp = stamp
                self._reading = reading
                return
            self._reading = None
        raise OSError(f"{self._folder}: the registry changed while it was read, {TRIES} times")

    def _stamp(self) -> Stamp | None:
        newest, inode = -1, 0
        name = ""
        log: os.stat_result | None = None
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if entry.name == "log.json":
                        log = entry.stat(follow_symlinks=False)
                    elif (match := CHECKPOINT.match(entry.name)) and int(match["number"]) > newest:
                        newest, inode, name = int(match["number"]), entry.inode(), entry.name
        except FileNotFoundError:
            return None
        if log is None and not name:
            return None
        return Stamp(name, inode, log.st_ino if log else 0, log.st_size if log else 0)

    def _same_checkpoint(self, stamp: Stamp) -> bool:
        now = self._stamp()
        return (
            now is not None
            and (now.checkpoint, now.checkpoint_inode) == (stamp.checkpoint, stamp.checkpoint_inode)
            and now.log_inode == stamp.log_inode
            and now.log_size >= stamp.log_size
        )

    def _from_checkpoint(self, stamp: Stamp) -> Reading | None:
        """A new reading that begins with the newest checkpoint; None if that is gone already."""
        self._check_version()
        reading = Reading(stamp)
        if not stamp.checkpoint:
            return reading
        try:
            content = (self._folder / stamp.checkpoint).read_bytes()
        except FileNotFoundError:
            return None
        try:
            for entry in _entries(content.decode()):
                _set(reading.offsets, entry["_key"], entry)
        except (KeyError, TypeError, ValueError) as error:
            raise OSError(f"{self._folder / stamp.checkpoint} is no checkpoint: {error}") from error
        reading.last = int(stamp.checkpoint.removesuffix(".json"))
        return reading

    def _check_version(self) -> None:
        path = self._folder / "meta.json"
        try:
            meta = json.loads(path.read_bytes())
        except FileNotFoundError:
            return
        except ValueError as error:
            raise OSError(f"{path} is not JSON: {error}") from error
        if not isinstance(meta, dict) or meta.get("version") != VERSION:
            raise OSError(f"{path}: the registry's format is not version {VERSION}: {meta!r}")

    def _read_log(self, reading: Reading) -> bool:
        """Take the pairs behind the position; False where their numbers have a gap.

        Stops at what is half written: the rest comes, or Filebeat drops it when it starts.
        """
        try:
            with (self._folder / "log.json").open("rb") as stream:
                stream.seek(reading.position)
                return _take_pairs(stream, reading)
        except FileNotFoundError:
            return True


def _continues(reading: Reading, stamp: Stamp) -> bool:
    """Whether the log only grew since the reading."""
    before = reading.stamp
    return (
        (before.checkpoint, before.checkpoint_inode) == (stamp.checkpoint, stamp.checkpoint_inode)
        and before.log_inode == stamp.log_inode
        and before.log_size <= stamp.log_size
    )


def _entries(text: str) -> Iterator[Any]:
    """The values of a JSON array, each alone: all at once would take five times the text's memory.

    Raises ValueError where it is none.
    """
    decode = json.JSONDecoder().raw_decode
    before = BEGIN.match(text)
    if before and END.match(text, before.end()):
        return
    while before:
        entry, position = decode(text, before.end())
        yield entry
        if END.match(text, position):
            return
        before = BETWEEN.match(text, position)
    raise ValueError("no array of entries")


def _take_pairs(stream: BinaryIO, reading: Reading) -> bool:
    # Of lines this short json.loads takes four times as long as the decoder that it calls.
    decode = json.JSONDecoder().raw_decode
    while True:
        lines = (stream.readline(), stream.readline())
        if not lines[1].endswith(b"\n"):
            return True
        try:
            action, value = _decoded(lines[0], decode), _decoded(lines[1], decode)
            number, operation, name = int(action["id"]), action["op"], value["k"]
        except (KeyError, TypeError, ValueError):
            return True
        if number > reading.last:  # a checkpoint already holds the others
            if number != reading.last + 1 and reading.last:
                return False
            if operation == "set":
                _set(reading.offsets, name, value.get("v"))
            elif operation == "remove":
                _remove(reading.offsets, name)
            reading.last = number
        reading.position += len(lines[0]) + len(lines[1])


def _decoded(line: bytes, decode: Callable[[str], tuple[Any, int]]) -> Any:
    """The value that is all of a line. Raises ValueError."""
    text = line.decode()
    value, end = decode(text)
    if end != len(text) - 1:
        raise ValueError("there is more than one value in the line")
    return value


def _split(name: str) -> tuple[str, str] | None:
    """`filestream::<input id>::<identity>::<file>` → (input id, file); None for other keys."""
    parts = name.split("::", 3)
    if len(parts) != 4 or parts[0] != "filestream" or parts[2] not in IDENTITIES:
        return None
    return parts[1], parts[3]


def _set(offsets: dict[str, dict[str, int]], name: str, value: Any) -> None:
    if (split := _split(name)) is None:
        return
    # The cursor is null until something was acknowledged; `ttl` says nothing about that.
    cursor = value.get("cursor") if isinstance(value, dict) else None
    offset = cursor.get("offset") if isinstance(cursor, dict) else None
    offsets.setdefault(split[0], {})[split[1]] = offset if isinstance(offset, int) else 0


def _remove(offsets: dict[str, dict[str, int]], name: str) -> None:
    if (split := _split(name)) is None:
        return
    files = offsets.get(split[0], {})
    files.pop(split[1], None)
    if not files:
        offsets.pop(split[0], None)
