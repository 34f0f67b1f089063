"""From a field's text to an event's time: strptime's words, or ISO 8601.

What a text does not say is taken from the event's own time, so that a time without a year is at
most a day ahead of it. Without a zone it is UTC. Fractions stay to the last digit, nine at most.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 100  # characters of a text that is taken for a time
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
FULL_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
ZONES = {"UTC": 0, "GMT": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5}
ZONES |= {"MST": -7, "MDT": -6, "PST": -8, "PDT": -7}  # RFC 822, section 5

MONTH = "|".join((*FULL_MONTHS, *MONTHS))
DAY = "|".join(
    f"{day}day|{day[:3]}" for day in ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun")
)
ZONE = rf"[+-]\d\d(?::?\d\d)?|{'|'.join(ZONES)}"

# Each directive's group and what it matches; strptime lets numbers have fewer digits.
PARTS = {
    "Y": ("year", r"\d{4}"),
    "y": ("short_year", r"\d\d"),
    "m": ("month", r"\d{1,2}"),
    "b": ("month_name", MONTH),
    "B": ("month_name", MONTH),
    "d": ("day", r"\ ?\d{1,2}"),
    "e": ("day", r"\ ?\d{1,2}"),
    "j": ("day_of_year", r"\d{1,3}"),
    "a": ("", DAY),
    "A": ("", DAY),
    "H": ("hour", r"\ ?\d{1,2}"),
    "I": ("hour12", r"\ ?\d{1,2}"),
    "p": ("half", "am|pm"),
    "M": ("minute", r"\d{1,2}"),
    "S": ("second", r"\d{1,2}"),
    "L": ("fraction", r"\d{1,9}"),
    "N": ("fraction", r"\d{1,9}"),
    "f": ("fraction", r"\d{1,9}"),
    "s": ("epoch", r"\d{1,12}"),
    "z": ("zone", ZONE),
    "Z": ("zone", ZONE),
    "%": ("", "%"),
}
SHORT = {
    "T": "%H:%M:%S",
    "R": "%H:%M",
    "D": "%m/%d/%y",
    "F": "%Y-%m-%d",
}
DIRECTIVE = re.compile(r"%(?P<flag>[-:1-9]?)(?P<letter>.)|(?P<space>\s+)|(?P<text>.)", re.DOTALL)
SHORTHAND = re.compile("%.", re.DOTALL)
ISO = (
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)[T ](?P<hour>\d\d):(?P<minute>\d\d)"
    rf":(?P<second>\d\d)(?:[.,](?P<fraction>\d{{1,9}})\d*)?\s*(?P<zone>{ZONE})?"
)


class TimeFormatError(ValueError):
    """A format that is not understood. Said to a person."""


class TimeFormat:
    """Reads the times of one format; "" is ISO 8601."""

    def __init__(self, text: str) -> None:
        """Raises TimeFormatError."""
        pattern = _pattern(text) if text else ISO
        self._pattern = re.compile(pattern, re.ASCII | re.IGNORECASE)

    def read(self, text: str, own: str) -> str:
        """The time in UTC, RFC 3339; `own` is the event's. Raises ValueError."""
        found = self._pattern.fullmatch(text.strip()) if len(text) <= LONGEST else None
        if not found:
            raise ValueError("the text does not have the format of a time")
        said = {key: value for key, value in found.groupdict().items() if value is not None}
        try:
            moment = _moment(said, datetime.fromisoformat(own[:19]).replace(tzinfo=UTC))
        except (OverflowError, ValueError) as error:
            raise ValueError("there is no such time") from error
        fraction = f".{said['fraction']}" if "fraction" in said else ""
        return f"{moment.replace(tzinfo=None).isoformat()}{fraction}Z"


def _pattern(text: str) -> str:
    """A format as a regular expression that is never slow: nothing in it is said twice."""
    text = SHORTHAND.sub(lambda found: SHORT.get(found[0][1:], found[0]), text)
    groups: set[str] = set()
    parts = []
    for part in DIRECTIVE.finditer(text):
        if part["space"]:
            parts.append(r"\s*+")
        elif part["text"]:
            if part["text"] == "%":
                raise TimeFormatError("it ends with a single %.")
            parts.append(re.escape(part["text"]))
        else:
            parts.append(_directive(part, groups))
    if not groups & {"epoch", "hour", "hour12", "day", "day_of_year", "year"}:
        raise TimeFormatError("it says neither a date nor a time of day.")
    return "".join(parts)


def _directive(part: re.Match[str], groups: set[str]) -> str:
    letter, flag = part["letter"], part["flag"]
    if letter not in PARTS or (flag and not (letter == "N" and flag in "369")):
        raise TimeFormatError(f"it has the unknown directive {part[0]!r}.")
    group, pattern = PARTS[letter]
    if flag:
        pattern = rf"\d{{1,{flag}}}"
    if not group:
        return f"(?:{pattern})"
    if group in groups:
        raise TimeFormatError(f"{part[0]!r} says for a second time what was said before it.")
    groups.add(group)
    return f"(?P<{group}>{pattern})"


def _moment(said: Mapping[str, str], own: datetime) -> datetime:
    """The whole seconds of what was said. Raises ValueError, OverflowError."""
    if "epoch" in said:
        return datetime.fromtimestamp(int(said["epoch"]), UTC)
    hour, minute, second = _clock(said)
    moment = _date(said, own) + timedelta(hours=hour, minutes=minute, seconds=second)
    moment -= _offset(said.get("zone", "Z").upper())
    dated = {"month", "month_name", "day", "day_of_year"} & said.keys()
    if dated and not {"year", "short_year"} & said.keys() and moment > own + timedelta(days=1):
        moment = moment.replace(year=moment.year - 1)
    return moment


def _date(said: Mapping[str, str], own: datetime) -> datetime:
    year, month, day = own.year, own.month, own.day
    if "year" in said or "short_year" in said:
        short = int(said.get("short_year", "0"))
        year = int(said["year"]) if "year" in said else short + (1900 if short >= 69 else 2000)
        month = day = 1
    if "day_of_year" in said:
        date = datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=int(said["day_of_year"]) - 1)
        if date.year != year:
            raise ValueError("the year has no such day")
        return date
    if "month" in said or "month_name" in said:
        name = said.get("month_name", "")[:3].lower()
        month, day = MONTHS.index(name) + 1 if name else int(said["month"]), 1
    return datetime(year, month, int(said.get("day", day)), tzinfo=UTC)


def _clock(said: Mapping[str, str]) -> tuple[int, int, int]:
    hour, minute, second = (int(said.get(key, "0")) for key in ("hour", "minute", "second"))
    if "hour12" in said:
        hour = int(said["hour12"])
        if not 1 <= hour <= 12:
            raise ValueError("a clock has twelve hours")
        hour = hour % 12 + (12 if said.get("half", "am").lower() == "pm" else 0)
    if hour > 23 or minute > 59 or second > 60:  # 60 is a leap second
        raise ValueError("a day has no such time")
    return hour, minute, second


def _offset(zone: str) -> timedelta:
    if zone in ZONES:
        return timedelta(hours=ZONES[zone])
    hours, minutes = int(zone[1:3]), int(zone[3:].removeprefix(":") or "0")
    if hours > 23 or minutes > 59:
        raise ValueError("there is no such zone")
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if zone[0] == "-" else offset
