"""What the text of an event is, and what it is taken apart with: `format` and its suboptions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilot.declarations import options
from pilot.declarations.asking import nearest
from pilot.declarations.tags import KEY, RESERVED, RESERVED_STARTS
from pilot.declarations.times import time_format
from pilot.model import Code, shorten
from pilot.treatment import Format, Treatment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilot.declarations.asking import Asking

MAX_KEYS = 64
TIME = "time"  # log-pilot's time_key where only a time format was given
# A parsed text may have a text of its own.
_NOT_RESERVED = frozenset({"message"})
# The key of an object may be any; those that hold a time are called like this, also below others.
_TIME_KEY = re.compile(r"[A-Za-z_@][A-Za-z0-9_.@-]{0,127}")
_NEIGHBOURS = {"regex": "regexp", "apache": "apache2", "text": "none", "plain": "none"}
_TIMED = frozenset({options.TIME_KEY, options.TIME_FORMAT, options.FORMAT_TARGET})
# Which suboptions each format takes; of log-pilot's three for web servers the fields are fixed.
TAKEN = {
    Format.NONE: frozenset[str](),
    Format.JSON: _TIMED,
    Format.CSV: _TIMED | {options.KEYS},
    Format.REGEXP: _TIMED | {options.PATTERN},
    Format.NGINX: _TIMED,
    Format.APACHE2: _TIMED,
    Format.APACHE_ERROR: _TIMED,
}
SUBOPTIONS = (*sorted(_TIMED), options.KEYS, options.PATTERN)


def parsing(asking: Asking) -> Treatment:
    """A treatment that takes events apart and does nothing else.

    Refuses the log for what is unknown or what a format lacks.
    """
    form = _format(asking)
    if form is None:
        return Treatment()
    given = {name for name in SUBOPTIONS if asking.text(name)}
    for name in sorted(given - TAKEN[form]):
        asking.note(
            name,
            Code.FORMAT_INVALID,
            f"this is ignored, because the format {form} does not take it.",
        )
    target = _target(asking) if options.FORMAT_TARGET in given & TAKEN[form] else ""
    pattern, keys, fields = "", tuple[str, ...](), None
    if form is Format.CSV:
        fields = keys = _keys(asking, below=target)
    elif form is Format.REGEXP:
        pattern, fields = _pattern(asking, below=target)
    time_key, written = ("", "") if form is Format.NONE else _time(asking, fields)
    return Treatment(
        format=form,
        pattern=pattern,
        keys=keys,
        time_key=time_key,
        time_format=written,
        target=target,
    )


def _format(asking: Asking) -> Format | None:
    text = asking.text(options.FORMAT)
    if not text:
        return Format.NONE
    if text in tuple(Format):
        return Format(text)
    asking.refuse(
        options.FORMAT,
        Code.FORMAT_UNKNOWN,
        f"a format is one of {', '.join(Format)}.",
        hint=_NEIGHBOURS.get(text.lower()) or nearest(text, tuple(Format)),
    )
    return None


def _keys(asking: Asking, *, below: str) -> tuple[str, ...]:
    text = asking.text(options.KEYS)
    if not text:
        reason = "the format csv needs format_keys, the names of the columns: time,level,text."
        asking.refuse(options.FORMAT, Code.FORMAT_INVALID, reason)
        return ()
    keys = tuple(key.strip() for key in text.split(","))
    if len(keys) > MAX_KEYS:
        reason = f"there are {len(keys)} keys; {MAX_KEYS} is the limit."
        asking.refuse(options.KEYS, Code.FORMAT_INVALID, reason)
        return ()
    for key in keys:
        if not _is_field(asking, options.KEYS, key, below=below):
            return ()
    if twice := next((key for key in keys if keys.count(key) > 1), ""):
        reason = "two columns have this name."
        asking.refuse(options.KEYS, Code.FORMAT_INVALID, reason, value=twice)
        return ()
    return keys


def _pattern(asking: Asking, *, below: str) -> tuple[str, tuple[str, ...] | None]:
    if not asking.text(options.PATTERN):
        reason = "the format regexp needs format_pattern, a regular expression with named groups."
        asking.refuse(options.FORMAT, Code.FORMAT_INVALID, reason)
        return "", None
    parsed = asking.regexp(options.PATTERN, slashes=True)
    if parsed is None:
        return "", None
    if not parsed.names:
        reason = "it has no named group, such as (?P<level>[A-Z]+), so it gives no field."
        asking.refuse(options.PATTERN, Code.FORMAT_INVALID, reason)
    for name in parsed.names:
        if not _is_field(asking, options.PATTERN, name, below=below):
            break
    return parsed.source, parsed.names


def _is_field(asking: Asking, option: str, name: str, *, below: str) -> bool:
    """Whether a field may be called that; refuses the log if not."""
    if not KEY.fullmatch(name):
        reason = "a field's name is 1 to 64 letters, digits, '_' and '-', first a letter or '_'."
    elif not below and _is_reserved(name):
        reason = (
            f"events have a field {shorten(name)!r} of their own; call it something else, or"
            " put all fields below one of yours with format_target."
        )
    else:
        return True
    asking.refuse(option, Code.FORMAT_INVALID, reason, value=name or None)
    return False


def _is_reserved(name: str) -> bool:
    return name not in _NOT_RESERVED and (name in RESERVED or name.startswith(RESERVED_STARTS))


def _target(asking: Asking) -> str:
    text = asking.text(options.FORMAT_TARGET)
    if not KEY.fullmatch(text):
        reason = "a field's name is 1 to 64 letters, digits, '_' and '-', first a letter or '_'."
    elif text in RESERVED or text.startswith(RESERVED_STARTS):
        reason = "events have a field of that name of their own."
    else:
        return text
    asking.refuse(options.FORMAT_TARGET, Code.FORMAT_INVALID, reason)
    return ""


def _time(asking: Asking, fields: Sequence[str] | None) -> tuple[str, str]:
    """The field that holds the time and how it is written; `fields` are all there are, if known."""
    key, written = asking.text(options.TIME_KEY), time_format(asking)
    if key and not _TIME_KEY.fullmatch(key):
        reason = "this is no name of a field: letters, digits, '_', '-', '.' and '@'."
        asking.refuse(options.TIME_KEY, Code.FORMAT_INVALID, reason)
        return "", ""
    if fields is None or not (key or written) or (key or TIME) in fields:
        return (key or TIME, written) if key or written else ("", "")
    if key:
        reason = "no field of the format has this name, so the time is not taken from it."
        asking.note(options.TIME_KEY, Code.FORMAT_INVALID, reason, hint=nearest(key, fields))
    else:
        reason = "it is not said which field holds the time, so it is not taken from one."
        asking.note(options.TIME_FORMAT, Code.FORMAT_INVALID, reason, hint="")
    return "", ""
