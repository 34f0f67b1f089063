"""A pattern's text → its tree, or a sentence on why it cannot be used.

The meaning is that of RE2 (https://github.com/google/re2/wiki/Syntax), of which this takes what
can be said to every engine with that very meaning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from pilot.regexps.charset import EVERYTHING, LINE, fold
from pilot.regexps.classes import read_class
from pilot.regexps.escapes import RegexpError, read_escape
from pilot.regexps.tree import Chars, Choice, Named, Node, Place, Repeat, Sequence, names, nullable

MAX_LENGTH = 1000  # characters
MAX_DEPTH = 50  # groups within groups
MAX_REPEAT = 1000  # RE2's, also of repeats within repeats multiplied
MAX_STEPS = 5000  # of a collector's memory: 40 bytes each in RE2, in each of a tenant's patterns

# A tab may stand as it is; what else is invisible is written as an escape.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_LEADING_FLAGS = re.compile(r"\(\?([A-Za-z-]+)\)")
_GROUP_FLAGS = re.compile(r"\(\?([A-Za-z-]+):")
_NAMED = re.compile(r"\(\?P?<([^>=!]*)>")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_TIMES = re.compile(r"\{([0-9]{1,9})(,([0-9]{1,9})?)?\}")
_REFUSED = {
    "(?=": "look-ahead",
    "(?!": "look-ahead",
    "(?<=": "look-behind",
    "(?<!": "look-behind",
    "(?>": "an atomic group",
    "(?(": "a condition",
    "(?P=": "a reference back to a group",
    "(?P>": "a call of a group",
    "(?#": "a comment",
    "(?|": "a branch reset",
    "(?&": "a call of a group",
    "(?R": "a call of the pattern itself",
    "(?~": "an absence operator",
}


@dataclass(frozen=True, slots=True)
class _Flags:
    ignore_case: bool = False
    dot_all: bool = False
    lines: bool = False


@dataclass(slots=True)
class _Reader:
    text: str
    at: int = 0
    seen: set[str] = field(default_factory=set)

    def peek(self, what: str | tuple[str, ...]) -> bool:
        return self.text.startswith(what, self.at)


def read(text: str) -> Node:
    """The tree of a pattern. Raises RegexpError."""
    if len(text) > MAX_LENGTH:
        raise RegexpError(f"it has {len(text)} characters; {MAX_LENGTH} is the limit.")
    if found := _INVISIBLE.search(text):
        code = ord(found[0])
        raise RegexpError(f"it holds the invisible character U+{code:04X}; write it as an escape.")
    reader, flags = _Reader(text), _Flags()
    while found := _LEADING_FLAGS.match(text, reader.at):
        flags = _set(flags, found[1])
        reader.at = found.end()
    tree = _choice(reader, flags, 0)
    if reader.at < len(text):
        raise RegexpError("a ')' closes no group.")
    if _check_repeats(tree, 1) > MAX_STEPS:
        raise RegexpError(f"with its repeats written out it has more than {MAX_STEPS} steps.")
    return tree


def _choice(reader: _Reader, flags: _Flags, depth: int) -> Node:
    if depth > MAX_DEPTH:
        raise RegexpError(f"groups lie more than {MAX_DEPTH} deep in each other.")
    nodes = [_sequence(reader, flags, depth)]
    while reader.peek("|"):
        reader.at += 1
        nodes.append(_sequence(reader, flags, depth))
    return nodes[0] if len(nodes) == 1 else Choice(tuple(nodes))


def _sequence(reader: _Reader, flags: _Flags, depth: int) -> Node:
    nodes: list[Node] = []
    while reader.at < len(reader.text) and not reader.peek(("|", ")")):
        nodes.append(_repeated(reader, _atom(reader, flags, depth)))
    return nodes[0] if len(nodes) == 1 else Sequence(tuple(nodes))


def _atom(reader: _Reader, flags: _Flags, depth: int) -> Node:
    char = reader.text[reader.at]
    if char == "(":
        return _group(reader, flags, depth)
    if char == "[":
        ranges, reader.at = read_class(reader.text, reader.at, ignore_case=flags.ignore_case)
        return Chars(ranges)
    if char == "\\":
        found, reader.at = read_escape(reader.text, reader.at)
        if isinstance(found, int):
            return _literal(found, flags)
        return found if isinstance(found, Place) else Chars(found)
    if char in "*+?" or _TIMES.match(reader.text, reader.at):
        raise RegexpError(f"there is nothing before {reader.text[reader.at :][:8]!r} to repeat.")
    reader.at += 1
    match char:
        case ".":
            return Chars(EVERYTHING if flags.dot_all else LINE)
        case "^":
            return Place.LINE_START if flags.lines else Place.TEXT_START
        case "$":
            return Place.LINE_END if flags.lines else Place.TEXT_END
        case _:
            return _literal(ord(char), flags)


def _literal(code: int, flags: _Flags) -> Chars:
    return Chars(fold(((code, code),)) if flags.ignore_case else ((code, code),))


def _group(reader: _Reader, flags: _Flags, depth: int) -> Node:
    text, start = reader.text, reader.at
    name = ""
    if reader.peek("(?:"):
        reader.at += 3
    elif found := _GROUP_FLAGS.match(text, start):
        flags = _set(flags, found[1])
        reader.at = found.end()
    elif found := _NAMED.match(text, start):
        name = _name(reader, found[1])
        reader.at = found.end()
    elif reader.peek("(?"):
        raise RegexpError(_why_not(text[start:]))
    else:
        reader.at += 1
    inner = _choice(reader, flags, depth + 1)
    if not reader.peek(")"):
        raise RegexpError(f"the '(' of {text[start : start + 20]!r} is not closed.")
    reader.at += 1
    return Named(name, inner) if name else inner


def _name(reader: _Reader, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise RegexpError(
            "a group's name is 1 to 64 letters, digits and '_', first a letter or '_'."
        )
    if name in reader.seen:
        raise RegexpError(f"two groups are called {name!r}.")
    reader.seen.add(name)
    return name


def _why_not(rest: str) -> str:
    if _LEADING_FLAGS.match(rest):
        return "flags stand at the very beginning, or in a group of their own: (?i:…)."
    for start in sorted(_REFUSED, key=len, reverse=True):
        if rest.startswith(start):
            return f"{start!r} begins {_REFUSED[start]}, which not every engine knows."
    return f"{rest[:6]!r} begins no group that every engine knows."


def _set(flags: _Flags, letters: str) -> _Flags:
    names = {"i": "ignore_case", "s": "dot_all", "m": "lines"}
    on, *off = letters.split("-")
    if len(off) > 1 or not set("".join([on, *off])) <= names.keys() or not (on or "".join(off)):
        raise RegexpError(f"the flags {letters!r} are not known; known are i, s and m.")
    changed = {names[letter]: True for letter in on}
    changed |= {names[letter]: False for letter in "".join(off)}
    return replace(flags, **changed)


def _repeated(reader: _Reader, node: Node) -> Node:
    times = _quantifier(reader)
    if times is None:
        return node
    least, most = times
    lazy = reader.peek("?")
    reader.at += lazy
    if reader.peek(("*", "+", "?")) or _TIMES.match(reader.text, reader.at):
        raise RegexpError(
            "of two repeats in a row the second is not known to every engine; write a group."
        )
    if nullable(node) and most != 1:
        raise RegexpError("what is repeated could match nothing at all, again and again.")
    if names(node) and most != 1:
        raise RegexpError("a named group that is repeated would have several texts.")
    return Repeat(node, least, most, lazy)


def _quantifier(reader: _Reader) -> tuple[int, int | None] | None:
    if reader.peek(("*", "+", "?")):
        char = reader.text[reader.at]
        reader.at += 1
        return int(char == "+"), (1 if char == "?" else None)
    if reader.peek("{,"):
        raise RegexpError(r"write {0,n}, or \{ for the character.")
    found = _TIMES.match(reader.text, reader.at)
    if not found:
        return None
    reader.at = found.end()
    least = int(found[1])
    most = int(found[3]) if found[3] else (None if found[2] else least)
    if most == 0:
        raise RegexpError(f"{found[0]!r} repeats nothing.")
    if most is not None and most < least:
        raise RegexpError(f"{found[0]!r} ends below its beginning.")
    return least, most


def _check_repeats(node: Node, outer: int) -> int:
    """How many steps a part has with its repeats written out, as RE2 does.

    Raises RegexpError where repeats, multiplied, are more than RE2 takes.
    """
    match node:
        case Named(node=inner):
            return 1 + _check_repeats(inner, outer)
        case Sequence(nodes=nodes) | Choice(nodes=nodes):
            return sum(1 + _check_repeats(each, outer) for each in nodes)
        case Repeat(node=inner, least=least, most=most):
            times = max(1, least, most or 0)
            if outer * times > MAX_REPEAT:
                raise RegexpError(f"it repeats something more than {MAX_REPEAT} times.")
            return times * (1 + _check_repeats(inner, outer * times))
        case Chars(ranges=ranges):
            return max(1, len(ranges))  # Each copy of a class holds all of its ranges.
        case _:
            return 1
