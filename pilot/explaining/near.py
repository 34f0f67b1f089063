"""Names that are near to one that is not there, and keys that look nearly like declarations."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pilot.declarations import key_of
from pilot.declarations.spelling import meant
from pilot.explaining.explanation import Nearly
from pilot.model import Origin, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pilot.model import Container

MOST = 5  # names that are proposed
SIMILAR = 0.6  # difflib's ratio from which a name is near
LONGEST = 200  # characters of a key that are looked at; longer ones are no slip of a finger


def near(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Of the known names those that somebody may have meant, the nearest first."""
    names = sorted(set(known))
    wanted = name[:LONGEST].lower()
    holding = [each for each in names if wanted and wanted in each.lower()]
    alike = difflib.get_close_matches(wanted, [each.lower() for each in names], MOST, SIMILAR)
    also = [each for close in alike for each in names if each.lower() == close]
    return tuple(dict.fromkeys([*holding, *also]))[:MOST]


def nearly(container: Container, prefixes: Sequence[str]) -> tuple[Nearly, ...]:
    """Keys of a container that declare nothing and look as if they were to; never their values.

    To be asked of containers that declare nothing: a key that does is not left out.
    """
    found = (
        Nearly(key=key, origin=origin, hint=hint)
        for origin, texts in _places(container)
        for key in sorted(texts)
        if len(key) <= LONGEST and (hint := _meant(key, origin, texts[key], prefixes))
    )
    return tuple(found)[:MOST]


def _places(container: Container) -> Iterator[tuple[Origin, Mapping[str, str]]]:
    if container.pod:
        yield Origin.ANNOTATION, container.pod.annotations
    yield Origin.ENV, container.env
    yield Origin.LABEL, container.labels


def _meant(key: str, origin: Origin, value: str, prefixes: Sequence[str]) -> str:
    """The key that may have been meant; "" if nothing says so."""
    if hint := meant(key, origin, prefixes):
        return _other(key, hint)
    for prefix in prefixes:
        rest = key[len(prefix) + 1 :]
        ours = key.startswith(prefix) and key[len(prefix) : len(prefix) + 1] in ("_", ".", "-", "/")
        if ours and rest and (value.strip() in ("stdout", "stderr") or value.startswith("/")):
            return _other(key, key_of(prefix, rest, origin))
    return ""


def _other(key: str, hint: str) -> str:
    return "" if hint == key else printable(hint)
