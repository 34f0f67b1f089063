"""What is known of a container's files and of its end, whoever looked: the daemon or a command."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilot.model import PinKind

MOST_FILES = 200  # of one file set that are told; `files_found` counts all


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """One file of a file set, as the last look at it says.

    `path` is as the container knows it, the node's own for the runtime's log. `read` is how far
    each input is, stream → bytes; a stream that the collector has no record of is missing.
    """

    path: str
    size: int | None = None  # bytes; None: nobody has seen it
    kind: PinKind | None = None  # None: it has no pin
    why: str = ""  # why it is pinned so, or why not
    pin: str = ""  # the pin's name
    really: str = ""  # where it lies, if a link led there, on the node
    read: Mapping[str, int] = field(default_factory=dict)
    unread: int | None = None  # bytes; None: the collector was not asked
    gone: bool = False  # its original has been deleted, or matches no more
    held_back: bool = False  # pinned, and not shown to the collector yet


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSet:
    """One file set: whose it is, where its files are read, and what stands in the way."""

    owner: str = ""  # the container that it is collected for, if that is another one
    phase: str = ""  # running, draining, drained, retiring; "" without a daemon
    pins_folder: str = ""  # on the node
    folders: tuple[str, ...] = ()  # of the node, where files are read directly
    problem: str = ""  # why the folder cannot be looked at now
    note: str = ""  # what else is to be said of the look
    refused: Mapping[str, str] = field(default_factory=dict)  # file name → why not
    claimed: Mapping[str, str] = field(default_factory=dict)  # file name → who has it
    files: tuple[KnownFile, ...] = ()  # the first of them
    files_found: int = 0
    paused: bool = False  # copies do not grow
    lost_files: int = 0
    lost_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownContainer:
    """One container: what the daemon holds of it. All is empty where there is none."""

    live: bool = False  # a daemon says so
    sets: Mapping[str, KnownSet] = field(default_factory=dict)  # file set's name → what is known
    phase: str = ""
    gone: bool = False
    deadline_in: float | None = None  # seconds
    lost_files: int = 0
    lost_bytes: int = 0
    fragments: tuple[str, ...] = ()  # the files of the collector's config that hold its inputs
    unwritten: str = ""  # why its config is not what it should be
    unread_records: str = ""  # why the collector's records cannot be read
    blocked: bool = False  # the collector acknowledges nothing
