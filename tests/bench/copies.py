"""Figures 11 and 12: how fast a file is copied that cannot be linked, and what each kind costs."""

from __future__ import annotations

import os
import random
import subprocess
import time
from typing import TYPE_CHECKING

from tests.bench.figures import Figure, Scale, seconds
from tests.bench.lone import Lone
from tests.fakes.disks import tmpfs
from tests.real.programs import FILEBEAT_9, find
from tests.real.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bench.node import Node

RATE = 100.0  # MB/s
MOST = 60.0  # seconds for the copy
LINES = 10_000  # a second
HOLDS = ("--set-allowance", "8GiB/10000")  # more than the file: at its allowance a copy pauses
PATIENCE = 60.0  # seconds for the collector's first line
TICK = 0.02  # seconds between two writes
LINE = b"2026-01-02T03:04:05.678901Z INFO worker: request 0123456789 answered in 12 ms, 200 OK\n"


def speed(node: Node, scale: Scale) -> list[Figure]:
    """Figure 11: a whole file appears on a tmpfs by rename; cp does the same in the same run."""
    folder, size = node.folder / "speed", scale.copied_mb << 20
    with tmpfs(folder / "memory", f"size={size * 2 + (64 << 20)}") as memory:
        pilot = Lone(folder, folders=1, volume=memory / "volume", extra=HOLDS)
        pilot.fill(1)
        waiting = memory / "waiting"
        block = random.randbytes(1 << 20)
        with waiting.open("wb") as stream:
            for _ in range(scale.copied_mb):
                stream.write(block)
        begun = time.monotonic()
        subprocess.run(["cp", waiting, folder / "copied"], check=True)
        beside = time.monotonic() - begun
        (folder / "copied").unlink()
        with pilot:
            pilot.wait_pinned(1)
            time.sleep(scale.settle)
            used, begun = pilot.used(), time.monotonic()
            waiting.rename(pilot.logs[0] / "large.log")
            until(lambda: _largest(pilot.pins[0]) >= size, MOST, _what(size), every=0.005)
            took = time.monotonic() - begun
            used = pilot.used() - used
    rate = size / took / 1e6
    return [
        Figure(
            number=11,
            name=f"copied pin, tmpfs → disk, {scale.copied_mb} MiB from appearance to the last"
            " byte",
            aim="≥ 100 MB/s",
            measured=f"{rate:.0f} MB/s in {seconds(took)}, {seconds(used)} of CPU;"
            f" cp beside it {size / beside / 1e6:.0f} MB/s",
            met=rate >= RATE,
            values={"mb_per_second": rate, "took": took, "cpu": used, "cp_took": beside},
        )
    ]


def _largest(folder: Path) -> int:
    with os.scandir(folder) as entries:
        return max((entry.stat().st_size for entry in entries), default=0)


def _what(size: int) -> str:
    return f"a copy of {size} bytes is complete"


def cost(node: Node, scale: Scale) -> Iterator[Figure]:
    """Figure 12: the agent's CPU beside one busy log, by how it is collected."""
    direct = 0.0
    for kind in ("direct", "linked", "copied"):
        folder = node.folder / f"cost-{kind}"
        with tmpfs(folder / "memory", "size=1g") as memory:
            volume = memory / "volume" if kind == "copied" else folder / "volume"
            extra = ("--pin", "off") if kind == "direct" else ()
            pilot = Lone(folder, folders=1, volume=volume, extra=extra, filebeat=find(FILEBEAT_9))
            share, written = _busy(pilot, scale, pinned=kind != "direct")
        direct = direct or share
        yield Figure(
            number=12,
            name=f"the agent beside one log of {LINES:,} lines/s, {kind}: CPU",
            measured=f"{share:.2%} of a core over {scale.busy_seconds:g} s"
            + (f", {share / direct:.1f} times direct" if kind != "direct" else " (--pin off)"),
            values={"core_share": share, "ratio": share / direct, "lines": written},
        )


def _busy(pilot: Lone, scale: Scale, *, pinned: bool) -> tuple[float, int]:
    """(part of a core that the agent used, lines written meanwhile)."""
    pilot.fill(1)
    with pilot, (pilot.logs[0] / "busy.log").open("ab", buffering=0) as stream:
        stream.write(LINE)
        if pinned:
            pilot.wait_pinned(2)
        until(pilot.printed, PATIENCE, "the collector's first line", every=0.2)
        time.sleep(scale.settle)
        used, begun, written = pilot.used(), time.monotonic(), 0
        while (passed := time.monotonic() - begun) < scale.busy_seconds:
            due = int(passed * LINES) - written
            stream.write(LINE * due)
            written += due
            time.sleep(TICK)
        share = (pilot.used() - used) / (time.monotonic() - begun)
    return share, written
