"""Sets of characters as sorted ranges of code points: what a class of a pattern stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Sorted, apart from each other, both ends inclusive.
Ranges = tuple[tuple[int, int], ...]

LAST = 0x10FFFF
EVERYTHING: Ranges = ((0, LAST),)
NOTHING: Ranges = ()

_ALPHA_CASE = ord("a") - ord("A")


def join(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The set that ranges in any order make together."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return tuple(joined)


def complement(ranges: Ranges) -> Ranges:
    """All other characters."""
    others: list[tuple[int, int]] = []
    start = 0
    for low, high in ranges:
        if low > start:
            others.append((start, low - 1))
        start = high + 1
    if start <= LAST:
        others.append((start, LAST))
    return tuple(others)


def overlap(one: Ranges, other: Ranges) -> bool:
    """Whether a character is in both."""
    i = j = 0
    while i < len(one) and j < len(other):
        if one[i][1] < other[j][0]:
            i += 1
        elif other[j][1] < one[i][0]:
            j += 1
        else:
            return True
    return False


def fold(ranges: Ranges) -> Ranges:
    """With the other case of each ASCII letter; the engines disagree about the case of others."""
    more = list(ranges)
    for first, last, step in (("A", "Z", _ALPHA_CASE), ("a", "z", -_ALPHA_CASE)):
        for low, high in ranges:
            start, end = max(low, ord(first)), min(high, ord(last))
            if start <= end:
                more.append((start + step, end + step))
    return join(more)


def of(*parts: str) -> Ranges:
    """The set of single characters and of ranges, each written `a-z`."""
    return join((ord(part[0]), ord(part[-1])) for part in parts)


DIGIT = of("0-9")
WORD = of("0-9", "A-Z", "a-z", "_")
SPACE = of("\t", "\n", "\f", "\r", " ")  # without \v, as in RE2
LINE = complement(of("\n"))  # what a dot stands for

# POSIX classes, ASCII as in RE2.
POSIX = {
    "alnum": of("0-9", "A-Z", "a-z"),
    "alpha": of("A-Z", "a-z"),
    "ascii": ((0, 0x7F),),
    "blank": of("\t", " "),
    "cntrl": ((0, 0x1F), (0x7F, 0x7F)),
    "digit": DIGIT,
    "graph": of("!-~"),
    "lower": of("a-z"),
    "print": of(" -~"),
    "punct": of("!-/", ":-@", "[-`", "{-~"),
    "space": of("\t-\r", " "),
    "upper": of("A-Z"),
    "word": WORD,
    "xdigit": of("0-9", "A-F", "a-f"),
}
