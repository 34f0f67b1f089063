"""Containers that are removed at once, while the collector does not read: their lines arrive."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING

import pytest

from tests.real.conftest import dockerd_program, filebeat_program
from tests.real.daemons import IMAGE, Dockerd
from tests.real.observer import Observer
from tests.real.oracle import QUIET
from tests.real.pipeline import Agent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.real

LINES = 3
LIFE = 300_000  # microseconds that a container lives after its lines
AT_ONCE = 4  # containers that are started side by side
EXCUSED = 0.05  # of the containers: the log was gone before anybody was told of the start


@pytest.fixture
def dockerd(folder: Path) -> Iterator[Dockerd]:
    with Dockerd(folder / "docker", dockerd_program("docker")) as running:
        yield running


@pytest.mark.parametrize(
    ("name", "collector", "containers", "seconds"),
    [
        ("filebeat-9", "paused", 30, 8),
        ("filebeat-7", "stopped", 30, 8),
        *(
            pytest.param(name, how, 200, 30, marks=pytest.mark.proof)
            for name in ("filebeat-9", "filebeat-7")
            for how in ("paused", "stopped")
        ),
    ],
)
def test_what_is_removed_at_once_arrives_all_the_same(
    folder: Path, dockerd: Dockerd, name: str, collector: str, containers: int, seconds: float
) -> None:
    agent = Agent(
        folder / "agent",
        dockerd=dockerd,
        filebeat=filebeat_program(name),
        collector="supervised" if collector == "paused" else "external",
    )

    def live(number: int) -> None:
        script = "; ".join(f"echo {text}" for text in _lines(number)) + f"; usleep {LIFE}"
        options = ("--rm", "--network=none", "--name", f"short-{number}")
        declared = ("--env", "aliyun_logs_out=stdout")
        told = dockerd.docker("run", *options, *declared, IMAGE, "sh", "-c", script)
        assert told.splitlines() == _lines(number)

    with agent, Observer(dockerd) as observer:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            with _away(agent, collector):
                begun = time.monotonic()
                lives = [pool.submit(live, number) for number in range(containers)]
                while (left := begun + seconds - time.monotonic()) > 0:
                    time.sleep(left)
                meanwhile = sum(each.done() for each in lives)
            for each in lives:
                each.result()
        observer.wait_for_ends(containers, 60)
        excused = {life.name for life in observer.lives.values() if not life.log_existed}
        wanted = {
            line: f"short-{number}"
            for number in range(containers)
            for line in _lines(number)
            if f"short-{number}" not in excused
        }
        arrived = _settled(agent, wanted)
        missing = Counter(owner for line, owner in wanted.items() if not arrived[line])
        twice = sum(count - 1 for count in arrived.values())
        ends = [life.destroyed - life.started for life in observer.lives.values()]
        print(
            f"{name}, {collector}: {containers} containers, {meanwhile} of them lived while the "
            f"collector was away for {seconds} s; from start event to removal min {min(ends):.2f} "
            f"median {median(ends):.2f} max {max(ends):.2f} s; excused {len(excused)}, lines "
            f"missing {sum(missing.values())} of {len(wanted)}, twice {twice}"
        )
        told = {life.name: life for life in observer.lives.values()}
        for owner in missing:
            life = told[owner]
            print(
                f"missing: {owner}, removed {life.destroyed - life.started:.3f} s after its start"
            )
        assert meanwhile
        assert len(excused) <= EXCUSED * containers
        assert not missing
        assert not twice
        assert set(arrived) <= {line for number in range(containers) for line in _lines(number)}


def _lines(number: int) -> list[str]:
    return [f"short {number} line {line}" for line in range(LINES)]


@contextmanager
def _away(agent: Agent, how: str) -> Iterator[None]:
    """A collector that hangs or does not run, and is back afterwards."""
    (agent.pause_collector if how == "paused" else agent.stop_collector)()
    try:
        yield
    finally:
        (agent.resume_collector if how == "paused" else agent.start_collector)()


def _settled(agent: Agent, wanted: dict[str, str]) -> Counter[str]:
    """What arrived, once all did and no more comes, or nothing came for half a minute."""
    count, changed = -1, time.monotonic()
    while True:
        arrived = Counter(agent.sink.texts())
        if arrived.total() != count:
            count, changed = arrived.total(), time.monotonic()
        quiet = time.monotonic() - changed
        if quiet > (QUIET if wanted.keys() <= arrived.keys() else 30):
            return arrived
        time.sleep(0.05)
