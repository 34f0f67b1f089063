"""The explanation itself: frozen plain data, the same for a person and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilot.explaining.known import KnownFile


class Outcome(StrEnum):
    """What became of one log, or of all logs of a container."""

    COLLECTED = "collected"  # all that it names, as soon as it is there
    PARTLY = "partly collected"  # some of what it names was rejected
    WAITING = "waiting"  # accepted, and its folder is not there or cannot be read
    ELSEWHERE = "elsewhere"  # meant for other containers of the pod
    REJECTED = "rejected"
    UNDECLARED = "undeclared"  # nothing is declared at all


class About(StrEnum):
    """Which step of the way a sentence is about, in their order."""

    DECLARED = "declared"
    OPTION = "option"
    BECOMES = "becomes"
    PLACE = "place"
    FILE = "file"
    FRAGMENT = "fragment"
    COLLECTOR = "collector"
    STATE = "state"
    LOST = "lost"
    NOTICE = "notice"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Step:
    """One sentence about one step."""

    about: About
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One key as somebody wrote it: `origin` is where."""

    key: str
    value: str
    origin: str
    option: str = ""  # the option's name; "" for the log itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A rejection or notice, with a link to what to do about it."""

    code: str
    key: str
    value: str
    log: str
    reason: str
    hint: str
    notice: bool
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MountPlace:
    """The mount that a path lies on."""

    destination: str
    source: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetExplanation:
    """One file set of a log: where it lies and what is there."""

    name: str  # the collector's input id, without a stream
    path: str  # as the container knows it; "" for its own output
    streams: tuple[str, ...]
    framing: str
    mount: MountPlace | None
    folder: str  # on the node
    pattern: str
    rotated: bool
    owner: str  # the container that it is collected for, if that is another one
    phase: str
    pins_folder: str
    folders: tuple[str, ...]
    problem: str
    note: str
    paused: bool
    lost: Mapping[str, int]
    files_found: int
    files: tuple[KnownFile, ...]  # the first of them
    refused: Mapping[str, str]
    claimed: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogExplanation:
    """One log of a container. `treatment` holds only what was asked for."""

    name: str
    outcome: Outcome
    declared: Written | None
    options: tuple[Written, ...] = ()
    treatment: Mapping[str, object] = field(default_factory=dict)
    target: str = ""
    index: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    sets: tuple[SetExplanation, ...] = ()
    rejections: tuple[Refusal, ...] = ()
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearly:
    """A key that declares nothing and looks as if it was to."""

    key: str
    origin: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One container. `rejections` are those that belong to no log."""

    id: str
    name: str
    pod: str  # namespace/name, "" without one
    container: str  # its name within the pod
    image: str
    state: str
    phase: str
    gone: bool
    deadline_in: float | None
    lost: Mapping[str, int]
    fragments: tuple[str, ...]
    outcome: Outcome
    logs: tuple[LogExplanation, ...] = ()
    rejections: tuple[Refusal, ...] = ()
    nearly: tuple[Nearly, ...] = ()
    steps: tuple[Step, ...] = ()
