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
from pilot.policy import root_of

if TYPE_CHECKING:
    from pilot.model import Container, Declaration
    from pilot.policy import Policy
    from pilot.settings import Settings

# Each file set repeats its log's fields in the fragment, so a few labels could make it huge.
MAX_FILE_SETS = 200
MAX_REJECTIONS = 100  # a thousand more help nobody, and status repeats them all


@dataclass(frozen=True, slots=True)
class Accepted:
    """The logs to collect, sorted by name; the rejections and notices, sorted by log and key.

    Of more than MAX_REJECTIONS the last one counts the rest.
    """

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
        file_sets, said = _place(
            container, declaration, reading.items, settings=settings, policy=policy, owners=owners
        )
        rejections += said
        if file_sets:
            logs.append(
                Log(
                    name=declaration.name,
                    key=declaration.key,
                    file_sets=file_sets,
                    treatment=reading.treatment,
                    target=reading.target,
                    tags=reading.tags,
                )
            )
    return Accepted(tuple(logs), _capped(sorted(rejections, key=_order)))


def _place(
    container: Container,
    declaration: Declaration,
    items: tuple[str, ...],
    *,
    settings: Settings,
    policy: Policy,
    owners: dict[str, str],
) -> tuple[tuple[FileSet, ...], list[Rejection]]:
    """The file sets of one log; a refused item hurts no other. `owners` learns of each."""
    file_sets: dict[str, FileSet] = {}
    rejections: list[Rejection] = []
    full = False
    for item in items:
        place = _allowed(container, declaration.key, item, settings=settings, policy=policy)
        if isinstance(place, Rejection):
            rejections.append(replace(place, log=declaration.name))
        elif len(owners) >= MAX_FILE_SETS and place.name not in owners:
            if not full:
                rejections.append(_too_many(declaration, item))
            full = True
        elif owners.setdefault(place.name, declaration.name) == declaration.name:
            file_sets[place.name] = place
        else:
            rejections.append(_claimed(declaration, item, owners[place.name]))
    return tuple(file_sets.values()), rejections


def _allowed(
    container: Container, key: str, item: str, *, settings: Settings, policy: Policy
) -> FileSet | Rejection:
    place = locate(container, key, item, recursive=settings.recursive)
    mount = mount_of(container, item)
    if isinstance(place, Rejection) or mount is None:
        return place
    root = root_of(container.log_path)
    file = f"{place.directory.rstrip('/')}/{place.pattern}"
    rule = policy.forbids(mount.source, mount.kind, root) or policy.forbids(file, mount.kind, root)
    if rule:
        return Rejection(
            code=Code.MOUNT_FORBIDDEN,
            key=key,
            value=shorten(item),
            reason=f"it lies on a mount of the node's {shorten(mount.source)!r},"
            f" from which no logs are taken: {rule}.",
        )
    return place


def _too_many(declaration: Declaration, item: str) -> Rejection:
    return Rejection(
        code=Code.LOGS_TOO_MANY,
        key=declaration.key,
        value=shorten(item),
        log=declaration.name,
        reason=f"the logs of a container may name {MAX_FILE_SETS} streams and paths together;"
        " those of the logs whose names sort first are kept.",
    )


def _capped(rejections: list[Rejection]) -> tuple[Rejection, ...]:
    """As many as a person may want to read; the last one counts those that are left out."""
    if len(rejections) <= MAX_REJECTIONS:
        return tuple(rejections)
    rest = rejections[MAX_REJECTIONS - 1 :]
    counted = Rejection(
        code=Code.LOGS_TOO_MANY,
        key=rest[0].key,
        reason=f"here and behind it {len(rest)} more rejections and notices of this container are"
        f" not shown; {MAX_REJECTIONS} is the limit.",
        notice=all(each.notice for each in rest),
    )
    return (*rejections[: MAX_REJECTIONS - 1], counted)


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
