"""One container → the logs that are collected and everything that was refused, log by log.

Whatever is wrong with one log touches no other. Pure: the same container gives the same result,
in whatever order its environment and labels came.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pilot import declarations
from pilot.locate import locate, mount_of
from pilot.model import Code, FileSet, Log, Rejection, shorten

if TYPE_CHECKING:
    from pilot.model import Container, Declaration
    from pilot.policy import Policy
    from pilot.settings import Settings


@dataclass(frozen=True, slots=True)
class Accepted:
    """The logs to collect, sorted by name; the rejections and notices, sorted by log and key."""

    logs: tuple[Log, ...] = ()
    rejections: tuple[Rejection, ...] = ()


def declares(container: Container, settings: Settings) -> bool:
    """Whether there is anything to accept or refuse; cheap where there is not."""
    return declarations.declares(container, settings.log_prefixes)


def accept(container: Container, *, settings: Settings, policy: Policy) -> Accepted:
    """The logs of a container after every rule that needs no disk."""
    if not declares(container, settings):
        return Accepted()
    found = declarations.find(container, prefixes=settings.log_prefixes, max_logs=settings.max_logs)
    rejections = list(found.rejections)
    logs: list[Log] = []
    owners: dict[str, str] = {}  # file set → the log that has it
    for declaration in found.declarations:
        reading, said = declarations.read(declaration)
        rejections += said
        if reading is None:
            continue
        file_sets, said = _place(container, declaration, reading.items, policy, owners)
        rejections += said
        if file_sets:
            logs.append(
                Log(
                    name=declaration.name,
                    key=declaration.key,
                    file_sets=file_sets,
                    format=reading.format,
                    target=reading.target,
                    tags=reading.tags,
                )
            )
    return Accepted(tuple(logs), tuple(sorted(rejections, key=_order)))


def _place(
    container: Container,
    declaration: Declaration,
    items: tuple[str, ...],
    policy: Policy,
    owners: dict[str, str],
) -> tuple[tuple[FileSet, ...], list[Rejection]]:
    """The file sets of one log; a refused item hurts no other. `owners` learns of each."""
    file_sets: dict[str, FileSet] = {}
    rejections: list[Rejection] = []
    for item in items:
        place = _allowed(container, declaration.key, item, policy)
        if isinstance(place, Rejection):
            rejections.append(replace(place, log=declaration.name))
        elif owners.setdefault(place.name, declaration.name) == declaration.name:
            file_sets[place.name] = place
        else:
            rejections.append(_claimed(declaration, item, owners[place.name]))
    return tuple(file_sets.values()), rejections


def _allowed(container: Container, key: str, item: str, policy: Policy) -> FileSet | Rejection:
    place = locate(container, key, item)
    mount = mount_of(container, item)
    if isinstance(place, Rejection) or mount is None:
        return place
    if rule := policy.forbids(mount.source, mount.kind):
        return Rejection(
            code=Code.MOUNT_FORBIDDEN,
            key=key,
            value=shorten(item),
            reason=f"it lies on a mount of the node's {shorten(mount.source)!r},"
            f" from which no logs are taken: {rule}.",
        )
    return place


def _claimed(declaration: Declaration, item: str, owner: str) -> Rejection:
    return Rejection(
        code=Code.CLAIMED,
        key=declaration.key,
        value=shorten(item),
        log=declaration.name,
        reason=f"the log {owner!r} of this container names the same files and has them.",
    )


def _order(rejection: Rejection) -> tuple[str, ...]:
    return (rejection.log, rejection.key, rejection.code, rejection.value, rejection.reason)
