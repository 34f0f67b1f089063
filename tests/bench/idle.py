"""Figure 6: what the agent costs when nothing happens."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.agents import alone, names, wait_calm
from tests.bench.figures import Figure, Scale

if TYPE_CHECKING:
    from tests.bench.node import Node

SHARE = 0.003  # of a core
MEMORY = 50.0  # MB
SETTLE = 5.0  # seconds after the last look, for what follows it


def measure(node: Node, scale: Scale) -> list[Figure]:
    """Count threads and inotify instances with few and with all containers; then watch it idle."""
    node.want_sleepers(scale.idle_few)
    with alone(node, "idle", scale.relist) as (agent, renames):
        renames.seen.wait(names(node.sleepers), 60)
        time.sleep(SETTLE)
        few, before = len(node.sleepers), counts(agent.pid)
        node.want_sleepers(scale.present)
        renames.seen.wait(names(node.sleepers), 60)
        wait_calm(agent)
        time.sleep(SETTLE)
        after = counts(agent.pid)
        used, begun = cpu_seconds(agent.pid), time.monotonic()
        time.sleep(scale.idle_seconds)
        share = (cpu_seconds(agent.pid) - used) / (time.monotonic() - begun)
        memory = memory_mb(agent.pid)
    many = len(node.sleepers)
    grew = [each - was for each, was in zip(after, before, strict=True)]
    return [
        Figure(
            number=6,
            name=f"idle, {many} containers: CPU",
            aim="≤ 0.3 % of a core",
            measured=f"{share:.2%} over {scale.idle_seconds:g} s",
            met=share <= SHARE,
            values={"core_share": share},
        ),
        Figure(
            number=6,
            name=f"idle, {many} containers: memory",
            aim="≤ 50 MB RSS",
            measured=f"{memory:.1f} MB",
            met=memory <= MEMORY,
            values={"rss_mb": memory},
        ),
        Figure(
            number=6,
            name=f"threads, inotify instances: {few} → {many} containers",
            aim="the same",
            measured=f"{before[0]} → {after[0]} threads, {before[1]} → {after[1]} instances",
            met=not any(grew),
            values={
                "threads_few": before[0],
                "threads": after[0],
                "inotify_few": before[1],
                "inotify": after[1],
            },
        ),
    ]


def counts(pid: int) -> tuple[int, int]:
    """A process's threads and inotify instances."""
    links = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(os.readlink(entry))
        except FileNotFoundError:  # Closed meanwhile.
            continue
    threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    return threads, sum("inotify" in link for link in links)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # proc_pid_stat(5)


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"process {pid} has no VmRSS")
