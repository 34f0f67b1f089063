r"""What a backslash begins: `\d`, `\n`, `\x41`, `\.`, or a sentence on why it is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilot.regexps.charset import DIGIT, SPACE, WORD, complement
from pilot.regexps.tree import Place

if TYPE_CHECKING:
    from pilot.regexps.charset import Ranges


class RegexpError(ValueError):
    """A pattern cannot be used; its text is one sentence for the person who wrote it."""


_SETS = {
    "d": DIGIT,
    "w": WORD,
    "s": SPACE,
    "D": complement(DIGIT),
    "W": complement(WORD),
    "S": complement(SPACE),
}
_PLACES = {
    "A": Place.TEXT_START,
    "z": Place.TEXT_END,
    "b": Place.WORD_EDGE,
    "B": Place.NO_WORD_EDGE,
}
_CONTROLS = {"t": 0x09, "n": 0x0A, "r": 0x0D, "f": 0x0C, "v": 0x0B, "a": 0x07}
_INSTEAD = {
    "Z": r"\Z means different things to different engines; write \z for the end of the text.",
    "e": r"\e is not known to every engine; write \x1b.",
    "h": r"\h is not known to every engine; write [0-9A-Fa-f] or [ \t].",
    "k": "a pattern may not refer back to one of its groups.",
    "g": "a pattern may not refer back to one of its groups.",
    "p": r"classes of Unicode (\p) differ between engines; list the characters.",
    "P": r"classes of Unicode (\P) differ between engines; list the characters.",
    "Q": r"\Q is not known to every engine; put a backslash before each special character.",
    "0": r"octal escapes are not known to every engine; write \x and two hexadecimal digits.",
}
_CODE = re.compile(r"x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})")
_SURROGATES = range(0xD800, 0xE000)


def read_escape(text: str, at: int) -> tuple[Ranges | int | Place, int]:
    """What begins with the backslash at `at`, a set, a code point or a place; and where it ends.

    Raises RegexpError.
    """
    char = text[at + 1 : at + 2]
    if not char:
        raise RegexpError("it ends in a backslash that escapes nothing.")
    if char in _SETS:
        return _SETS[char], at + 2
    if char in _PLACES:
        return _PLACES[char], at + 2
    if char in _CONTROLS:
        return _CONTROLS[char], at + 2
    if char in "xu":
        return _code(text, at)
    if char in _INSTEAD:
        raise RegexpError(_INSTEAD[char])
    if char in "123456789":
        raise RegexpError(f"a pattern may not refer back to one of its groups (\\{char}).")
    if ord(char) >= 0x80:
        raise RegexpError(f"a backslash before {char!r} is no escape that every engine knows.")
    if char.isalnum():
        raise RegexpError(f"\\{char} is no escape that every engine knows.")
    return ord(char), at + 2


def _code(text: str, at: int) -> tuple[int, int]:
    found = _CODE.match(text, at + 1)
    if not found:
        raise RegexpError(
            r"a character's number is written \xHH, \x{H…} or \uHHHH, in hexadecimal."
        )
    code = int(found[1] or found[2] or found[3], 16)
    if code > 0x10FFFF or code in _SURROGATES:
        raise RegexpError(f"{found[0]!r} is the number of no character.")
    return code, found.end()
