"""What is taken of a file and how it is read: `include`, `exclude`, `encoding`, `max_bytes`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilot.declarations import options
from pilot.declarations.asking import nearest
from pilot.declarations.items import STREAMS
from pilot.declarations.numbers import size
from pilot.model import Code

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilot.declarations.asking import Asking

LEAST_BYTES = 1 << 10
MOST_BYTES = 10 << 20

# Every encoding that all collectors know, in which ASCII is ASCII and a newline is one byte: the
# lines of a file are found before its text is decoded. Filebeat 7.17 and 9 know the same.
ENCODINGS = (
    "big5",
    "euc-jp",
    "euc-kr",
    "gb18030",
    "gbk",
    *(f"iso8859-{part}" for part in (*range(1, 11), 13, 14, 15, 16)),
    "koi8-r",
    "koi8-u",
    "shift-jis",
    "windows-874",
    *(f"windows-{page}" for page in range(1250, 1259)),
)
UTF_8 = "utf-8"
_UTF_8 = frozenset({"ascii", "plain", "usascii", "utf8"})
_ALIASES = {
    "cp932": "shift-jis",
    "cp936": "gbk",
    "cp949": "euc-kr",
    "cp950": "big5",
    "gb2312": "gbk",  # a part of it
    "latin1": "iso8859-1",
    "latin2": "iso8859-2",
    "latin9": "iso8859-15",
    "sjis": "shift-jis",
    "windows31j": "shift-jis",
    **{f"cp{page}": f"windows-{page}" for page in (874, *range(1250, 1259))},
}
_STATEFUL = ("utf16", "utf32", "ucs", "iso2022", "hz", "ebcdic")


def pattern(asking: Asking, option: str) -> str:
    """The pattern of `include` or `exclude`, "" if not given; refuses the log for a bad one."""
    parsed = asking.regexp(option)
    return parsed.source if parsed else ""


def max_bytes(asking: Asking) -> int:
    """The size of an event at most, 0 if not given."""
    return size(asking, options.MAX_BYTES, least=LEAST_BYTES, most=MOST_BYTES)


def encoding(asking: Asking, items: Iterable[str]) -> str:
    """The canonical name of the files' encoding, "" for UTF-8; refuses the log for an unknown."""
    text = asking.text(options.ENCODING)
    if not text:
        return ""
    plain = _plain(text)
    if plain in _UTF_8:
        return ""
    known = _ALIASES.get(plain) or {_plain(name): name for name in ENCODINGS}.get(plain, "")
    if not known:
        _unknown(asking, text, plain)
    elif all(item in STREAMS for item in items):
        asking.note(
            options.ENCODING,
            Code.OPTION_UNSUPPORTED,
            "stdout and stderr are always UTF-8, because the runtime writes them so; the encoding"
            " of files alone can be chosen.",
        )
        return ""
    return known


def _unknown(asking: Asking, text: str, plain: str) -> None:
    if plain.startswith(_STATEFUL):
        reason = "in this encoding lines cannot be found by their newlines; write the log in UTF-8."
        asking.refuse(options.ENCODING, Code.ENCODING_UNKNOWN, reason)
        return
    asking.refuse(
        options.ENCODING,
        Code.ENCODING_UNKNOWN,
        "no encoding that all collectors know has this name, such as utf-8, gbk, shift-jis,"
        " iso8859-1 or windows-1252.",
        hint=nearest(text, (UTF_8, *ENCODINGS, *_ALIASES)),
    )


def _plain(name: str) -> str:
    return re.sub(r"[-_ .:]", "", name.lower())
