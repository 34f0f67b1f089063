"""Which logs a container declares: keys become names and options, whatever dialect they are in.

The suffix rule: a suffix is an option only if its base log is declared too; the longest base wins;
otherwise the suffix belongs to the name. A base is shorter than what it is the base of, so going
from short to long each key is decided once and for good, in whatever order they were written.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot.declarations import options
from pilot.declarations.dialects import Entry, custom_configs, written
from pilot.declarations.items import check_name, check_value, is_log_value
from pilot.model import Code, Declaration, Option, Rejection, shorten

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pilot.model import Container


@dataclass(frozen=True, slots=True)
class Found:
    """What a container declares, by name, and what could not be understood."""

    declarations: tuple[Declaration, ...]
    rejections: tuple[Rejection, ...]


def find(container: Container, *, prefixes: Sequence[str], max_logs: int) -> Found:
    """The declarations of a container, at most `max_logs`: those whose names sort first."""
    rejections = [
        Rejection(
            code=Code.OPTION_UNSUPPORTED,
            key=key,
            value=shorten(value),
            reason="raw collector options are not supported; use the options of each log instead.",
        )
        for key, value in custom_configs(container, prefixes)
    ]
    logs, log_options = _sort_out(written(container, prefixes))
    declarations: list[Declaration] = []
    for name in sorted(logs):
        entry, shadowed = _first(logs[name])
        rejections += (_shadowed(name, entry, other) for other in shadowed)
        if rejection := _check(name, entry, logs):
            rejections.append(rejection)
        elif len(declarations) >= max_logs:
            rejections.append(_too_many(name, entry, max_logs))
        else:
            lost = {other.prefix for other in shadowed}
            chosen, notices = _choose(name, log_options[name], lost)
            rejections += notices
            declarations.append(
                Declaration(name=name, key=entry.key, value=entry.value, options=chosen)
            )
    return Found(tuple(declarations), tuple(rejections))


_Logs = dict[str, list[Entry]]
_Options = dict[str, dict[str, list[Entry]]]


def _sort_out(entries: Iterable[Entry]) -> tuple[_Logs, _Options]:
    """Logs by name, and options by base and name."""
    logs: _Logs = {}
    log_options: _Options = defaultdict(lambda: defaultdict(list))
    for entry in sorted(entries, key=lambda entry: len(entry.rest)):
        for base, option in options.split(entry.rest, entry.separators):
            if base in logs:
                log_options[base][option].append(entry)
                break
        else:
            logs.setdefault(entry.rest, []).append(entry)
    return logs, log_options


def _first(entries: Iterable[Entry]) -> tuple[Entry, list[Entry]]:
    """The strongest, and the strongest of each other prefix; weaker dialects are meant to lose."""
    best: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda entry: (entry.rank, entry.key)):
        best.setdefault(entry.prefix, entry)
    first, *others = best.values()
    return first, others


def _choose(
    name: str, written_options: dict[str, list[Entry]], lost: Collection[str]
) -> tuple[dict[str, Option], list[Rejection]]:
    """The strongest of each option; those of a prefix whose own log lost, lost with it."""
    chosen: dict[str, Option] = {}
    notices: list[Rejection] = []
    for option in sorted(written_options):
        entries = [entry for entry in written_options[option] if entry.prefix not in lost]
        if entries:
            first, others = _first(entries)
            chosen[option] = Option(first.key, first.value)
            notices += (_shadowed(name, first, other) for other in others)
    return chosen, notices


def _check(name: str, entry: Entry, logs: Collection[str]) -> Rejection | None:
    """Why a key declares no log: an option mistyped, one without its log, a bad name or value."""
    value = shorten(entry.value)
    if not is_log_value(entry.value):
        if guessed := options.guess(name, logs):
            base, meant = guessed
            return Rejection(
                code=Code.OPTION_UNKNOWN,
                key=entry.key,
                value=value,
                log=shorten(base),
                reason=f"the log {shorten(base)!r} has no option"
                f" {shorten(name[len(base) + 1 :])!r}.",
                hint=_hint(entry, base, meant),
            )
        for base, option in options.split(name, entry.separators):
            return Rejection(
                code=Code.VALUE_INVALID,
                key=entry.key,
                value=value,
                log=shorten(name),
                reason=f"the log {shorten(base)!r} is not declared, so this is not its option"
                f" {option!r} but a log of its own, whose value would be stdout or a path.",
            )
    return check_name(name, entry.key, value) or check_value(name, entry.key, entry.value)


def _hint(entry: Entry, base: str, option: str) -> str:
    separator = entry.separators[0]
    start = entry.key.removesuffix(entry.rest)
    return shorten(f"{start}{base}{separator}{options.spell(option, separator)}", 200)


def _shadowed(name: str, winner: Entry, loser: Entry) -> Rejection:
    return Rejection(
        code=Code.NAME_SHADOWED,
        key=loser.key,
        value=shorten(loser.value),
        log=shorten(name),
        reason=f"{shorten(winner.key)!r} declares the same and its prefix comes first.",
        notice=True,
    )


def _too_many(name: str, entry: Entry, max_logs: int) -> Rejection:
    return Rejection(
        code=Code.LOGS_TOO_MANY,
        key=entry.key,
        value=shorten(entry.value),
        log=name,
        reason=f"a container may declare {max_logs} logs; those whose names sort first are kept.",
    )
