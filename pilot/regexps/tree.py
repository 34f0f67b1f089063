"""What a pattern means, free of any engine's spelling: a small tree.

Flags are gone: a dot, a case-insensitive letter and a class are sets of characters, `^` and `$`
say themselves whether they mean the text or a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilot.regexps.charset import Ranges


class Place(Enum):
    """Something that is true between two characters."""

    TEXT_START = auto()
    TEXT_END = auto()
    LINE_START = auto()
    LINE_END = auto()
    WORD_EDGE = auto()  # of ASCII words
    NO_WORD_EDGE = auto()


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of a set."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Named:
    """A group whose text is a field."""

    name: str
    node: Node


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; none is the empty text."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The first of two or more that leads to a match."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`least` to `most` times (None: any number), as many as possible or, lazy, as few."""

    node: Node
    least: int
    most: int | None
    lazy: bool


Node = Place | Chars | Named | Sequence | Choice | Repeat


def nullable(node: Node) -> bool:
    """Whether the empty text can match."""
    match node:
        case Place():
            return True
        case Chars():
            return False
        case Named(node=inner):
            return nullable(inner)
        case Sequence(nodes=nodes):
            return all(nullable(each) for each in nodes)
        case Choice(nodes=nodes):
            return any(nullable(each) for each in nodes)
        case Repeat(node=inner, least=least):
            return least == 0 or nullable(inner)


def names(node: Node) -> tuple[str, ...]:
    """The named groups, in the order in which they begin."""
    match node:
        case Named(name=name, node=inner):
            return (name, *names(inner))
        case Sequence(nodes=nodes) | Choice(nodes=nodes):
            return tuple(name for each in nodes for name in names(each))
        case Repeat(node=inner):
            return names(inner)
        case _:
            return ()
