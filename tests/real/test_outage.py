"""An output that takes nothing for longer than rotation keeps files: pins keep them all.

Ten logs, half of them a container's output that dockerd rotates, half a file in a volume that its
application rotates; of each there are never more than two files on the disk.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.real.conftest import dockerd_program, filebeat_program
from tests.real.daemons import Dockerd
from tests.real.elastic import QUEUE, Elastic
from tests.real.oracle import Oracle, Report
from tests.real.pipeline import Agent
from tests.real.waiting import until
from tests.real.writers import STAY, steady

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.real.elastic import How

pytestmark = pytest.mark.real

RATE = 200  # lines a second and log
RECORD = 160  # bytes of a line of output in Docker's file, about
BEFORE = 2  # seconds of writing before the output is blocked
SETTLED = 5  # seconds without a change after which nothing more is given up


@dataclass(frozen=True, slots=True)
class Course:
    """How long an outage takes, and how often each log is rotated meanwhile."""

    seconds: float
    every: float  # seconds between two rotations of a log
    logs: int = 10
    after: float = 5  # seconds of writing once the output takes lines again

    @property
    def lines(self) -> int:
        """How many lines each log gets."""
        return int((BEFORE + self.seconds + self.after) * RATE)


FULL, SAMPLE = Course(180, 5), Course(8, 0.8, logs=4, after=2)
LOSING, LOSING_SAMPLE = Course(60, 5, after=0), Course(14, 0.8, logs=2, after=0)


@pytest.fixture
def dockerd(folder: Path) -> Iterator[Dockerd]:
    with Dockerd(folder / "docker", dockerd_program("docker")) as running:
        yield running


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("name", "collector", "how", "course"),
    [
        ("filebeat-9", "supervised", "hang", SAMPLE),
        *(
            pytest.param(name, collector, how, FULL, marks=pytest.mark.proof)
            for name, collector, how in (
                ("filebeat-9", "supervised", "hang"),
                ("filebeat-9", "external", "refuse"),
                ("filebeat-7", "supervised", "refuse"),
                ("filebeat-7", "external", "hang"),
            )
        ),
    ],
)
def test_an_outage_longer_than_rotation_loses_nothing(
    folder: Path, dockerd: Dockerd, name: str, collector: str, how: How, course: Course
) -> None:
    program = filebeat_program(name)
    with (
        Elastic(folder / "taken") as elastic,
        Oracle(dockerd.root) as oracle,
        Agent(
            folder / "agent",
            dockerd=dockerd,
            filebeat=program,
            collector=collector,
            elastic=elastic,
        ) as agent,
    ):
        origins = _start_writers(agent, oracle, dockerd, course)
        before = len(oracle.files())
        _block(elastic, how, course.seconds)
        agent.kill_collector()
        refused = elastic.turned_away
        until(lambda: elastic.turned_away > refused, 90, "the next Filebeat tries in vain")
        gone = [file for file in oracle.files()[before:] if not file.names]
        assert not gone, f"{len(gone)} files were rotated away that no pin holds"
        elastic.unblock()
        report = _settled(agent, oracle, course)
        files = Counter(file.origin for file in oracle.files())
        rotations = min(files[origin] for origin in origins.values()) - 1
        print(
            f"{name}, {collector}, {how} for {course.seconds} s: {len(oracle.lines())} lines of "
            f"{course.logs} logs in {files.total()} files, {rotations} rotations or more of each; "
            f"Filebeat killed once: {report}"
        )
        assert rotations > 4
        assert not report.missing, str(report)
        assert not report.foreign, str(report)
        assert report.twice <= QUEUE, str(report)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("name", "allowance", "course"),
    [
        ("filebeat-9", "256KiB/1000", LOSING_SAMPLE),
        pytest.param("filebeat-9", "1MiB/1000", LOSING, marks=pytest.mark.proof),
        pytest.param("filebeat-7", "1MiB/1000", LOSING, marks=pytest.mark.proof),
        pytest.param("filebeat-9", "1GiB/5", LOSING, marks=pytest.mark.proof),
    ],
)
def test_with_too_small_an_allowance_the_loss_is_told_exactly(
    folder: Path, dockerd: Dockerd, name: str, allowance: str, course: Course
) -> None:
    program = filebeat_program(name)
    with (
        Elastic(folder / "taken") as elastic,
        Oracle(dockerd.root) as oracle,
        Agent(
            folder / "agent",
            dockerd=dockerd,
            filebeat=program,
            elastic=elastic,
            extra=("--set-allowance", allowance),
        ) as agent,
    ):
        origins = _start_writers(agent, oracle, dockerd, course)
        _block(elastic, "hang", course.seconds)
        _wait_until_written(oracle, course)
        told = _told_at_last(agent)
        elastic.unblock()
        report = _settled(agent, oracle, course, patience=6)
        measured = _measured(report, origins)
        print(
            f"{name}, allowance {allowance}, blocked for {course.seconds} s and more: "
            f"{len(oracle.lines())} lines of {course.logs} logs; files and bytes lost: "
            f"told {told}, measured {measured}; {report}"
        )
        assert report.missing
        assert _told(agent) == told
        assert told == measured
        assert _notices(agent, "allowance")
        assert not report.foreign, str(report)
        assert not report.twice, str(report)


def _start_writers(
    agent: Agent, oracle: Oracle, dockerd: Dockerd, course: Course
) -> dict[str, str]:
    """Start the writers and let them be collected; each log's origin by its container's name."""
    per_file = int(RATE * course.every)
    origins = {}
    for number in range(course.logs):
        name = f"writer-{number}"
        if number % 2:
            volume = dockerd.root / "volumes" / f"of-{number}" / "_data"
            oracle.watch(volume)
            script = steady(
                "/logs/app.log", lines=course.lines, rate=RATE, rotate=per_file, then=STAY
            )
            declared = ("--env", "aliyun_logs_app=/logs/app.log")
            dockerd.run(name, script, *declared, "--volume", f"of-{number}:/logs")
            origins[name] = str(volume)
        else:
            script = steady("stdout", lines=course.lines, rate=RATE, then=STAY)
            size = f"max-size={per_file * RECORD}"
            options = ("--log-opt", size, "--log-opt", "max-file=2")
            origins[name] = dockerd.run(name, script, "--env", "aliyun_logs_out=stdout", *options)
    until(
        lambda: {line.split()[1] for line in agent.sink.texts()} == {"stdout", "/logs/app.log"},
        60,
        "lines of both kinds arrive",
    )
    time.sleep(BEFORE)
    return origins


def _block(elastic: Elastic, how: How, seconds: float) -> None:
    """Block the output for so long; it stays blocked."""
    elastic.block(how)
    until(lambda: elastic.turned_away, 60, "the output is blocked")
    time.sleep(seconds)


def _settled(agent: Agent, oracle: Oracle, course: Course, *, patience: float = 30) -> Report:
    """The comparison, once every line is written and nothing more arrives."""
    wanted = course.lines * course.logs
    until(lambda: len(oracle.lines()) >= course.lines * course.logs, 120, "all is written", every=2)
    count, changed = -1, time.monotonic()
    while time.monotonic() - changed < (3 if count >= wanted else patience):
        if (arrived := len(agent.sink.events())) != count:
            count, changed = arrived, time.monotonic()
        time.sleep(0.2)
    return agent.sink.compare(oracle)


def _wait_until_written(oracle: Oracle, course: Course) -> None:
    wanted = course.lines * course.logs
    until(lambda: len(oracle.lines()) >= wanted, 120, "all is written", every=2)


def _told_at_last(agent: Agent) -> dict[str, tuple[int, int]]:
    """What is told to be lost once it has been the same for some time."""
    told, changed = _told(agent), time.monotonic()
    while time.monotonic() - changed < SETTLED:
        time.sleep(0.5)
        if (now := _told(agent)) != told:
            told, changed = now, time.monotonic()
    return told


def _measured(report: Report, origins: dict[str, str]) -> dict[str, tuple[int, int]]:
    """By container: in how many files lines are missing, and how many bytes they took."""
    by_origin = {origin: name for name, origin in origins.items()}
    sizes: Counter[str] = Counter()
    files: dict[str, set[int]] = {name: set() for name in origins}
    for line in report.missing:
        sizes[by_origin[line.origin]] += line.size
        files[by_origin[line.origin]].add(line.file)
    return {name: (len(files[name]), sizes[name]) for name in origins}


def _told(agent: Agent) -> dict[str, tuple[int, int]]:
    """By container: files and bytes that are lost, as `log-pilot status` says it."""
    found = {}
    for container in agent.status()["containers"]:
        lost: list[dict[str, Any]] = [
            file_set["lost"]
            for log in container["logs"]
            for file_set in log["file_sets"]
            if file_set["owner"] == container["id"]
        ]
        files, size = (sum(each[what] for each in lost) for what in ("files", "bytes"))
        found[container["name"]] = (files, size)
    return found


def _notices(agent: Agent, code: str) -> list[dict[str, Any]]:
    return [
        rejection
        for container in agent.status()["containers"]
        for rejection in container["rejections"]
        if rejection["code"] == code
    ]
