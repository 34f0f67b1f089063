r"""log-pilot's custom config: options of Filebeat for many logs, as lines of one text.

    line    = name "." option "=" value
    option  = "fields." tag | what Filebeat calls it (`multiline.pattern`, `exclude_lines`, …)

log-pilot printed the values into YAML as they were, so they may be quoted as YAML quotes, and lists
of patterns are written `['^DEBUG', '^TRACE']`. What has an option of ours becomes that option, a
field becomes a tag, everything else is a raw option of the collector.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pilot.declarations import options
from pilot.declarations.items import BLANK, MAX_NAME, MAX_VALUE
from pilot.declarations.raw import KEYS, RAW_KEY
from pilot.model import Code, Rejection, shorten

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from pilot.declarations.dialects import Entry

FIELD = f"{options.FIELDS}."  # one of a log's fields
MAX_LINES = 1000
MAX_HINTS = 20  # looking for the nearest name is dear
_LISTS = {"include_lines": "include", "exclude_lines": "exclude"}
_OURS = {
    "multiline.pattern": "multiline_pattern",
    "multiline.negate": "multiline_negate",
    "multiline.match": "multiline_match",
    "multiline.max_lines": "multiline_max_lines",
    "multiline.timeout": "multiline_timeout",
    "encoding": "encoding",
    "max_bytes": "max_bytes",
    **_LISTS,
}
_FIELD_KEY = re.compile(r'[^\s,="]{1,200}')
# One element of a YAML list in one line: in single quotes (a doubled one is one), in double quotes,
# or plain.
_ELEMENT = re.compile(
    r"""[ \t]*(?:'((?:[^']|'')*)'|"((?:[^"\\]|\\.)*)"|([^\s'"\[\]{},#&*!|>%@`][^,\[\]]*))[ \t]*"""
)
_ESCAPES = re.compile(r"\\(.)")
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "0": "\0", '"': '"', "\\": "\\", "/": "/", " ": " "}

_TOO_LONG = (
    f"it has more than {MAX_LINES} lines; no log of this container is collected, because nobody"
    " knows which lines the rest would hold back."
)
_NO_LIST = (
    f"a list of patterns is written ['one', 'two'], of {MAX_VALUE} characters at most; without"
    " it lines would be shipped that it may be there to hold back."
)


@dataclass(frozen=True, slots=True)
class Custom:
    """What custom configs say: entries by log and option, and what of it was refused.

    `refused` are logs that are refused with it: lines would be shipped that it was to hold back.
    """

    options: dict[str, dict[str, list[Entry]]]
    rejections: tuple[Rejection, ...]
    refused: frozenset[str]


def read_custom(configs: Iterable[Entry], logs: Collection[str]) -> Custom:
    """The options that custom configs give to declared logs; a bad line rejects itself only."""
    found: dict[str, dict[str, list[Entry]]] = {}
    rejections: list[Rejection] = []
    refused: set[str] = set()
    for config in configs:
        # Of two lines that say the same the later counts, as it does in YAML.
        said: dict[tuple[str, str], str] = {}
        for number, line in enumerate(_lines(config.value)):
            if number == MAX_LINES:
                rejections.append(_bad(config, line, _TOO_LONG))
                refused |= set(logs)
                break
            read = _line(config, line, logs, hint=len(rejections) < MAX_HINTS)
            if isinstance(read, Rejection):
                rejections.append(read)
                refused |= {read.log} - {""}
            else:
                said[read[:2]] = read[2]
        for (log, option), value in said.items():
            of_log = found.setdefault(log, {})
            of_log.setdefault(option, []).append(replace(config, value=value))
    return Custom(found, tuple(rejections), frozenset(refused))


def _lines(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        if stripped := line.strip(BLANK):
            yield stripped


def _line(
    config: Entry, line: str, logs: Collection[str], *, hint: bool
) -> tuple[str, str, str] | Rejection:
    """The log, the option in our words and the value; a rejection with a log refuses the log."""
    key, equals, text = (part.strip(BLANK) for part in line.partition("="))
    if not equals:
        return _bad(config, line, "each line of it is <log>.<option>=<value>.")
    log = _base(key, logs)
    if log is None:
        reason = "this line names no declared log; each is <log>.<option>=<value>."
        return replace(_bad(config, line, reason), hint=_nearest(key, logs) if hint else "")
    option = key[len(log) + 1 :]
    if option in _LISTS:
        pattern = _any_of(text)
        if pattern is None:
            return replace(_bad(config, line, _NO_LIST), log=log, code=Code.REGEXP_INVALID)
        return log, _OURS[option], pattern
    if option in _OURS:
        return log, _OURS[option], _unquoted(text)
    if option.startswith(FIELD):
        field = option.removeprefix(FIELD)
        if not _FIELD_KEY.fullmatch(field):
            reason = "a field's name holds no blank, comma or quote."
            return replace(_bad(config, line, reason), code=Code.TAG_INVALID)
        return log, f"{FIELD}{field}", _unquoted(text)
    if not RAW_KEY.fullmatch(option):
        return _bad(config, line, f"an option of the collector {KEYS}")
    return log, f"{options.RAW_START}{option}", text


def _nearest(key: str, logs: Collection[str]) -> str:
    name = key.split(".")[0][:MAX_NAME]
    return shorten(next(iter(difflib.get_close_matches(name, sorted(logs)[:100], n=1)), ""))


def _base(key: str, logs: Collection[str]) -> str | None:
    """The longest declared log that a key begins with, if an option follows it."""
    for at in range(min(len(key) - 2, MAX_NAME), 0, -1):
        if key[at] == "." and key[:at] in logs:
            return key[:at]
    return None


def _any_of(text: str) -> str | None:
    """One pattern for a list of them, None if it cannot be read; a single one may go unlisted."""
    if not text.startswith("["):
        return _unquoted(text)
    if len(text) > MAX_VALUE:
        return None
    patterns: list[str] = []
    at = 1
    while element := _ELEMENT.match(text, at):
        patterns.append(_plain(element))
        at = element.end()
        if at == len(text) - 1 and text[at] == "]":
            return patterns[0] if len(patterns) == 1 else "|".join(f"(?:{p})" for p in patterns)
        if text[at : at + 1] != ",":
            return None
        at += 1
    return None


def _unquoted(text: str) -> str:
    element = _ELEMENT.fullmatch(text) if text[:1] in ("'", '"') else None
    return _plain(element) if element else text


def _plain(element: re.Match[str]) -> str:
    single, double, plain = element.groups()
    if single is not None:
        return str(single).replace("''", "'")
    if double is not None:
        return _ESCAPES.sub(lambda found: _ESCAPED.get(found[1], found[0]), double)
    return str(plain).strip(BLANK)


def _bad(config: Entry, line: str, reason: str) -> Rejection:
    return Rejection(code=Code.VALUE_INVALID, key=config.key, value=shorten(line), reason=reason)
