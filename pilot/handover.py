"""What the pilot hands to a collector: inputs, the fragment made of them, how to run it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilot.treatment import Stream, Treatment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilot.model import FileSet


def input_id(file_set: str, stream: Stream) -> str:
    """The collector's name for what reads this stream of that file set.

    All and stdout share one, since nobody reads both: a declaration that begins or ceases to set
    stderr apart lets stdout go on where it was.
    """
    return f"{file_set}-{stream}" if stream is Stream.STDERR else file_set


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One file set, or one stream of it, as a collector is to read it.

    `pins` is the folder of the set's pins as the collector sees it; None in direct mode, where the
    collector reads what matches the last part of the pattern in `folders`. Paths below `base` are
    known to the container as paths below `shown`. An open file on a `mounted` volume would block
    its unmount. `fields` go on every event.
    """

    file_set: FileSet
    stream: Stream = Stream.ALL
    treatment: Treatment = field(default_factory=Treatment)
    pins: str | None
    folders: tuple[str, ...] = ()
    base: str
    shown: str
    mounted: bool = False
    fields: Mapping[str, str]

    @property
    def id(self) -> str:
        """The collector's name for this input: the file set's own, so it outlives containers."""
        return input_id(self.file_set.name, self.stream)

    @property
    def file_pattern(self) -> str:
        """The glob for names in `folders`."""
        return self.file_set.pattern.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Fragment:
    """What one container adds to a collector's config."""

    container_id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Command:
    """How to run a collector as a child: argument vector, environment, the lock that it holds."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    lock: str = ""  # flock(2)ed by a running collector; "" where there is none
    stop_grace: float = 10.0  # seconds between SIGTERM and SIGKILL
