"""The documents of a text, YAML or JSON, each with the lines that its values stand on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from pilot.manifests.json_lines import JsonLines
from pilot.manifests.nodes import NodeError, build, compose, line_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilot.manifests.shapes import Path

_BLANK = " \t\r\n\ufeff"


class UnusableError(ValueError):
    """Input that is not what it should be: a sentence, and the line, counted from 1."""

    def __init__(self, origin: str, line: int, reason: str) -> None:
        """`origin` is the file's name, or what stands for it."""
        super().__init__(f"{origin}:{line}: {reason}")
        self.origin, self.line, self.reason = origin, line, reason


class OtherFileError(UnusableError):
    """A file that is none of those that hold containers; nothing need be wrong with it."""


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One document: its value, with texts as keys of mappings, and where that stands."""

    origin: str
    data: Any
    _line: Callable[[Path], int]

    def line(self, path: Path) -> int:
        """The line of the key or item that a path ends with, counted from 1."""
        return self._line(path)


def documents(text: str, origin: str) -> list[Document]:
    """The documents of a text, those that are empty left out. Raises UnusableError."""
    if text.lstrip(_BLANK)[:1] in ("{", "["):
        try:
            return _json(text, origin)
        except (ValueError, RecursionError):
            pass  # YAML's own brackets look the same, and its parser says what is wrong better.
    try:
        made = [(node, build(node)) for node in compose(text)]
        return [
            Document(origin, data, partial(line_of, node))
            for node, data in made
            if data is not None
        ]
    except NodeError as error:
        # A chart's template is no manifest until it is rendered.
        kind = OtherFileError if "{{" in text else UnusableError
        raise kind(origin, error.line, error.reason) from error
    except RecursionError as error:
        raise UnusableError(origin, 1, "nested too deep") from error


def _json(text: str, origin: str) -> list[Document]:
    """One JSON value after the other, as `crictl inspect` prints for several containers."""
    decoder = json.JSONDecoder(strict=False)
    made: list[Document] = []
    at = _past_blanks(text, 0)
    while at < len(text):
        data, end = decoder.raw_decode(text, at)
        made.append(Document(origin, data, _lines(text, at, end)))
        at = _past_blanks(text, end)
    return made


def _past_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _lines(text: str, start: int, end: int) -> Callable[[Path], int]:
    @cache
    def index() -> JsonLines:
        return JsonLines(text, start, end)

    return lambda path: index().line_of(path)
