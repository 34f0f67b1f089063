"""Whether a text could keep an engine that backtracks busy for very long.

Such an engine tries each way in which a pattern can divide a text. There are exponentially many
ways where what is repeated can itself be divided in two ways, and a power of the text's length
where repeats follow each other and each could take what the others take. The first is told by
one-unambiguity (Brüggemann-Klein): if the next character always decides where in the repeated part
it belongs, there is one way. That is stricter than it has to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot.regexps.charset import EVERYTHING, NOTHING, Ranges, join, overlap
from pilot.regexps.tree import Chars, Choice, Named, Node, Place, Repeat, Sequence, nullable

if TYPE_CHECKING:
    from collections.abc import Iterable

# Of repeats in a row that could take each other's text; the search for a beginning is one of them
# where the pattern is not bound to the text's start. Time grows with that power of the length.
MAX_ROW = 3


def why_slow(node: Node) -> str:
    """One sentence, or ""."""
    if _ambiguous_loop(node):
        return "what is repeated can divide the same text in more than one way, again and again."
    rows = _Rows()
    rows.follow(_without_tail(node), () if _bound(node) else ((EVERYTHING, 1),))
    if rows.longest > MAX_ROW:
        return "too many repeats follow each other that could take each other's text."
    return ""


@dataclass(frozen=True, slots=True)
class _Ends:
    """How a part begins, how it may go on behind its end, and whether one character decides."""

    first: Ranges
    more: Ranges
    clear: bool


def _ambiguous_loop(node: Node) -> bool:
    match node:
        case Named(node=inner):
            return _ambiguous_loop(inner)
        case Sequence(nodes=nodes) | Choice(nodes=nodes):
            return any(_ambiguous_loop(each) for each in nodes)
        case Repeat(node=inner, most=most):
            looped = most is None or most > 1
            return _ambiguous_loop(inner) or (looped and not _ends(node).clear)
        case _:
            return False


def _ends(node: Node) -> _Ends:
    match node:
        case Place():
            return _Ends(NOTHING, NOTHING, clear=True)
        case Chars(ranges=ranges):
            return _Ends(ranges, NOTHING, clear=True)
        case Named(node=inner):
            return _ends(inner)
        case Sequence(nodes=nodes):
            return _ends_of_sequence(nodes)
        case Choice(nodes=nodes):
            return _ends_of_choice(nodes)
        case Repeat():
            return _ends_of_repeat(node)


def _ends_of_sequence(nodes: tuple[Node, ...]) -> _Ends:
    whole, empty = _Ends(NOTHING, NOTHING, clear=True), True
    for node in nodes:
        part, may_skip = _ends(node), nullable(node)
        clear = not overlap(whole.more, part.first)
        if empty:
            clear = clear and not overlap(whole.first, part.first)
        whole = _Ends(
            join(whole.first + part.first) if empty else whole.first,
            join(whole.more + part.first + part.more) if may_skip else part.more,
            clear=whole.clear and part.clear and clear,
        )
        empty = empty and may_skip
    return whole


def _ends_of_choice(nodes: tuple[Node, ...]) -> _Ends:
    whole = _ends(nodes[0])
    for node in nodes[1:]:
        part = _ends(node)
        clear = whole.clear and part.clear and not overlap(whole.first, part.first)
        whole = _Ends(join(whole.first + part.first), join(whole.more + part.more), clear=clear)
    several_empty = sum(nullable(node) for node in nodes) > 1
    return _Ends(whole.first, whole.more, clear=whole.clear and not several_empty)


def _ends_of_repeat(node: Repeat) -> _Ends:
    part = _ends(node.node)
    if node.most == 1:
        clear = part.clear and not (node.least == 0 and nullable(node.node))
        return _Ends(part.first, part.more, clear=clear)
    clear = part.clear and not overlap(part.more, part.first)
    # A fixed number of times never leaves open whether to go on.
    more = part.more if node.least == node.most else join(part.more + part.first)
    return _Ends(part.first, more, clear=clear)


# (What the last repeat of a row takes, how long the row is) for each row that is not broken yet.
_Row = tuple[tuple[Ranges, int], ...]


@dataclass(slots=True)
class _Rows:
    """The longest row of repeats that could take each other's text."""

    longest: int = 0

    def follow(self, node: Node, before: _Row) -> _Row:
        """The rows behind a part, given those before it."""
        match node:
            case Place():
                return before
            case Chars(ranges=ranges):
                return tuple(each for each in before if overlap(each[0], ranges))
            case Named(node=inner):
                return self.follow(inner, before)
            case Sequence(nodes=nodes):
                for each in nodes:
                    before = self.follow(each, before)
                return before
            case Choice(nodes=nodes):
                return _best(row for each in nodes for row in self.follow(each, before))
            case Repeat():
                return self._follow_repeat(node, before)

    def _follow_repeat(self, node: Repeat, before: _Row) -> _Row:
        inside = self.follow(node.node, before)
        after = _best((*before, *inside)) if node.least == 0 else inside
        if node.most is not None:
            return after
        taken = _taken(node.node)
        length = 1 + max((rank for ranges, rank in before if overlap(ranges, taken)), default=0)
        self.longest = max(self.longest, length)
        return _best((*after, (taken, length)))


def _best(rows: Iterable[tuple[Ranges, int]]) -> _Row:
    best: dict[Ranges, int] = {}
    for ranges, length in rows:
        best[ranges] = max(length, best.get(ranges, 0))
    return tuple(best.items())


def _taken(node: Node) -> Ranges:
    """All characters that a part may take."""
    match node:
        case Chars(ranges=ranges):
            return ranges
        case Named(node=inner) | Repeat(node=inner):
            return _taken(inner)
        case Sequence(nodes=nodes) | Choice(nodes=nodes):
            return join(one for each in nodes for one in _taken(each))
        case _:
            return NOTHING


def _without_tail(node: Node) -> Node:
    """Without the repeats at the very end that cannot fail, so that nothing is tried again."""
    if isinstance(node, Repeat) and node.least == 0:
        return Sequence(())
    if isinstance(node, Named):
        return _without_tail(node.node)
    if isinstance(node, Sequence) and node.nodes and not isinstance(node.nodes[-1], Place):
        last = _without_tail(node.nodes[-1])
        if last == Sequence(()):
            return _without_tail(Sequence(node.nodes[:-1]))
        return Sequence((*node.nodes[:-1], last))
    return node


def _bound(node: Node) -> bool:
    """Whether a match can only begin where the text begins."""
    match node:
        case Place():
            return node is Place.TEXT_START
        case Named(node=inner):
            return _bound(inner)
        case Sequence(nodes=nodes):
            return bool(nodes) and _bound(nodes[0])
        case Choice(nodes=nodes):
            return all(_bound(each) for each in nodes)
        case _:
            return False
