"""Containers that declare how their lines are to be treated, and what must come of each line.

What is expected is worked out from the declarations and from what the runtime and the containers
wrote. The lines are such that a person sees where an event begins: at "[".
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.real.daemons import IMAGE
from tests.real.oracle import value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tests.real.daemons import Dockerd
    from tests.real.oracle import Line, Oracle

BOTH = ("stdout", "stderr")
# Files in a container: it wrote the first lines, is to write the rest, wrote them.
BEGUN, GO, DONE = "/logs/.begun", "/logs/.go", "/logs/.done"
Event = tuple[str, ...]  # container, log, what is looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One log that a container declares, and the rule that its declaration is."""

    name: str
    place: str = "stdout"  # or a file's folder: "logs", "own"
    streams: Sequence[str] = BOTH
    joined: bool = False  # lines that do not begin with "[" belong to the one before, by stream
    keep: Callable[[str], bool] = lambda _: True
    shape: Callable[[str], tuple[str, ...]] = lambda text: (text,)  # what a text becomes
    shown: tuple[str, ...] = ("message",)  # the fields in which that is

    def texts(self, lines: Iterable[Line]) -> Iterator[str]:
        """The events' texts, of lines in the order of each file."""
        groups: dict[tuple[str, int, str], list[str]] = {}
        for line in lines:
            if line.stream and line.stream not in self.streams:
                continue
            of = (line.origin, line.file, line.stream)
            found = groups.setdefault(of, [])
            if self.joined and found and not line.text.startswith("["):
                found[-1] += f"\n{line.text}"
            else:
                found.append(line.text)
        for found in groups.values():
            yield from (text for text in found if self.keep(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A container: how it is run, what it writes, which logs come of it."""

    name: str
    declared: dict[str, str]
    wanted: tuple[Wanted, ...]
    script: str  # a function `lines <first> <last>`
    notices: tuple[str, ...] = ()  # codes

    @property
    def whole(self) -> str:
        """Some lines, a wait, further lines little by little, so that rotation is seen."""
        return (
            f"{self.script}; lines 1 {BEFORE}; : > {BEGUN}; "
            f"while [ ! -e {GO} ]; do usleep 50000; done; "
            f"i={BEFORE}; while [ $i -lt {BEFORE + AFTER} ]; do lines $((i+1)) $((i+10)); "
            f"i=$((i+10)); usleep 60000; done; : > {DONE}; exec sleep 1000000"
        )


BEFORE, AFTER = 30, 150
ROTATING = ("--log-opt", "max-size=32k", "--log-opt", "max-file=30")


@dataclass(slots=True)
class Scene:
    """The containers of all cases on one Docker."""

    dockerd: Dockerd
    cases: Sequence[Case]
    ids: dict[str, str] = field(default_factory=dict)  # case → container
    origins: dict[tuple[str, str], str] = field(default_factory=dict)  # case, place → origin

    def create(self, case: Case, logs: str) -> list[Path]:
        """Make a container; the folders on the node to watch."""
        docker = self.dockerd.docker
        env = [f"--env=aliyun_logs_{key}={text}" for key, text in case.declared.items()]
        self.ids[case.name] = docker(
            *("create", "--network=none", "--name", case.name, *ROTATING, *env),
            *("--volume", f"{logs}:/logs", IMAGE, "/bin/sh", "-c", case.whole),
        )
        self.origins[case.name, "stdout"] = self.ids[case.name]
        self.origins[case.name, "logs"] = logs
        form = "{{.GraphDriver.Data.UpperDir}}"
        own = f"{docker('inspect', f'--format={form}', case.name)}/app"
        self.origins[case.name, "own"] = own
        return [Path(logs), Path(own)]

    def named(self, of_ids: dict[str, str]) -> dict[str, str]:
        """By the cases' names, for a message."""
        return {name: of_ids.get(each, "gone") for name, each in self.ids.items()}

    def wrote(self, what: str) -> bool:
        """Whether all have come so far."""
        return all(
            Path(self.origins[name, "logs"], what.rpartition("/")[2]).exists() for name in self.ids
        )

    def go(self) -> None:
        """Let all write the rest."""
        for name in self.ids:
            Path(self.origins[name, "logs"], GO.rpartition("/")[2]).touch()

    def held(self, oracle: Oracle) -> int:
        """How many files there are that are collected."""
        of = {self.origins[case.name, each.place] for case in self.cases for each in case.wanted}
        return sum(bool(each.origin in of and each.names and each.size) for each in oracle.files())

    def expected(self, lines: Sequence[Line]) -> Counter[Event]:
        """What is to arrive of what was written."""
        found: Counter[Event] = Counter()
        for case in self.cases:
            for wanted in case.wanted:
                origin = self.origins[case.name, wanted.place]
                own = [line for line in lines if line.origin == origin]
                found.update(
                    (case.name, wanted.name, *wanted.shape(text)) for text in wanted.texts(own)
                )
        return found

    def arrived(self, events: Iterable[dict[str, Any]]) -> Counter[Event]:
        """What came, as `expected` would say it."""
        shown = {(case.name, each.name): each.shown for case in self.cases for each in case.wanted}
        found: Counter[Event] = Counter()
        for event in events:
            name, log = str(event["docker_container"]), str(event["log_name"])
            fields = (_shown(event, each) for each in shown.get((name, log), ("message",)))
            found[name, log, *fields] += 1
        return found


def moment(text: str) -> str:
    """A time as every collector writes it, to the millisecond."""
    found = datetime.fromisoformat(text).astimezone(UTC)
    return f"{found:%Y-%m-%dT%H:%M:%S}.{found.microsecond // 1000:03}Z"


def _shown(event: dict[str, Any], name: str) -> str:
    said = value(event, name)
    return moment(str(said)) if name == "@timestamp" else str(said)
