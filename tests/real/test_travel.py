"""Twenty containers, their daemon killed once and the agent three times: every line arrives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.real.conftest import dockerd_program, filebeat_program
from tests.real.daemons import Dockerd
from tests.real.oracle import Oracle, value
from tests.real.pipeline import Agent
from tests.real.waiting import until
from tests.real.writers import STAY, writer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

pytestmark = pytest.mark.real

LINES = 500
AGENT_KILLS = 3
# What Filebeat holds unacknowledged when it is killed, where the config does not say.
DEFAULT_QUEUE = 4096
ROTATED = ("--log-opt", "max-size=20k", "--log-opt", "max-file=20")


@dataclass(slots=True)
class Subject:
    """One container of the scenario: its output and, for two in three, a file in a volume."""

    name: str
    number: int
    folder: Path
    id: str = ""

    @property
    def kind(self) -> str:
        return ("none", "bind", "volume")[self.number % 3]

    @property
    def source(self) -> Path:
        """Where the container's /logs is on the node."""
        if self.kind == "volume":
            return self.folder / "docker/docker/volumes" / f"vol-{self.name}" / "_data"
        return self.folder / "binds" / self.name

    def start(self, dockerd: Dockerd, *options: str, pause: float = 0.15, then: str = STAY) -> None:
        places = ["stdout"] if self.kind == "none" else ["stdout", "/logs/app.log"]
        script = writer(*places, lines=LINES, pause=pause, then=then)
        declared = {"out": "stdout", "out_target": f"target-{self.name}"}
        if self.kind != "none":
            declared |= {"app": "/logs/*.log", "app_tags": f"team={self.name},stage=test"}
        for name, text in declared.items():
            if self.number % 2:
                label = name.replace("_", ".")
                options = (*options, "--label", f"aliyun.logs.{label}={text}")
            else:
                options = (*options, "--env", f"aliyun_logs_{name}={text}")
        mount = {
            "none": (),
            "bind": ("--volume", f"{self.source}:/logs"),
            "volume": ("--volume", f"vol-{self.name}:/logs"),
        }
        for label, text in _labels(self.name).items():
            options = (*options, "--label", f"{label}={text}")
        self.id = dockerd.run(self.name, script, *options, *mount[self.kind])

    def fields(self, *, from_file: bool) -> dict[str, str]:
        """What stands on every event of the log."""
        found = {
            "docker_app": f"app-{self.name}",
            "docker_container": self.name,
            "docker_service": f"service-{self.name}",
            "k8s_container_name": f"container-{self.name}",
            "k8s_node_name": "test-node",
            "k8s_pod": f"pod-{self.name}",
            "k8s_pod_namespace": f"space-{self.name}",
            "container_id": self.id,
        }
        if from_file:
            return found | {"index": "app", "topic": "app", "team": self.name, "stage": "test"}
        target = f"target-{self.name}"
        return found | {"index": target, "topic": target, "stream": "stdout"}


def _labels(name: str) -> dict[str, str]:
    return {
        "com.docker.compose.project": f"app-{name}",
        "com.docker.compose.service": f"service-{name}",
        "io.kubernetes.container.name": f"container-{name}",
        "io.kubernetes.pod.name": f"pod-{name}",
        "io.kubernetes.pod.namespace": f"space-{name}",
    }


@pytest.mark.parametrize(
    ("docker", "filebeat", "collector"),
    [
        ("docker", "filebeat-9", "external"),
        ("docker", "filebeat-7", "supervised"),
        ("docker-29", "filebeat-9", "supervised"),
        pytest.param("docker", "filebeat-9", "supervised", marks=pytest.mark.proof),
        pytest.param("docker", "filebeat-7", "external", marks=pytest.mark.proof),
        pytest.param("docker-29", "filebeat-7", "external", marks=pytest.mark.proof),
    ],
)
def test_every_line_arrives(folder: Path, docker: str, filebeat: str, collector: str) -> None:
    names = [
        *(f"ended-{number}" for number in range(3)),
        *(f"early-{number}" for number in range(8)),
        *(f"late-{number}" for number in range(4)),
        *(f"removed-{number}" for number in range(5)),
    ]
    subjects = [Subject(name, number, folder) for number, name in enumerate(names)]
    ended, early, late, removed = subjects[:3], subjects[3:11], subjects[11:15], subjects[15:]
    with (
        Dockerd(folder / "docker", dockerd_program(docker), live_restore=True) as dockerd,
        Oracle(dockerd.root, *(each.source for each in subjects)) as oracle,
    ):
        for each in ended:
            each.start(dockerd, pause=0, then="")
        for each in early:
            each.start(dockerd, *(ROTATED if each.number % 4 == 0 else ()))
        dockerd.docker("wait", *(each.id for each in ended))

        agent = Agent(
            folder / "agent",
            dockerd=dockerd,
            filebeat=filebeat_program(filebeat),
            collector=collector,
        )
        with agent:
            _through_the_troubles(dockerd, agent, early, late, removed)
            running = [*early, *late]
            until(
                lambda: all(_finished(each, oracle) for each in [*ended, *running, *removed]),
                60,
                "every container has written its last line",
                every=0.5,
            )
            report = agent.sink.wait_for(oracle, 40)
            print(f"{len(oracle.lines())} lines: {report}")
            assert not report.missing, str(report)
            assert not report.foreign, str(report)
            allowed = 0 if agent.external else AGENT_KILLS * _queue(agent)
            assert report.twice <= allowed, str(report)
            _check_fields(agent.sink.events(), oracle, subjects)
            assert agent.status()["containers"]


def _through_the_troubles(
    dockerd: Dockerd,
    agent: Agent,
    early: list[Subject],
    late: list[Subject],
    removed: list[Subject],
) -> None:
    """Ten restarts, five removals, one killed daemon, three killed agents."""
    late[0].start(dockerd)
    late[1].start(dockerd)
    agent.kill()
    late[2].start(dockerd)
    dockerd.docker("restart", "--time=0", early[0].id, early[1].id)
    agent.start()
    late[3].start(dockerd)

    dockerd.kill()
    dockerd.start()
    dockerd.docker("restart", "--time=0", *(each.id for each in early[2:5]))
    agent.kill()
    dockerd.docker("restart", "--time=0", *(each.id for each in early[5:8]))
    agent.start()
    dockerd.docker("restart", "--time=0", late[0].id, late[1].id)

    for each in removed:
        each.start(dockerd)
    for each in removed:
        log = dockerd.root / "containers" / each.id / f"{each.id}-json.log"
        until(lambda log=log: _ends(log), 60, f"the last line of {each.name}", every=0.002)  # type: ignore[misc]
        dockerd.docker("rm", "--force", each.id)
    agent.kill()
    agent.start()


def _ends(log: Path) -> bool:
    return f"stdout {LINES}\\n".encode() in log.read_bytes()[-200:]


def _finished(subject: Subject, oracle: Oracle) -> bool:
    """Whether the last line of the last run is there; runs that were restarted may lack theirs."""
    texts = [line.text for line in oracle.lines() if line.origin == subject.id]
    return bool(texts) and texts[-1].endswith(f" stdout {LINES}")


def _queue(agent: Agent) -> int:
    config: dict[str, Any] = yaml.safe_load((agent.config_dir / "filebeat.yml").read_text())
    return int(config.get("queue.mem.events", DEFAULT_QUEUE))


def _check_fields(
    events: Iterable[dict[str, Any]], oracle: Oracle, subjects: list[Subject]
) -> None:
    origins = {line.text: line.origin for line in oracle.lines()}
    by_origin = {each.id: (each, False) for each in subjects}
    by_origin |= {str(each.source): (each, True) for each in subjects}
    wrong = []
    for event in events:
        subject, from_file = by_origin[origins[event["message"].rstrip("\n")]]
        wanted = subject.fields(from_file=from_file)
        found = {name: value(event, name) for name in wanted}
        if found != wanted:
            wrong.append((wanted, found))
    assert not wrong, f"{len(wrong)} events, the first: wanted {wrong[0][0]}, found {wrong[0][1]}"
