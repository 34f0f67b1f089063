"""Attackers at work on a volume: what they lead to, and the proof that they are good at it."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.real.flips import Attacker, Flip, Lure
from tests.real.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CANARY = "CANARY"
# What lies where a name's lure leads, down to the file, by which name is swapped.
BELOW = {"file": "app.log", "folder": "app.log", "parent": "app/app.log",
         "source": "service/app/app.log"}  # fmt: skip
LEVELS = {"app.log": "file", "app": "folder", "service": "parent", "sub": "source"}  # by name
FOLDER = "service/app"  # of a volume: where the log lies
EVERY = 0.02  # seconds between two lines of one writer


@dataclass(frozen=True, slots=True)
class Length:
    """How long the flips go on: all of these must be reached."""

    seconds: float
    swaps: int  # of each name
    each: int = 0  # of each name for each lure


@dataclass(slots=True)
class Canaries:
    """Logs in a place that is nobody's to collect; they grow as other logs do."""

    place: str
    path: Path
    _files: list[tuple[str, int]] = field(default_factory=list)

    def make(self) -> None:
        """One for each way to get there. Their folders can be passed by everybody, as /etc can."""
        for level, below in BELOW.items():
            file = self.path / level / below
            file.parent.mkdir(parents=True, exist_ok=True)
            self._files.append((level, os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)))
        self.grow(0)

    def grow(self, number: int) -> int:
        """Write a line to each; how many that are."""
        for level, file in self._files:
            os.write(file, f"{CANARY} {self.place} {level} {number}\n".encode())
        return len(self._files)

    def close(self) -> None:
        """They stay, but grow no more."""
        for _, file in self._files:
            os.close(file)

    def lures(self, level: str, number: int) -> tuple[Lure, Lure]:
        """A link to the place as the node names it, and another way to say the same."""
        target = str(self.path / level / ("app.log" if level == "file" else ""))
        other = (
            Lure("link", "../" * 20 + target.lstrip("/")),
            Lure("link", f"/proc/self/root{target}"),
            Lure("chain", target),
        )
        return Lure("link", target), other[number % len(other)]


ODD = (
    *(Lure(kind) for kind in ("loop", "fifo", "socket", "whiteout", "folder", "file")),
    Lure("link", "/proc/self/fd/0"),
    Lure("link", "/dev/fd/9"),
    Lure("link", "/proc/1/root/etc"),
    Lure("link", "/logs"),
)


@dataclass(slots=True)
class Fight:
    """Attackers at work, and a reader who trusts names, to show that the attacks are good ones."""

    attackers: list[Attacker]
    paths: list[Path]
    places: set[str] = field(default_factory=set)
    begun: float = field(default_factory=time.monotonic)
    fooled: Counter[tuple[str, str]] = field(default_factory=Counter)

    def go_on(self, length: Length) -> None:
        """Until all is reached. AssertionError after ten times as long."""
        until(lambda: self._reached(length), 10 * length.seconds + 60, "the flips are done")

    @property
    def swaps(self) -> int:
        return sum(each.swaps for each in self.attackers)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begun

    def read(self) -> None:
        """What any program would do that opens a path after looking at it."""
        for path in self.paths:
            try:
                file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            except OSError:
                continue
            try:
                if stat.S_ISREG(os.fstat(file).st_mode):
                    words = os.read(file, 100).split()
                    if words and words[0] == CANARY.encode():
                        self.fooled[words[1].decode(), words[2].decode()] += 1
            finally:
                os.close(file)

    def fooled_everywhere(self) -> bool:
        """Whether that reader was led to every place, and by every name that leads there."""
        levels = {LEVELS[each.flip.name] for each in self.attackers if each.flip.lures}
        return {place for place, _ in self.fooled} >= self.places and (
            {level for _, level in self.fooled} >= levels
        )

    def told(self) -> str:
        counts = ", ".join(f"{each.flip.name} {each.swaps}" for each in self.attackers)
        return f"swaps: {counts}; a reader that trusts names was fooled: {dict(self.fooled)}"

    def _reached(self, length: Length) -> bool:
        return (
            self.seconds >= length.seconds
            and all(
                each.swaps >= max(length.swaps, 2 * length.each * len(each.flip.lures))
                for each in self.attackers
            )
            and self.fooled_everywhere()
        )


def flip_of(volume: Path, name: str, canaries: list[Canaries]) -> Flip:
    """A name of a volume and all that takes its place; see LEVELS."""
    level = LEVELS[name]
    lures = [lure for number, each in enumerate(canaries) for lure in each.lures(level, number)]
    return Flip(
        volume=str(volume),
        folder={"file": FOLDER, "folder": "service"}.get(level, ""),
        name=name,
        lures=(*lures, *ODD),
        foreign=tuple(str(each.path / "file/app.log") for each in canaries),
    )


@contextmanager
def fighting(
    flips: list[Flip], paths: list[Path], scratch: Path, write: Callable[[], None]
) -> Iterator[Fight]:
    """Attackers, a reader of these paths and `write` at work, all until this is left."""
    stop = threading.Event()

    def repeat(action: Callable[[], None], pause: float) -> None:
        while not stop.is_set():
            action()
            time.sleep(pause)

    with ExitStack() as stack:
        attackers = [stack.enter_context(Attacker(flip, scratch)) for flip in flips]
        fight = Fight(attackers, paths)
        for each in attackers:
            each.go()
        threads = [
            threading.Thread(target=repeat, args=each)
            for each in ((fight.read, 0.0001), (write, EVERY))
        ]
        try:
            for thread in threads:
                thread.start()
            until(lambda: all(each.swaps for each in attackers), 30, "every attacker swaps")
            yield fight
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        for each in attackers:
            each.stop()
            assert not each.hard_links, "a container's process can link foreign files"
