"""Figure 4: many containers at once, and what they cost the engine."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from tests.bench.agents import alone, lists, looks, names, wait_calm
from tests.bench.figures import Figure, Scale, seconds
from tests.real.waiting import until

if TYPE_CHECKING:
    from tests.bench.node import Node

LATE = 1.0  # seconds
INSPECTS = 1.2  # per container


def measure(node: Node, scale: Scale) -> list[Figure]:
    """Start all from as many threads; inspects are counted until a whole list has followed."""
    with closing(node.client()) as client:
        ids = [node.create(client, f"line-burst{number}") for number in range(scale.burst)]
    with alone(node, "burst", scale.relist) as (agent, renames):
        # Not counted: the looks at containers that are only created.
        before = looks(agent)
        last_start = node.start_all(ids, hands=scale.burst)
        last_fragment = max(renames.seen.wait(names(ids), 60))
        at_once = (looks(agent) - before) / len(ids)
        wait_calm(agent)
        listed = lists(agent)
        until(lambda: lists(agent) > listed, scale.relist * 2, "the next list", every=0.5)
        wait_calm(agent)
        in_all = (looks(agent) - before) / len(ids)
    node.remove(ids)
    late = last_fragment - last_start
    shown = (
        f"{seconds(late)}; {at_once:.2f} inspects per container at once,"
        f" {in_all:.2f} after the next list"
    )
    return [
        Figure(
            number=4,
            name=f"{len(ids)} containers at once: last start → last fragment",
            aim="≤ 1 s; ≤ 1.2 inspects per container",
            measured=shown,
            met=late <= LATE and in_all <= INSPECTS,
            values={
                "last": late,
                "inspects_at_once": at_once,
                "inspects_after_list": in_all,
                "count": len(ids),
            },
        )
    ]
