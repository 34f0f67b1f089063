"""Hostile declarations beside a good container: exact text at the sink or a clear rejection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.real.conftest import dockerd_program, filebeat_program
from tests.real.daemons import Dockerd
from tests.real.oracle import Oracle, value
from tests.real.pipeline import Agent
from tests.real.waiting import until
from tests.real.writers import STAY, writer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real

LONG = "x" * 65_536
NASTY = {
    "newline": "a\n- type: stdin\n  id: evil",
    "quotes": "\"'`\\\"' \\x41 \\",
    "variable": "${PATH}",
    "variable-default": "${NOPE:evil}",
    "variable-open": "${",
    "variable-number": "${1}",
    "format": "%{[agent.version]}",
    "format-open": "%{[x",
    "template": "{{ container.id }}{% raw %}",
    "alias": "*alias",
    "tag": "!!python/object/apply:os.system [id]",
    "anchor": "&a [*a, *a]",
    "comment": "a #b: c",
    "mapping": "{a: b, c: [d]}",
    "boolean": "yes",
    "number": "0x10",
    "null": "~",
    "separators": "\u0085\u2028\u2029\ufeff",
    "control": "\x01\x1b[31m\x7f",
    "emoji": "\U0001f600\u202e",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A container with hostile declarations and what must come of it.

    Its output is collected by a good log unless `collected` is false; `fields` must stand on its
    events exactly; each key of `rejected` must be named with a reason, in the status and in the
    agent's log.
    """

    name: str
    options: tuple[str | bytes, ...]
    fields: dict[str, str] = field(default_factory=dict)
    rejected: tuple[str, ...] = ()
    collected: bool = True


def env(name: str, text: str) -> tuple[str, str]:
    return "--env", f"aliyun_logs_{name}={text}"


def label(name: str, text: str) -> tuple[str, str]:
    return "--label", f"aliyun.logs.{name}={text}"


OUT = env("out", "stdout")


def cases() -> list[Case]:
    """Hostile text in labels (which become fields), in tags, targets, paths, names and keys."""
    found = [
        Case(
            f"label-{name}",
            (*OUT, "--label", f"com.docker.compose.project={text}"),
            fields={"docker_app": text},
        )
        for name, text in NASTY.items()
    ]
    plain = {name: text for name, text in NASTY.items() if text.isprintable() and "," not in text}
    quotable = {name: text for name, text in plain.items() if '"' not in text}
    found += [
        Case(f"tag-{name}", (*OUT, *env("out_tags", f'who="{text}"')), fields={"who": text})
        for name, text in quotable.items()
    ]
    found += [
        Case(f"value-{name}", (*OUT, *label("bad", text)), rejected=("aliyun.logs.bad",))
        for name, text in NASTY.items()
    ]
    found += [
        Case("value-long", (*OUT, *label("bad", f"/logs/{LONG}")), rejected=("aliyun.logs.bad",)),
        Case("target-long", (*OUT, *env("bad", "stdout"), *env("bad_target", LONG)),
             rejected=("aliyun_logs_bad_target",)),
        Case("target-format", (*OUT, *env("bad", "stdout"), *env("bad_target", "%{[agent.name]}")),
             rejected=("aliyun_logs_bad_target",)),
        Case("path-up", (*OUT, *env("bad", "/logs/../../etc/*")), rejected=("aliyun_logs_bad",)),
        Case("tag-key", (*OUT, *env("out_tags", "-1=a,@metadata.index=b,good=c")),
             fields={"good": "c"}, rejected=("aliyun_logs_out_tags",)),
        Case("name-long", (*OUT, *env("n" * 1000, "stdout")), rejected=("aliyun_logs_nnn",)),
        # Docker makes U+FFFD of what is no UTF-8.
        Case("invalid", (*OUT, "--env", b"aliyun_logs_bad=\xff\xfe\x80"),
             rejected=("aliyun_logs_bad",)),
        Case("five-hundred",
             tuple(part for number in range(500) for part in env(f"n{number}", f"/l/{number}.log")),
             rejected=("aliyun_logs_n",), collected=False),
    ]  # fmt: skip
    return found


@pytest.mark.parametrize("filebeat", ["filebeat-9", "filebeat-7"])
def test_hostile_declarations_hurt_nobody(folder: Path, filebeat: str) -> None:
    program = filebeat_program(filebeat)
    with (
        Dockerd(folder / "docker", dockerd_program("docker")) as dockerd,
        Oracle(dockerd.root) as oracle,
        Agent(folder / "agent", dockerd=dockerd, filebeat=program) as agent,
    ):
        good = dockerd.run("good", writer("stdout", lines=400, then=STAY), *OUT)
        agent.wait_for_fragment(good)
        collectors = agent.collector_pids()
        hostile = cases()
        for case in hostile:
            dockerd.run(f"bad-{case.name}", f"echo 'hostile {case.name}'; {STAY}", *case.options)
        # A reload that a bad fragment blocked would keep this one out.
        last = dockerd.run("last", writer("stdout", lines=10, then=STAY), *OUT)
        until(lambda: not _untold(hostile, agent), 30, "every rejection in the status", every=0.5)
        rejections = _rejections(agent)
        for case in hostile:
            _judge(case, rejections, agent)
        until(lambda: _ended(oracle, good, 400), 60, "the good container's last line", every=0.2)
        until(lambda: _ended(oracle, last, 10), 60, "the last container's last line", every=0.2)
        uncollected = {f"hostile {case.name}" for case in hostile if not case.collected}
        report = agent.sink.wait_for(oracle, 4)
        assert {line.text for line in report.missing} == uncollected, str(report)
        assert report.twice == 0, str(report)
        assert report.foreign == [], str(report)
        assert agent.collector_pids() == collectors
        assert agent.alive
        assert "Traceback" not in agent.log()


def test_bytes_that_are_no_utf8_travel_in_lines_and_file_names(folder: Path) -> None:
    program = filebeat_program("filebeat-9")
    logs = folder / "logs"
    logs.mkdir()
    with (
        Dockerd(folder / "docker", dockerd_program("docker")) as dockerd,
        Agent(folder / "agent", dockerd=dockerd, filebeat=program) as agent,
    ):
        names = [b"\xff\xfe.log", b"new\nline.log", b"${PATH}.log", b"[a]*?.log", b"%{[x]}.log"]
        for number, name in enumerate(names):
            (logs / name.decode(errors="surrogateescape")).write_bytes(b"file %d\n" % number)
        (logs / "bytes.log").write_bytes(b"\xff\xfe\x80 bytes\ngood\n")
        dockerd.run("odd", STAY, *env("app", "/logs/*.log"), "--volume", f"{logs}:/logs")
        for number in range(len(names)):
            agent.sink.wait_for_text(f"file {number}")
        agent.sink.wait_for_text("good")
        assert any(text.endswith(" bytes") for text in agent.sink.texts())


def _judge(case: Case, rejections: list[dict[str, Any]], agent: Agent) -> None:
    """Whether a case's events are exact and its rejections are told."""
    if case.collected:
        event = agent.sink.wait_for_text(f"hostile {case.name}")
        found = {name: value(event, name) for name in case.fields}
        assert found == case.fields, case.name
        assert event["docker_container"] == f"bad-{case.name}"
    for key in case.rejected:
        for rejection in _about(case, key, rejections):
            assert rejection["code"], case.name
            assert len(rejection["reason"]) > 10, case.name
            assert len(str(rejection)) < 2000, case.name
        assert any(
            f"bad-{case.name}" in line and key in line for line in agent.log().splitlines()
        ), f"{case.name}: the agent's log names {key}"


def _untold(hostile: list[Case], agent: Agent) -> list[tuple[str, str]]:
    """Cases and keys that the status does not name yet."""
    told = _rejections(agent)
    return [
        (case.name, key) for case in hostile for key in case.rejected if not _about(case, key, told)
    ]


def _about(case: Case, key: str, rejections: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rejections of one case whose key starts so."""
    name = f"bad-{case.name}"
    return [each for each in rejections if each["by"] == name and each["key"].startswith(key)]


def _rejections(agent: Agent) -> list[dict[str, Any]]:
    """Every rejection in the status, with the container's name as `by`."""
    return [
        {**rejection, "by": container["name"].lstrip("/")}
        for container in agent.status()["containers"]
        for rejection in container["rejections"]
    ]


def _ended(oracle: Oracle, container: str, lines: int) -> bool:
    texts = [line.text for line in oracle.lines() if line.origin == container]
    return bool(texts) and texts[-1].endswith(f" stdout {lines}")
