"""The logs of web servers: what Fluentd's parsers nginx, apache2 and apache_error find in a line.

Whatever these servers write gives the same fields. The patterns are written so that no text is slow
to look at: what would be given back to no use is not given back. So a line in which a quote stands
alone within the request, where servers write an escape, is refused here where Fluentd guesses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilot.treatment import Format

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 1 << 15  # characters; web servers take no requests that would make a longer line
TIME = "%d/%b/%Y:%H:%M:%S %z"
BEGIN = r'^{first} (?P<user>[^ ]*+) \[(?P<time>[^\]]*+)\] "(?P<method>\S+)'
REQUEST = r'(?: ++(?P<path>{path}*?)(?:(?<! ) ++\S*)?)?" (?P<code>[^ ]*) (?P<size>[^ ]*)'

# A quote belongs to a text where a backslash stands before it.
QUOTED = r'(?:[^"]|(?<=\\)")'

NGINX = re.compile(
    BEGIN.format(first="(?P<remote>[^ ]*+) (?P<host>[^ ]*+)")
    + REQUEST.format(path='[^"]')
    + r'(?: "(?P<referer>[^"]*+)" "(?P<agent>[^"]*+)"'
    + r'(?:\s+"?(?P<http_x_forwarded_for>[^"]*)"?)?)?$',
    re.ASCII | re.MULTILINE,
)
APACHE2 = re.compile(
    BEGIN.format(first="(?P<host>[^ ]*+) [^ ]*+")
    + REQUEST.format(path=QUOTED)
    + f'(?: "(?P<referer>{QUOTED}*)" "(?P<agent>{QUOTED}*)")?$',
    re.ASCII | re.MULTILINE,
)
APACHE_ERROR = re.compile(
    r"^\[[^ ]*+ (?P<time>[^\]]*+)\] \[(?P<level>[^\]]*+)\](?: \[pid (?P<pid>[^\]]*+)\])?"
    r"(?: \[client (?P<client>[^\]]*+)\])? (?P<message>.*)$",
    re.MULTILINE,
)
PATTERNS = {
    Format.NGINX: NGINX,
    Format.APACHE2: APACHE2,
    Format.APACHE_ERROR: APACHE_ERROR,
}

# The times of these formats, in their field `time`; Apache's with and without a fraction.
TIMES: Mapping[Format, tuple[str, ...]] = {
    Format.NGINX: (TIME,),
    Format.APACHE2: (TIME,),
    Format.APACHE_ERROR: ("%b %d %H:%M:%S.%f %Y", "%b %d %H:%M:%S %Y"),
}


def fields(text: str, format_: Format) -> dict[str, object]:
    """What a line says. Raises ValueError where it is none of this format."""
    found = PATTERNS[format_].search(text) if len(text) <= LONGEST else None
    if not found:
        raise ValueError(f"the line is none of format {format_}")
    said: dict[str, object] = {
        key: value for key, value in found.groupdict().items() if value is not None
    }
    if format_ is not Format.APACHE2:
        return said
    absent = ("host", "user", "size", "referer", "agent")
    said = {key: value for key, value in said.items() if value != "-" or key not in absent}
    return said | _numbers(said)


def _numbers(said: Mapping[str, object]) -> dict[str, object]:
    """The status and the size as numbers; what does not begin with a digit is 0, as in Ruby."""
    return {key: _number(str(said[key])) for key in ("code", "size") if key in said}


def _number(text: str) -> int:
    digits = re.match(r"\d{1,18}", text, re.ASCII)
    return int(digits[0]) if digits else 0
