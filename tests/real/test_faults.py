"""Daemons that die or hang, disks that fill, kills at any moment: the agent stands and recovers."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.real.conftest import dockerd_program, filebeat_program
from tests.real.daemons import Dockerd
from tests.real.oracle import Oracle
from tests.real.pipeline import FILEBEAT_GRACE, Agent
from tests.real.waiting import until
from tests.real.writers import STAY, writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.real

OUT = ("--env", "aliyun_logs_out=stdout")
RETURN = 5.0  # seconds after which all must be right again
STOP = 5.0  # seconds that a graceful stop may take, beside the collector's grace


@pytest.fixture
def dockerd(folder: Path) -> Iterator[Dockerd]:
    program = dockerd_program("docker")
    with Dockerd(folder / "docker", program, live_restore=True) as running:
        yield running


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        ("stopped", 3),
        ("killed", 3),
        ("hung", 8),
        *(
            pytest.param(fault, 25, marks=pytest.mark.proof)
            for fault in ("stopped", "killed", "hung")
        ),
    ],
)
def test_an_absent_daemon_removes_nothing_and_its_return_is_noticed(
    folder: Path, dockerd: Dockerd, fault: str, seconds: float
) -> None:
    program = filebeat_program("filebeat-9")
    with (
        Oracle(dockerd.root) as oracle,
        Agent(folder / "agent", dockerd=dockerd, filebeat=program) as agent,
    ):
        script = writer("stdout", lines=1000, pause=0.1, then=STAY)
        stays, dies = (dockerd.run(name, script, *OUT) for name in ("stays", "dies"))
        comes_back = dockerd.run("comes-back", script, *OUT, "--restart=always")
        for each in (stays, dies, comes_back):
            agent.wait_for_fragment(each)
        before = agent.fragments()
        collectors = agent.collector_pids()
        pids = [
            int(dockerd.docker("inspect", "--format={{.State.Pid}}", each))
            for each in (dies, comes_back)
        ]
        with ThreadPoolExecutor() as pool:
            with _absent(dockerd, fault):
                for pid in pids:
                    os.kill(pid, signal.SIGKILL)
                if fault == "hung":  # Asked for now, done at the return.
                    pool.submit(dockerd.run, "meanwhile", f"echo 'meanwhile'; {STAY}", *OUT)
                deadline = time.monotonic() + seconds
                while time.monotonic() < deadline:
                    assert len(agent.status()["containers"]) == 3
                    assert agent.fragments() == before
            starts = dockerd.run("starts", f"echo 'after the fault'; {STAY}", *OUT)

        agent.wait_for_fragment(starts, RETURN)
        until(lambda: _phase(agent, dies) not in ("", "running"), RETURN, "the death is known")
        until(lambda: _phase(agent, comes_back) == "running", RETURN, "the return is known")
        agent.sink.wait_for_text("after the fault", RETURN)
        if fault == "hung":
            agent.sink.wait_for_text("meanwhile", RETURN)
        assert _phase(agent, stays) == "running"
        assert agent.collector_pids() == collectors
        dockerd.docker("kill", stays, comes_back)
        report = agent.sink.wait_for(oracle, 30)
        assert report.exact, str(report)


@pytest.mark.parametrize("fault", ["stopped", "killed", "hung"])
def test_sigterm_is_obeyed_while_the_daemon_is_absent(
    folder: Path, dockerd: Dockerd, fault: str
) -> None:
    program = filebeat_program("filebeat-9")
    with Agent(folder / "agent", dockerd=dockerd, filebeat=program, collector="external") as agent:
        agent.wait_for_fragment(dockerd.run("stays", STAY, *OUT))
        with _absent(dockerd, fault):
            until(lambda: agent.status()["source"]["problem"] or fault == "hung", 30, "it is said")
            assert agent.stop(STOP) < STOP
        assert agent.collector_alive()
        assert agent.fragments()


def test_sigterm_ends_agent_and_collector(folder: Path, dockerd: Dockerd) -> None:
    program = filebeat_program("filebeat-9")
    with (
        Oracle(dockerd.root) as oracle,
        Agent(folder / "agent", dockerd=dockerd, filebeat=program) as agent,
    ):
        script = writer("stdout", lines=300, then=STAY)
        agent.wait_for_fragment(dockerd.run("stays", script, *OUT))
        agent.stop(STOP + FILEBEAT_GRACE)
        assert not agent.collector_pids()
        before = agent.fragments()
        agent.start()
        report = agent.sink.wait_for(oracle, 30)
        assert not report.missing, str(report)
        assert agent.fragments() == before


@pytest.mark.parametrize("rounds", [8, pytest.param(60, marks=pytest.mark.proof)])
def test_a_kill_at_any_moment_leaves_nothing_half_done(
    folder: Path, dockerd: Dockerd, rounds: int
) -> None:
    chance = random.Random(rounds)
    program = filebeat_program("filebeat-9")
    with (
        Oracle(dockerd.root) as oracle,
        Agent(folder / "agent", dockerd=dockerd, filebeat=program, collector="external") as agent,
    ):
        script = writer("stdout", lines=100, then=STAY)
        settled = [dockerd.run(f"settled-{number}", script, *OUT) for number in range(3)]
        for each in settled:
            agent.wait_for_fragment(each)
        before = agent.fragments()
        agent.kill()
        for number in range(rounds):
            started = time.monotonic()
            agent.start(ready=False)
            changing = dockerd.run(
                f"changing-{number}", writer("stdout", lines=20, then=STAY), *OUT
            )
            if number % 2:
                agent.wait_for_pin(changing)
                dockerd.docker("rm", "--force", changing)
            moment = started + chance.uniform(0.2, 1.4)  # from the imports to after the first pass
            until(lambda moment=moment: time.monotonic() >= moment, 2, "the moment")  # type: ignore[misc]
            agent.kill()
        agent.start()
        report = agent.sink.wait_for(oracle, 30)
        assert report.exact, str(report)
        after = agent.fragments()
        assert {name: after.get(name) for name in before} == before
        until(lambda: not _temporaries(agent, dockerd), 10, "no temporary file", every=0.2)


# The state's filesystem cannot be remounted: the agent holds its lock there, open for writing.
@pytest.mark.parametrize(
    ("place", "fault"), [("config", "full"), ("config", "read-only"), ("state", "full")]
)
def test_a_disk_that_takes_nothing_is_said_and_recovered_from(
    folder: Path, dockerd: Dockerd, place: str, fault: str
) -> None:
    program = filebeat_program("filebeat-9")
    disk = folder / "agent" / place
    disk.mkdir(parents=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,mode=755", "pilot-test", disk], check=True
    )
    with (
        Oracle(dockerd.root) as oracle,
        Agent(folder / "agent", dockerd=dockerd, filebeat=program) as agent,
    ):
        script = writer("stdout", lines=200, pause=0.1, then=STAY)
        agent.wait_for_fragment(dockerd.run("before", script, *OUT))
        before = agent.fragments()
        with _unwritable(disk, fault):
            during = dockerd.run("during", script, *OUT)
            told = "Read-only" if fault == "read-only" else "No space left"
            until(lambda: told in _complaints(agent), 30, "the agent says so")
            if place == "config":
                assert agent.fragments() == before
                until(lambda: agent.status()["config"]["problem"], 30, "the status says so")
            assert agent.alive
            assert agent.collector_alive()
        agent.wait_for_fragment(during)
        until(lambda: not agent.status()["config"]["problem"], 30, "the status is good again")
        report = agent.sink.wait_for(oracle, 30)
        assert report.exact, str(report)
        until(lambda: any(during in path.name for path in agent.state_dir.rglob("*")), 30, "saved")
        assert "Traceback" not in agent.log()


@contextmanager
def _absent(dockerd: Dockerd, fault: str) -> Iterator[None]:
    """A daemon that is stopped, killed or hung, and back afterwards."""
    away = {"stopped": dockerd.stop, "killed": dockerd.kill, "hung": dockerd.pause}
    away[fault]()
    try:
        yield
    finally:
        (dockerd.resume if fault == "hung" else dockerd.start)()


@contextmanager
def _unwritable(disk: Path, fault: str) -> Iterator[None]:
    """A filesystem without a free byte, or remounted read-only; good again afterwards."""
    if fault == "read-only":
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        try:
            yield
        finally:
            subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        return
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:  # Full.
            pass
    try:
        yield
    finally:
        filler.unlink()


def _complaints(agent: Agent) -> str:
    return "\n".join(
        line for line in agent.log().splitlines() if "ERROR" in line or "WARNING" in line
    )


def _phase(agent: Agent, container: str) -> str:
    """A container's phase by the status; "" for one that it does not know."""
    found: list[dict[str, Any]] = agent.status()["containers"]
    return next((each["phase"] for each in found if each["id"] == container), "")


def _temporaries(agent: Agent, dockerd: Dockerd) -> list[Path]:
    """Files that a write which did not finish left behind."""
    folders = [agent.config_dir, agent.state_dir, dockerd.root / "log-pilot"]
    return [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and (path.name.endswith(".tmp") or path.name.startswith("."))
    ]
