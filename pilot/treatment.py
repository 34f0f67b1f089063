"""What is to be done with the lines of a log once they are found: how to part, join and sift them.

Every value here was checked when the declaration was read; a piloter only writes it in its
collector's words, or says that its collector cannot do it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LINES = 500  # of one event; further lines are dropped, as Filebeat does by default
TIMEOUT = 5.0  # seconds without a line after which an event counts as whole


class Format(StrEnum):
    """What the text of one event is, as declared."""

    NONE = "none"
    JSON = "json"
    CSV = "csv"
    REGEXP = "regexp"
    NGINX = "nginx"
    APACHE2 = "apache2"
    APACHE_ERROR = "apache_error"


class Stream(StrEnum):
    """Which of the two streams in a runtime's log is wanted; files have no streams: all."""

    ALL = "all"
    STDOUT = "stdout"
    STDERR = "stderr"


class Match(StrEnum):
    """Where the lines that a multiline pattern finds belong."""

    AFTER = "after"  # to the line before them
    BEFORE = "before"  # to the line behind them


class Feature(StrEnum):
    """Something that a treatment may ask of a collector; piloters say what theirs cannot do."""

    JSON = "format json"
    CSV = "format csv"
    REGEXP = "format regexp"
    NGINX = "format nginx"
    APACHE2 = "format apache2"
    APACHE_ERROR = "format apache_error"
    FORMAT_TARGET = "format_target"
    TIME_KEY = "format_time_key"
    TIME_FORMAT = "format_time_format"
    MULTILINE = "multiline"
    INCLUDE = "include"
    EXCLUDE = "exclude"
    ENCODING = "encoding"
    MAX_BYTES = "max_bytes"
    RAW = "raw options"


# Without them lines would be shipped that were to be held back: the log is refused instead.
WITHHOLDING = frozenset({Feature.INCLUDE, Feature.EXCLUDE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiline:
    """Which lines make one event, in the words of Filebeat's multiline parser.

    Lines that match `pattern` (with `negate`: that do not) belong to the event of the line before
    (`after`) or behind (`before`) them. `timeout` is in seconds.
    """

    pattern: str  # of pilot.regexps
    negate: bool = False
    match: Match = Match.AFTER
    max_lines: int = MAX_LINES
    timeout: float = TIMEOUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """How the lines of one log become events.

    In this order: text is decoded, lines are joined (`multiline`), events that do not match
    `include` or match `exclude` are dropped, the rest is cut (`max_bytes`) and taken apart
    (`format`). All patterns are
    of `pilot.regexps` and look at the whole event.
    """

    encoding: str = ""  # of the file; "" is UTF-8
    max_bytes: int = 0  # of one event, the rest is cut off; 0 is the collector's own limit
    multiline: Multiline | None = None
    include: str = ""
    exclude: str = ""
    format: Format = Format.NONE
    pattern: str = ""  # of `regexp`: its named groups become fields
    keys: tuple[str, ...] = ()  # of `csv`, column by column
    time_key: str = ""  # the field that holds the event's time
    time_format: str = ""  # how, in strptime's words; "" is ISO 8601
    target: str = ""  # the field below which parsed fields go; "" is the top
    raw: Mapping[str, str] = field(default_factory=dict)  # the collector's own options, allowed

    @property
    def features(self) -> frozenset[Feature]:
        """All that this asks of a collector."""
        asked = {
            Feature.ENCODING: self.encoding,
            Feature.MAX_BYTES: self.max_bytes,
            Feature.MULTILINE: self.multiline,
            Feature.INCLUDE: self.include,
            Feature.EXCLUDE: self.exclude,
            Feature.TIME_KEY: self.time_key,
            Feature.TIME_FORMAT: self.time_format,
            Feature.FORMAT_TARGET: self.target,
            Feature.RAW: self.raw,
        }
        found = {feature for feature, value in asked.items() if value}
        if self.format is not Format.NONE:
            found.add(Feature(f"format {self.format}"))
        return frozenset(found)
