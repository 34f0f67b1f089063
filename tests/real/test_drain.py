"""The table of tests/test_drain_table.py with a real dockerd and a real Filebeat.

Five containers at once, one for each way to end. Each writes to its output and to a file in a
volume: some lines that the collector reads, and more that are written while it is away, right
before the end. Meanwhile the pilot is killed and started again.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.disks import tmpfs
from tests.real.conftest import dockerd_program, filebeat_program
from tests.real.daemons import Dockerd
from tests.real.elastic import QUEUE, Elastic
from tests.real.oracle import Line, Oracle
from tests.real.pipeline import Agent
from tests.real.waiting import until
from tests.real.writers import STAY

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.real

BEFORE, AFTER = 20, 300  # lines to each of the two places of a container
GO = "/go"
ENDS = ("exit", "restart", "crash", "rm", "volume gone")
GONE = ("rm", "volume gone")  # their records are
LIVES = {"restart": 2, "crash": 3}  # how often each runs; the others once
LIMIT = 12  # seconds; of a collector that never comes back seven times that are waited for
DECLARED = ("--env", "aliyun_logs_out=stdout", "--env", "aliyun_logs_file=/logs/app.log")


@pytest.fixture
def dockerd(folder: Path) -> Iterator[Dockerd]:
    with Dockerd(folder / "docker", dockerd_program("docker")) as running:
        yield running


@dataclass(slots=True)
class Lives:
    """The five containers."""

    dockerd: Dockerd
    oracle: Oracle
    ids: dict[str, str] = field(default_factory=dict)  # end → container
    volumes: dict[str, str] = field(default_factory=dict)  # end → folder on the node

    def start(self) -> None:
        for end in ENDS:
            options = ["--restart=on-failure:2"] if end == "crash" else []
            # An anonymous volume goes with its container.
            volume = "/logs" if end == "volume gone" else f"{end}:/logs"
            name = end.replace(" ", "-")
            self.ids[end] = self.dockerd.run(
                name, _script(end), *DECLARED, *options, "--volume", volume
            )
            form = "{{(index .Mounts 0).Source}}"
            self.volumes[end] = self.dockerd.docker("inspect", f"--format={form}", name)
            self.oracle.watch(Path(self.volumes[end]))

    def end(self) -> None:
        """Let each write the rest and end in its way."""
        docker = self.dockerd.docker
        for end, container in self.ids.items():
            docker("exec", container, "sh", "-c", f": > {GO}")
            self.wait(end, lives=1)
            if end == "restart":
                docker("restart", "--time=0", container)
            elif end == "rm":
                docker("rm", "--force", container)
            elif end == "volume gone":
                docker("rm", "--force", "--volumes", container)
        for end in self.ids:
            self.wait(end, lives=LIVES.get(end, 1))

    def wait(self, end: str, *, lives: int) -> None:
        """Wait until all is written that a container writes in so many lives."""
        lines = 2 * lives * (BEFORE + AFTER)
        until(lambda: len(self.lines_of(end)) >= lines, 60, f"{end}: all is written")

    def lines_of(self, end: str) -> list[Line]:
        origins = {self.ids[end], self.volumes[end]}
        return [line for line in self.oracle.lines() if line.origin in origins]


def _script(end: str) -> str:
    """What each container runs: some lines, a wait, the rest, its end."""
    write = (
        'i=0; while [ $i -lt {count} ]; do i=$((i+1)); echo "$run {when} $i"; '
        'echo "$run file {when} $i" >> /logs/app.log; done; '
    )
    then = {"crash": "exit 1", "exit": ":"}.get(end, STAY)
    return (
        "run=$(cat /proc/sys/kernel/random/uuid); "
        + write.format(count=BEFORE, when="before")
        + f"while [ ! -e {GO} ]; do usleep 50000; done; "
        + write.format(count=AFTER, when="after")
        + then
    )


@contextmanager
def _agent(
    folder: Path, dockerd: Dockerd, *, name: str, kind: str, state: str
) -> Iterator[tuple[Agent, Elastic]]:
    """An agent whose collector can be made to be away."""
    limit = ("--drain-limit", str(LIMIT)) if state == "dead" else ()
    made: dict[str, Any] = {
        "dockerd": dockerd,
        "filebeat": filebeat_program(name),
        "collector": "external" if state in ("killed", "dead") else "supervised",
        "pin": "off" if kind == "direct" else "auto",
        "extra": limit,
    }
    with Elastic(folder / "taken") as elastic:
        if kind == "copied":
            with tmpfs(folder / "other", "size=64m"):
                made["pin_root"] = folder / "other" / "pins"
                with Agent(folder / "agent", elastic=elastic, **made) as agent:
                    yield agent, elastic
        else:
            with Agent(folder / "agent", elastic=elastic, **made) as agent:
                yield agent, elastic


def _leave(agent: Agent, elastic: Elastic, state: str) -> None:
    if state == "blocked":
        elastic.block("hang")
    elif state == "refused":
        elastic.block("refuse")
    elif state == "paused":
        agent.pause_collector()
    elif state in ("killed", "dead"):
        agent.stop_collector()


def _return(agent: Agent, elastic: Elastic, state: str) -> None:
    if state in ("blocked", "refused"):
        elastic.unblock()
    elif state == "paused":
        agent.resume_collector()
    elif state in ("killed", "dead"):
        agent.start_collector()


def _phases(agent: Agent, lives: Lives) -> dict[str, str]:
    """End → phase, as `status` says; "gone" for a container that it knows no more."""
    told = {each["id"]: each["phase"] for each in agent.status()["containers"]}
    return {end: told.get(container, "gone") for end, container in lives.ids.items()}


def _wait_for_phases(agent: Agent, lives: Lives, wanted: dict[str, str], seconds: float) -> None:
    seen: dict[str, str] = {}

    def reached() -> bool:
        seen.update(_phases(agent, lives))
        return seen == wanted

    try:
        until(reached, seconds, "the phases", every=0.5)
    except AssertionError:
        raise AssertionError(f"not within {seconds} s: {wanted}, but {seen}") from None


def _kinds(agent: Agent) -> list[str]:
    return [
        file["kind"]
        for container in agent.status()["containers"]
        for log in container["logs"]
        for file_set in log["file_sets"]
        for file in file_set.get("files", ())
    ]


def _ended(**others: str) -> dict[str, str]:
    """Each container's phase once all have ended."""
    return {"exit": "draining", "restart": "running", "crash": "draining"} | {
        end: others.get(end.replace(" ", "_"), "draining") for end in GONE
    }


READ = {"exit": "drained", "restart": "running", "crash": "drained"} | dict.fromkeys(GONE, "gone")

COURSES = [
    ("filebeat-9", "linked", "blocked"),
    *(
        pytest.param(name, kind, state, marks=pytest.mark.proof)
        for name in ("filebeat-9", "filebeat-7")
        for kind in ("linked", "copied")
        for state in ("up to date", "paused", "killed", "blocked", "refused")
        if (name, kind, state) != ("filebeat-9", "linked", "blocked")
    ),
]


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("name", "kind", "state"), COURSES)
def test_each_end_is_drained_as_the_table_says(
    folder: Path, dockerd: Dockerd, name: str, kind: str, state: str
) -> None:
    with (
        Oracle(dockerd.root) as oracle,
        _agent(folder, dockerd, name=name, kind=kind, state=state) as (agent, elastic),
    ):
        lives = Lives(dockerd, oracle)
        _begin(agent, lives, kind)
        _leave(agent, elastic, state)
        lives.end()
        if state != "up to date":
            _wait_for_phases(agent, lives, _ended(), 60)
        agent.kill()
        agent.start()
        if state in ("blocked", "refused"):
            until(agent.collector_pids, 30, "a collector runs again")
            agent.kill_collector()
        if state != "up to date":
            _wait_for_phases(agent, lives, _ended(), 60)
            assert _configured(agent, lives) == set(lives.ids.values()), "all are still collected"
        _return(agent, elastic, state)
        report = agent.sink.wait_for(oracle, 60)
        _wait_for_phases(agent, lives, READ, 120)
        lost = agent.status()["pins"]["lost"]
        print(f"{name}, {kind}, {state}: {len(oracle.lines())} lines, {report}, lost {lost}")
        assert not report.missing, str(report)
        assert not report.foreign, str(report)
        assert report.twice <= (0 if state == "killed" else QUEUE), str(report)
        assert lost == {"files": 0, "bytes": 0}
        assert _configured(agent, lives) == {lives.ids[end] for end in ENDS if end not in GONE}


@pytest.mark.proof
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", ["filebeat-9", "filebeat-7"])
@pytest.mark.parametrize("kind", ["linked", "copied"])
def test_of_a_collector_that_never_comes_back_the_loss_is_told_exactly(
    folder: Path, dockerd: Dockerd, name: str, kind: str
) -> None:
    with (
        Oracle(dockerd.root) as oracle,
        _agent(folder, dockerd, name=name, kind=kind, state="dead") as (agent, elastic),
    ):
        lives = Lives(dockerd, oracle)
        _begin(agent, lives, kind)
        _leave(agent, elastic, "dead")
        lives.end()
        _wait_for_phases(agent, lives, _ended(), 30)
        _wait_for_phases(agent, lives, _ended(rm="gone", volume_gone="gone"), 7 * LIMIT + 60)
        lost = agent.status()["pins"]["lost"]
        _return(agent, elastic, "dead")
        _wait_for_phases(agent, lives, READ, 60)
        report = agent.sink.wait_for(oracle, 20)
        print(f"{name}, {kind}, dead: {len(oracle.lines())} lines, {report}, lost {lost}")
        gone = {origin for end in GONE for origin in (lives.ids[end], lives.volumes[end])}
        assert {line.origin for line in report.missing} == gone
        assert lost == {
            "files": len({line.file for line in report.missing}),
            "bytes": sum(line.size for line in report.missing),
        }
        assert not report.twice


@pytest.mark.proof
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", ["filebeat-9", "filebeat-7"])
@pytest.mark.parametrize("state", ["up to date", "paused", "killed"])
def test_in_direct_mode_only_what_was_deleted_unread_is_lost(
    folder: Path, dockerd: Dockerd, name: str, state: str
) -> None:
    with (
        Oracle(dockerd.root) as oracle,
        _agent(folder, dockerd, name=name, kind="direct", state=state) as (agent, elastic),
    ):
        lives = Lives(dockerd, oracle)
        _begin(agent, lives, "direct")
        _leave(agent, elastic, state)
        lives.end()
        if state != "up to date":
            _wait_for_phases(agent, lives, _ended(), 30)
        _return(agent, elastic, state)
        report = agent.sink.wait_for(oracle, 20)
        until(lambda: _phases(agent, lives)["exit"] == "drained", 60, "it is drained", every=0.5)
        until(lambda: _phases(agent, lives)["crash"] == "drained", 60, "it is drained", every=0.5)
        print(f"{name}, direct, {state}: {len(oracle.lines())} lines, {report}")
        deleted = {lives.ids["rm"], lives.ids["volume gone"], lives.volumes["volume gone"]}
        assert {line.origin for line in report.missing} <= deleted
        assert not report.twice
        assert _unread(agent, lives) or not report.missing, "no loss goes by unsaid"
        if state != "killed":  # What it held open it read to its end.
            assert not report.missing, str(report)


def _unread(agent: Agent, lives: Lives) -> int:
    """Bytes that `status` calls unread of the containers whose records are gone.

    In direct mode that is an estimate: what was written after the last look at a file and deleted
    is not known, and Filebeat forgets a deleted file before it has read it.
    """
    return sum(
        file["unread"] or 0
        for container in agent.status()["containers"]
        if container["id"] in (lives.ids[end] for end in GONE)
        for log in container["logs"]
        for file_set in log["file_sets"]
        for file in file_set.get("files", ())
    )


def _begin(agent: Agent, lives: Lives, kind: str) -> None:
    """Start the five; the first lines of each have arrived."""
    lives.start()
    first = 2 * BEFORE * len(ENDS)
    until(lambda: len(agent.sink.texts()) >= first, 90, "the first lines arrive", every=0.1)
    until(lambda: len(kinds := _kinds(agent)) == 2 * len(ENDS) and set(kinds) == {kind}, 30, kind)


def _configured(agent: Agent, lives: Lives) -> set[str]:
    """The containers that some fragment is about."""
    contents = b"".join(content for content, _ in agent.fragments().values())
    return {container for container in lives.ids.values() if container.encode() in contents}
