"""One container full of hostile strings: a string in each place that takes a tenant's text."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from pilot.model import Container, Mount, Pod, State
from tests.hostile.strings import hostile, hostile_regexp, tame

NEIGHBOUR = "neighbour"  # a log that says nothing odd
TAGS = 16
ACCESS = "com.aliyun.access."


@dataclass(slots=True)
class Case:
    """A container and what was meant by it.

    `fields` are what every event must carry, `tags` those of the log `tagged` and `patterns` the
    regular expressions by (log, option); `strings` counts what was put in.
    """

    number: int
    container: Container
    fields: dict[str, str]
    tags: dict[str, str]
    patterns: dict[tuple[str, str], str]
    options: dict[tuple[str, str], str]
    strings: int


@dataclass(slots=True)
class _Making:
    chosen: random.Random
    fragment: str
    strings: int = 0
    env: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    options: dict[tuple[str, str], str] = field(default_factory=dict)

    def any(self) -> str:
        self.strings += 1
        return hostile(self.chosen, self.fragment)

    def tame(self) -> str:
        self.strings += 1
        return tame(self.chosen, self.fragment)

    def either(self) -> str:
        return self.tame() if self.chosen.random() < 0.5 else self.any()

    def regexp(self) -> str:
        self.strings += 1
        return hostile_regexp(self.chosen, self.fragment)

    def log(self, name: str, value: str = "", **options: str) -> None:
        """Declare a log, in one of the dialects; by default of a file of its own."""
        if (name, "") in self.options:
            return  # a hostile name that is taken
        value = value or f"/logs/{name}.log"
        which = self.chosen.randrange(3)
        place = (self.env, self.labels, self.annotations)[which]
        start, separator = (("aliyun_logs_", "_"), ("aliyun.logs.", "."), ("aliyun.logs/", "."))[
            which
        ]
        place[start + name] = value
        self.options[name, ""] = value
        for option, text in options.items():
            place[f"{start}{name}{separator}{option}"] = text
            self.options[name, option] = text


def quoted(text: str) -> str:
    """A tag's value as the documentation of the declarations has it quoted."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def make(seed: str, number: int, fragment: str) -> Case:
    """The case of that number; the same for the same seed."""
    making = _Making(random.Random(f"{seed}/{number}"), fragment)
    tags = {f"t{each}": making.either() for each in range(TAGS)}
    making.log(NEIGHBOUR)
    making.log("tagged", tags=",".join(f"{key}={quoted(text)}" for key, text in tags.items()))
    _values(making)
    _formats(making)
    patterns = _patterns(making)
    _others(making)
    fields = _places(making, number)
    container = Container(
        id=f"{number:064x}",
        name="/" + fields["docker_container"],
        state=State.RUNNING,
        image=fields["container_image"],
        env=making.env,
        labels=making.labels,
        mounts=_mounts(making, number),
        log_path=f"/var/lib/docker/containers/{making.tame()}/{number}-json.log",
        log_driver="json-file",
        pod=Pod(
            namespace=fields["k8s_pod_namespace"],
            name=fields["k8s_pod"],
            uid=fields["k8s_pod_uid"],
            container=fields["k8s_container_name"],
            annotations=making.annotations,
        ),
    )
    return Case(number, container, fields, tags, patterns, making.options, making.strings)


def _values(making: _Making) -> None:
    """Names, values, paths, tags, targets."""
    for number in range(2):
        making.log(f"route{number}", target=making.either())
        making.log(f"path{number}", f"/logs/{making.tame()}")
        making.log(f"keyed{number}", tags=f"{making.either()}=v")
    making.log("value", making.any())
    making.log("items", f"/logs/one.log,{making.any()},/logs/two.log")
    making.log("glob", f"/logs/{making.tame()}/*.log")
    making.log("plain", tags=making.any())
    making.log("index", tags=f"index={making.tame()}")
    making.log("output", "stdout")
    making.log("mounted", "/volume/x.log")


def _formats(making: _Making) -> None:
    making.log("format", format=making.any())
    making.log("time", format="json", format_time_key=making.either())
    making.log("layout", format="json", format_time_key="t", format_time_format=making.either())
    making.log("below", format="json", format_target=making.either())
    making.log("columns", format="csv", format_keys=f"a,{making.either()},b")
    making.log("parts", format="regexp", format_pattern=f"(?P<a>{making.regexp()})")


def _patterns(making: _Making) -> dict[tuple[str, str], str]:
    patterns = {(option, option): making.regexp() for option in ("include", "exclude")}
    patterns |= {("joined", "multiline_pattern"): making.regexp()}
    making.log("include", include=patterns["include", "include"])
    making.log("exclude", exclude=patterns["exclude", "exclude"])
    making.log(
        "joined",
        multiline_pattern=patterns["joined", "multiline_pattern"],
        multiline_timeout="0.5s",
    )
    making.log("preset", multiline=making.any())
    for option in ("negate", "match", "max_lines", "timeout"):
        making.log(option, multiline_pattern="^ ", **{f"multiline_{option}": making.any()})
    return patterns


def _others(making: _Making) -> None:
    making.log("encoded", encoding=making.any())
    making.log("sized", max_bytes=making.any())
    making.log("elsewhere", container=making.any())
    making.log("raw", raw_x_hostile=making.either())
    making.log("rawkey", **{f"raw_{making.either()}": "1"})
    for number in range(2):
        making.log(making.either(), f"/logs/named{number}.log")
    making.log("custom")
    making.env["aliyun_logs_custom_config"] = "\n".join(
        (
            f"custom.fields.c={making.tame()}",
            f"custom.fields.{making.either()}=v",
            f"custom.x_hostile={making.any()}",
            f"{making.any()}=v",
            making.any(),
        )
    )


def _places(making: _Making, number: int) -> dict[str, str]:
    """What the runtime and its tools say, where nothing is refused: field → text."""
    fields = {
        "docker_app": making.any(),
        "docker_service": making.any(),
        "docker_container": making.any().lstrip("/"),
        "container_image": making.any(),
        "k8s_pod": making.any(),
        "k8s_pod_namespace": making.any(),
        "k8s_pod_uid": making.any(),
        "k8s_container_name": making.any(),
        "container_id": f"{number:064x}",
    }
    making.labels["com.docker.compose.project"] = fields["docker_app"]
    making.labels["com.docker.compose.service"] = fields["docker_service"]
    for key in ("HK-1", "HK-2"):
        text = making.any()[:600]
        making.labels[ACCESS + key] = text
        fields[f"com_aliyun_access_{key}"] = text
    making.labels[ACCESS + making.any()] = "v"
    return fields


def _mounts(making: _Making, number: int) -> tuple[Mount, ...]:
    """A volume that is as it should be, and others that are not."""
    at = f"/mnt/{making.tame()}"
    making.log("destined", f"{at}/x.log")
    return (
        Mount("/logs", f"/var/lib/docker/volumes/{number}/_data", "volume"),
        Mount("/volume", f"/var/lib/docker/volumes/{number}-{making.either()}/_data", "volume"),
        Mount(at, f"/var/lib/docker/volumes/{number}-d/_data", "volume"),
        Mount(making.any(), making.any(), "bind"),
    )
