"""What a measurement gives: a figure with its aim, and how many of everything to measure."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the table. `met` is None where there is no aim, as for what we compare with."""

    number: int
    name: str
    measured: str
    aim: str = ""
    met: bool | None = None
    values: Mapping[str, float] = field(default_factory=dict)  # seconds, unless the name says more


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much to measure."""

    starts: int = 200  # container starts until the fragment
    burst: int = 100  # containers at once
    changes: int = 20  # of one container among few and among many
    few: int = 100
    many: int = 10_000
    idle_few: int = 10  # idle containers, to compare with `present`
    idle_seconds: float = 60.0
    present: int = 110  # idle containers beside the measured one
    lines: int = 50  # container starts until the line, and lines to quiet logs
    slow_lines: int = 10  # the same where each takes ten seconds
    quiet: float = 11.0  # seconds without a line that make a log quiet
    relist: float = 30.0  # seconds between two lists of the agent
    settle: float = 5.0  # seconds after the last pin, for what follows it
    logs: int = 110  # folders beside which a new file is pinned
    files: int = 500  # new files until they are pinned
    folders: int = 300  # of which nothing changes
    scan_seconds: float = 30.0
    crowd: int = 100  # folders full of pinned files
    per_folder: int = 100  # files in each of those
    pin_changes: int = 50  # new files in one of those
    entries: int = 10_000  # in Filebeat's registry
    copied_mb: int = 1024  # MiB of the file that is copied
    busy_seconds: float = 20.0  # of one log at full speed
    manifests: int = 100
    rounds: int = 25  # of lint and parser in turns


QUICK = Scale(
    starts=3,
    burst=4,
    changes=3,
    few=5,
    many=20,
    idle_few=2,
    idle_seconds=2.0,
    present=4,
    lines=2,
    slow_lines=1,
    quiet=2.0,
    relist=3.0,
    settle=2.0,
    logs=4,
    files=10,
    folders=5,
    scan_seconds=3.0,
    crowd=3,
    per_folder=5,
    pin_changes=3,
    entries=50,
    copied_mb=64,
    busy_seconds=2.0,
    manifests=5,
    rounds=3,
)


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, 99th percentile and largest of some times."""

    p50: float
    p99: float
    most: float
    count: int

    def values(self, **more: float) -> dict[str, float]:
        """For the JSON file."""
        return {"p50": self.p50, "p99": self.p99, "max": self.most, "count": self.count, **more}

    def __str__(self) -> str:
        shown = " / ".join(seconds(each) for each in (self.p50, self.p99, self.most))
        return f"p50 / p99 / max {shown} ({self.count})"


def spread(times: Sequence[float]) -> Spread:
    """The spread of at least one time; its 99th percentile is by nearest rank."""
    ordered = sorted(times)
    rank = math.ceil(0.99 * len(ordered)) - 1
    return Spread(statistics.median(ordered), ordered[rank], ordered[-1], len(ordered))


def seconds(value: float) -> str:
    """A time for a person."""
    return f"{value * 1000:.1f} ms" if abs(value) < 0.1 else f"{value:.2f} s"
