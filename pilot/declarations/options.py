"""The options that a declaration may have: what each is for, and how each dialect spells them."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

TAGS = "tags"
TARGET = "target"
CONTAINER = "container"
INCLUDE = "include"
EXCLUDE = "exclude"
ENCODING = "encoding"
MAX_BYTES = "max_bytes"
FORMAT = "format"
PATTERN = "format_pattern"
KEYS = "format_keys"
TIME_KEY = "format_time_key"
TIME_FORMAT = "format_time_format"
FORMAT_TARGET = "format_target"
MULTILINE = "multiline"
MULTILINE_PATTERN = "multiline_pattern"
NEGATE = "multiline_negate"
MATCH = "multiline_match"
MAX_LINES = "multiline_max_lines"
TIMEOUT = "multiline_timeout"

FIELDS = "fields"  # tags of log-pilot's custom config, which nobody writes under this name
RAW = "raw"  # the family of `raw_<key>`
RAW_START = "raw_"


@dataclass(frozen=True, slots=True)
class About:
    """One option: its canonical name, what a policy allows it by, and what a person is told."""

    name: str
    family: str
    summary: str  # one sentence
    example: str  # a value


ABOUT = (
    About(TAGS, TAGS, "Fields that are added to each event.", 'team=shop,note="a,b"'),
    About(TARGET, TARGET, "The index or topic to which the events go.", "shop-web"),
    About(
        FORMAT,
        FORMAT,
        "What the text of an event is: none, json, csv, regexp, nginx, apache2 or apache_error.",
        "json",
    ),
    About(
        PATTERN,
        FORMAT,
        "The regular expression of the format regexp; its named groups become fields.",
        r"^(?P<level>[A-Z]+) (?P<text>.*)$",
    ),
    About(KEYS, FORMAT, "The fields of the format csv, column by column.", "time,level,text"),
    About(TIME_KEY, FORMAT, "The field that holds the time of the event.", "time"),
    About(
        TIME_FORMAT,
        FORMAT,
        "How that field writes the time, in the words of strptime; ISO 8601 unless given.",
        "%Y-%m-%dT%H:%M:%S.%L%z",
    ),
    About(FORMAT_TARGET, FORMAT, "The field below which all parsed fields are put.", "app"),
    About(
        MULTILINE,
        MULTILINE,
        "Which lines make one event: java, python, go, ruby, dotnet, indent, date or none.",
        "java",
    ),
    About(
        MULTILINE_PATTERN,
        MULTILINE,
        "The regular expression of lines that belong to the line before them.",
        r"^[ \t]",
    ),
    About(NEGATE, MULTILINE, "true turns the pattern round: lines it does not match.", "true"),
    About(
        MATCH,
        MULTILINE,
        "Where such lines belong: after (to the line before them) or before (to the next).",
        "after",
    ),
    About(MAX_LINES, MULTILINE, "The lines of one event at most, 1 to 10000.", "500"),
    About(TIMEOUT, MULTILINE, "How long an event waits for more lines, 0.1s to 60s.", "5s"),
    About(INCLUDE, INCLUDE, "Only events that match are collected.", "ERROR|WARN"),
    About(EXCLUDE, EXCLUDE, "Events that match are not collected.", "GET /healthz"),
    About(ENCODING, ENCODING, "The encoding of the files, utf-8 unless given.", "gbk"),
    About(
        CONTAINER,
        CONTAINER,
        "The containers of the pod whose log it is; of annotations.",
        "web,worker",
    ),
    About(MAX_BYTES, MAX_BYTES, "The size at which an event is cut off, 1Ki to 10Mi.", "64Ki"),
)

# The shortest first: a shorter option leaves a longer base, and the longest base wins.
OPTIONS = tuple(sorted((about.name for about in ABOUT), key=lambda name: (len(name), name)))
LONGEST = len(OPTIONS[-1])
_KNOWN = frozenset(OPTIONS)
FAMILIES = tuple(dict.fromkeys((*(about.family for about in ABOUT), RAW)))

_NESTED = ("format_", "multiline_")
_RAW = re.compile(r"(?=[._]raw[._].)", re.DOTALL)
_RAW_LONGEST = 128  # characters behind the base; what is longer is no option but a name too long
# What people write although it is a tag.
TAGS_IN_DISGUISE = frozenset({"index", "topic"})
_TYPO = 0.7  # difflib's ratio: `tagz` and `fromat` are typos, `log` and `error` are not
_SLACK = 5  # a mistyped option is at most so many characters longer than the longest


def family(option: str) -> str:
    """What a policy allows an option by: `format` for all of `format…`, `raw` for any raw one."""
    if option.startswith(RAW_START):
        return RAW
    if option == FIELDS:
        return TAGS
    return next((about.family for about in ABOUT if about.name == option), option)


def split(rest: str, separators: str) -> Iterator[tuple[str, str]]:
    """The ways to read what follows a prefix as (base, option), the longest base first.

    Within an option `.` and `_` are alike: `format.time_key`, `format_time_key`. The key of a raw
    option stays as it is: `raw_close.inactive`.
    """
    found = [
        (at, option)
        for at in range(max(1, len(rest) - LONGEST - 1), len(rest))
        if rest[at] in separators and (option := rest[at + 1 :].replace(".", "_")) in _KNOWN
    ]
    start = max(1, len(rest) - _RAW_LONGEST)
    for raw in _RAW.finditer(rest, start):
        if rest[raw.start()] in separators:
            key = rest[raw.start() + len(RAW_START) + 1 :]
            found.append((raw.start(), RAW_START + key))
    for at, option in sorted(found, reverse=True):
        yield rest[:at], option


def guess(rest: str, bases: Container[str]) -> tuple[str, str] | None:
    """The longest base that it begins with, and the option that the rest may have been meant as."""
    for at in range(len(rest) - 1, max(0, len(rest) - LONGEST - _SLACK - 1), -1):
        if rest[at] in "._-" and rest[:at] in bases:
            option = meant(rest[at + 1 :])
            return (rest[:at], option) if option else None
    return None


def meant(suffix: str) -> str:
    """The option that a mistyped one means, "" where it looks like none."""
    plain = suffix.lower().replace(".", "_").replace("-", "_")
    if plain in TAGS_IN_DISGUISE:
        return TAGS
    if plain in OPTIONS:
        return plain
    for start in _NESTED:  # a suboption without its option
        if start + plain in OPTIONS:
            return start + plain
    return next(iter(difflib.get_close_matches(plain, OPTIONS, n=1, cutoff=_TYPO)), "")


def spell(option: str, separator: str) -> str:
    """An option as a dialect with that separator writes it: `format.time_key` in labels."""
    for start in (*_NESTED, RAW_START):
        if separator == "." and option.startswith(start):
            return f"{start[:-1]}.{option.removeprefix(start)}"
    return option
