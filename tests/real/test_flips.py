"""Names in a volume swapped for links to what is not the container's, while everything runs."""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.fakes.disks import tmpfs
from tests.real.conftest import dockerd_program, filebeat_program
from tests.real.daemons import Dockerd
from tests.real.fights import EVERY, FOLDER, Canaries, Length, fighting, flip_of
from tests.real.flips import TENANT, Lure
from tests.real.pipeline import Agent
from tests.real.scenes import attacked, settled
from tests.real.turning import Turning
from tests.real.waiting import until
from tests.real.writers import STAY

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real

SAMPLE = Length(5, 20_000)
FULL = Length(60, 20_000, 20_000)
TURNS, LINES = 2, 100  # turns of each link, lines of each file in between


PROOF = (pytest.mark.proof, pytest.mark.timeout(900))
LENGTHS = pytest.mark.parametrize(
    ("filebeat", "length"),
    [
        pytest.param("filebeat-9", SAMPLE, id="9-sample"),
        pytest.param("filebeat-9", FULL, id="9-full", marks=PROOF),
        pytest.param("filebeat-7", FULL, id="7-full", marks=PROOF),
    ],
)


@LENGTHS
def test_flips_bring_no_canary_and_take_no_line(
    folder: Path, filebeat: str, length: Length
) -> None:
    program = filebeat_program(filebeat)
    with (
        attacked(folder) as scene,
        Agent(folder / "agent", static=scene.static, filebeat=program) as agent,
    ):
        with scene.under_attack(agent) as fight:
            fight.go_on(length)
        verdict = scene.verdict(agent)
        print(fight.told(), verdict)
        assert verdict.exact, str(verdict)
        assert agent.alive
        assert "Traceback" not in agent.log()


@LENGTHS
def test_direct_mode_measured(folder: Path, filebeat: str, length: Length) -> None:
    """Nothing promises 0 here: docs/security.md gives what this prints."""
    program = filebeat_program(filebeat)
    with (
        attacked(folder) as scene,
        Agent(folder / "agent", static=scene.static, filebeat=program, pin="off") as agent,
    ):
        with scene.under_attack(agent) as fight:
            fight.go_on(length)
            seconds, swaps = fight.seconds, fight.swaps
        # A collector that took a canary for an application's file loses lines of that file, but
        # not of one that is new.
        after = set(itertools.chain(*(each.last_words() for each in scene.writers)))
        until(lambda: after <= set(agent.sink.texts()), 60, "what is written after the flips")
        verdict = scene.verdict(agent, patience=5)
        leaked = verdict.foreign
        files = {(container, text.rpartition(" ")[0]) for container, text in leaked}
        print(
            f"direct mode, {filebeat}: {len(leaked)} foreign lines ({scene.grown} were written to "
            f"{4 * len(scene.canaries)} files), {swaps} swaps, {seconds:.0f} s: "
            f"{1000 * len(leaked) / swaps:.3f} for 1000 swaps, {60 * len(leaked) / seconds:.0f} a "
            f"minute, of {len(files)} files; {fight.told()}; {verdict}"
        )
        assert not [line for line in verdict.missing if line.startswith("neighbour ")], str(verdict)
        assert "folder-refused" in agent.log()
        assert agent.alive
        assert "Traceback" not in agent.log()


def test_flips_in_volumes_of_docker(folder: Path) -> None:
    program = filebeat_program("filebeat-9")
    folder.chmod(0o755)
    with (
        Dockerd(folder / "docker", dockerd_program("docker")) as dockerd,
        Agent(folder / "agent", dockerd=dockerd, filebeat=program) as agent,
    ):
        lines = 200
        script = (
            f"mkdir -p /logs/{FOLDER}; exec 3>>/logs/{FOLDER}/app.log; i=0; "
            f"while [ $i -lt {lines} ]; do i=$((i+1)); echo out $i; echo app $i >&3; usleep 20000; "
            f"done; {STAY}"
        )
        declared = ("--env", "aliyun_logs_out=stdout", "--env",
                    f"aliyun_logs_app=/logs/{FOLDER}/*.log*")  # fmt: skip
        ids = {
            name: dockerd.run(name, script, *declared, "--volume", f"{name}:/logs")
            for name in ("mine", "theirs")
        }
        mine, theirs = (dockerd.root / "volumes" / name / "_data" for name in ids)
        until((mine / FOLDER / "app.log").exists, 30, "the application's first line")
        for each in ("", "service", FOLDER, f"{FOLDER}/app.log"):
            os.chown(mine / each, TENANT, TENANT)
        canaries = [
            Canaries("neighbour", theirs / "private"),
            Canaries("docker-root", dockerd.root / "private"),
            Canaries("pin-root", dockerd.root / "log-pilot/private"),
            Canaries("container", dockerd.root / "containers" / ids["theirs"] / "private"),
        ]
        for place in canaries:
            place.make()
        flips = [flip_of(mine, name, canaries) for name in ("app.log", "app", "service")]
        json_log = dockerd.root / "containers" / ids["theirs"] / f"{ids['theirs']}-json.log"
        own = replace(flips[0], lures=(*flips[0].lures, Lure("link", str(json_log))))
        paths = [mine / FOLDER / "app.log"]
        with fighting([own, *flips[1:]], paths, folder, lambda: _grow(canaries)) as fight:
            fight.places = {each.place for each in canaries}
            fight.go_on(SAMPLE)
        for place in canaries:
            place.close()
        wanted = {
            (container, f"{word} {number}")
            for container in ids.values()
            for word in ("out", "app")
            for number in range(1, lines + 1)
        }
        verdict = settled(agent, wanted)
        print(fight.told(), verdict)
        assert verdict.exact, str(verdict)


@pytest.mark.parametrize(
    "filebeat", ["filebeat-9", pytest.param("filebeat-7", marks=pytest.mark.proof)]
)
@pytest.mark.parametrize(
    "kind",
    [
        "linked",
        "copied",
    ],
)
def test_links_inside_a_volume_are_followed_wherever_they_turn(
    folder: Path, kind: str, filebeat: str
) -> None:
    program = filebeat_program(filebeat)
    with (
        tmpfs(folder / "disk", "size=100m") as disk,
        Agent(folder / "agent", static=_made(folder / "static"), filebeat=program) as agent,
    ):
        with Turning((disk if kind == "copied" else folder) / "volume") as application:
            application.turn()
            application.declare(folder / "static")
            for _ in range(TURNS):
                for _ in range(LINES):
                    application.write()
                    time.sleep(EVERY)
                application.turn()
            application.write()
            wanted = {("turning", text) for text in application.written}
            verdict = settled(agent, wanted, patience=5)
        print(verdict)
        assert verdict.exact, str(verdict)


def _grow(canaries: list[Canaries]) -> None:
    for each in canaries:
        each.grow(1)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
