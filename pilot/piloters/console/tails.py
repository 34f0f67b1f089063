"""The files of one input: found by polling, read in chunks, each from where its record says.

Pins are opened for each chunk, because their names never change meaning. In direct mode a file is
held open while its name is there, so that its inode cannot become another file unnoticed; one that
was removed is read to its end and let go. A quiet file's last event waits for its timeout.
"""

from __future__ import annotations

import logging
import os
import stat
from typing import TYPE_CHECKING

from pilot.names import matcher, parse_pin_name, unescape
from pilot.piloters.console.events import Encoder
from pilot.piloters.console.framing import Framer
from pilot.piloters.console.joining import Joiner
from pilot.piloters.console.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pilot.piloters.console.framing import Text
    from pilot.piloters.console.inputs import ConsoleInput

CHUNK = 1 << 18  # bytes per read; other files have their turn in between

log = logging.getLogger(__name__)


class Tail:
    """One file, or one stream of it, read from where a record says."""

    def __init__(self, location: str, source: ConsoleInput, record: Record | None) -> None:
        """Open nothing yet."""
        self.location, self.source = location, source
        self._held = -1
        self._ending = False  # nothing more will be read
        self._left: list[Text] = []  # of what the file held before it was truncated
        self._begin(record or Record(0, 0))

    def _begin(self, record: Record) -> None:
        source = self.source
        self._framer = Framer(source.framing, source.stream, offset=record.offset, read=record.read)
        self._joiner = Joiner(source.treatment, read=record.read)

    @property
    def record(self) -> Record:
        """How far the events given out so far go."""
        framer, joiner = self._framer, self._joiner
        if not joiner.waiting:
            return Record(framer.offset, framer.read)
        return Record(joiner.begin(framer.offset), joiner.read, framer.offset, framer.read)

    @property
    def waiting(self) -> bool:
        """Whether an event waits for further lines."""
        return self._joiner.waiting

    def treat(self, source: ConsoleInput) -> None:
        """Go on by another version of the input, which reads the same files."""
        before, self.source = self.source, source
        now, was = source.treatment, before.treatment
        if before.stream is not source.stream or (now.multiline, now.encoding) != (
            was.multiline,
            was.encoding,
        ):
            self._begin(self.record)

    def hold(self, status: os.stat_result) -> bool:
        """Keep the file open; False if it is not the one that was seen. Raises OSError."""
        descriptor = _open(self.location)
        if not os.path.samestat(os.fstat(descriptor), status):
            os.close(descriptor)
            return False
        self._held = descriptor
        return True

    def changed(self, size: int, at: float) -> bool:
        """Whether there may be something to read, to give out or to record."""
        if size < max(self._framer.position, self._framer.read):
            log.warning("%r was truncated: reading it from the start", self.location)
            self._left += self._joiner.flush()
            self._begin(Record(0, 0))
            return True
        return size > self._framer.position or self._joiner.due(at)

    def end(self) -> None:
        """Read nothing more: what waits is given out by the next pull."""
        self._ending = True

    def pull(self, at: float) -> tuple[list[Text], bool]:
        """Read a chunk: its events, and whether there may be more. Raises OSError.

        `at` is the time, in seconds, by which an event that waits may be due.
        """
        data = b"" if self._ending else self._read()
        events = self._left + self._joiner.feed(self._framer.feed(data), at)
        self._left = []
        more = len(data) == CHUNK
        if self._ending or (not more and self._joiner.due(at)):
            events += self._joiner.flush()
        return events, more

    def _read(self) -> bytes:
        descriptor = self._held if self._held >= 0 else _open(self.location)
        try:
            return os.pread(descriptor, CHUNK, self._framer.position)
        finally:
            if self._held < 0:
                os.close(descriptor)

    def size(self) -> int:
        """The size of the held file. Raises OSError."""
        return os.fstat(self._held).st_size

    def close(self) -> None:
        """Let the file go."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1


class Tails:
    """The files of one input."""

    def __init__(self, source: ConsoleInput, recorded: Callable[[str], Record | None]) -> None:
        """Find nothing yet; `recorded` gives the record of a file."""
        self.source, self._recorded = source, recorded
        self._tails: dict[str, Tail] = {}
        self._failures: dict[str, str] = {}
        self._matches = matcher(source.pattern, rotated=source.rotated)
        self.encode = Encoder(source).encode

    def files(self) -> list[str]:
        """The files that are being read, by the names that records know them by."""
        return list(self._tails)

    def same_files(self, source: ConsoleInput) -> bool:
        """Whether another version of the input reads the same files in the same way."""
        names = ("id", "pins", "folders", "pattern", "rotated", "framing")
        return all(getattr(source, name) == getattr(self.source, name) for name in names)

    def treat(self, source: ConsoleInput) -> None:
        """Go on by another version of the input, which reads the same files."""
        self.source, self.encode = source, Encoder(source).encode
        for tail in self._tails.values():
            tail.treat(source)

    def ready(self, at: float) -> Iterator[tuple[str, str, Tail]]:
        """Look at the folder; the files with something to read, to give out or to record.

        Each comes with the name that records know it by and its path as the container knows it.
        """
        found = self._scan()
        if found is None:
            return
        for file in self._tails.keys() - found.keys():
            tail = self._tails[file]
            if self.source.pins:
                if tail.waiting:
                    tail.end()
                    yield file, self._shown(tail), tail
            elif tail.changed(tail.size(), at):
                yield file, self._shown(tail), tail
                continue
            elif tail.waiting:
                continue
            tail.close()
            del self._tails[file]
        for file, (location, status) in found.items():
            known = self._tails.get(file)
            each = known or self._start(file, location, status)
            if each is None:
                continue
            each.location = location
            if each.changed(status.st_size, at) or not known:
                yield file, self._shown(each), each

    def fail(self, file: str, error: OSError) -> None:
        """Say once that a file cannot be read; it is tried again."""
        if self._failures.get(file) != str(error):
            self._failures[file] = str(error)
            log.warning("cannot be read: %s", error)

    def close(self) -> None:
        """Let all files go."""
        for tail in self._tails.values():
            tail.close()

    def _scan(self) -> dict[str, tuple[str, os.stat_result]] | None:
        """The files that are there; None where a folder cannot be listed."""
        found: dict[str, tuple[str, os.stat_result]] = {}
        for folder in (self.source.pins,) if self.source.pins else self.source.folders:
            try:
                names = sorted(filter(self._takes, os.listdir(folder)))  # noqa: PTH208 -- hot loop
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                self.fail("", error)
                return None
            for name in names:
                location = f"{folder}/{name}"
                try:
                    status = os.lstat(location)
                except OSError:
                    continue
                if stat.S_ISREG(status.st_mode):
                    file = location if self.source.pins else f"{status.st_ino}-{status.st_dev}"
                    found[file] = (location, status)
        return found

    def _takes(self, name: str) -> bool:
        if self.source.pins:
            return parse_pin_name(name) is not None
        return self._matches(name)

    def _start(self, file: str, location: str, status: os.stat_result) -> Tail | None:
        tail = Tail(location, self.source, self._recorded(file))
        if not self.source.pins:
            try:
                if not tail.hold(status):
                    return None
            except OSError as error:
                self.fail(file, error)
                return None
        self._tails[file] = tail
        return tail

    def _shown(self, tail: Tail) -> str:
        name = tail.location.removeprefix(f"{self.source.base.rstrip('/')}/")
        if self.source.pins and (pin := parse_pin_name(tail.location.rpartition("/")[2])):
            name = unescape(pin.path)
        return f"{self.source.shown.rstrip('/')}/{name}"


def _open(location: str) -> int:
    return os.open(location, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
