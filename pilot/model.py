"""The words that every other module speaks: containers, logs, file sets, rejections; no I/O.

All paths are the node's own, whatever the pilot's or the collector's view of them is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pilot.treatment import Stream, Treatment

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


class Origin(StrEnum):
    """Where a key of a declaration was written; status and `explain` say so."""

    ANNOTATION = "annotation"
    ENV = "env"
    LABEL = "label"
    CUSTOM_CONFIG = "custom config"  # log-pilot's, lines of `name.option=value`
    POLICY = "policy"  # nobody wrote it: the administrator has every container's stdout collected


# Kinds of mounts of which something is known: the runtimes' words, Kubernetes' own, one of ours.
BIND = "bind"  # of a folder or file of the node that somebody chose
HOST_PATH = "hostPath"  # the same
VOLUME = "volume"  # which the runtime or the kubelet made and placed itself
TMPFS = "tmpfs"
BLOCK = "block"
IMAGE = "image"
EMPTY_DIR = "emptyDir"
CLAIMS = ("ephemeral", "persistentVolumeClaim")  # whose folder only the node knows
ROOTFS = "rootfs"  # what the container wrote into its own filesystem


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount of a container.

    `source` is "" where the node has no path for it (tmpfs); `kind` is the runtime's word for it
    (bind, volume, tmpfs, …) or, computed from a pod, Kubernetes' own (emptyDir, hostPath, secret,
    …). `name` is that of a named volume.
    """

    destination: str
    source: str
    kind: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Pod:
    """The Kubernetes pod that a container belongs to."""

    namespace: str
    name: str
    uid: str = ""
    container: str = ""  # the container's name within the pod
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What no other pod of the node has."""
        return f"{self.namespace}/{self.uid or self.name}"


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
    # What of env and labels the image brought; filled only where that is to be refused.
    image_env: Mapping[str, str] = field(default_factory=dict)
    image_labels: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    log_path: str = ""  # stdout and stderr on the node; "" where there is no such file
    log_framing: Framing = Framing.DOCKER
    log_driver: str = ""  # the runtime's word for it, for messages
    # What the container wrote into its own filesystem (the upper directory of its snapshot), on the
    # node; "" where it cannot be had.
    rootfs: str = ""
    pod: Pod | None = None
    # What the source's list would say of it now; "" where the source cannot tell.
    stamp: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One log as somebody declared it: the value and the options, each with the key as written."""

    name: str
    key: str
    value: str
    origin: Origin = Origin.ENV
    options: Mapping[str, Option] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a declaration: the key as written and its text."""

    key: str
    value: str
    origin: Origin = Origin.ENV


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
    stream: Stream = Stream.ALL  # of its file set that is the runtime's log, if it has one
    treatment: Treatment = field(default_factory=Treatment)
    target: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    def streams(self, file_set: FileSet) -> tuple[Stream, ...]:
        """What is read of one of its file sets, each by an input of its own.

        Lines that are joined must be of one stream, or an error would end in the middle of another
        stream's words.
        """
        if file_set.framing is Framing.LINES:
            return (Stream.ALL,)
        if self.treatment.multiline and self.stream is Stream.ALL:
            return (Stream.STDOUT, Stream.STDERR)
        return (self.stream,)


class Code(StrEnum):
    """Stable codes of rejections and notices; each has an entry in docs/rejections.md."""

    ALLOWANCE = "allowance"
    ANNOTATION_ELSEWHERE = "annotation-elsewhere"
    CLAIMED = "claimed"
    CONTAINER_UNKNOWN = "container-unknown"
    ENCODING_UNKNOWN = "encoding-unknown"
    ENV_UNKNOWN = "env-unknown"
    FILE_CLAIMED = "file-claimed"
    FILE_REFUSED = "file-refused"
    FILE_TRUNCATED = "file-truncated"
    FILES_MISSED = "files-missed"
    FOLDER_REFUSED = "folder-refused"
    FORMAT_INVALID = "format-invalid"
    FORMAT_UNKNOWN = "format-unknown"
    IMAGE_REFUSED = "image-refused"
    LOGS_TOO_MANY = "logs-too-many"
    MOUNT_FORBIDDEN = "mount-forbidden"
    MOUNT_UNSUPPORTED = "mount-unsupported"
    MULTILINE_INVALID = "multiline-invalid"
    NAME_INVALID = "name-invalid"
    NAME_SHADOWED = "name-shadowed"
    NUMBER_INVALID = "number-invalid"
    OPTION_FORBIDDEN = "option-forbidden"
    OPTION_UNKNOWN = "option-unknown"
    OPTION_UNSUPPORTED = "option-unsupported"
    PATH_FOLDER = "path-folder"
    PATH_GLOB = "path-glob"
    PATH_INVALID = "path-invalid"
    PATH_NOT_MOUNTED = "path-not-mounted"
    POLICY_EXCLUDED = "policy-excluded"
    REGEXP_INVALID = "regexp-invalid"
    STDOUT_NO_FILE = "stdout-no-file"
    TAG_INVALID = "tag-invalid"
    TAG_RESERVED = "tag-reserved"
    TARGET_FORBIDDEN = "target-forbidden"
    TARGET_INVALID = "target-invalid"
    TIME_FORMAT_INVALID = "time-format-invalid"
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
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Text that is one line everywhere and does nothing to a terminal.

    Control characters, line and paragraph separators, bidirectional controls and lone surrogates
    become the escapes of a Python string (`\n`, `\x1b`, `\u202e`); all else stays, backslashes too.
    """
    return UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def encodable(text: str) -> str:
    """Text that has UTF-8: each lone surrogate becomes U+FFFD."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def shorten(text: str, limit: int = VALUE_SHOWN) -> str:
    """Tenant text for a message: one printable line, at most `limit` characters of it."""
    clean = printable(text[: limit + 1])
    return clean if len(clean) <= limit else f"{clean[:limit]}… ({len(text)} characters)"
