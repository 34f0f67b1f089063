"""Looks at a volume whose names are swapped all the time for links that lead out of it."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from pilot.pins.confine import FolderMissingError, RefusedError
from tests.pins.node import Node, elsewhere, file_set
from tests.real.flips import TENANT, Attacker, Flip, Lure
from tests.real.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SWAPS = 20_000  # of each name, at least
LOOKS = 100  # at least
VOLUME = "srv/volume"
CANARY, GENUINE = b"CANARY\n", b"genuine\n"
# Names of file sets → folder and pattern.
SETS = {
    "plain": ("logs/app", "*.log"),
    "named": ("logs", "app/*.log"),
    "glob": ("logs", "*/*.log"),
    "deep": ("", "**/*.log"),
    "climb": ("climb", "*.log"),
}
# The name that is swapped → the folder of it, in the node, and what its lures lead to.
NAMES = {
    "app.log": ("srv/volume/logs/app", "app.log"),
    "app": ("srv/volume/logs", ""),
    "logs": ("srv/volume", "with-app"),
    "volume": ("srv", "with-logs"),
}
CANARIES = ("app.log", "with-app/app/app.log", "with-logs/logs/app/app.log", "climb/app.log")


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """Its volume's log is logs/app/app.log; `climb` goes down, and up again."""
    made = Node(tmp_path)
    for folder in ("srv/volume/logs/app", "srv/volume/deep/er", "srv/volume/trap", "srv/away/er"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / VOLUME / "logs" / "app/app.log").write_bytes(GENUINE)
    (tmp_path / "srv/volume/trap/app.log").write_bytes(GENUINE)
    (tmp_path / "srv/volume/climb").symlink_to("deep/er/../../trap")
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", f"{TENANT}:{TENANT}", str(tmp_path)], check=True)
    (tmp_path / "srv/trap").mkdir()  # Where `climb` leads to if deep/er is moved out meanwhile.
    (tmp_path / "srv/trap/app.log").write_bytes(CANARY)
    for place in ("outside", "pins/private"):
        for name in CANARIES:
            (tmp_path / place / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place / name).write_bytes(CANARY)
    return made


@dataclass
class Reader:
    """Opens a name as who trusts it does."""

    path: Path
    fooled: int = 0

    def read(self) -> None:
        with suppress(OSError):
            file = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
            try:
                self.fooled += os.read(file, 100) == CANARY
            finally:
                os.close(file)


def flips(node: Node) -> Iterator[Flip]:
    for name, (folder, below) in NAMES.items():
        lures = [Lure(kind) for kind in ("loop", "fifo", "socket", "folder", "file")]
        for place in ("outside", "pins/private"):
            target = f"{node.base}/{place}/{below}"
            lures += [
                Lure("link", target),
                Lure("chain", target),
                Lure("link", f"/proc/self/root{target}"),
                Lure("link", f"{'../' * 20}{target.lstrip('/')}"),
                Lure("link", f"{'../' * len(folder.split('/'))}{place}/{below}"),
            ]
        # What the attacker has is the volume; whoever has the folder above may swap the volume.
        root = "srv" if name == "volume" else VOLUME
        inside = folder.removeprefix(root).lstrip("/")
        yield Flip(
            volume=str(node.base / root), folder=inside, name=name, lures=tuple(lures), rest=0.001
        )
    yield Flip(volume=str(node.base / "srv"), folder="volume/deep", name="er", elsewhere="away")


@pytest.mark.parametrize("kind", ["linked", "copied"])
def test_nothing_outside_is_pinned(node: Node, kind: str) -> None:
    with ExitStack() as stack:
        pinning = stack.enter_context(elsewhere(node)) if kind == "copied" else node
        look_while_flipped(node, pinning, stack)
        genuine = [file.stat().st_ino for file in (node.base / VOLUME).glob("**/app.log")]
        for name in SETS:
            pinned = list((pinning.at(pinning.pins) / name).iterdir())
            assert pinned, name
            for pin in pinned:
                # What is empty is the ordinary file that is one of the lures.
                assert pin.read_bytes() in (GENUINE, b""), name
                assert kind == "copied" or pin.stat().st_ino in genuine or not pin.stat().st_size


def look_while_flipped(node: Node, pinning: Node, stack: ExitStack) -> None:
    """Look until there were enough swaps and looks; and once more, when it is quiet."""
    attackers = [stack.enter_context(Attacker(flip, node.base)) for flip in flips(node)]
    reader = Reader(node.base / VOLUME / "logs/app/app.log")
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1
        for name, (folder, pattern) in SETS.items():
            wanted = replace(
                file_set(name, pattern, folder),
                root=f"/{VOLUME}",
                inside=f"/logs/{folder}".rstrip("/"),
            )
            with suppress(FolderMissingError, RefusedError, OSError):
                pinning.sweep(wanted)

    def enough() -> bool:
        look()
        reader.read()
        swapped = all(each.swaps >= SWAPS for each in attackers)
        return looks >= LOOKS and reader.fooled > 0 and swapped

    for each in attackers:
        each.go()
    until(enough, 120, "enough swaps and looks", every=0)
    for each in attackers:
        each.stop()
    look()
