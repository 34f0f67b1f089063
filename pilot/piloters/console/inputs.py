"""What one fragment holds: written by the piloter, read by the collector; the grammar's only place.

A fragment is a YAML mapping of `inputs` (a list) and `version`. The keys are sorted, so the version
stands last: a fragment that was cut anywhere is never taken for a whole one. The version goes up
whenever a collector that does not know a key would do wrong without it. Fragments of version 1 are
read, too: they had a `format`, none or json, and nothing else of a treatment, nor a stream.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import yaml

from pilot.model import Framing
from pilot.piloters.console import treatments
from pilot.treatment import Stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilot.treatment import Treatment

VERSION = 2
FIRST = 1  # the oldest version that is read
HEADER = b"# Written by log-pilot for its console collector; changes are overwritten.\n"

Loader: type[yaml.SafeLoader | yaml.CSafeLoader]
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # many times as fast, but optional
Value = TypeVar("Value", str, bool)
KEYS = frozenset({"id", "framing", "stream", "treatment", "shown", "fields", "pins"}) | {
    *("folders", "base", "pattern", "rotated"),
}


class InputError(Exception):
    """A fragment is not one that the piloter would write. Said to a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleInput:
    """One file set, or one stream of it, as this collector reads it.

    `pins` is the folder of its pins, "" in direct mode, where `folders` are read: the names that
    match `pattern` and, with `rotated`, what rotation makes of them. `shown` is the folder that
    events name for the one of the pins or, directly, for `base`: the container's own, or the node's
    for the runtime's own log.
    """

    id: str
    pins: str
    folders: tuple[str, ...]
    base: str
    pattern: str
    rotated: bool
    shown: str
    framing: Framing
    stream: Stream = Stream.ALL
    treatment: Treatment = treatments.NOTHING
    fields: Mapping[str, str]


def dump(inputs: Sequence[ConsoleInput]) -> bytes:
    """The fragment that holds these inputs; the same inputs give the same bytes."""
    content = {"inputs": [_plain(each) for each in inputs], "version": VERSION}
    return HEADER + yaml.safe_dump(content, sort_keys=True, width=1 << 20).encode("ascii")


def parse(content: bytes) -> tuple[ConsoleInput, ...]:
    """The inputs of a fragment. Raises InputError where it is broken or not whole."""
    raw = _load(content)
    version = raw.get("version") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or type(version) is not int or not FIRST <= version <= VERSION:
        raise InputError(f"not a whole fragment: it must end with `version: {VERSION}`")
    inputs = raw.get("inputs")
    if not isinstance(inputs, list):
        raise InputError("`inputs` must be a list")
    return tuple(_input(each, version) for each in inputs)


def _plain(each: ConsoleInput) -> dict[str, object]:
    plain: dict[str, object] = {
        "id": each.id,
        "framing": each.framing.value,
        "stream": each.stream.value,
        "treatment": treatments.plain(each.treatment),
        "shown": each.shown,
        "fields": {_encodable(key): _encodable(value) for key, value in each.fields.items()},
    }
    if each.pins:
        return {**plain, "pins": each.pins}
    return {
        **plain,
        "folders": list(each.folders),
        "base": each.base,
        "pattern": each.pattern,
        "rotated": each.rotated,
    }


def _encodable(text: str) -> str:
    """Surrogates, which stand for invalid UTF-8, replaced: no event could carry them."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _load(content: bytes) -> object:
    try:
        return yaml.load(content, Loader)  # noqa: S506 -- both are safe loaders
    except yaml.YAMLError:
        pass  # libyaml refuses escaped surrogates, which a path with invalid UTF-8 is written with.
    try:
        return yaml.safe_load(content)
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"not YAML: {' '.join(str(error).split())}") from error


def _input(raw: object, version: int) -> ConsoleInput:
    if not isinstance(raw, dict):
        raise InputError("an input must be a mapping")
    if version == FIRST:
        raw = _upgraded(raw)
    if unknown := raw.keys() - KEYS:
        raise InputError(f"an input holds unknown keys: {sorted(map(str, unknown))}")
    fields = raw.get("fields", {})
    if not isinstance(fields, dict) or not all(
        isinstance(text, str) for pair in fields.items() for text in pair
    ):
        raise InputError("`fields` must map text to text")
    try:
        framing, stream = Framing(_get(raw, "framing", str)), Stream(_get(raw, "stream", str))
    except ValueError as error:
        raise InputError(str(error)) from error
    try:
        treatment = treatments.parse(raw.get("treatment"))
    except ValueError as error:
        raise InputError(f"`treatment`: {error}") from error
    pins = _get(raw, "pins", str) if "pins" in raw else ""
    folders = [] if pins else raw.get("folders")
    if not isinstance(folders, list) or not all(isinstance(each, str) for each in folders):
        raise InputError("`folders` must be a list of texts")
    return ConsoleInput(
        id=_get(raw, "id", str),
        pins=pins,
        folders=tuple(folders),
        base="" if pins else _get(raw, "base", str),
        pattern="" if pins else _get(raw, "pattern", str),
        rotated=not pins and _get(raw, "rotated", bool),
        shown=_get(raw, "shown", str),
        framing=framing,
        stream=stream,
        treatment=treatment,
        fields=fields,
    )


def _upgraded(raw: Mapping[str, object]) -> dict[str, object]:
    """An input of version 1 in the words of this version. Raises InputError."""
    if "stream" in raw or "treatment" in raw or raw.get("format") not in ("none", "json"):
        raise InputError("an input of version 1 has a `format`, none or json")
    rest = {key: value for key, value in raw.items() if key != "format"}
    return {**rest, "stream": Stream.ALL.value, "treatment": {"format": raw["format"]}}


def _get(raw: Mapping[str, object], key: str, kind: type[Value]) -> Value:
    value = raw.get(key)
    if not isinstance(value, kind):
        raise InputError(f"`{key}` must be {'text' if kind is str else 'true or false'}")
    return value
