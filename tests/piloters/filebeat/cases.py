"""A log with something that a treatment may ask for, and the events that Filebeat makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pilot.model import Framing
from pilot.treatment import Stream, Treatment
from tests.piloters.filebeat.endings import cri, docker

if TYPE_CHECKING:
    from collections.abc import Mapping

Event = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One input, its file and its events, without what is the same on all.

    `end` is where the cursor ends, if not at the file's end; with `beyond` it may go further than
    `readable_end` says.
    """

    name: str
    content: bytes
    events: tuple[Event, ...]
    treatment: Treatment = field(default_factory=Treatment)
    framing: Framing = Framing.LINES
    stream: Stream = Stream.ALL
    end: int | None = None
    beyond: int = 0
    times: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


def texts(*found: str, **more: Any) -> tuple[Event, ...]:
    return tuple({"message": text, **more} for text in found)


def plain(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def docker_lines(*lines: str, stream: str = "stdout", ending: str = "\n") -> bytes:
    return b"".join(docker(line + ending, stream=stream) for line in lines)


def cri_lines(*lines: str, stream: str = "stdout") -> bytes:
    return b"".join(
        cri("F", line).replace(b" stdout ", b" %b " % stream.encode()) for line in lines
    )
