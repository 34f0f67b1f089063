"""Names of text encodings, as Filebeat 7.17 to 9 knows them."""

from __future__ import annotations

import re

ENCODINGS = {
    "ascii": "plain",
    "plain": "plain",
    "utf8": "utf-8",
    "gbk": "gbk",
    "gb2312": "gbk",  # a part of it
    "gb18030": "gb18030",
    "big5": "big5",
    "eucjp": "euc-jp",
    "euckr": "euc-kr",
    "shiftjis": "shift-jis",
    "sjis": "shift-jis",
    "latin1": "iso8859-1",
    "koi8r": "koi8r",
    "koi8u": "koi8u",
    **{f"iso8859{part}": f"iso8859-{part}" for part in (*range(1, 11), 13, 14, 15, 16)},
    **{
        f"{word}{page}": f"windows{page}"
        for word in ("windows", "cp")
        for page in range(1250, 1259)
    },
    "windows874": "windows874",
}


def encoding(name: str) -> str:
    """Filebeat's name for an encoding, however it is spelled; "" for one that it does not know."""
    return ENCODINGS.get(re.sub(r"[^a-z0-9]", "", name.lower()), "")
