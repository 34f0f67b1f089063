"""A policy that changes while containers run: output nobody declared, options taken away."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.real.conftest import dockerd_program, filebeat_program
from tests.real.daemons import Dockerd
from tests.real.oracle import Oracle
from tests.real.pipeline import Agent
from tests.real.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.real

LISTS = 2  # of all containers, behind which no container was looked at again
WIDE = "x" * 1100  # more than the max_bytes that one declares
SCRIPT = (
    "p=0; while :; do if [ -e /logs/$p.go ]; then k=0; while [ $k -lt 20 ]; do k=$((k+1)); "
    f'echo "[out $p $k] {WIDE}"; echo "[err $p $k] {WIDE}" >&2; '
    'echo "[file $p $k]" >> /logs/a.log; done; : > /logs/$p.done; p=$((p+1)); '
    "else usleep 50000; fi; done"
)
DECLARED: dict[str, dict[str, str]] = {
    "plain": {},
    "other": {},
    "opted-out": {"aliyun_logs": "none"},
    "err-only": {"aliyun_logs_err": "stderr"},
    "files": {"aliyun_logs_file": "/logs/*.log"},
    "narrow": {"aliyun_logs_out": "stdout", "aliyun_logs_out_max_bytes": "1Ki"},
}
# Container → log → what its lines begin with; the first are collected only if all output is.
UNASKED: dict[str, dict[str, tuple[str, ...]]] = {
    name: {"stdout": ("[out", "[err")} for name in ("plain", "other", "files")
}
ASKED: dict[str, dict[str, tuple[str, ...]]] = {
    "err-only": {"err": ("[err",)},
    "files": {"file": ("[file",)},
    "narrow": {"out": ("[out", "[err")},
}


@dataclass(slots=True)
class Switched:
    """The containers and what they wrote, phase by phase."""

    dockerd: Dockerd
    folder: Path
    oracle: Oracle
    policy: Path
    phases: int = 0
    ids: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        for name, declared in DECLARED.items():
            (self.folder / name).mkdir(parents=True)
            self.oracle.watch(self.folder / name)
            env = [f"--env={key}={text}" for key, text in declared.items()]
            self.ids[name] = self.dockerd.run(
                name, SCRIPT, *env, "--volume", f"{self.folder / name}:/logs"
            )

    def write(self) -> None:
        """One more phase of all."""
        for name in self.ids:
            (self.folder / name / f"{self.phases}.go").touch()
        done = [self.folder / name / f"{self.phases}.done" for name in self.ids]
        until(lambda: all(each.exists() for each in done), 30, "all wrote")
        self.phases += 1

    def say(self, text: str) -> None:
        """Put another policy in the place of the last."""
        new = self.policy.with_suffix(".new")
        new.write_text(text)
        new.rename(self.policy)

    def expected(self, *, unasked: bool) -> Counter[tuple[str, str, str]]:
        """Container, log and the beginning of a line."""
        places = {each: name for name, each in self.ids.items()}
        places |= {str(self.folder / name): name for name in self.ids}
        found: Counter[tuple[str, str, str]] = Counter()
        for line in self.oracle.lines():
            name = places[line.origin]
            logs = ASKED.get(name, {}) | (UNASKED.get(name, {}) if unasked else {})
            found.update((name, log, _mark(line.text)) for log in logs if _of(line.text, logs[log]))
        return found


def _of(text: str, starts: tuple[str, ...]) -> bool:
    return text.startswith(starts)


def _mark(text: str) -> str:
    return text.partition("]")[0]


@pytest.fixture
def switched(folder: Path) -> Iterator[Switched]:
    with (
        Dockerd(folder / "docker", dockerd_program("docker")) as dockerd,
        Oracle(dockerd.root) as oracle,
    ):
        policy = folder / "policy.yaml"
        policy.write_text("{}")
        made = Switched(dockerd, folder / "logs", oracle, policy)
        made.start()
        yield made


NAMES = [
    "filebeat-9",
    pytest.param("filebeat-7", marks=pytest.mark.proof),
    pytest.param("console", marks=pytest.mark.proof),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", NAMES)
def test_what_a_changed_policy_says_is_done_to_running_containers(
    folder: Path, switched: Switched, name: str
) -> None:
    with Agent(
        folder / "agent",
        dockerd=switched.dockerd,
        filebeat=None if name == "console" else filebeat_program(name),
        collector="external",
        extra=("--policy-file", str(switched.policy), "--relist", "1"),
    ) as agent:
        assert _looks(agent) == len(switched.ids), "once each"
        switched.write()
        _compare(agent, switched, "declared only", unasked=False)
        switched.say("collect: stdout\n")
        _wait_until_collected(agent, switched, unasked=True)
        assert _looks(agent) == 2 * len(switched.ids), "once more each"
        switched.write()
        _compare(agent, switched, "all output", unasked=True)
        switched.say("collect: [\n")
        until(lambda: agent.status()["policy"]["problem"], 30, "the broken policy is told of")
        switched.write()
        _compare(agent, switched, "with a broken policy", unasked=True)
        switched.say("{}\n")
        _wait_until_collected(agent, switched, unasked=False)
        switched.write()
        agent.kill()
        switched.say("collect: stdout\n")
        agent.start()
        _wait_until_collected(agent, switched, unasked=True)
        _compare(agent, switched, "also what was written meanwhile", unasked=True)
        switched.say("collect: stdout\nrules: {options: [tags]}\n")
        until(lambda: _said(agent, "narrow") == {"option-forbidden"}, 30, "a notice")

        def whole() -> bool:
            switched.write()
            last = f"[out {switched.phases - 1} 1] "
            until(lambda: any(text.startswith(last) for text in _narrow(agent)), 30, last)
            return f"{last}{WIDE}" in _narrow(agent)

        until(whole, 60, "lines are cut no longer")
        _compare(agent, switched, "an option was taken away", unasked=True)
        agent.pause_collector()
        switched.write()
        switched.dockerd.docker("rm", "--force", *switched.ids)
        agent.resume_collector()
        _compare(agent, switched, "the end", unasked=True)
        until(lambda: not agent.status()["containers"], 60, "all are drained", every=0.5)
        assert agent.status()["pins"]["lost"] == {"files": 0, "bytes": 0}
        assert not agent.fragments()
        assert "Traceback" not in agent.log()


def _looks(agent: Agent) -> int:
    """How many looks there have been, after some more lists of all containers."""
    before = agent.status()["counts"]["lists"]
    until(lambda: agent.status()["counts"]["lists"] > before + LISTS, 60, "more lists", every=0.5)
    return int(agent.status()["counts"]["looks"])


def _wait_until_collected(agent: Agent, switched: Switched, *, unasked: bool) -> None:
    wanted = {switched.ids[name] for name in {*ASKED, *(UNASKED if unasked else ())}}

    def written() -> bool:
        content = b"".join(each for each, _ in agent.fragments().values()).decode()
        as_said = ("log_name: stdout" in content) or ("log_name: 'stdout'" in content)
        as_said = as_said or '"log_name": "stdout"' in content or 'log_name: "stdout"' in content
        return as_said == unasked and {e for e in switched.ids.values() if e in content} == wanted

    until(written, 30, "the fragments are as the policy says", every=0.1)


def _said(agent: Agent, name: str) -> set[str]:
    return {
        rejection["code"]
        for container in agent.status()["containers"]
        if container["name"].lstrip("/") == name
        for rejection in container["rejections"]
    }


def _events(agent: Agent) -> list[tuple[str, str, str]]:
    return [
        (str(event["docker_container"]), str(event["log_name"]), str(event["message"]))
        for event in agent.sink.events()
    ]


def _narrow(agent: Agent) -> set[str]:
    return {text for name, _, text in _events(agent) if name == "narrow"}


def _compare(agent: Agent, switched: Switched, what: str, *, unasked: bool) -> None:
    """Wait until what was to arrive did, and no more comes."""
    now: dict[str, Any] = {}

    def came() -> bool:
        before = dict(now)
        now["expected"] = switched.expected(unasked=unasked)
        now["found"] = Counter((name, log, _mark(text)) for name, log, text in _events(agent))
        return now == before and now["found"].keys() >= now["expected"].keys()

    try:
        until(came, 40, what, every=1)
    except AssertionError:
        missing = list((now["expected"] - now["found"]).items())
        raise AssertionError(f"{what}: missing {len(missing)}: {missing[:5]}") from None
    surplus = list((now["found"] - now["expected"]).items())
    print(f"{what}: {now['expected'].total()} events")
    assert not surplus, f"{what}: {len(surplus)} too many: {surplus[:5]}"
