"""Classes: `[a-z]`, `[^"]`, `[[:alpha:]_-]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilot.regexps.charset import NOTHING, POSIX, complement, fold, join
from pilot.regexps.escapes import RegexpError, read_escape
from pilot.regexps.tree import Place

if TYPE_CHECKING:
    from pilot.regexps.charset import Ranges


def read_class(text: str, at: int, *, ignore_case: bool) -> tuple[Ranges, int]:
    """The set that the class at `at` stands for, and where it ends. Raises RegexpError."""
    start, at = at, at + 1
    negated = text.startswith("^", at)
    at += negated
    ranges: list[tuple[int, int]] = []
    first = True
    while first or not text.startswith("]", at):
        if text.startswith("&&", at):
            raise RegexpError("'&&' within […] means different things to different engines.")
        low, at = _member(text, at, start)
        first = False
        if isinstance(low, tuple):
            ranges += low
        elif text.startswith("-", at) and not text.startswith("-]", at):
            high, at = _member(text, at + 1, start)
            if isinstance(high, tuple) or high < low:
                raise RegexpError(f"{text[start:at]!r} has a range that does not go upwards.")
            ranges.append((low, high))
        else:
            ranges.append((low, low))
    found = fold(join(ranges)) if ignore_case else join(ranges)
    found = complement(found) if negated else found
    if found == NOTHING:
        raise RegexpError(f"no character is in {text[start : at + 1]!r}.")
    return found, at + 1


def _member(text: str, at: int, start: int) -> tuple[Ranges | int, int]:
    if at >= len(text):
        raise RegexpError(f"the '[' of {text[start : start + 20]!r} is not closed.")
    if text.startswith(("[:", "[.", "[="), at):
        return _posix(text, at)
    if text[at] == "\\":
        found, end = read_escape(text, at)
        if isinstance(found, Place):
            raise RegexpError(f"{text[at:end]} has no meaning within […].")
        return found, end
    return ord(text[at]), at + 1


def _posix(text: str, at: int) -> tuple[Ranges, int]:
    end = text.find(f"{text[at + 1]}]", at + 2)
    name = text[at + 2 : end].removeprefix("^") if end >= 0 else ""
    if text[at + 1] != ":" or name not in POSIX:
        raise RegexpError(
            f"{text[at : at + 20]!r} begins no class by name; known are {', '.join(POSIX)},"
            r" and a bracket itself is written \[."
        )
    found = POSIX[name]
    return (complement(found) if text[at + 2] == "^" else found), end + 2
