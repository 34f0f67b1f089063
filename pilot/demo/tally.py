"""Counts which of the demo's numbered lines arrived as events."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LINE = re.compile(r"run=(?P<run>\S+) program=(?P<program>\S+) line=(?P<number>\d{1,9})\b", re.ASCII)
SHOWN = 10  # line numbers that a summary names


class Tally:
    """Which lines of one run came, and how often."""

    def __init__(self, run: str, expected: Mapping[str, int]) -> None:
        """Expect lines 1 to n of each program."""
        self._run, self._expected = run, dict(expected)
        self._came: Counter[tuple[str, int]] = Counter()
        self.others = 0  # lines fed that were no event of this run

    def feed(self, line: str) -> bool:
        """Take one line of the collector's output; whether it was an event of this run."""
        key = self._parse(line)
        if key is None:
            self.others += 1
            return False
        self._came[key] += 1
        return True

    @property
    def arrived(self) -> int:
        """How many different lines came."""
        return len(self._came)

    @property
    def complete(self) -> bool:
        """Whether every line came."""
        return not any(self.missing().values())

    def missing(self) -> dict[str, list[int]]:
        """The numbers of the lines that have not come, by program."""
        return {
            program: [n for n in range(1, lines + 1) if (program, n) not in self._came]
            for program, lines in self._expected.items()
        }

    def twice(self) -> dict[str, list[int]]:
        """The numbers of the lines that came more than once, by program."""
        return {
            program: sorted(
                n for (of, n), times in self._came.items() if of == program and times > 1
            )
            for program in self._expected
        }

    def summary(self) -> str:
        """What came of each program, one line each, for a person."""
        missing, twice = self.missing(), self.twice()
        return "\n".join(
            f"{program}: {lines - len(missing[program])} of {lines} lines arrived, "
            f"missing {_shown(missing[program])}, twice {_shown(twice[program])}"
            for program, lines in self._expected.items()
        )

    def _parse(self, line: str) -> tuple[str, int] | None:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            return None
        message = event.get("message") if isinstance(event, dict) else None
        match = LINE.search(message) if isinstance(message, str) else None
        if not match or match["run"] != self._run:
            return None
        program, number = match["program"], int(match["number"])
        return (program, number) if 1 <= number <= self._expected.get(program, 0) else None


def _shown(numbers: list[int]) -> str:
    if not numbers:
        return "0"
    more = ", …" if len(numbers) > SHOWN else ""
    return f"{len(numbers)} (line {', '.join(map(str, numbers[:SHOWN]))}{more})"
