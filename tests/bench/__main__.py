"""`python -m tests.bench`: measure the figures, print them as a table."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import burst, change, copies, fragment, idle, linting, pins, reading, travel
from tests.bench.figures import QUICK, Figure, Scale
from tests.bench.node import Node
from tests.bench.report import as_json, conditions, table, write_docs
from tests.real.processes import unmount_below
from tests.real.programs import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# In this order: 6 counts while the idle containers come, 2 and 3 need all of them. Those from 7 on
# start no dockerd.
FIGURES: dict[int, Callable[[Node, Scale], Iterable[Figure]]] = {
    1: fragment.measure,
    4: burst.measure,
    5: change.measure,
    6: idle.measure,
    2: travel.from_start,
    3: travel.from_quiet,
    7: pins.arrivals,
    8: pins.scan,
    9: pins.among,
    10: reading.measure,
    11: copies.speed,
    12: copies.cost,
    13: linting.measure,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0, or 1 if something could not be measured. A missed aim is a row, no failure."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.write_docs and (chosen.quick or chosen.only):
        parser.error("--write-docs wants all figures at their full length")
    if os.geteuid():
        print("the figures need root: they run a dockerd of their own", file=sys.stderr)
        return 1
    scale = QUICK if chosen.quick else Scale()
    if chosen.seconds is not None:
        scale = replace(scale, idle_seconds=chosen.seconds)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    found = conditions()
    figures, failed = _measure(set(chosen.only or FIGURES), scale)
    print(table(figures))
    if chosen.json:
        chosen.json.write_text(as_json(figures, found))
    if chosen.write_docs:
        write_docs(figures, found)
    return 1 if failed else 0


def _measure(numbers: set[int], scale: Scale) -> tuple[list[Figure], bool]:
    # A short path: sockets lie in it.
    folder = Path(tempfile.mkdtemp(prefix="pilot-bench-"))
    figures: list[Figure] = []
    failed = False
    try:
        with Node(folder) as node:
            for number, measure in FIGURES.items():
                if number not in numbers:
                    continue
                print(f"figure {number} …", file=sys.stderr, flush=True)
                try:
                    for each in measure(node, scale):
                        figures.append(each)
                        print(f"  {each.name}: {each.measured}", file=sys.stderr, flush=True)
                except (AssertionError, OSError, UnavailableError) as problem:
                    failed = True
                    text = " ".join(str(problem).split())[:500]
                    print(f"  not measured: {text}", file=sys.stderr, flush=True)
                    figures.append(
                        Figure(number=number, name="not measured", measured=text, met=False)
                    )
    finally:
        unmount_below(folder)
        shutil.rmtree(folder, ignore_errors=True)
    return sorted(figures, key=lambda each: each.number), failed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--only", type=int, nargs="+", choices=sorted(FIGURES), help="measure these alone"
    )
    parser.add_argument("--quick", action="store_true", help="small numbers: does it work at all?")
    parser.add_argument("--seconds", type=float, help="how long figure 6 watches the agent idle")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write them as JSON, too")
    parser.add_argument(
        "--write-docs", action="store_true", help="put the table into docs/performance.md"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
