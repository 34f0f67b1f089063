"""What should have arrived, and what did: both read from files, neither from the agent.

The oracle holds a descriptor of every log file from its first moment, so deletion and rotation take
nothing from it, and it changes no link count, which the agent looks at. What a runtime did not
write to its log file is not expected: a dockerd that is killed loses what it had read and not yet
written.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from tests.real.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

EVERY = 0.01  # seconds between two looks at the folders
QUIET = 2.0  # seconds without an event after which nothing is taken to come twice


@dataclass(frozen=True, slots=True)
class Line:
    """One line that was written, and who holds it: a container's id, or a volume's folder."""

    text: str
    origin: str
    size: int = 0  # bytes that it takes in its file
    file: int = 0  # which of the held files, counted from 1
    stream: str = ""  # of a runtime's file


@dataclass(frozen=True, slots=True)
class Held:
    """One file that the oracle holds."""

    number: int  # in the order of their first sight, from 1
    origin: str
    names: int  # links that it has left; none: it is gone from the disk
    size: int


class Oracle:
    """Holds every file of Docker's json-file logs and of volume folders while it is entered."""

    def __init__(self, docker_root: Path, *volumes: Path) -> None:
        self._containers = docker_root / "containers"
        self._volumes = list(volumes)
        self._held: dict[tuple[int, int], tuple[str, bool, int]] = {}  # origin, is json, descriptor
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        self.look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()
        for _origin, _is_json, descriptor in self._held.values():
            os.close(descriptor)

    def watch(self, volume: Path) -> None:
        """Hold the files of one more volume's folder from now on."""
        self._volumes = [*self._volumes, volume]

    def look(self) -> None:
        """Take hold of every file that is not held yet."""
        for container in _entries(self._containers):
            for entry in _entries(container.path):
                if "-json.log" in entry.name:
                    self._hold(entry, container.name, is_json=True)
        for volume in self._volumes:
            for entry in _entries(volume):
                self._hold(entry, str(volume), is_json=False)

    def files(self) -> list[Held]:
        """Every file that was ever there."""
        return [
            Held(number, origin, status.st_nlink, status.st_size)
            for number, (origin, _, descriptor) in enumerate(list(self._held.values()), start=1)
            for status in [os.fstat(descriptor)]
        ]

    def lines(self) -> list[Line]:
        """Every complete line that was written so far."""
        found: list[Line] = []
        open_lines: dict[tuple[str, str], str] = {}
        sizes: Counter[tuple[str, str]] = Counter()
        for number, (origin, is_json, descriptor) in enumerate(list(self._held.values()), start=1):
            content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
            for raw in content.split(b"\n")[:-1]:
                size = len(raw) + 1
                if not is_json:
                    found.append(Line(raw.decode(errors="replace"), origin, size, number))
                    continue
                record = json.loads(raw)
                key = (origin, record["stream"])
                text = open_lines.pop(key, "") + record["log"]
                sizes[key] += size
                if text.endswith("\n"):
                    found.append(
                        Line(text.removesuffix("\n"), origin, sizes.pop(key), number, key[1])
                    )
                else:  # Docker cuts at 16 KiB; the rest follows.
                    open_lines[key] = text
        return found

    def _hold(self, entry: os.DirEntry[str], origin: str, *, is_json: bool) -> None:
        try:
            seen = entry.stat(follow_symlinks=False)
            if (seen.st_dev, seen.st_ino) in self._held or not entry.is_file(follow_symlinks=False):
                return
            descriptor = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:  # It was renamed or removed in between; the next look sees what is there.
            return
        found = os.fstat(descriptor)
        key = (found.st_dev, found.st_ino)
        if key in self._held:
            os.close(descriptor)
        else:
            self._held[key] = (origin, is_json, descriptor)

    def _follow(self) -> None:
        while not self._closing.wait(EVERY):
            self.look()


@dataclass(slots=True)
class Report:
    """Expected against arrived."""

    missing: list[Line] = field(default_factory=list)
    twice: int = 0  # lines that came more often than they were written, each surplus counted
    foreign: list[str] = field(default_factory=list)  # lines that nobody wrote

    @property
    def exact(self) -> bool:
        """Whether everything arrived once, and nothing else."""
        return not self.missing and not self.twice and not self.foreign

    def __str__(self) -> str:
        missing = [(line.origin[-20:], line.text[:60]) for line in self.missing[:5]]
        return (
            f"missing {len(self.missing)} {missing}, twice {self.twice}, "
            f"foreign {len(self.foreign)} {[text[:60] for text in self.foreign[:5]]}"
        )


class Sink:
    """The events that Filebeat's file output wrote below a folder, rotated files too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offsets: dict[int, int] = {}  # by inode: the output renames when it rotates
        self._events: list[dict[str, Any]] = []
        self.torn = 0  # records that a killed Filebeat left unfinished

    def events(self) -> list[dict[str, Any]]:
        """Every event so far."""
        for entry in sorted(_entries(self._folder), key=lambda entry: entry.name):
            with open(entry.path, "rb") as file:
                inode = os.fstat(file.fileno()).st_ino
                file.seek(self._offsets.get(inode, 0))
                content = file.read()
            complete = content[: content.rfind(b"\n") + 1]
            self._offsets[inode] = self._offsets.get(inode, 0) + len(complete)
            self._events.extend(self._parse(complete))
        return self._events

    def texts(self) -> list[str]:
        """The line that each event holds, without what ended it."""
        return [str(event.get("message", "")).rstrip("\n") for event in self.events()]

    def compare(self, oracle: Oracle) -> Report:
        """What the oracle holds against what arrived."""
        arrived = Counter(self.texts())
        expected = oracle.lines()
        wanted = Counter(line.text for line in expected)
        report = Report(foreign=[text for text in arrived if text not in wanted])
        report.twice = sum(max(0, arrived[text] - wanted[text]) for text in wanted)
        left = arrived.copy()
        for line in expected:
            if left[line.text] > 0:
                left[line.text] -= 1
            else:
                report.missing.append(line)
        return report

    def wait_for(self, oracle: Oracle, seconds: float) -> Report:
        """Wait until nothing is missing and nothing comes twice; the report either way.

        The time begins again whenever something arrives.
        """
        count, changed = -1, time.monotonic()
        while True:
            report = self.compare(oracle)
            if len(self.events()) != count:
                count, changed = len(self.events()), time.monotonic()
            quiet = time.monotonic() - changed
            if quiet > (seconds if report.missing else QUIET):
                return report
            time.sleep(0.05)

    def wait_for_text(self, text: str, seconds: float = 30) -> dict[str, Any]:
        """Wait for an event with this line, and give it."""

        def find() -> dict[str, Any] | None:
            return next(
                (event for event in self.events() if event.get("message", "").strip("\n") == text),
                None,
            )

        found = until(find, seconds, f"{text[:80]!r} at the sink", every=0.1)
        assert found
        return found

    def _parse(self, content: bytes) -> Iterator[dict[str, Any]]:
        for raw in content.splitlines():
            try:
                yield json.loads(raw)
            except ValueError:
                self.torn += 1


def value(event: Mapping[str, Any], name: str) -> object:
    """A field of an event, whether it is written with dots or nested; None without it."""
    if name in event:
        return event[name]
    found: object = event
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:  # It went, or it is not there yet.
        return []
