"""The value of a declaration: streams (`stdout`, `stderr`) and absolute paths, comma-separated."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from pilot.model import Code, Rejection, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

STDOUT = "stdout"
STDERR = "stderr"
STREAMS = (STDOUT, STDERR)
MAX_NAME = 63  # characters
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
MAX_VALUE = 4096  # characters: PATH_MAX, and plenty for tags
MAX_ITEMS = 32  # of one list
_TYPO = 0.7  # difflib's ratio: `stdot` and `std_err` are typos, `std` and `console` are not
_MEANT = re.compile(r"\s*[sS][tTdD][^,/]{2,8}\s*\Z")
BLANK = " \t\r\n"  # what may surround a value or an item of one


def is_log_value(value: str) -> bool:
    """Whether a value can have been meant as a log's: one item of it names a stream or a path."""
    return any(_is_item(item.strip(BLANK)) for item in value[:MAX_VALUE].split(","))


def check_name(name: str, key: str, value: str) -> Rejection | None:
    """Why a log may not be called that, if it may not."""
    if NAME.fullmatch(name):
        return None
    return Rejection(
        code=Code.NAME_INVALID,
        key=key,
        value=shorten(value),
        log=shorten(name),
        reason="a name is 1 to 63 letters, digits, '_', '.' and '-', first a letter or digit.",
    )


def check_value(name: str, key: str, value: str) -> Rejection | None:
    """Why a value as a whole declares no log, if it does not."""
    if len(value) > MAX_VALUE:
        return Rejection(
            code=Code.VALUE_TOO_LONG,
            key=key,
            value=shorten(value),
            log=name,
            reason=f"a value has at most {MAX_VALUE} characters.",
        )
    if not value.strip(BLANK + ","):
        return Rejection(
            code=Code.VALUE_EMPTY,
            key=key,
            log=name,
            reason="the value is empty; write stdout, stderr or an absolute path.",
        )
    return None


def parse_items(name: str, key: str, value: str) -> tuple[tuple[str, ...], list[Rejection]]:
    """The streams and paths that a value names; a bad one rejects itself only."""
    texts = [text.strip(BLANK) for text in value.split(",")]
    distinct = list(dict.fromkeys(text for text in texts if text))
    items: list[str] = []
    rejections: list[Rejection] = []
    for text in distinct[:MAX_ITEMS]:
        if _is_item(text):
            items.append(text)
        else:
            rejections.append(_bad_item(name, key, text))
    if len(distinct) > MAX_ITEMS:
        rejections.append(
            Rejection(
                code=Code.VALUE_TOO_LONG,
                key=key,
                value=shorten(distinct[MAX_ITEMS]),
                log=name,
                reason=f"a log may name {MAX_ITEMS} streams and paths; the rest is left out.",
            )
        )
    return tuple(items), rejections


def _is_item(item: str) -> bool:
    return item.startswith("/") or item in STREAMS


def stream_meant(text: str) -> str:
    """The stream that an item names or was meant to name; "" for none."""
    if not _MEANT.match(text):
        return ""  # Looking closer is dear.
    close = difflib.get_close_matches(text.strip(BLANK)[:16].lower(), STREAMS, n=1, cutoff=_TYPO)
    return close[0] if close else ""


def streams_meant(values: Iterable[str]) -> set[str]:
    """The streams that values name or were meant to name, as far as lists are ever read."""
    items = {item for each in values for item in each[:MAX_VALUE].split(",", MAX_ITEMS)[:MAX_ITEMS]}
    return {stream for item in items if (stream := stream_meant(item))}


def _bad_item(name: str, key: str, text: str) -> Rejection:
    near = stream_meant(text)
    return Rejection(
        code=Code.VALUE_INVALID,
        key=key,
        value=shorten(text),
        log=name,
        reason="this is neither stdout nor stderr nor an absolute path;"
        " a comma separates two of them, and {a,b} is no pattern.",
        hint=near,
    )
