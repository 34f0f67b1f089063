"""Which logs a container declares: keys become names and options, whatever dialect they are in."""

from __future__ import annotations

import difflib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot.declarations import options, refusals
from pilot.declarations.custom_config import FIELD, read_custom
from pilot.declarations.dialects import Role, says_nothing, written
from pilot.declarations.items import BLANK, is_log_value, parse_items
from pilot.declarations.selecting import elsewhere, names_of, sort_out_own, unknown
from pilot.declarations.sorting import strongest
from pilot.declarations.tags import print_tag
from pilot.model import Code, Declaration, Option, Origin, Rejection, shorten

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pilot.declarations.custom_config import Custom
    from pilot.declarations.dialects import Entry
    from pilot.declarations.sorting import Sorted
    from pilot.model import Container

MAX_REJECTIONS = 1000  # of what thousands of keys could be told; the last one counts the rest
# Looking for the nearest key is dear, and a person with more mistakes than this reads none of them.
MAX_HINTS = 100
_SIFTING = (options.INCLUDE, options.EXCLUDE)
_LONGEST = len("exclude_lines")  # as Filebeat and others call one of them
_TYPO = 0.7  # difflib's ratio
_WITHHOLDING = frozenset({options.INCLUDE, options.EXCLUDE, options.TARGET})
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
    refused: list[Entry] = []
    for entry in sorted(written(container, prefixes), key=lambda each: (each.rank, each.key)):
        if entry.from_image:
            rejections.append(refusals.of_image(entry))
            refused.append(entry)
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
    _add(custom, found)
    declarations: list[Declaration] = []
    lacking = _sifted_by_mistake(found.logs) | _held_back(refused, found)
    for name in sorted(found.logs.keys() - custom.refused):
        declaration, said = _declare(
            name, found, names, room=max_logs - len(declarations), hint=len(rejections) < MAX_HINTS
        )
        rejections += said
        if declaration and name in lacking:
            rejections.append(_lacking(declaration))
        elif declaration:
            declarations.append(declaration)
    return Found(tuple(declarations), refusals.capped(rejections, MAX_REJECTIONS), opted_out)


def _add(custom: Custom, found: Sorted) -> None:
    """Take the options of log-pilot's custom config beside the others."""
    for name, of_log in custom.options.items():
        for option, entries in of_log.items():
            found.options[name][option] += entries


def _held_back(refused: Sequence[Entry], found: Sorted) -> set[str]:
    """The logs of which an image has an option that holds lines back or routes them.

    Whoever started the container may have written the very same, which nobody can tell.
    """
    bases: set[str] = set()
    for entry in refused:
        for base, option in options.split(entry.rest, entry.separators):
            if base in found.logs:
                if option in _WITHHOLDING and not found.options[base][option]:
                    bases.add(base)
                break
    return bases


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


def _sifted_by_mistake(logs: Mapping[str, Sequence[Entry]]) -> set[str]:
    """The logs with an `include` or `exclude` mistyped: all would be shipped that it holds back."""
    bases: set[str] = set()
    for name, entries in logs.items():
        value = strongest(entries)[0].value
        if is_log_value(value) or not value.strip(BLANK):
            continue
        for at in range(len(name) - 1, max(0, len(name) - _LONGEST - 2), -1):
            if name[at] in "._-" and name[:at] in logs:
                suffix = name[at + 1 :].lower()
                if difflib.get_close_matches(suffix, _SIFTING, n=1, cutoff=_TYPO):
                    bases.add(name[:at])
    return bases


def _lacking(declaration: Declaration) -> Rejection:
    return Rejection(
        code=Code.OPTION_UNKNOWN,
        key=declaration.key,
        value=shorten(declaration.value),
        log=declaration.name,
        reason="an option of it that may hold lines back does not count, so it is not collected.",
    )


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
