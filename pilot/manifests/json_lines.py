"""JSON text → the lines that its values stand on; made only when something is to be said."""

from __future__ import annotations

import bisect
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilot.manifests.shapes import Path

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)


@dataclass(slots=True)
class _Place:
    offset: int
    is_list: bool = False
    inner: dict[str | int, _Place] = field(default_factory=dict)


class JsonLines:
    """The lines of one JSON value within a text that may hold several."""

    def __init__(self, text: str, start: int, end: int) -> None:
        """Index the value between two offsets; it must be valid."""
        self._text = text
        self._root = _index(text, start, end)
        self._breaks: list[int] = []

    def line_of(self, path: Path) -> int:
        """The line, counted from 1, of the key or item that a path ends with, or as near as it is.

        For an entry of a mapping that is its key, for one of a list its first character.
        """
        place = self._root
        for step in path:
            found = place.inner.get(step)
            if found is None:
                break
            place = found
        if not self._breaks:
            self._breaks = [-1, *(found.start() for found in re.finditer("\n", self._text))]
        return bisect.bisect_left(self._breaks, place.offset)


def _index(text: str, start: int, end: int) -> _Place:
    root = _Place(start)
    open_places: list[_Place] = []
    key: tuple[str, int] | None = None  # of an entry whose value comes next
    awaits_key = False
    for token in _TOKEN.finditer(text, start, end):
        first = text[token.start()]
        if first in ",:":
            awaits_key = first == "," and not open_places[-1].is_list
        elif first in "]}":
            open_places.pop()
            awaits_key = False
        elif awaits_key:
            key, awaits_key = (json.loads(token[0], strict=False), token.start()), False
        else:
            place = _Place(key[1] if key else token.start(), is_list=first == "[")
            if not open_places:
                root = place
            elif key:
                open_places[-1].inner[key[0]] = place
            else:
                open_places[-1].inner[len(open_places[-1].inner)] = place
            key = None
            if first in "[{":
                open_places.append(place)
                awaits_key = first == "{"
    return root
