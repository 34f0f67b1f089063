"""Which containers somebody means by a name, an id or the beginning of one, or a pod."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot.explaining.near import MOST, near
from pilot.model import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pilot.model import Container

SHORTEST = 4  # characters of an id's beginning


@dataclass(frozen=True, slots=True)
class Matched:
    """The containers that are meant; if none are, a sentence and names that may have been."""

    containers: tuple[Container, ...] = ()
    sentence: str = ""
    near: tuple[str, ...] = ()


def match(asked: str, containers: Iterable[Container], *, hints: bool = True) -> Matched:
    """The first of these that finds something: whole id, name, pod, beginning of an id.

    A pod is `namespace/name` or its name alone; `namespace/name/container` is one container of it.
    Several containers are meant only together: those of one pod, or one name's in turn. Looking
    for near names takes a tenth of a second among thousands; without `hints` none are looked for.
    """
    known = sorted(containers, key=lambda one: one.id)
    wanted = asked.strip().removeprefix("/")
    for found in _ways(wanted, known):
        if found and len({_pod(each) for each in found}) == 1:
            return Matched(tuple(found))
        if found:
            names = tuple(sorted(full_name(each) for each in found))[:MOST]
            return Matched((), f"{shorten(asked)!r} may mean {len(found)} containers.", names)
    beginning = [each for each in known if each.id.startswith(wanted)] if wanted else []
    if len(beginning) == 1 and len(wanted) >= SHORTEST:
        return Matched(tuple(beginning))
    every = (name for each in known for name in {each.name, full_name(each)})
    close = tuple(each.id[:12] for each in beginning[:MOST])
    close = close or (near(wanted, every) if hints else ())
    return Matched((), _sentence(asked, wanted, beginning), close)


def _ways(wanted: str, known: Sequence[Container]) -> Iterable[list[Container]]:
    yield [each for each in known if each.id == wanted]
    yield [each for each in known if each.name.removeprefix("/") == wanted]
    yield [each for each in known if each.pod and _pod(each) == wanted]
    yield [each for each in known if each.pod and full_name(each) == wanted]
    yield [each for each in known if each.pod and each.pod.name == wanted]


def full_name(container: Container) -> str:
    """A name that no other container of the node has, or hardly."""
    pod = container.pod
    if not pod:
        return container.name
    return f"{_pod(container)}/{pod.container}" if pod.container else _pod(container)


def _pod(container: Container) -> str:
    return f"{container.pod.namespace}/{container.pod.name}" if container.pod else ""


def _sentence(asked: str, wanted: str, beginning: Sequence[Container]) -> str:
    if len(beginning) > 1:
        return f"{shorten(asked)!r} begins the ids of {len(beginning)} containers; give more of it."
    if beginning:
        return f"{shorten(asked)!r} is too short for an id: give {SHORTEST} characters or more."
    return f"there is no container or pod {shorten(wanted)!r} here."
