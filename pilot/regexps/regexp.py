"""A checked pattern and its spelling for each engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilot.regexps import engines, tree
from pilot.regexps.escapes import RegexpError
from pilot.regexps.parser import MAX_LENGTH, read
from pilot.regexps.slow import why_slow

if TYPE_CHECKING:
    from pilot.regexps.tree import Node

__all__ = ["MAX_LENGTH", "Regexp", "RegexpError", "parse"]


@dataclass(frozen=True, slots=True)
class Regexp:
    r"""A pattern that means the same to Go (RE2), to Python's `re` and to Ruby (Onigmo).

    It is searched for in a text, which may hold newlines; the leftmost match counts, of several
    there the one that comes first in the pattern's order. `^` and `$` are the ends of the text, or
    after `(?m)` of a line; `\d`, `\w`, `\s`, `\b` and `(?i)` know ASCII only. Groups without a
    name only group. `names` are those of the others, `slow` is "" or one sentence on why an engine
    that backtracks (Python's, Ruby's) could take very long.
    """

    source: str
    _tree: Node = field(repr=False, compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The named groups, in the order in which they begin."""
        return tree.names(self._tree)

    @property
    def slow(self) -> str:
        """Why a text could keep an engine that backtracks busy for very long; "" if none could."""
        return why_slow(self._tree)

    def to_go(self) -> str:
        """The pattern for Go's regexp package, thus for Filebeat."""
        return engines.write(self._tree, engines.GO)

    def to_python(self) -> str:
        """The pattern for `re.compile` without flags, to be searched for in a str."""
        return engines.write(self._tree, engines.PYTHON)

    def to_ruby(self) -> str:
        """The pattern for `Regexp.new` without options, to be searched for in UTF-8 strings."""
        return engines.write(self._tree, engines.RUBY)


def parse(text: str) -> Regexp:
    """Check a pattern. Raises RegexpError with one sentence."""
    return Regexp(text, read(text))
