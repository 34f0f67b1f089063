"""The options that a declaration may have: their names, and how each dialect spells them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

TAGS = "tags"
TARGET = "target"
FORMAT = "format"
SUPPORTED = frozenset({TAGS, TARGET, FORMAT})

# Not built yet, and silence about them would ship what was to be held back or send it elsewhere.
WITHHOLDING = frozenset({"container", "exclude", "include"})

# Not built yet; the text is collected all the same.
COSMETIC = frozenset(
    {
        "encoding",
        "format_keys",
        "format_pattern",
        "format_target",
        "format_time_format",
        "format_time_key",
        "max_bytes",
        "multiline",
        "multiline_match",
        "multiline_max_lines",
        "multiline_negate",
        "multiline_pattern",
        "multiline_timeout",
    }
)

# The shortest first: a shorter option leaves a longer base, and the longest base wins.
OPTIONS = tuple(
    sorted(SUPPORTED | WITHHOLDING | COSMETIC, key=lambda option: (len(option), option))
)
LONGEST = len(OPTIONS[-1])

_FAMILIES = ("format_", "multiline_")
# What people write although it is a tag.
_TAGS_IN_DISGUISE = frozenset({"index", "topic"})
_TYPO = 0.7  # difflib's ratio: `tagz` and `fromat` are typos, `log` and `error` are not
_SLACK = 5  # a mistyped option is at most so many characters longer than the longest


def split(rest: str, separators: str) -> Iterator[tuple[str, str]]:
    """The ways to read what follows a prefix as (base, option), the longest base first.

    Within an option `.` and `_` are alike: `format.time_key`, `format_time_key`.
    """
    tail = rest[-LONGEST:].replace(".", "_")
    for option in OPTIONS:
        at = len(rest) - len(option) - 1
        if at > 0 and rest[at] in separators and tail.endswith(option):
            yield rest[:at], option


def guess(rest: str, bases: Container[str]) -> tuple[str, str] | None:
    """The longest base that it begins with, and the option that the rest may have been meant as."""
    for at in range(len(rest) - 1, max(0, len(rest) - LONGEST - _SLACK - 1), -1):
        if rest[at] in "._-" and rest[:at] in bases:
            meant = nearest(rest[at + 1 :])
            return (rest[:at], meant) if meant else None
    return None


def nearest(suffix: str) -> str:
    """The option that a mistyped one means, "" where it looks like none."""
    plain = suffix.lower().replace(".", "_").replace("-", "_")
    if plain in _TAGS_IN_DISGUISE:
        return TAGS
    return next(iter(difflib.get_close_matches(plain, OPTIONS, n=1, cutoff=_TYPO)), "")


def spell(option: str, separator: str) -> str:
    """An option as a dialect with that separator writes it: `format.time_key` in labels."""
    for family in _FAMILIES:
        if separator == "." and option.startswith(family):
            return f"{family[:-1]}.{option.removeprefix(family)}"
    return option
