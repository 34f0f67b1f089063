"""What a manifest gives: containers with the places of their keys, and keys in places of no use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilot.model import Code, Container, Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilot.manifests.documents import Document
    from pilot.manifests.shapes import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One container of a document.

    `where` says where each key of it stands. `unknown` are variables whose value only the node or
    the cluster knows, each with where it comes from, part of a sentence; they are not in
    `container.env`. `pod` is the place of its pod, "()" where each container is for itself.
    """

    container: Container
    document: Document
    where: Mapping[tuple[Origin, str], Path] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)
    pod: Path = ()

    def line(self, key: str) -> int:
        """The line of a key, wherever it is written; of the container's, if it is nowhere."""
        places = (self.where[each, key] for each in Origin if (each, key) in self.where)
        return self.document.line(next(places, self.pod))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """Texts that no container gets, where people write declarations all the same.

    What of them is a declaration deserves a word: `reason` is a sentence, `hint` the right place.
    """

    document: Document
    path: Path
    texts: Mapping[str, object]
    code: Code
    reason: str
    hint: str = ""
    notice: bool = True

    def line(self, key: str) -> int:
        """The line of one of the texts."""
        return self.document.line((*self.path, key))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one file holds."""

    containers: tuple[Found, ...] = ()
    strays: tuple[Stray, ...] = ()
