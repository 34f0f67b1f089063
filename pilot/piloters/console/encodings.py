"""The encodings of files, by the names that a declaration uses, in Python's words.

Where the name is that of a small standard but everybody means the larger one that web browsers and
other collectors read by it, the larger one is taken.
"""

from __future__ import annotations

import codecs

# Python's name, where it is not the same or where Python means less by it (encoding.spec.whatwg.org
# lists what the names stand for).
OTHERS = {
    "big5": "big5hkscs",
    "euc-kr": "cp949",
    "gbk": "gb18030",
    "shift-jis": "cp932",
    "windows-874": "cp874",
}

# Bytes without a meaning that Python's cp932 gives private characters.
UNUSED = dict.fromkeys(range(0xF8F0, 0xF8F4), "\ufffd")


def known(name: str) -> bool:
    """Whether text of this encoding can be read; "" is UTF-8."""
    if not name:
        return True
    try:
        # Some of Python's codecs turn bytes into bytes; those are no encodings.
        return isinstance(b"a".decode(OTHERS.get(name, name)), str)
    except (LookupError, UnicodeError, ValueError):
        return False


def to_utf8(text: bytes, name: str) -> bytes:
    """Text of a known encoding in UTF-8; what is invalid becomes U+FFFD. UTF-8 stays as it is."""
    if not name:
        return text
    codec = OTHERS.get(name, name)
    decoded, _ = codecs.lookup(codec).decode(text, "replace")
    if codec == "cp932":
        decoded = decoded.translate(UNUSED)
    return decoded.encode("utf-8", "replace")
