"""YAML text → values and the lines that they stand on, as Kubernetes and compose read YAML.

The values are made from the parser's nodes by hand: it costs less than PyYAML's own construction,
keeps the nodes for their lines, and gives what is neither number nor boolean as text (Kubernetes
turns YAML into JSON, which knows no dates).
"""

from __future__ import annotations

import functools
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml
from yaml.resolver import Resolver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pilot.manifests.shapes import Path

# The C parser where libyaml is there: ten times as fast.
LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEEPEST = 100  # levels of lists and mappings; a pod needs a dozen
SAFE_DEPTH = 300  # levels that parser and builder, which recurse, surely bear
MOST = 2_000_000  # values after every alias is written out

_STR, _NULL, _BOOL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null", "tag:yaml.org,2002:bool"
_MERGE = "tag:yaml.org,2002:merge"
_NUMBERS: Mapping[str, Callable[[str], int | float]] = MappingProxyType(
    {"tag:yaml.org,2002:int": int, "tag:yaml.org,2002:float": float}
)
_BOOLEANS: Mapping[str, bool] = MappingProxyType(
    {"yes": True, "no": False, "true": True, "false": False, "on": True, "off": False}
)
# What a line may begin with before its first value: each character may open one more level.
_OPENING = re.compile(r"^[ \t?:-]+", re.MULTILINE)


class NodeError(Exception):
    """YAML that is not read: why, and the line, counted from 1."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason, self.line = reason, line


def compose(text: str) -> Iterator[yaml.Node]:
    """The root node of each document that is not empty. Raises NodeError."""
    try:
        if 2 * (_deepest_block(text) + 1) + text.count("[") + text.count("{") > SAFE_DEPTH:
            _check_depth(text)
        loader = LOADER(text)
        loader.resolve = _tag  # type: ignore[method-assign]
        try:
            while loader.check_node():
                node = loader.get_node()
                if node is not None:
                    if "&" in text and "*" in text:
                        _Weigher().check(node)
                    yield node
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise NodeError(*_problem(error, text)) from error


def build(node: yaml.Node) -> Any:
    """The value of a node. Raises NodeError for one that contains itself."""
    return _Builder().value(node)


def line_of(node: yaml.Node, path: Path) -> int:
    """The line, counted from 1, of the key or item that a path ends with, or as near as there is.

    For an entry of a mapping that is its key, for one of a list its first character.
    """
    line = node.start_mark.line
    for step in path:
        found = _step(node, step)
        if found is None:
            break
        line, node = found
    return int(line) + 1


def _step(node: yaml.Node, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        if step < len(node.value):
            item = node.value[step]
            return item.start_mark.line, item
    elif isinstance(node, yaml.MappingNode):
        for key, value in reversed(node.value):
            if key.value == step:
                return key.start_mark.line, value
        for key, value in node.value:
            if key.tag == _MERGE:
                merged = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for each in merged:
                    if found := _step(each, step):
                        return found
    return None


class _Builder:
    """Values of nodes; what several aliases name is made once and shared."""

    def __init__(self) -> None:
        self._made: dict[yaml.Node, Any] = {}
        self._open: set[yaml.Node] = set()

    def value(self, node: yaml.Node) -> Any:
        if type(node) is yaml.ScalarNode:
            return node.value if node.tag == _STR else _scalar(node)
        if node in self._made:
            return self._made[node]
        if node in self._open:
            raise NodeError("a value contains itself", node.start_mark.line + 1)
        self._open.add(node)
        made: Any
        if type(node) is yaml.MappingNode:
            made = self._mapping(node)
        else:
            made = [self.value(item) for item in node.value]
        self._open.discard(node)
        self._made[node] = made
        return made

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        made: dict[str, Any] = {}
        merged: list[Any] = []
        value_of = self.value
        for key, value in node.value:
            if key.tag == _MERGE:
                found = value_of(value)
                merged += found if isinstance(found, list) else [found]
            elif type(key) is yaml.ScalarNode:
                made[key.value] = value_of(value)
        for each in merged:
            if isinstance(each, dict):
                made = {**each, **made}
        return made


class _Weigher:
    """Counts what a document is with every alias written out, before anybody walks through it."""

    def __init__(self) -> None:
        self._weights: dict[int, int] = {}

    def check(self, root: yaml.Node) -> None:
        if self._weight(root) > MOST:
            line = root.start_mark.line + 1
            raise NodeError(f"its aliases make more than {MOST:,} values of it", line)

    def _weight(self, node: yaml.Node) -> int:
        if isinstance(node, yaml.ScalarNode):
            return 1
        key = id(node)
        if key not in self._weights:
            self._weights[key] = 0  # of what contains itself, which building refuses
            if isinstance(node, yaml.MappingNode):
                inner = sum(1 + self._weight(value) for _, value in node.value)
            else:
                inner = sum(map(self._weight, node.value))
            self._weights[key] = 1 + inner
        return self._weights[key]


def _scalar(node: yaml.ScalarNode) -> Any:
    tag, value = node.tag, node.value
    if tag == _NULL:
        return None
    if tag == _BOOL:
        return _BOOLEANS.get(value.lower(), value)
    if tag in _NUMBERS:
        try:
            return _NUMBERS[tag](value)
        except ValueError:  # octal, sexagesimal, too long: nothing here computes with it
            return value
    return value


@functools.lru_cache(maxsize=1024)
def _tag(kind: type[yaml.Node], value: str | None, implicit: tuple[bool, bool] | bool) -> str:
    """PyYAML's own tag of a value, looked up once for what is written again and again.

    Manifests have the same keys and words in all their places.
    """
    return str(Resolver().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]


def _deepest_block(text: str) -> int:
    return max(map(len, _OPENING.findall(text)), default=0)


def _check_depth(text: str) -> None:
    """Refuse deep nesting by the parser's events, which come without recursion."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise NodeError(f"nested deeper than {DEEPEST} levels", line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _problem(error: yaml.YAMLError, text: str) -> tuple[str, int]:
    line = 1
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        said = ", ".join(part for part in (error.context, error.problem) if part)
    else:
        said = " ".join(str(error).split())
        position = getattr(error, "position", None)
        if isinstance(position, int):
            line = text.count("\n", 0, position) + 1
    hint = ""
    if "{{" in text:
        hint = "; templates must be rendered first: helm template … | log-pilot lint -"
    # What is missing is missed behind the last line.
    return f"not usable as YAML: {said}{hint}", min(line, max(1, len(text.splitlines())))
