"""One file of the static source: YAML text to containers, or a sentence on what is wrong. Pure.

`static.schema.json` beside this module documents the same; this checks by hand, because a person
who made a slip needs the file, the key, the value and what would be right.
"""

from __future__ import annotations

import difflib
import posixpath
import re
import reprlib
from typing import TYPE_CHECKING, TypeVar

import yaml

from pilot.model import BIND, TMPFS, Container, Framing, Mount, Pod, State, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEYS = (
    *("id", "name", "state", "image", "created", "env", "labels", "image_env", "image_labels"),
    *("log", "log_driver", "mounts", "rootfs", "pod"),
)
# An id becomes a file name in the state folder.
CONTAINER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}\Z", re.ASCII)
ID_RULE = "1 to 128 letters, digits, '_', '.' and '-', beginning with a letter or digit"
FORMATS = (Framing.DOCKER, Framing.CRI)
Word = TypeVar("Word", State, Framing)
DEEPEST = 20  # levels of lists and mappings in a file; what is known needs four
# The C parser where libyaml is there: ten times as fast.
LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_static(text: str, origin: str) -> list[Container]:
    """The containers that a file holds: one mapping, or a list of mappings.

    Raises ValueError, with `origin`, the key, the value and what would be right. A file is taken
    as a whole or not at all.
    """
    try:
        _check_events(text)
        document = yaml.load(text, Loader=LOADER)  # noqa: S506 - both choices are safe loaders
    except _RefusedError as error:
        raise ValueError(f"{origin}: {error}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{origin}: {_yaml_problem(error)}") from error
    except Exception as error:  # a date that is none, and whatever else loaders raise
        raise ValueError(f"{origin}: not usable as YAML: {error}") from error
    if document is None:
        raise ValueError(f"{origin}: nothing in it; write [] if no container is meant")
    entries = document if isinstance(document, list) else [document]
    containers: dict[str, Container] = {}
    for number, entry in enumerate(entries):
        where = f"{origin}: [{number}]" if isinstance(document, list) else origin
        container = _container(_Table(where, "", entry))
        if container.id in containers:
            raise ValueError(f"{where}: id {container.id!r} is in this file twice")
        containers[container.id] = container
    return list(containers.values())


class _RefusedError(Exception):
    """Something in the YAML that no file of containers needs."""


def _check_events(text: str) -> None:
    """Refuse deep nesting, aliases and explicit tags before anything is built of them.

    Building recurses in the C parser, past the end of the stack; aliases of aliases grow without
    end; a tag chooses the code that builds a value. The events come from a state machine that does
    not recurse. Raises _RefusedError with the line, or YAMLError.
    """
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        problem = ""
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                problem = f"nested deeper than {DEEPEST} levels"
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            problem = (
                f"the alias *{shorten(event.anchor or '')} is not allowed; write the value again"
            )
        if tag := getattr(event, "tag", None):
            problem = problem or f"the tag {shorten(tag)!r} is not allowed; leave it out"
        if problem:
            line = f"line {event.start_mark.line + 1}: " if event.start_mark else ""
            raise _RefusedError(line + problem)


def _container(table: _Table) -> Container:
    table.only(KEYS)
    container_id = table.text("id", needed=True)
    if not CONTAINER_ID.match(container_id):
        raise table.wrong("id", container_id, ID_RULE)
    log, pod = table.table("log"), table.table("pod")
    log.only(("path", "format"))
    return Container(
        id=container_id,
        name=table.text("name") or container_id,
        state=table.choice("state", (State.RUNNING, State.CREATED, State.ENDED)),
        created=table.text("created"),
        image=table.text("image"),
        env=table.texts("env"),
        labels=table.texts("labels"),
        image_env=table.texts("image_env"),
        image_labels=table.texts("image_labels"),
        mounts=tuple(_mount(mount) for mount in table.tables("mounts")),
        log_path=log.path("path", needed=log.given),
        log_framing=log.choice("format", FORMATS),
        log_driver=table.text("log_driver"),
        rootfs=table.path("rootfs"),
        pod=_pod(pod) if pod.given else None,
    )


def _mount(table: _Table) -> Mount:
    table.only(("destination", "source", "kind", "name"))
    source = table.path("source")
    kind = table.text("kind") or (BIND if source else TMPFS)
    return Mount(table.path("destination", needed=True), source, kind, table.text("name"))


def _pod(table: _Table) -> Pod:
    table.only(("namespace", "name", "uid", "container", "annotations", "labels"))
    return Pod(
        table.text("namespace", needed=True),
        table.text("name", needed=True),
        table.text("uid"),
        table.text("container"),
        annotations=table.texts("annotations"),
        labels=table.texts("labels"),
    )


class _Table:
    """One mapping of the file, and where it stands, for messages."""

    def __init__(self, where: str, prefix: str, value: object) -> None:
        self._where, self._prefix = where, prefix
        self.given = value is not None
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise self.wrong("", value, "a mapping (key: value)")
        self._values: dict[object, object] = value

    def wrong(self, key: str, value: object, right: str) -> ValueError:
        """The error for a value, with what would be right."""
        name = f"{self._prefix}{key}".rstrip(".") or "the container"
        return ValueError(f"{self._where}: {name} is {_shown(value)}; it must be {right}")

    def only(self, keys: Iterable[str]) -> None:
        """Refuse any other key."""
        known = list(keys)
        for key in self._values:
            if key not in known:
                text = key if isinstance(key, str) else _shown(key)
                near = difflib.get_close_matches(text, known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
                raise ValueError(f"{self._where}: unknown key {self._prefix}{_shown(key)}; {hint}")

    def text(self, key: str, *, needed: bool = False) -> str:
        """A text; "" where it is missing."""
        value = self._values.get(key)
        if value is None or value == "":
            if not needed:
                return ""
            raise ValueError(f"{self._where}: {self._prefix}{key} is missing or empty")
        return self._checked(key, value)

    def path(self, key: str, *, needed: bool = False) -> str:
        """An absolute path, in its shortest form; "" where it is missing or empty."""
        path = self.text(key, needed=needed)
        if path and (not path.startswith("/") or ".." in path.split("/") or "\0" in path):
            raise self.wrong(key, path, "an absolute path without '..'")
        return "/" + posixpath.normpath(path).lstrip("/") if path else ""

    def choice(self, key: str, choices: tuple[Word, ...]) -> Word:
        """One of several words, the first where it is missing."""
        value = self._values.get(key, choices[0])
        for choice in choices:
            if value == choice:
                return choice
        raise self.wrong(key, value, "one of " + ", ".join(choices))

    def texts(self, key: str) -> Mapping[str, str]:
        """A mapping of texts."""
        return self.table(key).all_texts()

    def all_texts(self) -> Mapping[str, str]:
        """All of the mapping, which must hold nothing but texts."""
        texts = {}
        for key, value in self._values.items():
            if not isinstance(key, str):
                raise self.wrong(_shown(key), value, "below a key in quotes")
            texts[key] = self._checked(key, value)
        return texts

    def table(self, key: str) -> _Table:
        """A mapping below this one; not `given` where it is missing."""
        return _Table(self._where, f"{self._prefix}{key}.", self._values.get(key))

    def tables(self, key: str) -> list[_Table]:
        """A list of mappings; empty where it is missing."""
        value = self._values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(key, value, "a list (- …)")
        name = f"{self._prefix}{key}"
        return [
            _Table(self._where, f"{name}[{number}].", {} if item is None else item)
            for number, item in enumerate(value)
        ]

    def _checked(self, key: str, value: object) -> str:
        if isinstance(value, str):
            return value
        quoted = value is None or isinstance(value, dict | list)
        raise self.wrong(key, value, "text" if quoted else "text; put it in quotes")


def _shown(value: object) -> str:
    try:
        return shorten(reprlib.repr(value) if isinstance(value, dict | list) else repr(value))
    except ValueError:  # Python writes no integer of more than 4,300 digits.
        return "a very long number"


def _yaml_problem(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        return line + ", ".join(part for part in (error.context, error.problem) if part)
    return "not usable as YAML: " + " ".join(str(error).split())
