"""Containers that live oddly: restarted, crashing, very short, replaced, removed at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.real.conftest import dockerd_program, filebeat_program
from tests.real.daemons import IMAGE, Dockerd
from tests.real.oracle import Oracle
from tests.real.pipeline import Agent
from tests.real.waiting import until
from tests.real.writers import STAY, writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.real

OUT = ("--env", "aliyun_logs_out=stdout")
EACH_WAY = pytest.mark.parametrize(
    ("name", "collector"),
    [
        ("filebeat-9", "supervised"),
        ("filebeat-7", "external"),
        pytest.param("filebeat-9", "external", marks=pytest.mark.proof),
        pytest.param("filebeat-7", "supervised", marks=pytest.mark.proof),
    ],
)


@pytest.fixture
def dockerd(folder: Path) -> Iterator[Dockerd]:
    with Dockerd(folder / "docker", dockerd_program("docker")) as running:
        yield running


@EACH_WAY
def test_twenty_restarts_in_a_row_lose_and_repeat_nothing(
    folder: Path, dockerd: Dockerd, name: str, collector: str
) -> None:
    volume = dockerd.root / "volumes/kept/_data"
    program = filebeat_program(name)
    with (
        Oracle(dockerd.root, volume) as oracle,
        Agent(folder / "agent", dockerd=dockerd, filebeat=program, collector=collector) as agent,
    ):
        options = ("--env", "aliyun_logs_file=/logs/app.log", "--volume", "kept:/logs")
        script = writer("stdout", "/logs/app.log", lines=50, pause=0.01, then=STAY)
        container = dockerd.run("restarted", script, *OUT, *options)
        for _ in range(20):
            dockerd.docker("restart", "--time=0", container)
        until(lambda: _last(oracle, container, 50), 30, "the last run's last line", every=0.1)
        report = agent.sink.wait_for(oracle, 30)
        assert len({line.text.split()[0] for line in oracle.lines()}) == 21
        assert report.exact, str(report)


@EACH_WAY
def test_short_lives_are_collected_whole(
    folder: Path, dockerd: Dockerd, name: str, collector: str
) -> None:
    """`--rm` deletes the log some milliseconds after the end."""
    program = filebeat_program(name)
    with Agent(folder / "agent", dockerd=dockerd, filebeat=program, collector=collector) as agent:
        written = []
        for number in range(20):
            lines = [f"short {number} line {line}" for line in range(3)]
            script = "; ".join(f"echo {line}" for line in lines) + "; usleep 50000"
            told = dockerd.docker(
                *("run", "--rm", "--network=none", *OUT, IMAGE, "sh", "-c", script)
            )
            assert told.splitlines() == lines
            written += lines
        for line in written:
            agent.sink.wait_for_text(line)
        assert sorted(agent.sink.texts()) == sorted(written)


def test_a_crash_loop_loses_and_repeats_nothing(folder: Path, dockerd: Dockerd) -> None:
    program = filebeat_program("filebeat-9")
    with (
        Oracle(dockerd.root) as oracle,
        Agent(folder / "agent", dockerd=dockerd, filebeat=program) as agent,
    ):
        script = writer("stdout", lines=20, pause=0, then="exit 1")
        container = dockerd.run("crashing", script, *OUT, "--restart=on-failure:5")
        until(
            lambda: dockerd.docker("inspect", "--format={{.State.Status}}", container) == "exited",
            60,
            "the container gave up",
            every=0.2,
        )
        report = agent.sink.wait_for(oracle, 30)
        assert len(oracle.lines()) == 6 * 20
        assert report.exact, str(report)


def test_the_same_name_again_is_another_container(folder: Path, dockerd: Dockerd) -> None:
    program = filebeat_program("filebeat-9")
    with (
        Oracle(dockerd.root) as oracle,
        Agent(folder / "agent", dockerd=dockerd, filebeat=program) as agent,
    ):
        runs = {}
        for number in range(3):
            container = dockerd.run("again", f"echo 'life {number}'; {STAY}", *OUT)
            event = agent.sink.wait_for_text(f"life {number}")
            runs[container] = event["container_id"]
            assert event["docker_container"] == "again"
            dockerd.docker("rm", "--force", container)
        assert len(runs) == 3
        assert all(told == container for container, told in runs.items())
        report = agent.sink.wait_for(oracle, 30)
        assert report.exact, str(report)


def test_a_removed_container_is_read_to_its_end_and_then_forgotten(
    folder: Path, dockerd: Dockerd
) -> None:
    program = filebeat_program("filebeat-9")
    with (
        Oracle(dockerd.root) as oracle,
        Agent(folder / "agent", dockerd=dockerd, filebeat=program) as agent,
    ):
        container = dockerd.run("removed", writer("stdout", lines=2000, pause=0, then=STAY), *OUT)
        until(lambda: _last(oracle, container, 2000), 30, "the last line is written")
        dockerd.docker("rm", "--force", container)
        report = agent.sink.wait_for(oracle, 30)
        assert report.exact, str(report)
        pins = dockerd.root / "log-pilot"
        until(lambda: not list(pins.glob("*/*")), 60, "its pins are gone", every=0.2)
        until(lambda: not agent.fragments(), 60, "its fragment is gone", every=0.2)
        assert agent.collector_alive()


def test_what_is_removed_while_the_collector_is_down_arrives_all_the_same(
    folder: Path, dockerd: Dockerd
) -> None:
    program = filebeat_program("filebeat-9")
    with (
        Oracle(dockerd.root) as oracle,
        Agent(folder / "agent", dockerd=dockerd, filebeat=program, collector="external") as agent,
    ):
        agent.stop_collector()
        container = dockerd.run("removed", writer("stdout", lines=500, pause=0, then=STAY), *OUT)
        agent.wait_for_pin(container)
        until(lambda: _last(oracle, container, 500), 30, "the last line is written")
        dockerd.docker("rm", "--force", container)
        agent.kill()
        agent.start()
        agent.start_collector()
        report = agent.sink.wait_for(oracle, 30)
        assert len(oracle.lines()) == 500
        assert report.exact, str(report)


def _last(oracle: Oracle, container: str, lines: int) -> bool:
    texts = [line.text for line in oracle.lines() if line.origin == container]
    return bool(texts) and texts[-1].endswith(f" stdout {lines}")
