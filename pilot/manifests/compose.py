"""Compose files → the containers of their services, as Docker Compose makes them on one node.

The rules are those of the Compose Specification and, for files without `services`, of compose's
first format. What a shell or another file gives is not known here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from posixpath import basename, join
from typing import TYPE_CHECKING, Any

from pilot.manifests.found import Found, Manifest, Stray
from pilot.manifests.shapes import Path, absolute, at, mapping, sequence, text
from pilot.model import BIND, IMAGE, TMPFS, VOLUME, Code, Container, Mount, Origin, State, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pilot.manifests.documents import Document

DOCKER_ROOT = "/var/lib/docker"
JSON_FILE = "json-file"
_FILELESS = (TMPFS, "npipe", "cluster", IMAGE)
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]")
_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{?(?P<name>[A-Za-z_][A-Za-z0-9_]*))")
_DOLLARS = re.compile(r"\$+")
_LONG_NAME = 64


@dataclass(frozen=True, slots=True)
class _Project:
    """What the services of one file share."""

    name: str
    folder: str  # that of the file, for relative paths
    volumes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Texts:
    """Variables or labels: known values, unknown ones and where they come from, their places."""

    values: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    where: dict[str, Path] = field(default_factory=dict)
    lone: dict[str, str] = field(default_factory=dict)  # with a dollar that begins nothing


def is_compose(data: object) -> bool:
    """Whether a document is a compose file: `services`, or in the first format only services."""
    if isinstance(at(data, "services"), dict):
        return not text(at(data, "kind"))
    services = [each for key, each in mapping(data).items() if not key.startswith("x-")]
    return bool(services) and all(
        isinstance(each, dict) and ("image" in each or "build" in each) for each in services
    )


def manifest(document: Document, *, folder: str) -> Manifest:
    """The containers of a file's services; `folder` is where the file lies, for relative paths."""
    data = mapping(document.data)
    modern = isinstance(data.get("services"), dict)
    services, base = (mapping(data["services"]), ("services",)) if modern else (data, ())
    name = text(data.get("name")) or re.sub(r"[^a-z0-9_-]", "", basename(folder).lower())
    project = _Project(name or "compose", folder, mapping(data.get("volumes")) if modern else {})
    containers: list[Found] = []
    strays: list[Stray] = []
    for service, given in services.items():
        if isinstance(given, dict) and not (service.startswith("x-") and not modern):
            path = (*base, service)
            env = _texts(given.get("environment"), (*path, "environment"))
            labels = _texts(given.get("labels"), (*path, "labels"))
            containers.append(_container(document, project, service, given, env=env, labels=labels))
            strays += (_lone(document, each, key) for each in (env, labels) for key in each.lone)
            if of_service := mapping(at(given, "deploy", "labels")):
                strays.append(
                    Stray(
                        document=document,
                        path=(*path, "deploy", "labels"),
                        texts=of_service,
                        code=Code.ANNOTATION_ELSEWHERE,
                        reason="labels under deploy are the service's; no container gets them.",
                        hint=f"services.{service}.labels",
                    )
                )
    return Manifest(tuple(containers), tuple(strays))


def _lone(document: Document, found: _Texts, key: str) -> Stray:
    """A value that compose does not take: `$` begins a variable there, and only that."""
    return Stray(
        document=document,
        path=found.where[key],
        texts={key: found.lone[key]},
        code=Code.VALUE_INVALID,
        reason="compose refuses a '$' that begins no variable; a dollar is written '$$'.",
        hint=shorten(_DOLLARS.sub("$$", found.lone[key]), 200),
        notice=False,
    )


def _container(
    document: Document,
    project: _Project,
    service: str,
    given: Mapping[str, Any],
    *,
    env: _Texts,
    labels: _Texts,
) -> Found:
    name = text(given.get("container_name")) or f"{project.name}-{service}-1"
    container_id = _UNFIT.sub("-", f"{project.name}-{service}").lstrip("_.-")[:_LONG_NAME] or "x"
    driver = text(at(given, "logging", "driver")) or text(given.get("log_driver")) or JSON_FILE
    at_docker = f"{DOCKER_ROOT}/containers/{container_id}/{container_id}-json.log"
    container = Container(
        id=container_id,
        name=name,
        state=State.RUNNING,
        image=text(given.get("image")),
        env=env.values,
        labels={
            "com.docker.compose.project": project.name,
            "com.docker.compose.service": service,
            **labels.values,
        },
        mounts=tuple(_mounts(given, project)),
        log_path=at_docker if driver == JSON_FILE else "",
        log_driver=driver,
    )
    where = {(Origin.ENV, key): place for key, place in env.where.items()}
    where |= {(Origin.LABEL, key): place for key, place in labels.where.items()}
    unknown = {**labels.unknown, **env.unknown}
    return Found(container=container, document=document, where=where, unknown=unknown)


def _texts(given: object, path: Path) -> _Texts:
    """A list of `key=value` or a mapping; without a value it is the shell's."""
    made = _Texts()
    entries: Iterator[tuple[str, object, Path]]
    if isinstance(given, dict):
        entries = ((key, value, (*path, key)) for key, value in given.items())
    else:
        entries = (
            (key, value if equals else None, (*path, number))
            for number, each in enumerate(sequence(given))
            for key, equals, value in [text(each).partition("=")]
        )
    for key, value, place in entries:
        made.where[key] = place
        made.values.pop(key, None)
        made.unknown.pop(key, None)
        made.lone.pop(key, None)
        if value is None and path[-1] == "environment":
            made.unknown[key] = "the shell that runs compose"
            continue
        plain, variable = _interpolated(_plain(value))
        if not variable and "$" in _VARIABLE.sub("", _plain(value)):
            made.lone[key] = _plain(value)
        if variable:
            made.unknown[key] = f"the variable {variable} of the shell that runs compose"
        else:
            made.values[key] = plain
    return made


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _interpolated(value: str) -> tuple[str, str]:
    """A text with `$$` as a dollar, and the first variable of the shell that it depends on."""
    variable = next((found["name"] for found in _VARIABLE.finditer(value) if found["name"]), "")
    return value.replace("$$", "$"), variable


def _mounts(given: Mapping[str, Any], project: _Project) -> Iterator[Mount]:
    """Those that the service lists, then its tmpfs; what an image adds is unknown."""
    for number, entry in enumerate(sequence(given.get("volumes"))):
        if isinstance(entry, dict):
            kind = text(entry.get("type")) or VOLUME
            source, target = text(entry.get("source")), text(entry.get("target"))
        else:
            source, target = _short(text(entry))
            kind = BIND if source.startswith((".", "/", "~", "$")) else VOLUME
        destination = absolute(_interpolated(target)[0])
        if not destination:
            continue
        if kind == BIND:
            yield Mount(destination, _bind(_interpolated(source)[0], project.folder), kind)
        elif kind == VOLUME:
            inside = text(at(entry, kind, "subpath"))
            yield _volume(destination, source, project, number, inside)
        else:
            yield Mount(destination, "", kind if kind in _FILELESS else kind[:20])
    tmpfs = given.get("tmpfs")
    for each in [tmpfs] if isinstance(tmpfs, str) else sequence(tmpfs):
        if destination := absolute(text(each).partition(":")[0]):
            yield Mount(destination, "", TMPFS)


def _short(entry: str) -> tuple[str, str]:
    """Source and target of `[source:]target[:mode]`; variables with defaults hold colons too."""
    parts = re.findall(r"(?:\$\{[^}]*\}|[^:])+", entry)
    return (parts[0], parts[1]) if len(parts) > 1 else ("", entry)


def _bind(source: str, folder: str) -> str:
    """The path of the node; what the shell's user or variables decide has a stand-in."""
    if not source:
        return ""
    if source.startswith("~"):
        return absolute("/<home>" + source[1:])
    source = re.sub(r"\$\{(\w+)[^}]*\}|\$(\w+)", lambda found: f"<{found[1] or found[2]}>", source)
    parts: list[str] = []
    for part in join(folder, source).split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def _volume(destination: str, source: str, project: _Project, number: int, inside: str) -> Mount:
    """A named volume, or one without a name, which gets one when the container is made."""
    declared = mapping(project.volumes.get(source))
    if not source:
        name = f"<volume-{number}>"
    elif declared.get("external"):
        name = text(declared.get("name")) or text(at(declared, "external", "name")) or source
    else:
        name = text(declared.get("name")) or f"{project.name}_{source}"
    folder = f"{DOCKER_ROOT}/volumes/{_UNFIT.sub('-', name)}/_data"
    return Mount(destination, absolute(f"{folder}/{inside}"), VOLUME, name)
