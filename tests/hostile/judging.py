"""A case through the pilot and the Filebeat piloter, and whether it came out as it was meant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilot.accept import accept
from pilot.fragments import inputs_of
from pilot.model import Mount
from pilot.piloters.filebeat.piloter import FilebeatPiloter
from pilot.pins.record import Place
from pilot.policy import Policy, Rules
from pilot.regexps import parse
from pilot.settings import Settings
from tests.declarations.making import container as plain_container
from tests.hostile import meaning, ucfg
from tests.hostile.cases import NEIGHBOUR, Case
from tests.hostile.shapes import HARMLESS, Shapes

if TYPE_CHECKING:
    from pilot.accept import Accepted
    from pilot.handover import Input
    from pilot.model import Container

PINS = "/var/log/log-pilot"
POLICY = Policy(rules=Rules(raw=frozenset({"x_hostile", "x_other"})))
LITERAL = {ord(each): f"\\{each}" for each in "\\.+*?()|[]{}^$"}


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a case: its inputs and their fragment."""

    case: Case
    accepted: Accepted
    inputs: tuple[Input, ...]
    content: bytes


class Judge:
    """Renders cases and judges them. `sample` is text of fragments that hold nothing odd."""

    def __init__(self, pins: str = PINS) -> None:
        self._settings = Settings(
            recursive=True, environment={}, config_dir=Path("/etc/filebeat"), data_dir=Path("/data")
        )
        self._piloter = FilebeatPiloter(self._settings)
        self._pins = pins
        contents = [self._made(_harmless(options))[2] for options in HARMLESS]
        self.sample = b"".join(contents).decode()
        self._shapes = Shapes(each for content in contents for each in ucfg.read(content))

    def run(self, case: Case) -> Judged:
        """Raises AssertionError for whatever is not as it should be."""
        accepted, inputs, content = self._made(case.container)
        meaning.accounted(case, accepted)
        meaning.meant(case, accepted)
        tree = ucfg.read(content) if inputs else []
        assert len(tree) == len(inputs), "inputs that nobody declared"
        logs = {log.name: log for log in accepted.logs}
        for each, read in zip(inputs, tree, strict=True):
            log = logs[each.fields["log_name"]]
            assert read["fields"] == meaning.fields_of(case, each, log)
            self._input(case, each, read)
        return Judged(case, accepted, inputs, content)

    def neighbour(self, judged: Judged) -> None:
        """Raises AssertionError unless the neighbour is what it would be alone."""
        where = judged.case.container
        labels = {k: v for k, v in where.labels.items() if not k.startswith("aliyun.")}
        env = {f"aliyun_logs_{NEIGHBOUR}": judged.case.options[NEIGHBOUR, ""]}
        assert where.pod is not None
        pod = replace(where.pod, annotations={})
        _, _, content = self._made(replace(where, env=env, labels=labels, pod=pod))
        # There is none where a hostile mount lies over its volume.
        alone = ucfg.read(content) if content else []
        every = ucfg.read(judged.content) if judged.content else []
        beside = [each for each in every if each["fields"]["log_name"] == NEIGHBOUR]
        assert beside == alone, "a neighbour is not what it would be alone"

    def _made(self, container: Container) -> tuple[Accepted, tuple[Input, ...], bytes]:
        accepted = accept(
            container, settings=self._settings, policy=POLICY, refuse=self._piloter.refuse
        )
        sets = [each.name for log in accepted.logs for each in log.file_sets]
        places = {each: Place(f"{self._pins}/{each}") for each in sets}
        inputs = tuple(inputs_of(container, accepted.logs, self._settings, places))
        content = self._piloter.render(container, inputs).content if inputs else b""
        return accepted, inputs, content

    def _input(self, case: Case, each: Input, read: dict[str, Any]) -> None:
        assert read["id"] == each.id
        assert read["paths"] == [f"{self._pins}/{each.file_set.name}/*"]
        path = read["processors"][-1]["replace"]["fields"][-1]
        start = f"{self._pins}/{each.file_set.name}".translate(LITERAL)
        assert path["pattern"] == f"^{start}/(.*)~[0-9]+~[0-9]+$"
        assert path["replacement"] == f"{each.shown.rstrip('/')}/".replace("$", "$$") + "${1}"
        for option, pattern in case.patterns.items():
            if option[0] == each.fields["log_name"] and pattern.strip(meaning.BLANK):
                wanted = parse(pattern.strip("\r\n")).to_go()
                assert wanted == _pattern(option[0], read), option
        assert not (strange := self._shapes.strange(read)), strange


def _pattern(log: str, read: dict[str, Any]) -> object:
    if log == "joined":
        return read["parsers"][-1]["multiline"]["pattern"]
    found = [each["drop_event"]["when"] for each in read["processors"] if "drop_event" in each]
    assert len(found) == 1, f"{log}: the pattern is in {len(found)} steps"
    (when,) = found
    return (when["not"] if log == "include" else when)["regexp"]["message"]


def _harmless(options: dict[str, str]) -> Container:
    values = {"out": "stdout", "app": "/logs/a.log"} | ({"err": "stderr"} if options else {})
    env = {f"aliyun_logs_{name}": value for name, value in values.items()}
    for name in values:
        env |= {f"aliyun_logs_{name}_{option}": text for option, text in options.items()}
    return plain_container(
        env, mounts=(Mount("/logs", "/var/lib/docker/volumes/v/_data", "volume"),)
    )
