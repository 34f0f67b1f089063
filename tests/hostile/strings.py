r"""Hostile strings, the same for the same seed.

A string is one of: pieces of the table put together; one whole attack; a mutated piece of a
fragment of ours; any code points, lone surrogates too; one piece very often; a number, boolean or
date as YAML types them; a twin that Unicode normalisation or case folding makes alike; a path to
the canaries. Each kind has a weight.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from tests.hostile.pieces import ATTACKS, CANARY, NORMAL_FORMS, TABLES, TWINS, TYPED, WORDS

if TYPE_CHECKING:
    import random

LONG = (100, 300, 1025, 4097)
VERY_LONG = 70_000
PLACEHOLDER = "web"


def hostile(chosen: random.Random, fragment: str) -> str:
    """The next string; `fragment` is one of ours, of which pieces are mutated."""
    kind = chosen.random()
    if kind < 0.50:
        return _pieces(chosen)
    if kind < 0.60:
        return chosen.choice(ATTACKS)
    if kind < 0.70:
        return _mutated(chosen, fragment)
    if kind < 0.76:
        return "".join(chr(_code(chosen)) for _ in range(chosen.randint(1, 12)))
    if kind < 0.77:
        times = VERY_LONG if chosen.random() < 0.02 else chosen.choice(LONG)
        return (chosen.choice(chosen.choice(TABLES)) * times)[:times]
    if kind < 0.86:
        return chosen.choice(TYPED)
    if kind < 0.92:
        twin = unicodedata.normalize(chosen.choice(NORMAL_FORMS), chosen.choice(TWINS))
        return twin + chosen.choice(("", ".log", _pieces(chosen)))
    return chosen.choice(WORDS) + chosen.choice(chosen.choice(TABLES)) + CANARY


def tame(chosen: random.Random, fragment: str) -> str:
    """As `hostile`, one line that may be looked at: what paths and tags are not refused for."""
    text = "".join(each for each in hostile(chosen, fragment) if each.isprintable())
    return text[:200] or PLACEHOLDER


def hostile_regexp(chosen: random.Random, fragment: str) -> str:
    """A pattern, mostly one that is no error, of characters that other layers interpret."""
    if chosen.random() < 0.2:
        return hostile(chosen, fragment)
    parts = [_regexp_part(chosen, 0) for _ in range(chosen.randint(1, 5))]
    return chosen.choice(("", "", "(?i)", "(?m)", "(?s)")) + "".join(parts)


def _regexp_part(chosen: random.Random, depth: int) -> str:
    kind = chosen.randint(0, 9 if depth < 3 else 6)
    if kind <= 2:
        return "".join(_literal(each) for each in tame(chosen, "")[: chosen.randint(1, 6)])
    if kind == 3:
        return chosen.choice(
            (".", "^", "$", r"\b", r"\A", r"\z", r"\B", "[^a]", "[$%{}]", r"[\w.-]")
        )
    if kind <= 5:
        part = chosen.choice(("a", ".", r"\$", r"\d", "[a-z]", r"\{", "%", "#"))
        return part + chosen.choice(("*", "+", "?", "{2}", "{0,3}", "*?", "+?", "{1,}"))
    if kind == 6:
        return chosen.choice((r"\x41", r"\x{1F600}", r"\u00e9", "[[:alpha:]]", r"\t", "ä", "é"))
    inner = "".join(_regexp_part(chosen, depth + 1) for _ in range(chosen.randint(1, 3)))
    opened = chosen.choice(("(", "(?:", f"(?P<n{chosen.randint(0, 999)}>", "(?i:"))
    other = f"|{_regexp_part(chosen, 3)}" if chosen.random() < 0.4 else ""
    return f"{opened}{inner}{other})"


def _literal(character: str) -> str:
    return f"\\{character}" if character in r"\.+*?()|[]{}^$/#-&~%" else character


def _pieces(chosen: random.Random) -> str:
    return "".join(chosen.choice(chosen.choice(TABLES)) for _ in range(chosen.randint(1, 7)))


def _mutated(chosen: random.Random, fragment: str) -> str:
    at = chosen.randrange(len(fragment)) if fragment else 0
    piece = list(fragment[at : at + chosen.randint(1, 200)]) or [PLACEHOLDER]
    for _ in range(chosen.randint(0, 4)):
        piece[chosen.randrange(len(piece))] = chosen.choice(chosen.choice(TABLES))
    return "".join(piece)


def _code(chosen: random.Random) -> int:
    return chosen.choice(
        (
            chosen.randrange(0x80),
            chosen.randrange(0x800),
            chosen.randrange(0x10000),
            chosen.randrange(0x110000),
            chosen.randrange(0xD800, 0xE000),
        )
    )
