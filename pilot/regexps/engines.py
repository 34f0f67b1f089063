r"""The spelling of a tree for each engine. Whatever an engine could read in its own way is escaped.

Where they differ, and why the spelling is what it is: Go folds the case of all Unicode and has no
`\v` in `\s`; Python's `$` also matches before a last newline and its `\B` not in an empty text;
Ruby's `^` and `$` are always of lines and do not match behind a last newline, its `\b` is of
Unicode words, its `(?m)` is what others call `(?s)`, and beside named groups its plain ones do not
capture. So no flags are written, classes are listed, and plain groups are `(?:…)` everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot.regexps.charset import DIGIT, EVERYTHING, LAST, LINE, SPACE, WORD, complement
from pilot.regexps.tree import Chars, Choice, Named, Place, Repeat, Sequence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pilot.regexps.charset import Ranges
    from pilot.regexps.tree import Node


@dataclass(frozen=True, slots=True)
class Engine:
    """How one engine writes what the others write otherwise."""

    code_point: Callable[[int], str]
    group: str  # what begins a named group, with %s for the name
    places: Mapping[Place, str]
    sets: Mapping[Ranges, str]  # shorter ways to write a class that mean just the same
    escaped: str = ""  # further characters that are never written as they are


def _go_code_point(code: int) -> str:
    return f"\\x{{{code:x}}}"


def _python_code_point(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _ruby_code_point(code: int) -> str:
    # \x80 and above would be a byte of a UTF-8 sequence.
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{{{code:x}}}"


_RUBY_WORD = "[0-9A-Z_a-z]"
_RUBY_EDGE = f"(?:(?<={_RUBY_WORD})(?!{_RUBY_WORD})|(?<!{_RUBY_WORD})(?={_RUBY_WORD}))"

GO = Engine(
    code_point=_go_code_point,
    group="(?P<%s>",
    places={
        Place.TEXT_START: r"^",
        Place.TEXT_END: r"$",
        Place.LINE_START: r"(?m:^)",
        Place.LINE_END: r"(?m:$)",
        Place.WORD_EDGE: r"\b",
        Place.NO_WORD_EDGE: r"\B",
    },
    sets={
        EVERYTHING: "(?s:.)",
        LINE: ".",
        DIGIT: r"\d",
        WORD: r"\w",
        SPACE: r"\s",
        complement(DIGIT): r"\D",
        complement(WORD): r"\W",
        complement(SPACE): r"\S",
    },
)
PYTHON = Engine(
    code_point=_python_code_point,
    group="(?P<%s>",
    places={
        Place.TEXT_START: r"\A",
        Place.TEXT_END: r"\Z",
        Place.LINE_START: r"(?m:^)",
        Place.LINE_END: r"(?m:$)",
        Place.WORD_EDGE: r"(?a:\b)",
        Place.NO_WORD_EDGE: r"(?!(?a:\b))",
    },
    sets={EVERYTHING: "(?s:.)", LINE: "."},
)
RUBY = Engine(
    code_point=_ruby_code_point,
    group="(?<%s>",
    places={
        Place.TEXT_START: r"\A",
        Place.TEXT_END: r"\z",
        Place.LINE_START: r"(?:\A|(?<=\n))",
        Place.LINE_END: r"(?=\n|\z)",
        Place.WORD_EDGE: _RUBY_EDGE,
        Place.NO_WORD_EDGE: f"(?!{_RUBY_EDGE})",
    },
    sets={EVERYTHING: "(?m:.)", LINE: "."},
    # `#{…}` runs code in a Ruby literal; a pattern must not depend on how it is quoted.
    escaped="#",
)

_NAMED = {0x07: r"\a", 0x09: r"\t", 0x0A: r"\n", 0x0B: r"\v", 0x0C: r"\f", 0x0D: r"\r"}
_SYNTAX = frozenset("\\.+*?()|[]{}^$")
_CLASS_SYNTAX = frozenset("\\[]^-&~|")


def write(node: Node, engine: Engine) -> str:
    """The pattern of a tree in one engine's words."""
    match node:
        case Place():
            return engine.places[node]
        case Chars(ranges=ranges):
            return _chars(ranges, engine)
        case Named(name=name, node=inner):
            return f"{engine.group % name}{write(inner, engine)})"
        case Sequence(nodes=nodes):
            # An empty pattern matches everything: as no text at all it would pass for none.
            return "".join(_part(each, engine) for each in nodes) or "(?:)"
        case Choice(nodes=nodes):
            return "|".join(write(each, engine) for each in nodes)
        case Repeat():
            return f"{_atom(node.node, engine)}{_times(node)}{'?' if node.lazy else ''}"


def _part(node: Node, engine: Engine) -> str:
    written = write(node, engine)
    return f"(?:{written})" if isinstance(node, Choice) else written


def _atom(node: Node, engine: Engine) -> str:
    written = write(node, engine)
    return written if isinstance(node, Chars | Named) else f"(?:{written})"


def _times(repeat: Repeat) -> str:
    match repeat.least, repeat.most:
        case 0, None:
            return "*"
        case 1, None:
            return "+"
        case 0, 1:
            return "?"
        case least, None:
            return f"{{{least},}}"
        case least, most:
            return f"{{{least}}}" if least == most else f"{{{least},{most}}}"


def _chars(ranges: Ranges, engine: Engine) -> str:
    if ranges in engine.sets:
        return engine.sets[ranges]
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _char(ranges[0][0], engine, _SYNTAX)
    negated = ranges[-1][1] == LAST
    parts = [
        _char(low, engine, _CLASS_SYNTAX)
        + ("-" if high > low + 1 else "")
        + (_char(high, engine, _CLASS_SYNTAX) if high > low else "")
        for low, high in (complement(ranges) if negated else ranges)
    ]
    return f"[{'^' if negated else ''}{''.join(parts)}]"


def _char(code: int, engine: Engine, syntax: frozenset[str]) -> str:
    if code in _NAMED:
        return _NAMED[code]
    char = chr(code)
    if char in engine.escaped or not 0x20 <= code < 0x7F:
        return engine.code_point(code)
    return f"\\{char}" if char in syntax else char
