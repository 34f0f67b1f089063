"""Names of text encodings, as Filebeat 7.17 to 9 knows them."""

from __future__ import annotations

# By the names that declarations come with.
ENCODINGS = {
    **{name: name for name in ("big5", "euc-jp", "euc-kr", "gb18030", "gbk", "shift-jis")},
    **{f"iso8859-{part}": f"iso8859-{part}" for part in (*range(1, 11), 13, 14, 15, 16)},
    "koi8-r": "koi8r",
    "koi8-u": "koi8u",
    **{f"windows-{page}": f"windows{page}" for page in (874, *range(1250, 1259))},
}


def encoding(name: str) -> str:
    """Filebeat's name for an encoding; "" for one that it does not know."""
    return ENCODINGS.get(name, "")
