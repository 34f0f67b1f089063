"""Trees of folders, files and links: made on a disk, and understood in plain Python.

`Model` says what a path means to a container that sees the tree at one folder of its own, and which
files a pattern names; it knows nothing of descriptors.
"""

from __future__ import annotations

import fnmatch
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from pilot.names import matcher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEEN_AT = "/mnt/logs"  # where the container sees the tree
MOST_LINKS = 40
FILE = "file"

Place = tuple[str, ...]
Node = "dict[str, Node] | str | Link"


@dataclass(frozen=True)
class Link:
    target: str


NAMES = st.sampled_from(["a", "b", "c.log", "d.log", ".h", "new\nline", "\udcff.log", "x" * 255])
STEPS = st.sampled_from(["a", "b", "c.log", "d.log", ".h", "..", "..", ".", "mnt", "logs", ""])
TARGETS = st.builds(
    lambda start, steps, end: (start + "/".join(steps) + end) or ".",
    st.sampled_from(
        ["", "", "", "/", "/mnt/logs/", "/mnt/logs/", "/mnt/../mnt/logs/a/", "/secret/"]
    ),
    st.lists(STEPS, max_size=4),
    st.sampled_from(["", "", "", "/"]),
)
LEAVES = st.one_of(st.just(FILE), st.builds(Link, TARGETS))
TREES = st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=4),
    lambda below: st.dictionaries(NAMES, st.one_of(LEAVES, below), max_size=4),
    max_leaves=12,
)


def make(tree: object, at: Path) -> None:
    at.mkdir(parents=True, exist_ok=True)
    assert isinstance(tree, dict)
    for name, node in tree.items():
        if isinstance(node, dict):
            make(node, at / name)
        elif isinstance(node, Link):
            (at / name).symlink_to(node.target)
        else:
            (at / name).write_text("x")


class NowhereError(Exception):
    """A path that means nothing in the tree."""


@dataclass
class Model:
    tree: dict[str, object]
    seen_at: str = SEEN_AT
    whole: dict[str, object] = field(init=False)
    top: Place = field(init=False)

    def __post_init__(self) -> None:
        self.top = tuple(part for part in self.seen_at.split("/") if part)
        self.whole = self.tree
        for part in reversed(self.top):
            self.whole = {part: self.whole}

    def at(self, place: Place) -> object:
        node: object = self.whole
        for part in place:
            assert isinstance(node, dict)
            node = node[part]
        return node

    def resolve(self, place: Place, path: str, links: int = 0) -> tuple[Place, int]:
        """What a path means in a folder of the container: path_resolution(7)."""
        if path.startswith("/"):
            place = ()
        for part in path.split("/"):
            if not isinstance(self.at(place), dict):
                raise NowhereError
            if part in ("", "."):
                continue
            if part == "..":
                place = place[:-1]
                continue
            node = self.at(place)
            if not isinstance(node, dict) or part not in node:
                raise NowhereError
            below = node[part]
            if isinstance(below, Link):
                links += 1
                if links > MOST_LINKS:
                    raise NowhereError
                place, links = self.resolve(place, below.target, links)
            else:
                place = (*place, part)
        return place, links

    def inside(self, place: Place, name: str) -> Place | None:
        """The real place of a name, if it is in the tree."""
        try:
            found, _ = self.resolve(place, name)
        except NowhereError:
            return None
        return found if found[: len(self.top)] == self.top else None

    def files(self, pattern: str) -> set[Place]:
        """The real places, below the tree, of the files that a pattern names."""
        *folders, last = pattern.split("/")
        if last == "**":
            folders, last = [*folders, "**"], "*"
        found: set[Place] = set()
        takes = matcher(last, rotated=True)
        for folder in self._folders(self.top, folders):
            node = self.at(folder)
            assert isinstance(node, dict)
            for name in node:
                real = self.inside(folder, name) if takes(name) else None
                if real is not None and self.at(real) == FILE:
                    found.add(real[len(self.top) :])
        return found

    def _folders(self, at: Place, patterns: list[str]) -> Iterator[Place]:
        if not patterns:
            yield at
            return
        first, *rest = patterns
        node = self.at(at)
        assert isinstance(node, dict)
        if first == "**":
            yield from self._folders(at, rest)
        for name, below in node.items():
            if first == "**":
                if isinstance(below, dict):
                    yield from self._folders((*at, name), patterns)
            elif fnmatch.fnmatchcase(name, first):
                real = self.inside(at, name)
                if real is not None and isinstance(self.at(real), dict):
                    yield from self._folders(real, rest)


def inode(path: Path) -> int:
    return os.lstat(path).st_ino
