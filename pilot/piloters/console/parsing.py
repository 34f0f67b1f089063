"""Takes the text of an event apart, as declared: into fields, and maybe a time.

A text that cannot be taken apart stays as it is, and the event says why in `error`.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pilot.piloters.console import access
from pilot.piloters.console.sifting import compiled
from pilot.piloters.console.times import TimeFormat
from pilot.treatment import Format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilot.treatment import Treatment

DEEPEST = 64  # nested objects and lists; whoever reads the events has a limit, too
TIME_KEY = "time"  # of the web servers' formats, as in Fluentd
COLUMN = re.compile(r'(?:"(?P<quoted>(?:[^"]|"")*+)"|(?P<plain>[^",\r\n]*+))(?P<more>,|\Z)')


@dataclass(slots=True)
class Parsed:
    """What a text says: `time` is RFC 3339 in UTC or "", `error` a pair of format and sentence."""

    fields: dict[str, Any] = field(default_factory=dict)
    time: str = ""
    error: tuple[str, str] | None = None


class Parser:
    """Takes apart the events of one input."""

    def __init__(self, treatment: Treatment) -> None:
        """Raises regexps.RegexpError, times.TimeFormatError."""
        self._format, self._keys = treatment.format, treatment.keys
        self._pattern = compiled(treatment.pattern) if treatment.format is Format.REGEXP else None
        self._time_key = treatment.time_key
        formats: Sequence[str] = (treatment.time_format,)
        if treatment.format in access.TIMES:
            self._time_key = treatment.time_key or TIME_KEY
            if not treatment.time_format:
                formats = access.TIMES[treatment.format]
        self._times = tuple(TimeFormat(each) for each in formats)

    def parse(self, text: str, own: str) -> Parsed:
        """Take a text apart; `own` is the event's time so far, RFC 3339 in UTC."""
        parsed = Parsed()
        if self._format is Format.NONE:
            return parsed
        try:
            self._take_apart(text, parsed)
        except ValueError as error:
            parsed.error = (self._format.value, str(error))
        else:
            if self._time_key:
                self._read_time(parsed, own)
        return parsed

    def _take_apart(self, text: str, parsed: Parsed) -> None:
        """Raises ValueError."""
        if self._format is Format.JSON:
            parsed.fields = _json(text)
        elif self._format is Format.CSV:
            columns, keys = _columns(text), self._keys
            parsed.fields = dict(zip(keys, columns, strict=False))
            if len(columns) != len(keys):
                few = len(columns) < len(keys)
                done = "the last keys are missing" if few else "the last columns are left out"
                parsed.error = ("csv", f"columns: {len(columns)}, keys: {len(keys)}; {done}")
        elif self._pattern is None:
            parsed.fields = access.fields(text, self._format)
        elif found := self._pattern.search(text):
            said = found.groupdict()
            parsed.fields = {key: value for key, value in said.items() if value is not None}
        else:
            raise ValueError("the pattern is not found in the line")

    def _read_time(self, parsed: Parsed, own: str) -> None:
        value = parsed.fields.get(self._time_key)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            error = "there is no text and no number in it"
        else:
            for each in self._times:
                try:
                    parsed.time = each.read(str(value), own)
                except ValueError as reason:
                    error = str(reason)
                else:
                    return
        parsed.error = parsed.error or ("time", f"no time in {self._time_key!r}: {error}")


def _columns(text: str) -> list[str]:
    """The columns of a line (RFC 4180). Raises ValueError."""
    columns, at, more = [], 0, True
    while more:
        found = COLUMN.match(text, at)
        if not found:
            raise ValueError("the line is no CSV: a quote or the end of a line is amiss")
        quoted = found["quoted"]
        columns.append(found["plain"] if quoted is None else quoted.replace('""', '"'))
        at, more = found.end(), found["more"] == ","
    return columns


def _json(text: str) -> dict[str, Any]:
    """The keys of an object. Raises ValueError."""
    try:
        keys = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        keys = None
    if not isinstance(keys, dict) or _too_deep(keys):
        raise ValueError("the line is no JSON object")
    return keys


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("the number is too large")
    return number


def _too_deep(value: object) -> bool:
    level: list[object] = [value]
    for _ in range(DEEPEST):
        level = [
            child
            for each in level
            for child in (each.values() if isinstance(each, dict) else each)  # type: ignore[attr-defined]
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
