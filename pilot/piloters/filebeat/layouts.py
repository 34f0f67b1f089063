"""Formats of times: from strptime's words to the layouts of Go's time package.

A layout shows how one certain moment would be written, so a text in it may mean something by
accident; such formats are refused, not passed on. Filebeat's processor `timestamp` tries a list of
layouts, and takes times without a zone for UTC.
"""

from __future__ import annotations

import itertools
import re

ISO_8601 = (
    "2006-01-02T15:04:05Z07:00",
    "2006-01-02T15:04:05Z0700",
    "2006-01-02T15:04:05",
    "2006-01-02 15:04:05Z07:00",
    "2006-01-02 15:04:05Z0700",
    "2006-01-02 15:04:05 Z0700",
    "2006-01-02 15:04:05",
    "2006-01-02T15:04Z07:00",
    "2006-01-02",
)
UNIX, UNIX_MS = "UNIX", "UNIX_MS"  # the processor's own words
EPOCHS = {
    "%s": UNIX,
    "%s.%f": UNIX,
    "%s.%L": UNIX,
    "%s.%N": UNIX,
    "%s%L": UNIX_MS,
    "%s%3N": UNIX_MS,
}
SHORTHANDS = {
    "%F": "%Y-%m-%d",
    "%T": "%H:%M:%S",
    "%R": "%H:%M",
    "%D": "%m/%d/%y",
}
DIRECTIVES = {
    "%A": ("Monday",),
    "%a": ("Mon",),
    "%B": ("January",),
    "%b": ("Jan",),
    "%Y": ("2006",),
    "%y": ("06",),
    "%m": ("01",),
    "%d": ("02",),
    "%e": ("_2",),
    "%j": ("002",),
    "%H": ("15",),
    "%I": ("03",),
    "%M": ("04",),
    "%S": ("05",),
    "%p": ("PM",),
    "%z": ("Z0700", "Z07:00"),
    "%%": ("%",),
}
DAYS = frozenset({"02", "_2", "2", "002"})
MOST = 4  # layouts of one format
TOKEN = re.compile(r"%[369]?[A-Za-z%]|%|[^%]+")
FRACTION = re.compile(r"%(?:[369]?N|f|L)\Z")
# What Go takes for a part of the moment, wherever it stands (time.nextStdChunk).
CHUNK = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|__2|_2(?!006)|[345]|PM|pm"
    r"|[-Z](?:070000|07:00:00|0700|07:00|07)|[.,](?:0+|9+)(?![0-9])"
)


class LayoutError(ValueError):
    """A format has no layout; says why in one sentence."""


def layouts(time_format: str) -> tuple[str, ...]:
    """The layouts, one after the other to be tried, of a format; of none those of ISO 8601.

    Raises LayoutError.
    """
    if not time_format:
        return ISO_8601
    if epoch := EPOCHS.get(time_format):
        return (epoch,)
    for short, long in SHORTHANDS.items():
        time_format = re.sub(rf"(?<!%)((?:%%)*){short}", rf"\g<1>{long}", time_format)
    parts: list[tuple[str, ...]] = []
    for token in TOKEN.findall(time_format):
        if FRACTION.match(token):
            parts.append(_fraction(parts))
        elif token in DIRECTIVES:
            parts.append(DIRECTIVES[token])
        elif token[0] != "%" and not CHUNK.search(token):
            parts.append((token,))
        else:
            raise LayoutError(f"Filebeat has no way to say {token!r} in a time's format.")
    chosen = list(itertools.islice(itertools.product(*parts), MOST))
    meant = [[part for part in each if CHUNK.fullmatch(part)] for each in chosen]
    made = ["".join(each) for each in chosen]
    for layout, chunks in zip(made, meant, strict=True):
        if CHUNK.findall(layout) != chunks or not chunks:
            raise LayoutError(f"Filebeat would misread {time_format!r} as a time's format.")
    return tuple(made)


def dated_layouts(time_format: str) -> tuple[str, ...]:
    """The same for formats that say a day: else Filebeat takes the 1st of January.

    Raises LayoutError.
    """
    found = layouts(time_format)
    if found[0] not in (UNIX, UNIX_MS) and DAYS.isdisjoint(CHUNK.findall(found[0])):
        raise LayoutError("Filebeat takes a time without a day for one of the 1st of January.")
    return found


def _fraction(parts: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Any number of digits; the point or comma before them is part of Go's own notation."""
    before = parts[-1][0] if parts else ""
    if len(parts) < 2 or parts[-2] != ("05",) or before not in {".", ","}:
        raise LayoutError("Filebeat reads parts of a second only behind %S and a point or comma.")
    parts[-1] = ("",)
    return (f"{before}999999999",)
