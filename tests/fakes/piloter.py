"""A piloter without a collector: what was read is what the test says was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilot.configdir import MARK
from pilot.handover import Command, Fragment, Input
from pilot.piloters import PiloterError
from pilot.treatment import Stream

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from pilot.model import Container, FileSet, Log, Rejection
    from pilot.treatment import Feature


@dataclass(slots=True)
class FakePiloter:
    """One file for each container, named after it; `read` is the collector's own record."""

    directory: Path
    name: str = "fake"
    suffix: str = ".conf"
    cannot: Mapping[Feature, str] = field(default_factory=dict)
    read: dict[tuple[str, str], int] = field(default_factory=dict)
    elsewhere: int = 0  # bytes acknowledged of files that no test asks about
    unreadable: OSError | None = None
    failing: set[str] = field(default_factory=set)  # containers for which nothing can be made

    def refuse(self, log: Log) -> Sequence[Rejection]:
        return ()

    def render(self, container: Container, inputs: Sequence[Input]) -> Fragment:
        if container.id in self.failing:
            raise PiloterError("fragment.conf, line 2: there is no pod")
        lines = [f"{each.id} {each.pins}\n".encode() for each in inputs]
        return Fragment(container.id, MARK + b"\n" + b"".join(lines))

    def files(
        self, changed: Collection[str], fragments: Mapping[str, Fragment]
    ) -> Mapping[str, bytes | None]:
        return {
            f"{each}{self.suffix}": fragments[each].content if each in fragments else None
            for each in sorted(changed)
        }

    def prepare(self) -> Mapping[Path, bytes]:
        return {}

    def progress(self, input_ids: Collection[str]) -> Mapping[tuple[str, str], int]:
        if self.unreadable:
            raise self.unreadable
        return {key: offset for key, offset in self.read.items() if key[0] in input_ids}

    def pulse(self) -> int:
        return sum(self.read.values()) + self.elsewhere

    def readable_end(self, file: Path, file_set: FileSet, stream: Stream = Stream.ALL) -> int:
        return file.stat().st_size

    def command(self) -> Command:
        return Command(("true",))
