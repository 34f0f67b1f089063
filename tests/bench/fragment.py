"""Figure 1: from the return of the engine's start call to the fragment's rename."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from tests.bench.agents import alone, names
from tests.bench.figures import Figure, Scale, spread

if TYPE_CHECKING:
    from tests.bench.node import Node

P50, P99 = 0.008, 0.025  # seconds


def measure(node: Node, scale: Scale) -> list[Figure]:
    """Start containers one after the other; each stays, so that nothing drains meanwhile."""
    times = []
    with closing(node.client()) as client:
        ids = [node.create(client, f"line-start{number}") for number in range(scale.starts)]
        with alone(node, "fragment", scale.relist) as (_, renames):
            for container_id in ids:
                client.start(container_id)
                started = time.monotonic()
                times.append(renames.seen.wait(names([container_id]), 30)[0] - started)
    node.remove(ids)
    found = spread(times)
    return [
        Figure(
            number=1,
            name="container start → fragment on disk",
            aim="p50 ≤ 8 ms, p99 ≤ 25 ms",
            measured=str(found),
            met=found.p50 <= P50 and found.p99 <= P99,
            values=found.values(least=min(times)),
        )
    ]
