"""For which container of a pod a log is: the option `container`.

An annotation is the pod's, so what it declares for other containers is nothing to this one. The
environment and the labels are the container's own, and naming another there is a mistake.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pilot.declarations import options
from pilot.declarations.items import BLANK
from pilot.declarations.sorting import sort_out, strongest
from pilot.model import Code, Origin, Rejection, shorten

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pilot.declarations.dialects import Entry
    from pilot.declarations.sorting import Sorted
    from pilot.model import Container, Option

# One round for nearly everybody; each more needs names built to need it.
_ROUNDS = 8


def names_of(container: Container) -> tuple[str, ...]:
    """What the option `container` may call this container, its name within the pod first."""
    own = container.name.removeprefix("/")
    names = (container.pod.container, own) if container.pod else (own,)
    return tuple(name for name in names if name)


def sort_out_own(entries: Sequence[Entry], names: Collection[str]) -> Sorted:
    """As `sort_out`, as if what annotations declare for other containers were not there."""
    kept = list(entries)
    found = sort_out(kept)
    for _ in range(_ROUNDS):
        foreign = {id(entry) for name in found.logs for entry in _foreign(name, found, names)}
        if not foreign:
            break
        kept = [entry for entry in kept if id(entry) not in foreign]
        found = sort_out(kept)
    return found


def elsewhere(option: Option | None, names: Collection[str]) -> bool:
    """Whether the option names containers, and not this one."""
    wanted = _listed(option.value) if option else []
    return bool(wanted) and not set(wanted) & set(names)


def unknown(log: str, option: Option, names: Sequence[str]) -> Rejection:
    """A container's own declaration that is for another."""
    listed = _listed(option.value)
    near = any(difflib.get_close_matches(name[:64], names, n=1) for name in listed[:8])
    return Rejection(
        code=Code.CONTAINER_UNKNOWN,
        key=option.key,
        value=shorten(option.value),
        log=log,
        reason="the environment and the labels of a container declare its own logs,"
        " and it has another name.",
        hint=shorten(names[0]) if near and names else "",
    )


def _foreign(name: str, found: Sorted, names: Collection[str]) -> list[Entry]:
    """What annotations say of a log when they say that it is for other containers."""
    of_log: Mapping[str, list[Entry]] = found.options.get(name, {})
    if options.CONTAINER not in of_log:
        return []
    logs = [entry for entry in found.logs[name] if entry.origin is Origin.ANNOTATION]
    lost = {other.prefix for other in strongest(logs)[1]} if logs else set()
    said = [
        entry
        for entry in of_log[options.CONTAINER]
        if entry.origin is Origin.ANNOTATION and entry.prefix not in lost and _listed(entry.value)
    ]
    if not said or set(_listed(strongest(said)[0].value)) & set(names):
        return []
    written = [*logs, *(entry for entries in of_log.values() for entry in entries)]
    return [
        entry for entry in written if entry.origin is Origin.ANNOTATION and entry.prefix not in lost
    ]


def _listed(value: str) -> list[str]:
    return [name for part in value.split(",") if (name := part.strip(BLANK))]
