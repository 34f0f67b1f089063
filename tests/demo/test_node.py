"""The life of the pretend node."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from pilot.demo.node import DemoNode

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def states(node: DemoNode) -> dict[str, str]:
    return {
        path.stem: yaml.safe_load(path.read_text())["state"]
        for path in node.containers.glob("*.yaml")
    }


def test_a_whole_life(tmp_path: Path) -> None:
    clock = Clock()
    node = DemoNode(tmp_path, "r1", 4, interval=0, monotonic=clock)
    assert not node.done
    node.start()
    assert states(node) == dict.fromkeys(("web", "api", "batch", "mistaken"), "running")

    def ended() -> bool:
        node.poll()
        return list(states(node).values()).count("ended") == 3

    wait_for(ended, "the programs end")
    assert not node.done
    assert states(node) == {"web": "ended", "api": "ended", "batch": "ended", "mistaken": "running"}
    clock.at += 10
    node.poll()
    assert set(states(node)) == {"web", "api", "mistaken"}
    assert node.done
    node.stop()
    node.stop()
    assert node.expected() == {"web": 4, "api": 4, "batch": 4}


def test_what_is_declared_is_what_is_written(tmp_path: Path) -> None:
    node = DemoNode(tmp_path, "r1", 1000, interval=60)
    node.start()
    try:
        facts = {path.stem: yaml.safe_load(path.read_text()) for path in node.containers.iterdir()}
        web, api, batch = facts["web"], facts["api"], facts["batch"]
        assert web["log"]["path"] == f"/var/lib/docker/containers/{web['id']}/{web['id']}-json.log"
        assert api["log"]["path"] == f"/var/log/pods/demo_api-0_{api['pod']['uid']}/api/0.log"
        assert (web["log"]["format"], api["log"]["format"]) == ("docker", "cri")
        assert batch["mounts"][0]["destination"] == "/var/log/batch"
        files = [
            web["log"]["path"],
            api["log"]["path"],
            f"{batch['mounts'][0]['source']}/batch.log",
        ]
        paths = [node.root / file[1:] for file in files]
        wait_for(
            lambda: all(path.exists() and path.stat().st_size for path in paths), "first lines"
        )
        assert len({each["id"] for each in facts.values()}) == 4
        assert {each["pod"]["namespace"] for each in facts.values()} == {"demo"}
    finally:
        node.stop()
    assert node.done


def test_another_run_has_other_container_ids(tmp_path: Path) -> None:
    ids = []
    for run in ("r1", "r2"):
        node = DemoNode(tmp_path / run, run, 1, interval=0)
        node.start()
        node.stop()
        ids.append(yaml.safe_load((node.containers / "web.yaml").read_text())["id"])
    assert ids[0] != ids[1]


def test_programs_end_with_a_node_that_was_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib\n"
        "from pilot.demo.node import DemoNode\n"
        "node = DemoNode(pathlib.Path(sys.argv[1]), 'r1', 1000, interval=60)\n"
        "node.start()\n"
        "print('started', flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"started\n"
        wait_for(lambda: len(writers(tmp_path)) == 3, "three programs run")
        process.kill()
        wait_for(lambda: not writers(tmp_path), "no program runs")


def writers(folder: Path) -> list[str]:
    """The processes with this folder on their command line, but for the node's own."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            command = Path(f"/proc/{name}/cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in command and b"pilot.demo.program" in command:
            found.append(name)
    return found
