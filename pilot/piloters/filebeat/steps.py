"""What Filebeat does to the lines of one input: a treatment in its words, for the template.

Sifting is done by processors, not by `include_lines`: what a processor drops counts as read.
JSON is taken apart behind that, by a processor too. The parser `ndjson` would let it replace the
file's path and the offset by objects, at which Filebeat stops reading the file for good.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilot.model import Framing
from pilot.piloters.filebeat.encode import KEY
from pilot.piloters.filebeat.encodings import encoding
from pilot.piloters.filebeat.layouts import LayoutError, dated_layouts
from pilot.piloters.filebeat.newlines import before_newline
from pilot.piloters.filebeat.options import written
from pilot.regexps import parse
from pilot.treatment import Format

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from pilot.handover import Input
    from pilot.treatment import Multiline, Treatment

# Who a line is from is ours to say, also where we say nothing: a container's JSON may not fill in.
# Nor may it choose the document or the data stream that an event becomes part of.
RESERVED = (
    "_id",
    "container_id",
    "container_image",
    "data_stream",
    "docker_app",
    "docker_container",
    "docker_service",
    "index",
    "k8s_container_name",
    "k8s_node_name",
    "k8s_pod",
    "k8s_pod_namespace",
    "k8s_pod_uid",
    "log_name",
    "topic",
)
# Filebeat's own fields as one key with dots, which a sink takes for the same field.
DOTTED = (
    "agent.ephemeral_id",
    "agent.hostname",
    "agent.id",
    "agent.name",
    "agent.type",
    "agent.version",
    "data_stream.dataset",
    "data_stream.namespace",
    "data_stream.type",
    "ecs.version",
    "host.name",
    "input.type",
    "log.file",
    "log.file.device_id",
    "log.file.fingerprint",
    "log.file.inode",
    "log.file.path",
    "log.flags",
    "log.offset",
)
# Fields that Filebeat, or a fragment on the way, writes itself.
FILEBEATS = frozenset({"agent", "ecs", "error", "host", "input", "log", "stream", "tags"})
OWN = "log_pilot_"  # how names begin that a fragment uses on the way
ASIDE = f"@metadata.{OWN}json"
# Each comma of a line costs Filebeat a hundred bytes: one of 10 MiB, its limit, took 700 MB.
MOST_OF_CSV = 1 << 20  # bytes of a text that is taken apart; the rest is cut off
TEXT = f"{OWN}text"  # the event's text while it is taken apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """A multiline parser."""

    pattern: str
    negate: bool
    match: str
    max_lines: int
    timeout: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """A timestamp processor."""

    field: str
    layouts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """All of it, in the order of the fragment."""

    encoding: str = ""
    raw: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    join: Join | None = None
    keep: str = ""
    drop: str = ""
    max_bytes: int = 0
    json: bool = False
    target: str = ""
    ours: tuple[str, ...] = ()  # fields that JSON at the top may not touch
    columns: Mapping[str, int] = field(default_factory=dict)
    more: int = 0  # the first column that has no name
    time: Time | None = None
    aside: str = ""  # where JSON is looked at for a time that it may not have at the top


def steps(each: Input) -> Steps:
    """What is done to the lines of an input."""
    asked = each.treatment
    form = written_format(asked, each.fields)
    json = form is Format.JSON
    return Steps(
        encoding=encoding(asked.encoding) if each.file_set.framing is Framing.LINES else "",
        raw=written(asked.raw),
        join=_join(asked.multiline, each.file_set.framing) if asked.multiline else None,
        keep=_go(asked.include),
        drop=_go(asked.exclude),
        max_bytes=min(asked.max_bytes or MOST_OF_CSV, MOST_OF_CSV)
        if form is Format.CSV
        else asked.max_bytes,
        json=json,
        target=asked.target if form is not Format.NONE else "",
        ours=_ours(each) if json and not asked.target else (),
        columns=_columns(asked, each.fields) if form is Format.CSV else {},
        more=len(asked.keys),
        time=_time(asked) if form is not Format.NONE else None,
        aside=ASIDE if json and _aside(asked) else "",
    )


def written_format(asked: Treatment, fields: Container[str]) -> Format:
    """The format that the fragment takes text apart by: none where it would overwrite others'."""
    if asked.format not in {Format.JSON, Format.CSV} or reserved(asked.target, fields):
        return Format.NONE
    return asked.format


def reserved(name: str, fields: Container[str]) -> bool:
    """Whether a field of that name, at the top, is not the container's to fill."""
    if not name:
        return False
    head = name.split(".")[0]
    return (
        head in fields
        or head in RESERVED
        or head in FILEBEATS
        or head.startswith((OWN, "com_aliyun_access_", "@"))
    )


def _ours(each: Input) -> tuple[str, ...]:
    stream = () if each.file_set.framing is Framing.LINES else ("stream",)
    return (*sorted(each.fields), "input", "log", *stream)


def unnamed(asked: Treatment, fields: Container[str]) -> list[str]:
    """The keys of CSV whose columns are left out."""
    return [
        key
        for key in asked.keys
        if not KEY.match(key) or (not asked.target and reserved(key, fields))
    ]


def _columns(asked: Treatment, fields: Container[str]) -> dict[str, int]:
    """Field → column."""
    out = unnamed(asked, fields)
    below = f"{asked.target}." if asked.target else ""
    return {f"{below}{key}": at for at, key in enumerate(asked.keys) if key not in out}


def _join(asked: Multiline, framing: Framing) -> Join:
    docker = framing is Framing.DOCKER
    return Join(
        pattern=before_newline(asked.pattern) if docker else _go(asked.pattern),
        negate=asked.negate,
        match=asked.match.value,
        max_lines=asked.max_lines,
        timeout=f"{max(1, round(asked.timeout * 1000))}ms",
    )


def _time(asked: Treatment) -> Time | None:
    if not asked.time_key:
        return None
    try:
        found = dated_layouts(asked.time_format)
    except LayoutError:
        return None  # As `refuse` says, the event keeps the time of reading.
    place = ASIDE if _aside(asked) else asked.target
    below = f"{place}." if place else ""
    return Time(field=f"{below}{asked.time_key}", layouts=found)


def _aside(asked: Treatment) -> bool:
    """Whether the time is in `@timestamp` or the like, which at the top is Filebeat's."""
    return asked.time_key.startswith("@") and not asked.target


def _go(pattern: str) -> str:
    return parse(pattern).to_go() if pattern else ""
