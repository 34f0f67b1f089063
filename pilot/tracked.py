"""One tracked container: what it declares, who refused what, and how far its end has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilot.drain import Phase

if TYPE_CHECKING:
    from pilot.model import Container, FileSet, Log, Rejection
    from pilot.pins.record import Place
    from pilot.treatment import Stream


@dataclass(slots=True)
class Tracked:
    """One container and what became of its declarations."""

    container: Container
    logs: tuple[Log, ...]
    rejections: tuple[Rejection, ...]
    gone: bool = False
    phase: Phase = Phase.RUNNING
    ended: float = 0.0  # monotonic time of the look that found it ended
    deadline: float | None = None  # monotonic; from the moment it was gone
    latest: float = 0.0  # monotonic; the deadline is never put off beyond
    waiting: bool = True  # no config has been written since it was found
    lost: tuple[int, int] = (0, 0)  # files and bytes given up at the deadline
    # File sets in its config as last written, and where the collector finds them.
    placed: frozenset[tuple[str, Place]] = frozenset()
    owned: frozenset[str] = frozenset()  # file sets that no other container has
    said: set[str] = field(default_factory=set)  # rejections that are in the log already

    @property
    def sets(self) -> list[FileSet]:
        """Every file set of its logs, once."""
        return [*{one.name: one for each in self.logs for one in each.file_sets}.values()]

    def streams(self, file_set: FileSet) -> tuple[Stream, ...]:
        """What its logs read of a file set, each by an input of its own."""
        return tuple(
            sorted(
                stream
                for each in self.logs
                if any(one.name == file_set.name for one in each.file_sets)
                for stream in each.streams(file_set)
            )
        )

    @property
    def summary(self) -> str:
        """What is collected of it, for a person."""
        places = (
            f"log {each.name} from {file_set.directory}/{file_set.pattern}"
            for each in self.logs
            for file_set in each.file_sets
        )
        return ", ".join(places) or "nothing can be collected"
