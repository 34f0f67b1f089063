r"""A regular expression for one line, where the line still has its newline.

Docker's records hold the newline that ended the line, and Filebeat's multiline parser sees it. So
the end of the line is before it, and nothing else may match it. No other newline is in a line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilot.regexps import engines
from pilot.regexps.parser import read
from pilot.regexps.tree import Chars, Choice, Named, Place, Repeat, Sequence

if TYPE_CHECKING:
    from pilot.regexps.tree import Node

CARRIAGE_RETURN, NEWLINE = ord("\r"), ord("\n")
ENDED = Sequence(
    (Repeat(Chars(((CARRIAGE_RETURN, CARRIAGE_RETURN),)), 0, 1, lazy=False), Place.LINE_END)
)
NEVER = Sequence((Chars(((NEWLINE, NEWLINE),)), Place.TEXT_START))
PLACES: dict[Place, Node] = {
    Place.LINE_START: Place.TEXT_START,
    Place.TEXT_END: ENDED,
    Place.LINE_END: ENDED,
}


def before_newline(pattern: str) -> str:
    r"""A pattern for Go that finds in `line + "\n"` what the tenant's finds in `line`.

    In `line + "\r\n"` too, as far as it is about the line's end. Raises RegexpError.
    """
    return engines.write(_rewritten(read(pattern)), engines.GO)


def _rewritten(node: Node) -> Node:
    match node:
        case Place():
            return PLACES.get(node, node)
        case Chars(ranges):
            left = tuple(part for each in ranges for part in _split(*each))
            return Chars(left) if left else NEVER
        case Named(name, inner):
            return Named(name, _rewritten(inner))
        case Repeat(inner, least, most, lazy):
            return Repeat(_rewritten(inner), least, most, lazy=lazy)
        case Sequence(nodes):
            return Sequence(tuple(_rewritten(each) for each in nodes))
        case Choice(nodes):
            return Choice(tuple(_rewritten(each) for each in nodes))


def _split(low: int, high: int) -> list[tuple[int, int]]:
    """A range without the newline."""
    if not low <= NEWLINE <= high:
        return [(low, high)]
    parts = ((low, NEWLINE - 1), (NEWLINE + 1, high))
    return [(first, last) for first, last in parts if first <= last]
