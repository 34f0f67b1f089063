"""Every way to have lines treated, on a real Docker, from the declaration to the end of a drain.

The containers write while their files rotate, while the pilot is killed and started again, and
while the collector is away; then most are removed. Each event that is to come comes once, none
that is not, and all is let go in the end.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.fakes.disks import tmpfs
from tests.real.conftest import dockerd_program, filebeat_program
from tests.real.daemons import Dockerd
from tests.real.oracle import Oracle
from tests.real.pipeline import Agent
from tests.real.treated import BEGUN, DONE, Event, Scene
from tests.real.treated_cases import CASES
from tests.real.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.real

STAY, END = "joined", "joined-quiet"  # cases whose containers go on, and end without being removed


@pytest.fixture
def dockerd(folder: Path) -> Iterator[Dockerd]:
    with Dockerd(folder / "docker", dockerd_program("docker")) as running:
        yield running


COURSES = [
    ("filebeat-9", "linked", "paused"),
    *(
        pytest.param(name, kind, away, marks=pytest.mark.proof)
        for name in ("filebeat-9", "filebeat-7", "console")
        for kind in ("linked", "copied", "direct")
        for away in ("paused", "stopped")
        if (name, kind, away) != ("filebeat-9", "linked", "paused")
    ),
]


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("name", "kind", "away"), COURSES)
def test_what_is_declared_is_done_to_each_line_once_until_all_is_drained(
    folder: Path, dockerd: Dockerd, name: str, kind: str, away: str
) -> None:
    if kind == "copied":
        with tmpfs(folder / "other", "size=256m"):
            _run(folder, dockerd, name, away, pin_root=folder / "other" / "pins")
    else:
        _run(folder, dockerd, name, away, pin="off" if kind == "direct" else "auto")


def _run(
    folder: Path,
    dockerd: Dockerd,
    name: str,
    away: str,
    *,
    pin: str = "auto",
    pin_root: Path | None = None,
) -> None:
    """Without pins nothing is removed: what nobody has read would be gone."""
    scene = Scene(dockerd, CASES)
    with (
        Oracle(dockerd.root) as oracle,
        Agent(
            folder / "agent",
            dockerd=dockerd,
            filebeat=None if name == "console" else filebeat_program(name),
            collector="external",
            pin=pin,
            pin_root=pin_root,
            extra=("--rootfs",),
        ) as agent,
    ):
        for case in CASES:
            logs = folder / "logs" / case.name
            logs.mkdir(parents=True)
            for place in scene.create(case, str(logs)):
                oracle.watch(place)
        dockerd.docker("start", *scene.ids)
        until(lambda: scene.wrote(BEGUN), 60, "all wrote their first lines")
        _compare(agent, scene, oracle, "the first lines")
        assert _notices(agent, scene) == {
            (case.name, code) for case in CASES for code in case.notices
        }
        (agent.pause_collector if away == "paused" else agent.stop_collector)()
        scene.go()
        agent.kill()
        agent.start()
        until(lambda: scene.wrote(DONE), 90, "all wrote their last lines")
        until(
            lambda: len(_files(agent)) == scene.held(oracle), 60, "each file has its pin", every=0.2
        )
        ended = scene.ids.keys() - {STAY} if pin == "off" else {END}
        dockerd.docker("kill", *ended)
        if gone := scene.ids.keys() - {STAY} - ended:
            dockerd.docker("rm", "--force", *gone)
        agent.kill()
        agent.start()
        (agent.resume_collector if away == "paused" else agent.start_collector)()
        _compare(agent, scene, oracle, "the last lines")
        wanted = {scene.ids[STAY]: "running"} | {scene.ids[name]: "drained" for name in ended}
        seen: dict[str, str] = {}

        def drained() -> bool:
            seen.clear()
            seen.update((one["id"], one["phase"]) for one in agent.status()["containers"])
            return seen == wanted

        try:
            until(drained, 60, "all that were removed are drained", every=0.5)
        except AssertionError:
            raise AssertionError(scene.named(seen)) from None
        _check_gone(agent, scene, oracle, left={STAY, *ended})
        _compare(agent, scene, oracle, "the end")


def _check_gone(agent: Agent, scene: Scene, oracle: Oracle, *, left: set[str]) -> None:
    status = agent.status()
    assert status["draining"] == []
    assert status["pins"]["lost"] == {"files": 0, "bytes": 0}
    # Nobody can tell at once that a copy's original is gone; those in volumes stay.
    copied = any(kind == "copied" for _, _, kind in _files(agent))
    held = scene.held(oracle) if copied else 0
    until(lambda: agent.status()["pins"]["held_files"] == held, 150, "pins go", every=0.5)
    written = b"".join(content for content, _ in agent.fragments().values())
    assert {name for name, each in scene.ids.items() if each.encode() in written} == left
    assert "Traceback" not in agent.log()


def _compare(agent: Agent, scene: Scene, oracle: Oracle, what: str) -> None:
    """Wait until what was to arrive did, and no more comes."""
    expected: Counter[Event] = Counter()
    found: Counter[Event] = Counter()

    def came() -> bool:
        nonlocal expected, found
        before, expected = (found, expected), scene.expected(oracle.lines())
        found = scene.arrived(agent.sink.events())
        return (found, expected) == before and found.keys() >= expected.keys()

    try:
        until(came, 60, what, every=2)
    except AssertionError:
        missing = list((expected - found).items())
        raise AssertionError(f"{what}: missing {len(missing)}: {missing[:5]}") from None
    print(f"{what}: {expected.total()} events")
    surplus = list((found - expected).items())
    assert not surplus, f"{what}: {len(surplus)} too many: {surplus[:5]}"


def _notices(agent: Agent, scene: Scene) -> set[tuple[str, str]]:
    names = {each: name for name, each in scene.ids.items()}
    return {
        (names[container["id"]], rejection["code"])
        for container in agent.status()["containers"]
        for rejection in container["rejections"]
    }


def _files(agent: Agent) -> set[tuple[str, str, str]]:
    """File set, name and kind of each file that has a pin, or is read without."""
    return {
        (file_set["name"], file["pin"], file["kind"])
        for container in agent.status()["containers"]
        for log in container["logs"]
        for file_set in log["file_sets"]
        for file in file_set.get("files", ())
    }
