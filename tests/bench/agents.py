"""How the figures run the agent: with a collector, or alone, so that only the agent is measured."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.bench.observing import Renames
from tests.real.pipeline import Agent
from tests.real.waiting import until

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from tests.bench.node import Node

CALM = 1.0  # seconds without a look after which the agent has nothing left to do


@contextmanager
def alone(node: Node, name: str, relist: float) -> Iterator[tuple[Agent, Renames]]:
    """The agent whose collector is somebody else's, who never comes; and its new fragments."""
    agent = Agent(
        node.folder / name,
        dockerd=node.dockerd,
        filebeat=node.folder / "filebeat",
        collector="external",
        extra=("--relist", str(relist)),
    )
    with Renames(fragments_folder(agent)) as renames:
        try:
            agent.start()
            wait_calm(agent)
            yield agent, renames
        finally:
            agent.close()


def fragments_folder(agent: Agent) -> Path:
    """Where its fragments appear."""
    return agent.config_dir / "prospectors.d"


def names(ids: Collection[str]) -> list[str]:
    """The fragments' names for these containers."""
    return [f"{container_id}.yml" for container_id in ids]


def looks(agent: Agent) -> int:
    """How many containers the agent has looked at."""
    return int(agent.status()["counts"]["looks"])


def lists(agent: Agent) -> int:
    """How often the agent has listed all containers."""
    return int(agent.status()["counts"]["lists"])


def wait_calm(agent: Agent, seconds: float = 120) -> None:
    """Wait until the agent has listed its containers and looks at none any more."""
    found, since = -1, time.monotonic()

    def calm() -> bool:
        nonlocal found, since
        status = agent.status()
        if (now := int(status["counts"]["looks"])) != found or status["source"]["problem"]:
            found, since = now, time.monotonic()
        return status["source"]["listed_ago"] is not None and time.monotonic() - since >= CALM

    until(calm, seconds, "the agent is calm", every=0.2)
