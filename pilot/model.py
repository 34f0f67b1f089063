"""The words that every other module speaks: containers, logs, file sets, rejections; no I/O.

All paths are the node's own, whatever the pilot's or the collector's view of them is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class State(StrEnum):
    """What a container is doing, as far as its logs are concerned."""

    CREATED = "created"  # never started: nothing to collect
    RUNNING = "running"  # also paused and restarting: it may write
    ENDED = "ended"  # its process is gone, its record is still there


class Framing(StrEnum):
    """How the bytes of a file wrap an application's lines."""

    DOCKER = "docker"  # Docker's json-file: {"log": …, "stream": …, "time": …}
    CRI = "cri"  # Kubernetes logging format: <time> <stream> <P|F> <text>
    LINES = "lines"  # the application's own file: text ended by newlines


class PinKind(StrEnum):
    """How a collector comes to the bytes of one file."""

    LINKED = "linked"  # a hard link
    COPIED = "copied"  # a copy that grows as its original does
    DIRECT = "direct"  # no pin: the original itself, under its own name


class Format(StrEnum):
    """What the text of one event is, as declared."""

    NONE = "none"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount of a container.

    `source` is "" where the node has no path for it (tmpfs); `kind` is the runtime's word for it
    (bind, volume, tmpfs, …).
    """

    destination: str
    source: str
    kind: str


@dataclass(frozen=True, slots=True)
class Pod:
    """The Kubernetes pod that a container belongs to."""

    namespace: str
    name: str
    uid: str = ""
    container: str = ""  # the container's name within the pod


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container, as a fresh look at its runtime found it."""

    id: str
    name: str
    state: State
    created: str = ""  # as the runtime writes it (RFC 3339); compared, never computed with
    image: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    log_path: str = ""  # stdout and stderr on the node; "" where there is no such file
    log_framing: Framing = Framing.DOCKER
    log_driver: str = ""  # the runtime's word for it, for messages
    rootfs: str = ""  # the container's own filesystem on the node; "" where it cannot be had
    pod: Pod | None = None
    # What the source's list would say of it now; "" where the source cannot tell.
    stamp: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One log as somebody declared it: the value and the options, each with the key as written."""

    name: str
    key: str
    value: str
    options: Mapping[str, Option] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a declaration: the key as written and its text."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSet:
    """The files that one item of a log names: those in one folder that match one pattern.

    `root` is the folder on the node that may not be left (a mount's source, or the folder of the
    runtime's own log); `folder` is the part below it, "" for the root itself. `pattern` is a glob
    below that folder, component by component (fnmatch rules); folders of it may be globs too, and
    `**` is any number of folders. `rotated` also takes what rotation makes of such a name
    (`app.log.1`, `app.log-20260102`). `name` is the file set's identity: the collector's input id
    and the folder of its pins, [0-9A-Za-z._-]{1,100}.
    """

    name: str
    root: str
    folder: str
    pattern: str
    framing: Framing
    inside: str = ""  # the folder as the container knows it; "" for the runtime's own log
    rotated: bool = True

    @property
    def directory(self) -> str:
        """The folder that holds the files, on the node."""
        return f"{self.root.rstrip('/')}/{self.folder}" if self.folder else self.root

    @property
    def mounted_at(self) -> str:
        """Where the container sees `root`; "" where no link in it can be followed.

        That is so for the runtime's own log and for a single file that is mounted.
        """
        if not self.rotated or not self.inside:
            return ""
        return self.inside.removesuffix(f"/{self.folder}") or "/" if self.folder else self.inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """One declared log after everything about it was accepted."""

    name: str
    key: str
    file_sets: tuple[FileSet, ...]
    format: Format = Format.NONE
    target: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


class Code(StrEnum):
    """Stable codes of rejections and notices; each has an entry in docs/rejections.md."""

    ALLOWANCE = "allowance"
    CLAIMED = "claimed"
    FILE_CLAIMED = "file-claimed"
    FILE_REFUSED = "file-refused"
    FILE_TRUNCATED = "file-truncated"
    FILES_MISSED = "files-missed"
    FOLDER_REFUSED = "folder-refused"
    FORMAT_UNKNOWN = "format-unknown"
    LOGS_TOO_MANY = "logs-too-many"
    MOUNT_FORBIDDEN = "mount-forbidden"
    MOUNT_UNSUPPORTED = "mount-unsupported"
    NAME_INVALID = "name-invalid"
    NAME_SHADOWED = "name-shadowed"
    OPTION_UNKNOWN = "option-unknown"
    OPTION_UNSUPPORTED = "option-unsupported"
    PATH_FOLDER = "path-folder"
    PATH_GLOB = "path-glob"
    PATH_INVALID = "path-invalid"
    PATH_NOT_MOUNTED = "path-not-mounted"
    STDOUT_NO_FILE = "stdout-no-file"
    TAG_INVALID = "tag-invalid"
    TAG_RESERVED = "tag-reserved"
    TARGET_INVALID = "target-invalid"
    VALUE_EMPTY = "value-empty"
    VALUE_INVALID = "value-invalid"
    VALUE_TOO_LONG = "value-too-long"


VALUE_SHOWN = 80  # characters of a tenant's text that a message repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Something a container declared that is not done, said to the person who wrote it.

    A notice (`notice=True`) is about a log that is collected all the same. `key` is the key as
    written, `value` its text, shortened and printable; `reason` is one sentence; `hint` is the
    nearest valid key or value, or "".
    """

    code: Code
    key: str
    reason: str
    value: str = ""
    log: str = ""
    hint: str = ""
    notice: bool = False

    def __str__(self) -> str:
        shown = f" = {self.value!r}" if self.value else ""
        hint = f" Did you mean {self.hint!r}?" if self.hint else ""
        return f"{self.code}: {shorten(self.key)!r}{shown}: {self.reason}{hint}"


# Control characters (Unicode's Cc), line and paragraph separators (Zl, Zp), what has the property
# Bidi_Control (UAX #9), and surrogates, which no UTF-8 text has.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    r"""Text that is one line everywhere and does nothing to a terminal.

    Control characters, line and paragraph separators, bidirectional controls and lone surrogates
    become the escapes of a Python string (`\n`, `\x1b`, `\u202e`); all else stays, backslashes too.
    """
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def shorten(text: str, limit: int = VALUE_SHOWN) -> str:
    """Tenant text for a message: one printable line, at most `limit` characters of it."""
    clean = printable(text[: limit + 1])
    return clean if len(clean) <= limit else f"{clean[:limit]}… ({len(text)} characters)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One file set as a collector is to read it.

    `pins` is the folder of the set's pins as the collector sees it; None in direct mode, where the
    collector reads what matches the last part of the pattern in `folders`. Paths below `base` are
    known to the container as paths below `shown`. An open file on a `mounted` volume would block
    its unmount. `fields` go on every event.
    """

    file_set: FileSet
    format: Format
    pins: str | None
    folders: tuple[str, ...] = ()
    base: str
    shown: str
    mounted: bool = False
    fields: Mapping[str, str]

    @property
    def id(self) -> str:
        """The collector's name for this input: the file set's own, so it outlives containers."""
        return self.file_set.name

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
