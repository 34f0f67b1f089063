"""Figures 2 and 3: how long a line travels to the sink, from a new container or a quiet one."""

from __future__ import annotations

import random
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from tests.bench.figures import Figure, Scale, Spread, spread
from tests.bench.observing import Arrivals
from tests.bench.rivals import autodiscover
from tests.real.pipeline import Agent
from tests.real.programs import FILEBEAT_7, FILEBEAT_9, Program, find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.node import Node

START_P50, START_P99 = 0.35, 0.8  # seconds
QUIET_P99 = 2.5  # seconds
PAUSE = (0.3, 1.5)  # seconds between two tries, so that they meet any moment of a period
PATIENCE = 60.0  # seconds for one line


def from_start(node: Node, scale: Scale) -> Iterator[Figure]:
    """Figure 2: each collector after the other, on the same dockerd with the same containers."""
    node.want_sleepers(scale.present)
    for program in (FILEBEAT_9, FILEBEAT_7):
        with ours(node, program, f"start{program.major}") as arrivals:
            times = starts(node, arrivals, scale.lines)
        yield Figure(
            number=2,
            name=f"container start → first line, Filebeat {program.version},"
            f" {scale.present} containers present",
            aim="p50 ≤ 0.35 s, p99 ≤ 0.8 s",
            measured=str(times),
            met=times.p50 <= START_P50 and times.p99 <= START_P99,
            values=times.values(filebeat=program.major),
        )
    for best, count in ((True, scale.lines), (False, scale.slow_lines)):
        with theirs(node, best=best) as arrivals:
            times = starts(node, arrivals, count)
        how = "at its best" if best else "with defaults"
        yield Figure(
            number=2,
            name=f"beside it: docker autodiscover of Filebeat {FILEBEAT_9.version}, {how}",
            measured=str(times),
            values=times.values(best=best),
        )


def from_quiet(node: Node, scale: Scale) -> Iterator[Figure]:
    """Figure 3: a line from a container that wrote nothing for a while."""
    node.want_sleepers(scale.present)
    for program in (FILEBEAT_9, FILEBEAT_7):
        times = []
        with ours(node, program, f"quiet{program.major}") as arrivals:
            time.sleep(scale.quiet)
            with closing(node.client()) as client:
                sent = {}
                for number in random.sample(range(len(node.sleepers)), scale.lines):
                    begun = time.monotonic()
                    sent[node.say(client, number)] = begun
                    time.sleep(random.uniform(0.1, 0.5))
            arrived = arrivals.seen.wait(list(sent), PATIENCE)
            times = [at - begun for at, begun in zip(arrived, sent.values(), strict=True)]
        result = spread(times)
        yield Figure(
            number=3,
            name=f"a line written to a quiet log → sink, Filebeat {program.version}",
            aim="p99 ≤ 2.5 s",
            measured=str(result),
            met=result.p99 <= QUIET_P99,
            values=result.values(filebeat=program.major),
        )


def starts(node: Node, arrivals: Arrivals, count: int) -> Spread:
    """From the return of the start call to the first line, for one container after the other."""
    times = []
    with closing(node.client()) as client:
        for _ in range(count):
            token = f"line-{random.randbytes(8).hex()}"
            container_id = node.create(client, token)
            time.sleep(random.uniform(*PAUSE))
            client.start(container_id)
            started = time.monotonic()
            times.append(arrivals.seen.wait([token], PATIENCE)[0] - started)
            client.remove_container(container_id, force=True)
    return spread(times)


@contextmanager
def ours(node: Node, program: Program, name: str) -> Iterator[Arrivals]:
    """The agent with its Filebeat as a child, once the idle containers' lines are at the sink."""
    agent = Agent(node.folder / name, dockerd=node.dockerd, filebeat=find(program))
    with Arrivals(agent.folder / "sink") as arrivals, agent:
        arrivals.seen.wait(node.sleepers_said(), PATIENCE)
        yield arrivals


@contextmanager
def theirs(node: Node, *, best: bool) -> Iterator[Arrivals]:
    """Filebeat's autodiscover, once the idle containers' lines are at the sink."""
    folder = node.folder / ("best" if best else "defaults")
    with (
        autodiscover(folder, find(FILEBEAT_9), node.dockerd, best=best) as sink,
        Arrivals(sink) as arrivals,
    ):
        arrivals.seen.wait(node.sleepers_said(), PATIENCE)
        yield arrivals
