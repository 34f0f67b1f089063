"""The agent itself is down while logs go on and are rotated: what is still there arrives.

A container's output that dockerd rotates, and a file in a volume that its application rotates; of
each there are never more than two files on the disk, so a file that was born while the agent was
down and rotated twice since is gone, and only that is lost.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.real.conftest import dockerd_program, filebeat_program
from tests.real.daemons import Dockerd
from tests.real.elastic import QUEUE
from tests.real.oracle import Oracle, Report
from tests.real.pipeline import Agent
from tests.real.processes import descendants
from tests.real.waiting import until
from tests.real.writers import END, STAY, steady

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.real.oracle import Held, Line

pytestmark = pytest.mark.real

RECORD = 160  # bytes of a line of output in Docker's file, about
RATE = 100  # lines a second and log
MANY = 1_000_000  # lines; more than there is time for
AFTER = 3  # seconds of writing after the agent's return

End = Literal["SIGTERM", "SIGKILL"]


@dataclass(frozen=True, slots=True)
class Course:
    """How long the agent is down, and how often each log is rotated meanwhile."""

    down: float
    every: float  # seconds between two rotations of a log


@dataclass(frozen=True, slots=True)
class Writers:
    """The containers, and the oracle's origin of each one's log."""

    output: str  # a container's id: its output is its log
    application: str
    volume: str

    @property
    def origins(self) -> tuple[str, str]:
        return (self.output, self.volume)

    @property
    def containers(self) -> tuple[str, str]:
        """In the same order."""
        return (self.output, self.application)


@pytest.fixture
def dockerd(folder: Path) -> Iterator[Dockerd]:
    with Dockerd(folder / "docker", dockerd_program("docker")) as running:
        yield running


ONE_ROTATION, MANY_ROTATIONS = Course(30, 20), Course(30, 4)
EACH_WAY = [
    (name, collector, how)
    for name in ("filebeat-9", "filebeat-7")
    for collector in ("supervised", "external")
    for how in ("SIGTERM", "SIGKILL")
]


def _courses(full: Course, *samples: tuple[str, str, End, Course]) -> list[Any]:
    return [
        *samples,
        *(pytest.param(*each, full, marks=pytest.mark.proof) for each in EACH_WAY),
    ]


@pytest.mark.parametrize(
    ("name", "collector", "how", "course"),
    _courses(ONE_ROTATION, ("filebeat-9", "supervised", "SIGKILL", Course(4.5, 3))),
)
def test_one_rotation_while_the_agent_is_down_loses_nothing(
    folder: Path, dockerd: Dockerd, name: str, collector: str, how: End, course: Course
) -> None:
    with _agent(folder, dockerd, name, collector) as agent, Oracle(dockerd.root) as oracle:
        writers = _start_writers(agent, oracle, dockerd, course)
        before = len(oracle.files())
        _go_down(agent, how)
        _rotated_once(dockerd, oracle, writers, before, course.down)
        with _standing_still(dockerd, writers):
            gone = _gone(oracle, before)
            born = oracle.files()[before:]
            agent.start()
            _wait_for_pins(agent, writers)
        report = _settled(agent, dockerd, oracle, writers)
        print(
            f"{name}, {collector}, {how}, down for {course.down} s: {len(oracle.lines())} lines, "
            f"{len(born)} files born meanwhile, {len(gone)} of them gone: {report}"
        )
        assert sorted(file.origin for file in born) == sorted(writers.origins)
        assert not gone
        assert not report.missing, str(report)
        assert not report.foreign, str(report)
        assert report.twice <= (0 if agent.external else QUEUE), str(report)
        assert not _missed(agent)


@pytest.mark.parametrize(
    ("name", "collector", "how", "course"),
    _courses(MANY_ROTATIONS, ("filebeat-7", "external", "SIGTERM", Course(4, 0.8))),
)
def test_what_rotation_took_while_the_agent_was_down_is_lost_and_told(
    folder: Path, dockerd: Dockerd, name: str, collector: str, how: End, course: Course
) -> None:
    with _agent(folder, dockerd, name, collector) as agent, Oracle(dockerd.root) as oracle:
        writers = _start_writers(agent, oracle, dockerd, course)
        before = len(oracle.files())
        _go_down(agent, how)
        time.sleep(course.down)
        until(
            lambda: {file.origin for file in _gone(oracle, before)} == set(writers.origins),
            60,
            "each log has lost files",
        )
        with _standing_still(dockerd, writers):
            gone = _gone(oracle, before)
            agent.start()
            _wait_for_pins(agent, writers)
        report = _settled(agent, dockerd, oracle, writers)
        lost = [line for line in oracle.lines() if line.file in {file.number for file in gone}]
        print(
            f"{name}, {collector}, {how}, down for {course.down} s: {len(oracle.lines())} lines, "
            f"{len(oracle.files()) - before} files born since, {len(gone)} gone before the return "
            f"with {len(lost)} lines: {report}"
        )
        assert _named(report.missing) == _named(lost), str(report)
        assert not report.foreign, str(report)
        assert report.twice <= (0 if agent.external else QUEUE), str(report)
        assert _missed(agent) == {(writers.output, "out"), (writers.application, "app")}
        assert "files-missed" in agent.log()


def _agent(folder: Path, dockerd: Dockerd, name: str, collector: str) -> Agent:
    return Agent(
        folder / "agent",
        dockerd=dockerd,
        filebeat=filebeat_program(name),
        collector=collector,
        environment={"FILEBEAT_MAX_PROCS": "2"},
    )


def _start_writers(agent: Agent, oracle: Oracle, dockerd: Dockerd, course: Course) -> Writers:
    """Start both; both have been rotated once just now, and their lines arrive."""
    per_file = int(RATE * course.every)
    volume = dockerd.root / "volumes/kept/_data"
    oracle.watch(volume)
    application = dockerd.run(
        "application",
        steady("/logs/app.log", lines=MANY, rate=RATE, rotate=per_file, then=STAY),
        *("--env", "aliyun_logs_app=/logs/app.log", "--volume", "kept:/logs"),
    )
    output = dockerd.run(
        "output",
        steady("stdout", lines=MANY, rate=RATE, then=STAY),
        *("--env", "aliyun_logs_out=stdout"),
        *("--log-opt", f"max-size={per_file * RECORD}", "--log-opt", "max-file=2"),
    )
    writers = Writers(output, application, str(volume))

    def rotated() -> bool:
        origins = [file.origin for file in oracle.files()]
        return all(origins.count(origin) > 1 for origin in writers.origins)

    until(rotated, 60, "both logs are rotated for the first time")
    _wait_for_pins(agent, writers)
    return writers


def _go_down(agent: Agent, how: End) -> None:
    if how == "SIGTERM":
        agent.stop()
    else:
        agent.kill()


def _rotated_once(
    dockerd: Dockerd, oracle: Oracle, writers: Writers, before: int, seconds: float
) -> None:
    """Let so much time go by, and each log be rotated; a writer stands still before it is twice."""
    moving = dict(zip(writers.origins, writers.containers, strict=True))
    begun = time.monotonic()

    def over() -> bool:
        files = oracle.files()
        rotated = {file.origin: file for file in files[before:]}
        for origin, container in list(moving.items()):
            full = max(file.size for file in files if file.origin == origin)
            if origin in rotated and rotated[origin].size > full / 2:
                _signal(dockerd, container, signal.SIGSTOP)
                del moving[origin]
        return len(rotated) == 2 and time.monotonic() - begun >= seconds

    until(over, seconds + 60, "each log is rotated")


@contextmanager
def _standing_still(dockerd: Dockerd, writers: Writers) -> Iterator[None]:
    """Nothing is written, and so nothing rotated, until it is left."""
    for container in writers.containers:
        _signal(dockerd, container, signal.SIGSTOP)
    try:
        time.sleep(0.3)  # What is in the pipe comes to the file.
        yield
    finally:
        for container in writers.containers:
            _signal(dockerd, container, signal.SIGCONT)


def _signal(dockerd: Dockerd, container: str, number: signal.Signals) -> None:
    """A signal to every process of a container."""
    main = int(dockerd.docker("inspect", "--format={{.State.Pid}}", container))
    for pid in [main, *descendants(main)]:
        try:
            os.kill(pid, number)
        except ProcessLookupError:  # It was one of the script's short helpers.
            continue


def _gone(oracle: Oracle, first: int) -> list[Held]:
    """The files that no name leads to any more, of those that were born after the first so many."""
    oracle.look()
    return [file for file in oracle.files()[first:] if not file.names]


def _wait_for_pins(agent: Agent, writers: Writers) -> None:
    """Wait until both files of both logs are pinned."""

    def pinned() -> bool:
        live = [
            file
            for container in agent.status()["containers"]
            if container["id"] in writers.containers
            for log in container["logs"]
            for file_set in log["file_sets"]
            for file in file_set.get("files", [])
            if not file["original_gone"]
        ]
        return len(live) == 4

    until(pinned, 30, "both files of both logs are pinned", every=0.1)


def _settled(agent: Agent, dockerd: Dockerd, oracle: Oracle, writers: Writers) -> Report:
    """The comparison, once the writers have gone on for a while and ended."""
    time.sleep(AFTER)
    for container in writers.containers:
        dockerd.docker("exec", container, "/bin/sh", "-c", f": > {END}")
    written, changed = -1, time.monotonic()
    while time.monotonic() - changed < 1:
        if (now := len(oracle.lines())) != written:
            written, changed = now, time.monotonic()
        time.sleep(0.1)
    return agent.sink.wait_for(oracle, 8)


def _named(lines: list[Line]) -> list[tuple[str, str]]:
    return sorted((line.origin, line.text) for line in lines)


def _missed(agent: Agent) -> set[tuple[str, str]]:
    """Of which logs the status says that files went by unseen: container and log."""
    return {
        (container["id"], rejection["log"])
        for container in agent.status()["containers"]
        for rejection in container["rejections"]
        if rejection["code"] == "files-missed" and rejection["notice"]
    }
