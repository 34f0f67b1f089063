"""How a log writes its times: strptime's directives, those that every collector can be told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilot.declarations import options
from pilot.model import Code, printable

if TYPE_CHECKING:
    from pilot.declarations.asking import Asking

MAX_TIME_FORMAT = 128  # characters

# Directive → what it stands for.
DIRECTIVES = {
    "%Y": "the year, four digits",
    "%y": "the year, two digits",
    "%m": "the month, 01 to 12",
    "%b": "the month's name, shortened",
    "%B": "the month's name",
    "%d": "the day of the month, 01 to 31",
    "%e": "the day of the month, 1 to 31",
    "%j": "the day of the year, 001 to 366",
    "%a": "the weekday's name, shortened",
    "%A": "the weekday's name",
    "%H": "the hour, 00 to 23",
    "%I": "the hour, 01 to 12",
    "%p": "AM or PM",
    "%M": "the minute",
    "%S": "the second",
    "%L": "milliseconds, three digits",
    "%f": "a fraction of the second, up to nine digits",
    "%N": "a fraction of the second, up to nine digits",
    "%3N": "milliseconds, three digits",
    "%6N": "microseconds, six digits",
    "%9N": "nanoseconds, nine digits",
    "%z": "the offset from UTC: +0200, +02:00 or Z",
    "%Z": "the name of the time zone",
    "%s": "seconds since 1970",
    "%T": "%H:%M:%S",
    "%R": "%H:%M",
    "%F": "%Y-%m-%d",
    "%D": "%m/%d/%y",
    "%%": "a percent sign",
}
_MEANT = {
    "%h": "%b",
    "%X": "%T",
    "%x": "%D",
    "%r": "%I:%M:%S %p",
    "%c": "%a %b %e %T %Y",
    "%k": "%H",
    "%l": "%I",
    "%G": "%Y",
    "%P": "%p",
    "%Q": "%L",
    "%i": "%M",
    "%E": "%S",
    "%n": " ",
    "%t": " ",
    "%O": "%z",
    "%:z": "%z",
    "%-d": "%e",
    "%-m": "%m",
    "%-H": "%H",
    "%-I": "%I",
}
_DIRECTIVE = re.compile(r"%(?:[0-9:-]?[A-Za-z]|%|.?)", re.DOTALL)
# Java's patterns (yyyy-MM-dd HH:mm:ss,SSS), which people write by habit.
_JAVA = re.compile(r"yyyy|yy|MMMM|MMM|MM|dd|d|EEEE|EEE|HH|hh|mm|ss|S{1,9}|XXX|XX|X|Z|a|'([^']*)'")
_FROM_JAVA = {
    "yyyy": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "dd": "%d",
    "d": "%e",
    "EEEE": "%A",
    "EEE": "%a",
    "HH": "%H",
    "hh": "%I",
    "mm": "%M",
    "ss": "%S",
    "SSS": "%L",
    "a": "%p",
}


def time_format(asking: Asking) -> str:
    """The time format that a log gives, "" for none; refuses the log for one that is not known."""
    text = asking.text(options.TIME_FORMAT)
    if not text:
        return ""
    if len(text) > MAX_TIME_FORMAT or printable(text) != text:
        reason = f"a time format is at most {MAX_TIME_FORMAT} characters, all of them visible."
        asking.refuse(options.TIME_FORMAT, Code.TIME_FORMAT_INVALID, reason)
        return ""
    found = _DIRECTIVE.findall(text)
    unknown = [directive for directive in found if directive not in DIRECTIVES]
    if unknown:
        asking.refuse(
            options.TIME_FORMAT,
            Code.TIME_FORMAT_INVALID,
            f"the directive {unknown[0]!r} is not known; known are {' '.join(DIRECTIVES)}.",
            hint=_corrected(text),
        )
    elif not any(directive != "%%" for directive in found):
        asking.refuse(
            options.TIME_FORMAT,
            Code.TIME_FORMAT_INVALID,
            "a time format is written in the directives of strptime, such as %Y-%m-%d %H:%M:%S.",
            hint=_from_java(text),
        )
    return text


def _corrected(text: str) -> str:
    """With each unknown directive replaced by what it means elsewhere; "" if one means nothing."""
    parts = [
        directive if directive in DIRECTIVES else _MEANT.get(directive, "")
        for directive in _DIRECTIVE.findall(text)
    ]
    if not all(parts):
        return ""
    rest = iter(parts)
    return _DIRECTIVE.sub(lambda _: next(rest), text)


def _from_java(text: str) -> str:
    if "yy" not in text and "HH" not in text:
        return ""

    def directive(found: re.Match[str]) -> str:
        word = found[0]
        if word.startswith("'"):
            return found[1] or "'"
        if set(word) == {"S"}:
            return {3: "%L", 6: "%6N", 9: "%9N"}.get(len(word), "%N")
        return _FROM_JAVA.get(word, "%z")

    return _JAVA.sub(directive, text)
