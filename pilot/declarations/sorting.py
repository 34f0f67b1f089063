"""Keys → logs and options of logs, and which of several that say the same counts.

The suffix rule: a suffix is an option only if its base log is declared too; the longest base wins;
otherwise the suffix belongs to the name. A base is shorter than what it is the base of, so going
from short to long each key is decided once and for good, in whatever order they were written.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot.declarations import options

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pilot.declarations.dialects import Entry


@dataclass(frozen=True, slots=True)
class Sorted:
    """Entries that declare a log, by its name, and its options, by the log's name and their own."""

    logs: dict[str, list[Entry]]
    options: defaultdict[str, defaultdict[str, list[Entry]]]


def sort_out(entries: Iterable[Entry]) -> Sorted:
    """Which keys are logs and which are options of one."""
    logs: dict[str, list[Entry]] = {}
    log_options: defaultdict[str, defaultdict[str, list[Entry]]]
    log_options = defaultdict(lambda: defaultdict(list))
    for entry in sorted(entries, key=lambda entry: len(entry.rest)):
        for base, option in options.split(entry.rest, entry.separators):
            if base in logs:
                log_options[base][option].append(entry)
                break
        else:
            logs.setdefault(entry.rest, []).append(entry)
    return Sorted(logs, log_options)


def strongest(entries: Sequence[Entry]) -> tuple[Entry, list[Entry]]:
    """The strongest, and the strongest of each other prefix; weaker dialects are meant to lose."""
    if len(entries) == 1:
        return entries[0], []
    best: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda entry: (entry.rank, entry.key)):
        best.setdefault(entry.prefix, entry)
    first, *others = best.values()
    return first, others
