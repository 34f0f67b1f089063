"""Which logs a container declares: keys become names and options, whatever dialect they are in."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot.declarations import options, refusals
from pilot.declarations.custom_config import FIELD, read_custom
from pilot.declarations.dialects import Role, says_nothing, written
from pilot.declarations.items import BLANK, parse_items
from pilot.declarations.selecting import elsewhere, names_of, sort_out_own, unknown
from pilot.declarations.sorting import strongest
from pilot.declarations.tags import print_tag
from pilot.model import Declaration, Option, Origin

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pilot.declarations.dialects import Entry
    from pilot.declarations.sorting import Sorted
    from pilot.model import Container, Rejection

MAX_REJECTIONS = 1000  # of what thousands of keys could be told; the last one counts the rest
# Looking for the nearest key is dear, and a person with more mistakes than this reads none of them.
MAX_HINTS = 100
MAX_KEYS = 2000  # a hundred logs with every option; more would be dear at each look


@dataclass(frozen=True, slots=True)
class Found:
    """What a container declares, by name, and what could not be understood.

    `opted_out` says that its output is not to be collected where nobody declared it.
    """

    declarations: tuple[Declaration, ...]
    rejections: tuple[Rejection, ...]
    opted_out: bool = False


def find(container: Container, *, prefixes: Sequence[str], max_logs: int) -> Found:
    """The declarations for a container, at most `max_logs`: those whose names sort first.

    Each names a stream or a path. What an annotation declares for other containers of the pod is
    left out.
    """
    own: dict[Role, list[Entry]] = defaultdict(list)
    rejections: list[Rejection] = []
    opted_out = False
    for entry in sorted(written(container, prefixes), key=lambda each: (each.rank, each.key)):
        if entry.from_image:
            rejections.append(refusals.of_image(entry))
        elif says_nothing(entry):
            opted_out = True
        elif entry.role is Role.SWITCH:
            rejections.append(refusals.bad_switch(entry))
        else:
            own[entry.role].append(entry)
    names = names_of(container)
    keys, surplus = own[Role.LOG][:MAX_KEYS], own[Role.LOG][MAX_KEYS:]
    if surplus:
        rejections.append(refusals.too_many_keys(surplus, MAX_KEYS))
    found = sort_out_own(keys, names)
    custom = read_custom(own[Role.CUSTOM_CONFIG], found.logs)
    rejections += custom.rejections
    for name, of_log in custom.options.items():
        for option, entries in of_log.items():
            found.options[name][option] += entries
    declarations: list[Declaration] = []
    for name in sorted(found.logs.keys() - custom.refused):
        declaration, said = _declare(
            name, found, names, room=max_logs - len(declarations), hint=len(rejections) < MAX_HINTS
        )
        rejections += said
        if declaration:
            declarations.append(declaration)
    return Found(tuple(declarations), refusals.capped(rejections, MAX_REJECTIONS), opted_out)


def _declare(
    name: str, found: Sorted, names: Sequence[str], *, room: int, hint: bool
) -> tuple[Declaration | None, list[Rejection]]:
    """One log, if it is declared, is for this container, and there is room for it."""
    entry, shadowed = strongest(found.logs[name])
    said = [refusals.shadowed(name, entry, other) for other in shadowed]
    if rejection := refusals.no_log(name, entry, found.logs, hint=hint):
        return None, [*said, rejection]
    items, bad = parse_items(name, entry.key, entry.value)
    if not items:
        return None, [*said, *bad]
    lost = {other.prefix for other in shadowed}
    chosen, notices = _choose(name, found.options.get(name, {}), lost)
    container = chosen.get(options.CONTAINER)
    if container and elsewhere(container, names):
        if container.origin is Origin.ANNOTATION:
            return None, []
        return None, [*said, unknown(name, container, names)]
    if room <= 0:
        return None, [*said, refusals.too_many(name, entry)]
    declaration = Declaration(
        name=name, key=entry.key, value=entry.value, origin=entry.origin, options=chosen
    )
    return declaration, [*said, *notices]


def _choose(
    name: str, written_options: Mapping[str, Sequence[Entry]], lost: Collection[str]
) -> tuple[dict[str, Option], list[Rejection]]:
    """The strongest of each option; those of a prefix whose own log lost, lost with it.

    An empty one counts as not given, so it hides no other.
    """
    chosen: dict[str, Option] = {}
    notices: list[Rejection] = []
    for option in sorted(written_options):
        entries = [entry for entry in written_options[option] if entry.prefix not in lost]
        if entries:
            first, others = strongest([each for each in entries if _says(each)] or entries)
            chosen[option] = Option(first.key, first.value, first.origin)
            notices += (refusals.shadowed(name, first, other) for other in others)
    return _with_fields(chosen), notices


def _says(entry: Entry) -> bool:
    return bool(entry.value.strip(BLANK))


def _with_fields(chosen: dict[str, Option]) -> dict[str, Option]:
    """All fields of a custom config as one option, in the syntax of tags."""
    fields = [option for option in chosen if option.startswith(FIELD)]
    if not fields:
        return chosen
    text = ",".join(print_tag(field.removeprefix(FIELD), chosen[field].value) for field in fields)
    first = chosen[fields[0]]
    kept = {option: value for option, value in chosen.items() if not option.startswith(FIELD)}
    return {**kept, options.FIELDS: Option(first.key, text, first.origin)}
