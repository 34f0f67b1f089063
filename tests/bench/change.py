"""Figure 5: one change among few and among many containers of the static source."""

from __future__ import annotations

import os
import random
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import yaml

from tests.bench.agents import fragments_folder, names
from tests.bench.figures import Figure, Scale, Spread, seconds, spread
from tests.bench.observing import Renames
from tests.real.pipeline import Agent
from tests.real.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.node import Node
    from tests.real.daemons import Dockerd

FACTOR = 2.0
CALM = 3.0  # seconds between the last fragment at start and the first change


def measure(node: Node, scale: Scale) -> list[Figure]:
    """Each change replaces one file; no dockerd is needed."""
    few = changes(node.folder / "few", scale.few, scale)
    many = changes(node.folder / "many", scale.many, scale)
    factor = many.p50 / few.p50
    return [
        Figure(
            number=5,
            name=f"one change among {scale.many:,} containers against one among {scale.few:,}",
            aim="median within a factor of 2",
            measured=f"factor {factor:.2f}: median {seconds(many.p50)} against {seconds(few.p50)}"
            f" (max {seconds(many.most)} and {seconds(few.most)}; {many.count} each)",
            met=factor <= FACTOR,
            values={
                "factor": factor,
                **{f"many_{name}": value for name, value in many.values().items()},
                **{f"few_{name}": value for name, value in few.values().items()},
            },
        )
    ]


def changes(folder: Path, count: int, scale: Scale) -> Spread:
    """How long it takes from a file's replacement to the fragment's, among `count`."""
    places = folder / "containers"
    places.mkdir(parents=True)
    ids = [f"container-{number:05}" for number in range(count)]
    for container_id in ids:
        logs = folder / "volumes" / container_id
        logs.mkdir(parents=True)
        (logs / "app.log").write_text("line-volume\n")
        replace(folder, container_id, 0)
    agent = static_agent(folder, places)
    times = []
    with Renames(fragments_folder(agent)) as renames:
        try:
            agent.start(ready=False)
            renames.seen.wait(names(ids), 60 + count / 20)
            until(lambda: agent.try_status() is not None, 60, "the agent answers", every=0.5)
            time.sleep(CALM)
            for number in range(1, scale.changes + 1):
                chosen = random.choice(ids)
                name = f"{chosen}.yml"
                time.sleep(random.uniform(0.2, 1.2))  # At any moment of its work each second.
                renames.seen.forget(name)
                replace(folder, chosen, number)
                changed = time.monotonic()
                times.append(renames.seen.wait([name], 60)[0] - changed)
        finally:
            agent.close()
    return spread(times)


def replace(folder: Path, container_id: str, number: int) -> None:
    """Write a container's file; `number` is in a tag, and so in the fragment."""
    container = {
        "id": container_id,
        "name": container_id,
        "state": "running",
        "created": "2026-01-02T03:04:05Z",
        "image": "bench:1",
        "env": {"aliyun_logs_app": "/logs/*.log", "aliyun_logs_app_tags": f"round={number}"},
        "mounts": [
            {
                "destination": "/logs",
                "source": str(folder / "volumes" / container_id),
                "kind": "bind",
            }
        ],
    }
    place = folder / "containers" / f"{container_id}.yaml"
    temporary = place.with_name(f".{place.name}.tmp")
    temporary.write_text(yaml.safe_dump(container))
    os.replace(temporary, place)


def static_agent(folder: Path, places: Path) -> Agent:
    """The agent on these files, without a collector."""
    # Of its dockerd the harness asks no more than where it is; of repeated flags the last counts.
    nowhere = cast("Dockerd", SimpleNamespace(root=folder, host=f"unix://{folder}/none.sock"))
    return Agent(
        folder / "agent",
        dockerd=nowhere,
        filebeat=folder / "filebeat",
        collector="external",
        extra=("--source", "static", "--static-path", str(places), "--log-level", "warning"),
    )
