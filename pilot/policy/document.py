"""One YAML mapping and its values, checked one by one; a slip is told with what would be right."""

from __future__ import annotations

import difflib
import reprlib
from typing import TYPE_CHECKING

import yaml

from pilot.model import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

DEEPEST = 20  # levels of lists and mappings; what is known needs four
# The C parser where libyaml is there: ten times as fast.
LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class DocumentError(ValueError):
    """One sentence, without the file's name."""


def load(text: str) -> Mapping[object, object]:
    """The one mapping that a text holds. Raises DocumentError.

    A key that is given twice is refused: the one that YAML drops may be the stricter.
    """
    try:
        _check_depth(text)
        node = yaml.compose(text, LOADER)
        if node is not None:
            _check_twice(node, set())
        document = yaml.load(text, Loader=LOADER)  # noqa: S506 - both choices are safe loaders
    except DocumentError:
        raise
    except yaml.YAMLError as error:
        raise DocumentError(_yaml_problem(error)) from error
    except Exception as error:  # a date that is none, and whatever else loaders raise
        said = " ".join(str(error).split())
        raise DocumentError(f"not usable as YAML: {said}") from error
    if document is None:
        raise DocumentError("nothing in it; write {} if no rule is meant")
    if not isinstance(document, dict):
        raise DocumentError(f"it holds {_shown(document)}; it must be a mapping (key: value)")
    return document


def _yaml_problem(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        return line + ", ".join(part for part in (error.context, error.problem) if part)
    return "not usable as YAML: " + " ".join(str(error).split())


def _check_depth(text: str) -> None:
    """Building what is nested too deep recurses in the C parser, past the end of the stack."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 0
            raise DocumentError(f"line {line}: nested deeper than {DEEPEST} levels")


def _check_twice(node: yaml.Node, seen: set[int]) -> None:
    if id(node) in seen or not isinstance(node, yaml.CollectionNode):
        return
    seen.add(id(node))  # What an alias repeats is looked at once.
    keys: set[str] = set()
    for each in node.value:
        if not isinstance(node, yaml.MappingNode):
            _check_twice(each, seen)
            continue
        key, value = each
        if isinstance(key, yaml.ScalarNode):
            if key.value in keys:
                line = key.start_mark.line + 1 if key.start_mark else 0
                raise DocumentError(f"line {line}: {shorten(key.value)!r} is given twice here")
            keys.add(key.value)
        _check_twice(value, seen)


class Table:
    """One mapping of the file, and where it stands, for messages."""

    def __init__(self, prefix: str, value: object) -> None:
        """Raises DocumentError where it is none; nothing counts as an empty one."""
        self._prefix = prefix
        if not isinstance(value, dict | None):
            raise self.wrong("", value, "a mapping (key: value)")
        self._values: Mapping[object, object] = value or {}

    def wrong(self, key: str, value: object, right: str) -> DocumentError:
        """The error for a value, with what would be right."""
        name = f"{self._prefix}{key}".rstrip(".")
        return DocumentError(f"{name} is {_shown(value)}; it must be {right}")

    def unknown(self, key: object, hint: str) -> DocumentError:
        """The error for a key."""
        return DocumentError(f"unknown key {self._prefix}{_plain(key)}; {hint}")

    def names(self) -> list[str]:
        """Every key, which must be text."""
        for key in self._values:
            if not isinstance(key, str):
                raise self.unknown(key, "put it in quotes")
        return [key for key in self._values if isinstance(key, str)]

    def only(self, known: Sequence[str]) -> None:
        """Refuse any other key."""
        for key in self.names():
            if key not in known:
                near = difflib.get_close_matches(key[:64], known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
                raise self.unknown(key, hint)

    def table(self, key: str) -> Table:
        """A mapping below this one."""
        return Table(f"{self._prefix}{_plain(key)}.", self._values.get(key))

    def text(self, key: str) -> str:
        """A text; "" where it is missing."""
        return self._text(key, self._values[key]) if key in self._values else ""

    def word(self, key: str, words: Sequence[str]) -> str:
        """One of several words; "" where it is missing."""
        if key not in self._values:
            return ""
        value = self._values[key]
        if not isinstance(value, str) or value not in words:
            raise self.wrong(key, value, "one of " + ", ".join(words))
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self._values[key]
        if not isinstance(value, bool):
            raise self.wrong(key, value, "true or false")
        return value

    def number(self, key: str, most: int) -> int:
        """A whole number from 1."""
        value = self._values[key]
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise self.wrong(key, value, f"a whole number from 1 to {most}")
        return value

    def texts(
        self,
        key: str,
        default: tuple[str, ...] = (),
        *,
        right: str = "text; put it in quotes",
        check: Callable[[str], bool] = bool,
    ) -> tuple[str, ...]:
        """A list of texts, each of which `check` finds right."""
        if key not in self._values:
            return default
        found = []
        for number, item in enumerate(self._list(key)):
            if not isinstance(item, str) or not check(item):
                raise self.wrong(f"{key}[{number}]", item, right)
            found.append(item)
        return tuple(found)

    def words(self, key: str, words: Iterable[str]) -> tuple[str, ...]:
        """A list of known words."""
        known = tuple(words)
        right = "one of " + ", ".join(known)
        return self.texts(key, right=right, check=lambda text: text in known)

    def all_texts(self) -> dict[str, str]:
        """All of the mapping, which must hold nothing but texts."""
        return {key: self._text(key, self._values[key]) for key in self.names()}

    def _text(self, key: str, value: object) -> str:
        if not isinstance(value, str) or not value:
            raise self.wrong(key, value, "text; put it in quotes")
        return value

    def _list(self, key: str) -> list[object]:
        value = self._values[key]
        if not isinstance(value, list):
            raise self.wrong(key, value, "a list, as in [a, b]")
        return value


def _plain(key: object) -> str:
    return shorten(key) if isinstance(key, str) else _shown(key)


def _shown(value: object) -> str:
    if value is None:
        return "empty"
    try:
        return shorten(reprlib.repr(value) if isinstance(value, dict | list) else repr(value))
    except ValueError:  # Python writes no integer of more than 4,300 digits.
        return "a very long number"
