"""A container's `env` as the kubelet makes it of a pod, as far as the pod alone tells.

The rules are those of Kubernetes' `third_party/forked/golang/expansion` and of the kubelet's
`makeEnvironmentVariables`: a variable may use those before it by `$(NAME)`, `$$` is a dollar, and
what names nothing stays as it is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilot.manifests.shapes import Path, at, mapping, sequence, text

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 4 << 20  # characters of all variables that use others; no process can be given more
_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|\((?P<name>[^)]*)\))")
_SUBSCRIPT = re.compile(r"metadata\.(?P<which>labels|annotations)\['(?P<key>[^']+)'\]")
# Variables of services, which the kubelet adds for each service of the namespace.
_OF_SERVICE = re.compile(r"[A-Z0-9_]+_(?:SERVICE_(?:HOST|PORT\w*)|PORT\w*)")


@dataclass(frozen=True, slots=True)
class Environment:
    """Known values, unknown ones with where they come from, what is no text, and their places."""

    values: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    untyped: dict[str, object] = field(default_factory=dict)
    where: dict[str, Path] = field(default_factory=dict)


def environment(
    container: Mapping[str, object], path: Path, fields: Mapping[str, str], pod: object
) -> Environment:
    """The variables of a container that stands at `path` of its document.

    `fields` are the pod's by `fieldPath`, as far as they are known; `pod` is the pod's mapping.
    """
    made, room = Environment(), MOST
    foreign = bool(sequence(container.get("envFrom")))
    for number, entry in enumerate(sequence(container.get("env"))):
        name = text(mapping(entry).get("name"))
        if not name:
            continue
        made.where[name] = (*path, "env", number)
        for each in (made.values, made.unknown, made.untyped):
            each.pop(name, None)
        source, value = entry.get("valueFrom"), entry.get("value")
        if isinstance(source, dict):
            known, origin = _referred(source, fields, pod)
        elif value is None or isinstance(value, str):
            known, origin = expand(value or "", made, foreign=foreign, room=room)
            room -= len(known or "") if "$" in (value or "") else 0
        else:
            made.untyped[name] = value
            continue
        if known is None:
            made.unknown[name] = origin
        else:
            made.values[name] = known
    return made


def expand(
    value: str, known: Environment, *, foreign: bool, room: int = MOST
) -> tuple[str | None, str]:
    """A text with its references replaced; None and where from if that depends on an unknown one.

    `foreign` says that there are variables (`envFrom`) that nobody here knows, `room` how many
    characters references may be replaced by: each may double what is before it.
    """
    if "$" not in value:
        return value, ""
    unknown = ""

    def replaced(found: re.Match[str]) -> str:
        nonlocal unknown, room
        if found["dollar"]:
            return "$"
        name = found["name"]
        if name in known.values:
            room -= len(known.values[name])
            if room >= 0:
                return known.values[name]
            unknown = unknown or "references that make it too long for a process"
            return ""
        if name in known.unknown or foreign or _OF_SERVICE.fullmatch(name):
            unknown = unknown or f"the variable {name}, which is not known here"
        return found[0]

    made = _REFERENCE.sub(replaced, value)
    return (None, unknown) if unknown else (made, "")


def _referred(
    source: Mapping[str, object], fields: Mapping[str, str], pod: object
) -> tuple[str | None, str]:
    """What `valueFrom` means, if the pod tells; else None and where it comes from."""
    for kind, said in (("secretKeyRef", "the Secret"), ("configMapKeyRef", "the ConfigMap")):
        if kind in source:
            return None, f"{said} {text(at(source, kind, 'name')) or '?'}"
    field_path = text(at(source, "fieldRef", "fieldPath"))
    if field_path in fields:
        return fields[field_path], ""
    if found := _SUBSCRIPT.fullmatch(field_path):
        return text(at(pod, "metadata", found["which"], found["key"])), ""
    return None, f"the pod's {field_path}" if field_path else "elsewhere"
