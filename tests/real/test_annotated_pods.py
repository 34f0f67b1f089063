"""A pod whose annotations declare logs of each of its containers, in the runtime's own format."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.real.conftest import filebeat_program
from tests.real.pipeline import Agent
from tests.real.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.real, pytest.mark.proof]

CONTAINERS = ("app", "sidecar")
ANNOTATIONS = {
    "aliyun.logs/out": "stdout",
    "aliyun.logs/out.container": "app",
    "aliyun.logs/out.multiline": "java",
    "aliyun.logs/err": "stderr",
    "aliyun.logs/err.multiline": "java",
    "aliyun.logs/file": "/logs/*.log",
    "aliyun.logs/file.container": "sidecar",
    "aliyun.logs/file.exclude": "DEBUG",
}
TRACE = "[{0} {1}] ERROR no card\njava.lang.IllegalStateException: {1}\n\tat com.example.Cart.pay()"
WHEN = "2026-01-31T08:15:00.123456789Z"
Event = tuple[str, str, str]  # container, log, text


@dataclass(slots=True)
class PodOnNode:
    """Its files, and what is to come of what was written there."""

    folder: Path
    written: int = 0
    expected: Counter[Event] = field(default_factory=Counter)

    def start(self) -> None:
        (self.folder / "logs").mkdir(parents=True)
        (self.folder / "static").mkdir()
        for name in CONTAINERS:
            (self.folder / name).mkdir()
            (self.folder / name / "0.log").touch()
            declared = {
                "id": f"{name}-1",
                "log": {"path": str(self.folder / name / "0.log"), "format": "cri"},
                "mounts": [
                    {"destination": "/logs", "source": str(self.folder / "logs"), "kind": "bind"}
                ],
                "pod": {
                    "namespace": "shop",
                    "name": "web",
                    "container": name,
                    "annotations": ANNOTATIONS,
                },
            }
            (self.folder / "static" / f"{name}.yaml").write_text(yaml.safe_dump(declared))

    def write(self, count: int) -> None:
        """So many events in each place, their lines in one another; the last are of one stream."""
        numbers = range(self.written + 1, self.written + count + 1)
        self.written += count
        for name in CONTAINERS:
            lines = []
            for number in numbers:
                out = TRACE.format("out", number).split("\n")
                err = TRACE.format("err", number).split("\n")
                for one, other in zip(out, err, strict=True):
                    lines += [f"{WHEN} stdout F {one}\n", f"{WHEN} stderr F {other}\n"]
                self.expected[f"{name}-1", "err", "\n".join(err)] += 1
                if name == "app":
                    self.expected["app-1", "out", "\n".join(out)] += 1
            if name == "sidecar":
                lines += [f"{WHEN} stdout F nobody reads this\n"] * 50
            with (self.folder / name / "0.log").open("a") as file:
                file.write("".join(lines))
        with (self.folder / "logs" / "a.log").open("a") as file:
            for number in numbers:
                file.write(f"file {number}\nDEBUG {number}\n")
                self.expected["sidecar-1", "file", f"file {number}"] += 1

    def rotate(self) -> None:
        for path in [self.folder / name / "0.log" for name in CONTAINERS]:
            path.rename(f"{path}.20260131-0815{self.written:02}")
            path.touch()

    def remove(self) -> None:
        """As the kubelet does: the files go, then nobody tells of the containers any more."""
        for folder in [*CONTAINERS, "logs"]:
            for entry in os.scandir(self.folder / folder):
                os.unlink(entry.path)
        for name in CONTAINERS:
            (self.folder / "static" / f"{name}.yaml").unlink()


NAMES = ("filebeat-9", "filebeat-7", "console")


@pytest.mark.timeout(200)
@pytest.mark.parametrize("name", NAMES)
def test_annotated_logs_are_each_of_the_containers_that_are_meant(folder: Path, name: str) -> None:
    pod = PodOnNode(folder / "node")
    pod.start()
    with Agent(
        folder / "agent",
        filebeat=None if name == "console" else filebeat_program(name),
        static=folder / "node" / "static",
        collector="external",
    ) as agent:
        pod.write(20)
        _compare(agent, pod)
        agent.pause_collector()
        pod.write(20)
        pod.rotate()
        pod.write(20)
        until(lambda: len(_pins(agent)) == 5, 30, "all files have pins", every=0.2)
        agent.kill()
        agent.start()
        pod.remove()
        until(lambda: all(each["gone"] for each in _containers(agent)), 30, "they are gone")
        agent.resume_collector()
        _compare(agent, pod)
        until(lambda: not _containers(agent), 60, "all is drained", every=0.5)
        assert agent.status()["pins"]["lost"] == {"files": 0, "bytes": 0}
        assert not agent.fragments()
        assert "Traceback" not in agent.log()
        _compare(agent, pod)


def _containers(agent: Agent) -> list[dict[str, object]]:
    return list(agent.status()["containers"])


def _pins(agent: Agent) -> set[tuple[str, str]]:
    return {
        (file_set["name"], file["pin"])
        for container in agent.status()["containers"]
        for log in container["logs"]
        for file_set in log["file_sets"]
        for file in file_set.get("files", ())
    }


def _compare(agent: Agent, pod: PodOnNode) -> None:
    """Wait until what was to arrive did, and no more comes."""
    found: Counter[Event] = Counter()

    def came() -> bool:
        nonlocal found
        before = found
        found = Counter(
            (str(event["container_id"]), str(event["log_name"]), str(event["message"]))
            for event in agent.sink.events()
        )
        return found == before and found.keys() >= pod.expected.keys()

    try:
        until(came, 40, "what is missing", every=1)
    except AssertionError:
        missing = list((pod.expected - found).items())
        raise AssertionError(f"missing {len(missing)}: {missing[:5]}") from None
    surplus = list((found - pod.expected).items())
    print(f"{found.total()} events")
    assert not surplus, f"{len(surplus)} too many: {surplus[:5]}"
