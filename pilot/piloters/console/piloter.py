"""The console piloter: writes fragments for the built-in collector and reads its records."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from pilot.handover import Command, Fragment, input_id
from pilot.model import Framing
from pilot.names import file_stem
from pilot.piloters.cannot import missing
from pilot.piloters.console.folder import SUFFIX
from pilot.piloters.console.framing import Framer
from pilot.piloters.console.inputs import ConsoleInput, dump
from pilot.piloters.console.limits import beyond, honoured
from pilot.piloters.console.records import Record, load
from pilot.piloters.unchanged import Unchanged
from pilot.treatment import Feature, Stream

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pilot.handover import Input
    from pilot.model import Container, FileSet, Log, Rejection
    from pilot.piloters.console.records import Key
    from pilot.settings import Settings

CONFIG_DIR = Path("/etc/log-pilot/console")
DATA_DIR = Path("/var/lib/log-pilot-console")
MOST_REREAD = 1 << 16  # bytes that `readable_end` takes apart to find an open line
BLOCK = 1 << 16  # bytes per step when looking for the last newline
FARTHEST = 4 << 20  # bytes from the end that are searched for it

Stamp = tuple[int, int, int]  # inode, mtime in ns, size of the records


class ConsolePiloter:
    """Configures the console collector. For laptops and tests, not for production."""

    name = "console"
    suffix = SUFFIX
    cannot: Mapping[Feature, str] = MappingProxyType(
        {Feature.RAW: "the console collector has no options of its own."}
    )

    def __init__(self, settings: Settings) -> None:
        """Touch nothing yet."""
        self._config = settings.config_dir or CONFIG_DIR
        self._data = settings.data_dir or DATA_DIR
        self._program = settings.collector
        self._stamp: Stamp | None = None
        self._records: dict[Key, Record] = {}
        self._by_name: dict[Key, Record] = {}  # the same by (input id, last component)
        self._ends = {stream: Unchanged() for stream in Stream}
        self.directory = self._config / "inputs.d"

    def refuse(self, log: Log) -> Sequence[Rejection]:
        """What this collector cannot do, for any log or for the values in this one."""
        return missing(log, {**self.cannot, **beyond(log.treatment)})

    def render(self, container: Container, inputs: Sequence[Input]) -> Fragment:
        """What one container adds: a YAML file of its inputs."""
        return Fragment(container.id, dump([_console_input(each) for each in inputs]))

    def files(
        self, changed: Collection[str], fragments: Mapping[str, Fragment]
    ) -> Mapping[str, bytes | None]:
        """One file for each container."""
        return {
            f"{file_stem(each)}{SUFFIX}": fragments[each].content if each in fragments else None
            for each in changed
        }

    def prepare(self) -> Mapping[Path, bytes]:
        """Nothing: all that the collector needs is on its command line."""
        return {}

    def progress(self, input_ids: Collection[str]) -> Mapping[tuple[str, str], int]:
        """How far the collector is; the records are read again only if they changed."""
        self._refresh()
        wanted = frozenset(input_ids)
        return {key: each.offset for key, each in self._records.items() if key[0] in wanted}

    def pulse(self) -> int:
        """The bytes that all records count."""
        self._refresh()
        return sum(each.offset for each in self._records.values())

    def readable_end(self, file: Path, file_set: FileSet, stream: Stream = Stream.ALL) -> int:
        """Behind the last newline or, if pieces of an unfinished line come before it, before those.

        An event that waits for further lines counts as done with: it is at its timeout.

        Where the collector has read that far, its own records know about open lines; else the rest
        of the file is read, up to MOST_REREAD. What is further behind than that is not done with
        anyway, whatever its last lines are.
        """
        self._refresh()
        with file.open("rb", buffering=0) as opened:
            descriptor = opened.fileno()
            status = os.fstat(descriptor)
            id_ = input_id(file_set.name, stream)
            record = self._by_name.get((id_, file.name)) or self._records.get(
                (id_, f"{status.st_ino}-{status.st_dev}")
            )
            if record is None or record.read > status.st_size:  # the latter: truncated since
                record = Record(0, 0)
            framer = Framer(file_set.framing, stream, offset=max(record.offset, record.framed))
            return self._ends[stream].ask(
                status,
                (file_set.framing, record),
                lambda: _done(descriptor, status.st_size, framer, max(record.read, record.seen)),
            )

    def command(self) -> Command:
        """The running Python, or the program that was chosen, with its folders."""
        program = (self._program,) if self._program else (sys.executable, "-m", __package__)
        folders = ("--config", str(self._config), "--data", str(self._data))
        return Command((*program, *folders), lock=str(self._data / "lock"))

    def _refresh(self) -> None:
        path = self._data / "registry.json"
        try:
            status = path.stat()
            stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
        except FileNotFoundError:
            stamp = None
        if stamp is None or stamp != self._stamp:
            self._records = load(path)
            self._by_name = {
                (id_, Path(file).name): each for (id_, file), each in self._records.items()
            }
            self._stamp = stamp


def _console_input(each: Input) -> ConsoleInput:
    file_set = each.file_set
    return ConsoleInput(
        id=each.id,
        pins=each.pins or "",
        folders=() if each.pins else each.folders,
        base="" if each.pins else each.base,
        pattern="" if each.pins else each.file_pattern,
        rotated=not each.pins and file_set.rotated,
        shown=each.shown,
        framing=file_set.framing,
        stream=Stream.ALL if file_set.framing is Framing.LINES else each.stream,
        treatment=honoured(each.treatment, file_set.framing),
        fields=each.fields,
    )


def _done(descriptor: int, size: int, framer: Framer, read: int) -> int:
    """Where the collector, which has read so far, will be done with these bytes."""
    end, begin = _last_newline(descriptor, size), framer.offset
    if framer.framing is Framing.LINES:
        return end
    if read >= end:
        return begin
    if end - begin > MOST_REREAD:
        return end
    framer.feed(os.pread(descriptor, end - begin, begin))
    return framer.offset


def _last_newline(descriptor: int, size: int) -> int:
    """The offset behind the last newline; 0 without any.

    Without one in the last FARTHEST bytes it is their beginning: what lies further back counts as
    unread, so that no file is slow to ask about.
    """
    end, farthest = size, max(0, size - FARTHEST)
    while end > farthest:
        begin = max(farthest, end - BLOCK)
        found = os.pread(descriptor, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return farthest
