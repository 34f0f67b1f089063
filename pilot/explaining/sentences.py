"""The plain sentences of an explanation: what was written, what it became, where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilot.model import BIND, HOST_PATH, ROOTFS, VOLUME, Framing, Origin, PinKind, shorten
from pilot.treatment import Format, Match, Stream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pilot.explaining.explanation import Refusal, SetExplanation, Written
    from pilot.explaining.known import KnownFile
    from pilot.model import Log

SHOWN = 200  # characters of a path that a sentence repeats
PLACES = {
    Origin.ANNOTATION: "annotation of the pod",
    Origin.ENV: "environment variable",
    Origin.LABEL: "label",
    Origin.CUSTOM_CONFIG: "line of a custom config",
    Origin.POLICY: "the administrator's policy",
    "image": "the image",
}
_STREAMS = {
    Stream.ALL: "stdout and stderr",
    Stream.STDOUT: "stdout alone",
    Stream.STDERR: "stderr alone",
}
_KINDS = {
    PinKind.LINKED: "linked: a hard link of its own, so a rotation or removal loses nothing",
    PinKind.COPIED: "copied: no hard link reaches its filesystem, so a copy grows with it",
    PinKind.DIRECT: "direct: read under its own name, because pins are off",
}
_FORMATS = {
    Format.NONE: "each event is shipped as text",
    Format.JSON: "each event is read as JSON",
    Format.CSV: "each event is taken apart at its commas",
    Format.REGEXP: "each event is taken apart by a regular expression",
    Format.NGINX: "each event is taken apart as nginx writes its access log",
    Format.APACHE2: "each event is taken apart as Apache writes its access log",
    Format.APACHE_ERROR: "each event is taken apart as Apache writes its error log",
}


def written(one: Written) -> str:
    """A key with its value, and where it was written."""
    place = PLACES.get(one.origin, one.origin)
    if one.origin == Origin.POLICY:
        return f"{_quoted(one.value)} by {place}"
    if one.origin == Origin.CUSTOM_CONFIG and one.option:
        place = f"{place}: {shorten(one.option)}"  # its key tells nothing
    return f"'{shorten(one.key, SHOWN)}' = {_quoted(one.value)} ({place})"


def _quoted(text: str) -> str:
    """Text as it was written: a pattern keeps its backslashes single."""
    return f"'{shorten(text)}'"


def treatment(log: Log, cannot: Collection[str] = ()) -> Iterator[str]:
    """What is done with the lines, one sentence each, in the order of doing.

    `cannot` are the features that the collector lacks; a notice says so of each.
    """
    asked = log.treatment
    if asked.encoding:
        yield f"text is decoded from {asked.encoding}"
    if lines := asked.multiline:
        which = "do not match" if lines.negate else "match"
        where = "before" if lines.match is Match.AFTER else "after"
        yield (
            f"lines that {which} {_quoted(lines.pattern)} belong to the event of the line {where}"
            f" them, at most {lines.max_lines} lines, complete after {lines.timeout:g} s"
        )
    if asked.include:
        yield f"only events that match {_quoted(asked.include)} are shipped"
    if asked.exclude:
        yield f"events that match {_quoted(asked.exclude)} are dropped"
    if asked.max_bytes:
        yield f"an event longer than {asked.max_bytes} bytes is cut"
    plain = f"format {asked.format}" in cannot
    yield _FORMATS[Format.NONE] if plain else _format(log)
    for key in sorted(asked.raw):
        yield f"the collector's own option {_quoted(key)} = {_quoted(asked.raw[key])}"


def _format(log: Log) -> str:
    asked = log.treatment
    said = _FORMATS[asked.format]
    if asked.pattern:
        said += f" {_quoted(asked.pattern)}"
    if asked.keys:
        said += f" into {', '.join(asked.keys)}"
    if asked.target:
        said += f", below the field {asked.target!r}"
    if asked.time_key:
        how = f" written as {_quoted(asked.time_format)}" if asked.time_format else ""
        said += f"; its time is in {asked.time_key!r}{how}"
    return said


def routing(log: Log, index: str) -> str:
    """Under which index and topic events go, and why."""
    if "index" in log.tags or "topic" in log.tags:
        why = "by the log's tags"
    else:
        why = "the log's target" if log.target else "the log's name"
    topic = log.tags.get("topic") or log.target or log.name
    also = "" if topic == index else f", topic {topic!r}"
    return f"index {index!r}{also} ({why})"


def tags(log: Log) -> str:
    """The tags that go on every event."""
    shown = ", ".join(f"{key}={shorten(log.tags[key])}" for key in sorted(log.tags))
    return f"each event carries the tags {shown}"


def place(one: SetExplanation) -> str:
    """Where a file set lies, and what of the mount that comes from."""
    folder, pattern = shorten(one.folder, SHOWN), shorten(one.pattern, SHOWN)
    if one.framing != Framing.LINES:
        streams = "stdout and stderr, each read by itself,"
        if len(one.streams) == 1:
            streams = _STREAMS[Stream(one.streams[0])]
        return (
            f"{streams} of the container: the runtime keeps them in {folder}/{pattern} on the node"
        )
    rotated = ", and what rotation makes of such a name" if one.rotated else ""
    files = f"files {pattern}{rotated}" if one.rotated else f"the file {pattern}"
    if not one.mount:
        return f"{shorten(one.path, SHOWN)} is {folder} on the node: {files}"
    kind = _mount(one)
    return (
        f"{shorten(one.path, SHOWN)} lies on {kind} at {shorten(one.mount.destination, SHOWN)};"
        f" on the node that is {folder}: {files}"
    )


def _mount(one: SetExplanation) -> str:
    mount = one.mount
    if not mount:
        return ""
    if mount.kind == ROOTFS:
        return "the container's own filesystem"
    named = f" {shorten(mount.name)!r}" if mount.name else ""
    if mount.kind in (BIND, HOST_PATH):
        return f"a folder of the node ({mount.kind})" if one.rotated else "a file of the node"
    kind = "" if mount.kind == VOLUME else f" ({shorten(mount.kind) or 'of unknown kind'})"
    return f"the volume{named}{kind}"


def file(one: KnownFile) -> str:
    """One file: its size, how it is pinned and why, or why not."""
    said = [_size(one.size)]
    if one.kind:
        said.append(_KINDS[one.kind])
    if one.why:
        said.append(one.why)
    if one.gone:
        said.append("its original is gone or matches no more, and what is unread is kept")
    if one.held_back:
        said.append("kept from the collector until older ones are read")
    if one.really:
        said.append(f"it really lies at {shorten(one.really, SHOWN)}")
    return f"{shorten(one.path, SHOWN)}: {'; '.join(said)}"


def _size(size: int | None) -> str:
    return "size unknown" if size is None else f"{size} bytes"


def progress(one: KnownFile) -> str:
    """How far the collector is with one file."""
    name = shorten(one.path.rpartition("/")[2], SHOWN)
    if one.read:
        size = "?" if one.size is None else str(one.size)
        parts = [
            f"{read} of {size} bytes" if stream == Stream.ALL else f"to byte {read} for {stream}"
            for stream, read in sorted(one.read.items())
        ]
        said = f"has read {' and '.join(parts)}"
        if Stream.ALL not in one.read:
            said += f" of {size} (a stream is read to its own last line)"
    else:
        said = "has no record of it yet"
    return f"{name}: the collector {said}{_unread(one)}"


def _unread(one: KnownFile) -> str:
    if one.unread is None:
        return ""
    return f"; {one.unread} bytes unread" if one.unread else "; nothing is unread"


def refusal(one: Refusal) -> str:
    """A rejection in full, with its code, its hint, and where to read on."""
    shown = f" = {one.value!r}" if one.value else ""
    hint = f" Did you mean {one.hint!r}?" if one.hint else ""
    reason = one.reason if one.reason.endswith((".", "?", "!")) else f"{one.reason}."
    return f"{one.code}: {shorten(one.key, SHOWN)!r}{shown}: {reason}{hint} See {one.link}"
