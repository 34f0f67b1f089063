"""Figures 7 to 9: how soon a file is pinned, and what pins cost however many there are."""

from __future__ import annotations

import itertools
import random
import statistics
import time
from typing import TYPE_CHECKING

from tests.bench.figures import Figure, Scale, Spread, seconds, spread
from tests.bench.lone import WITHOUT_INOTIFY, Lone
from tests.bench.observing import Pins

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bench.node import Node

HINTED, LOOKED = 0.05, 1.1  # seconds
AT_ONCE = 10  # files within a second, where each takes about one
SCAN, SHARE = 0.010, 0.003  # seconds; of a core
FILES = 5  # in each of many folders
FACTOR = 2.0
PATIENCE = 30.0  # seconds for one pin
WINDOW = 0.1  # seconds after a pin in which the loop may still work on it


def arrivals(node: Node, scale: Scale) -> Iterator[Figure]:
    """Figure 7: a new file → its pin, with inotify and without."""
    for hinted in (True, False):
        found = tries(node.folder / f"arrivals-{hinted}", scale, hinted=hinted)
        how, least = ("with", HINTED) if hinted else ("without", LOOKED)
        yield Figure(
            number=7,
            name=f"new file in a watched folder → pinned, {scale.logs} logs, {how} inotify",
            aim="p99 ≤ 50 ms" if hinted else "p99 ≤ 1.1 s",
            measured=str(found),
            met=found.p99 <= least,
            values=found.values(inotify=hinted),
        )


def tries(folder: Path, scale: Scale, *, hinted: bool) -> Spread:
    """From before a file is made until its pin is: one after the other, or some within a second."""
    at_once = 1 if hinted else AT_ONCE
    pilot = Lone(folder, folders=scale.logs, prefix=() if hinted else WITHOUT_INOTIFY)
    pilot.fill(1)
    times: list[float] = []
    with pilot:
        pilot.wait_pinned(1)
        time.sleep(scale.settle)
        has_inotify = "inotify" in pilot.descriptors()
        assert has_inotify is hinted, f"inotify: {has_inotify}, and it should be {hinted}"
        with Pins(pilot.pins) as pins:
            while len(times) < scale.files:
                made: dict[str, float] = {}
                count = min(at_once, len(pilot.logs), scale.files - len(times))
                for place in random.sample(pilot.logs, count):
                    time.sleep(random.uniform(0.02, 2 / at_once if not hinted else 0.08))
                    name = f"try{len(times) + len(made):05}.log"
                    made[name] = time.monotonic()
                    (place / name).write_text("line-try\n")
                pinned = pins.seen.wait(list(made), PATIENCE)
                times += [at - begun for at, begun in zip(pinned, made.values(), strict=True)]
    return spread(times)


def scan(node: Node, scale: Scale) -> Iterator[Figure]:
    """Figure 8: CPU time second by second, of the agent with folders and with none."""
    none = each_second(node.folder / "scan-none", 0, scale)[0]
    some, changed = each_second(node.folder / "scan", scale.folders, scale)
    base = statistics.median(none)
    one = statistics.median(some) - base
    most = max(some) - base
    yield Figure(
        number=8,
        name=f"a pass over {scale.folders} folders with {FILES} files each, nothing changed:"
        " CPU time",
        aim="≤ 10 ms",
        measured=f"median {seconds(one)}, max {seconds(most)}, of {len(some)} passes",
        met=one <= SCAN,
        values={"median": one, "max": most, "none_median": base},
    )
    share, without = statistics.fmean(some), statistics.fmean(none)
    yield Figure(
        number=8,
        name=f"idle cost of the pins of {scale.folders} folders",
        aim="≤ 0.3 % of a core",
        measured=f"{share - without:.2%} over {len(some)} s ({share:.2%}, and {without:.2%}"
        " without a folder)",
        met=share - without <= SHARE,
        values={"core_share": share - without, "with": share, "without": without},
    )
    yield Figure(
        number=8,
        name="beside it: all folders changed, until each was looked at twice: CPU time",
        measured=seconds(changed - 3 * base),
        values={"changed": changed - 3 * base},
    )


def each_second(folder: Path, folders: int, scale: Scale) -> tuple[list[float], float]:
    """CPU seconds in each idle second; and in the three after a change of all folders."""
    pilot = Lone(folder, folders=folders)
    pilot.fill(FILES)
    with pilot:
        pilot.wait_pinned(FILES)
        time.sleep(scale.settle)
        used = [pilot.used()]
        begun = time.monotonic()
        for number in range(1, round(scale.scan_seconds) + 1):
            time.sleep(max(0.0, begun + number - time.monotonic()))
            used.append(pilot.used())
        # Not seen by inotify, which is asked about names alone.
        for each in pilot.logs:
            each.touch()
        time.sleep(3.0)
        changed = pilot.used() - used[-1]
    return [after - before for before, after in itertools.pairwise(used)], changed


def among(node: Node, scale: Scale) -> list[Figure]:
    """Figure 9: one new file in the same folder, with nothing beside it and with many pins."""
    few, few_loop = one_by_one(node.folder / "among-few", 1, scale)
    many, many_loop = one_by_one(node.folder / "among-many", scale.crowd, scale)
    factor, loop = many.p50 / few.p50, many_loop / few_loop
    beside, alone = scale.crowd * scale.per_folder, scale.per_folder
    return [
        Figure(
            number=9,
            name=f"new file in a folder of {alone}, {beside:,} files pinned, against {alone}:"
            " → pinned",
            aim="median within a factor of 2",
            measured=f"factor {factor:.2f}: median {seconds(many.p50)} against"
            f" {seconds(few.p50)} (max {seconds(many.most)} and {seconds(few.most)};"
            f" {many.count} each)",
            met=factor <= FACTOR,
            values={
                "factor": factor,
                **{f"many_{name}": value for name, value in many.values().items()},
                **{f"few_{name}": value for name, value in few.values().items()},
            },
        ),
        Figure(
            number=9,
            name="the same: CPU time of the loop",
            aim="median within a factor of 2",
            measured=f"factor {loop:.2f}: median {seconds(many_loop)} against {seconds(few_loop)}",
            met=loop <= FACTOR,
            values={"factor": loop, "many_loop": many_loop, "few_loop": few_loop},
        ),
    ]


def one_by_one(folder: Path, folders: int, scale: Scale) -> tuple[Spread, float]:
    """How long from a file to its pin, always in the first folder; median of the loop's CPU."""
    pilot = Lone(folder, folders=folders)
    pilot.fill(scale.per_folder)
    times, loop = [], []
    with pilot:
        pilot.wait_pinned(scale.per_folder)
        time.sleep(scale.settle)
        with Pins(pilot.pins[:1]) as pins:
            for number in range(scale.pin_changes):
                time.sleep(random.uniform(0.2, 1.2))  # At any moment of its work each second.
                name, used, begun = f"try{number:05}.log", pilot.used_by_loop(), time.monotonic()
                (pilot.logs[0] / name).write_text("line-try\n")
                times.append(pins.seen.wait([name], PATIENCE)[0] - begun)
                time.sleep(WINDOW)
                loop.append(pilot.used_by_loop() - used)
    return spread(times), statistics.median(loop)
