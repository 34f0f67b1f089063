"""Random patterns of the subset, and texts in which they may be found."""

from __future__ import annotations

import re
import zlib

from hypothesis import strategies as st

CHARS = 'ab01_ .-"\\[]{}()|^$*+?/#&~\t\n\r\v\f\xe9\xc9\u017f\u212a\u2028\U0001f600AB'

_escaped = st.sampled_from(CHARS).map(
    lambda char: (
        re.escape(char) if char.isprintable() and char < "\x7f" else rf"\x{{{ord(char):x}}}"
    )
)
_classes = st.sampled_from(
    [
        ".",
        r"\d",
        r"\w",
        r"\s",
        r"\D",
        r"\W",
        r"\S",
        "[ab]",
        "[^a]",
        "[a-z_]",
        "[]a]",
        "[^]a]",
        r"[\w.-]",
        r"[^\s\d]",
        "[[:alpha:]]",
        "[[:^punct:]]",
        "[[:space:][:upper:]]",
        r"[\x{e0}-\x{ff}]",
        "[a~&#|]",
        r"[\n\t]",
        "[+--]",
        "[[]",
        r"[\s\S]",
    ]
)
_places = st.sampled_from(["^", "$", r"\A", r"\z", r"\b", r"\B", "(?m:^)", "(?m:$)"])
_times = st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{0,2}", "*?", "+?", "??", "{1,3}?"])


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(inner, _times).map(lambda two: f"({two[0]}){two[1]}"),
        inner.map(lambda one: f"(?i:{one})"),
        inner.map(lambda one: f"(?s:{one})"),
        inner.map(lambda one: f"(?P<n{zlib.crc32(one.encode()) % 1000}>{one})"),
    )


patterns = st.tuples(
    st.sampled_from(["", "", "(?i)", "(?s)", "(?m)", "(?im)"]),
    st.recursive(st.one_of(_escaped, _classes, _places), _grow, max_leaves=8),
).map("".join)
texts = st.text(st.sampled_from(CHARS), max_size=12)
