"""Containers under attack, their neighbour, what they write, and what came of it."""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import yaml

from tests.fakes.disks import tmpfs
from tests.real.fights import CANARY, FOLDER, Canaries, Fight, fighting, flip_of
from tests.real.flips import TENANT, Flip, Lure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.real.pipeline import Agent

QUIET = 3.0  # seconds without an event after which nothing is taken to come twice
SLOWER = 5  # lines of a writer to one of a canary
LAST = 20  # lines of each writer after the flips
PART = 100  # lines after which a writer also begins another file


@dataclass(slots=True)
class Writer:
    """An application: numbered lines into one file, and now and then into one more."""

    container: str
    folder: Path
    word: str
    written: list[str] = field(default_factory=list)
    _folder: int = -1
    _files: list[int] = field(default_factory=list)
    _opened: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        self._opened = [self._folder]
        self._files = [self._open("app.log")]

    def write(self) -> None:
        """One line; by descriptors, so no swap leads it astray."""
        number = len(self.written) + 1
        if number % PART == 0:
            self._files[1:] = [self._open(f"part-{number}.log")]
        text = f"{self.word} {number}"
        os.write(self._files[number % len(self._files)], f"{text}\n".encode())
        self.written.append(text)

    def last_words(self) -> list[str]:
        """One more file, when nobody flips any longer; its lines."""
        count = len(self.written)
        self._files = [self._open("last.log")]
        while len(self.written) < count + LAST:
            self.write()
        return self.written[count:]

    def lines(self) -> set[tuple[str, str]]:
        """What must arrive: container and line."""
        return {(self.container, text) for text in self.written}

    def _open(self, name: str) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        file = os.open(name, flags, 0o640, dir_fd=self._folder)
        self._opened.append(file)
        return file

    def close(self) -> None:
        for each in self._opened:
            os.close(each)


@dataclass(slots=True)
class Verdict:
    """What arrived against what was written, by container."""

    missing: list[str]
    twice: int
    foreign: list[tuple[str, str]]  # container and line
    arrived: int

    @property
    def exact(self) -> bool:
        return not self.missing and not self.twice and not self.foreign

    def __str__(self) -> str:
        return (
            f"arrived {self.arrived}, "
            f"missing {len(self.missing)} {_by_kind(self.missing)} {self.missing[:5]}, "
            f"twice {self.twice}, foreign {len(self.foreign)} "
            f"{_by_kind(f'{container}: {text}' for container, text in self.foreign)}"
        )


def settled(agent: Agent, wanted: set[tuple[str, str]], patience: float = 15) -> Verdict:
    """Once all that was written arrived, or nothing came for that many seconds."""
    arrived, moved = -1, time.monotonic()
    while True:
        found = _compare(agent, wanted)
        if found.arrived != arrived:
            arrived, moved = found.arrived, time.monotonic()
        if time.monotonic() - moved > (patience if found.missing else QUIET):
            return found
        time.sleep(0.1)


def _compare(agent: Agent, wanted: set[tuple[str, str]]) -> Verdict:
    arrived = Counter(
        (str(event["container_id"]), str(event.get("message"))) for event in agent.sink.events()
    )
    return Verdict(
        missing=sorted(" ".join(each) for each in wanted - arrived.keys()),
        twice=sum(arrived[each] - 1 for each in wanted & arrived.keys()),
        foreign=sorted(each for each in arrived.elements() if each not in wanted),
        arrived=arrived.total(),
    )


@dataclass(slots=True)
class Scene:
    """Two attacked containers on each of two filesystems, one that is left alone, and canaries."""

    folder: Path
    static: Path
    disk: Path  # another filesystem, which has no pin root
    run: Path  # a folder below one that the policy lists
    writers: list[Writer] = field(default_factory=list)
    canaries: list[Canaries] = field(default_factory=list)
    grown: int = 0  # lines of canaries

    def __enter__(self) -> Self:
        for base, kind in ((self.folder, "linked"), (self.disk, "copied")):
            self._container(kind, base / kind, "app")
            shared = base / f"{kind}-shared"
            self._container(f"{kind}-source", shared / "sub", "app")
            _climb(shared)
            self.writers.append(Writer(f"{kind}-source", shared / "sub/trap", "climb"))
        self._container("neighbour", self.folder / "neighbour", "own")
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self.writers:
            writer.close()
        for canaries in self.canaries:
            canaries.close()

    @contextmanager
    def under_attack(self, agent: Agent) -> Iterator[Fight]:
        """Attackers, writers and a reader at work; the containers come once the flips go."""
        for place, path in {
            "same-filesystem": self.folder / "outside",
            "other-filesystem": self.disk / "outside",
            "listed": self.run,
            "neighbour": self.folder / "neighbour/private",
            "pin-root": agent.folder / "log-pilot/canaries",
            "state": agent.state_dir / "canaries",
        }.items():
            self.canaries.append(Canaries(place, path))
            self.canaries[-1].make()
        paths = [each.folder / "app.log" for each in self.writers]
        with fighting(list(self._flips()), paths, self.folder, self.write) as fight:
            fight.places = {each.place for each in self.canaries}
            for path in self.static.glob(".*.yaml"):
                path.rename(path.with_name(path.name.lstrip(".")))
            yield fight

    def verdict(self, agent: Agent, patience: float = 15) -> Verdict:
        """What came of it, once nothing more comes for that many seconds."""
        found = settled(agent, {line for each in self.writers for line in each.lines()}, patience)
        for each in self.canaries:
            assert each.path.exists(), f"the canaries in {each.path} were removed"
        return found

    def _flips(self) -> Iterator[Flip]:
        for base, kind in ((self.folder, "linked"), (self.disk, "copied")):
            volume, shared = base / kind, base / f"{kind}-shared"
            for name in ("app.log", "app", "service"):
                yield self._flip(volume, name)
            yield self._flip(shared, "sub")
            yield Flip(volume=str(shared), folder="sub/deep", name="er", elsewhere="out")

    def _flip(self, volume: Path, name: str) -> Flip:
        flip = flip_of(volume, name, self.canaries)
        if name != "app.log":
            return flip
        neighbours = self.folder / "neighbour" / FOLDER / "app.log"
        more = (Lure("link", "/etc/passwd"), Lure("link", str(neighbours)))
        return replace(flip, lures=flip.lures + more)

    def _container(self, name: str, volume: Path, log: str) -> None:
        """A volume with a log in it and, under a name that does not count yet, who declares it."""
        (volume / FOLDER).mkdir(parents=True)
        logs = {f"aliyun_logs_{log}": f"/logs/{FOLDER}/*.log*"}
        if name.endswith("-source"):
            logs["aliyun_logs_climb"] = "/logs/climb/*.log*"
        mount = {"source": str(volume), "destination": "/logs", "kind": "bind"}
        declared = {"id": name, "env": logs, "mounts": [mount]}
        (self.static / f".{name}.yaml").write_text(yaml.safe_dump(declared))
        self.writers.append(Writer(name, volume / FOLDER, log))
        os.mknod(volume / FOLDER / "endless.log", 0o20666, os.makedev(1, 5))
        for path in (volume, volume / "service", volume / FOLDER):
            os.chown(path, TENANT, TENANT)

    def write(self) -> None:
        """A line from each application, and at times from whose logs nobody may read."""
        for writer in self.writers:
            writer.write()
        number = len(self.writers[0].written)
        for canaries in self.canaries if number % SLOWER == 0 else ():
            self.grown += canaries.grow(number)


def _by_kind(lines: Iterable[str]) -> dict[str, int]:
    """How many lines there are of each kind: all but the number at the end."""
    return dict(Counter(line.rpartition(" ")[0][:60] for line in lines))


def _climb(shared: Path) -> None:
    """A way down and up again that ends elsewhere if the folder below is moved meanwhile."""
    for each in ("sub/deep/er", "sub/trap", "out/er", "trap"):
        (shared / each).mkdir(parents=True)
    for each in ("", "sub/deep", "sub/deep/er", "sub/trap", "out", "out/er"):
        os.chown(shared / each, TENANT, TENANT)
    (shared / "sub/climb").symlink_to("deep/er/../../trap")
    (shared / "trap/app.log").write_text(f"{CANARY} shared climb\n")


@contextmanager
def attacked(folder: Path) -> Iterator[Scene]:
    """Its folders can be passed by everybody: what protects the canaries is their own mode."""
    folder.chmod(0o755)
    (folder / "static").mkdir()
    with (
        tmpfs(folder / "disk", "size=1g,mode=755") as disk,
        tempfile.TemporaryDirectory(dir="/run", prefix="pilot-") as run,
    ):
        Path(run).chmod(0o755)
        with Scene(folder, folder / "static", disk, Path(run)) as scene:
            yield scene
