"""A node in a temporary folder: one volume, one pin root, and sweeps over it."""

from __future__ import annotations

import itertools
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pilot.model import FileSet, Framing
from pilot.pins.roots import PinRoot
from pilot.pins.sweep import Order, Sweep, sweep
from pilot.settings import Floor, Settings
from tests.fakes.disks import tmpfs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilot.names import FileKey


def file_set(
    name: str = "set", pattern: str = "*.log", folder: str = "logs", *, rotated: bool = True
) -> FileSet:
    return FileSet(
        name=name,
        root="/volume",
        folder=folder,
        pattern=pattern,
        framing=Framing.LINES,
        inside="/logs",
        rotated=rotated,
    )


def allows(_: str) -> str | None:
    return None


@dataclass
class Node:
    """`base` is the node's /."""

    base: Path
    pins: str = "/pins"
    serials: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        (self.base / "volume" / "logs").mkdir(parents=True, exist_ok=True)
        self.at(self.pins).mkdir(parents=True, exist_ok=True)

    @property
    def settings(self) -> Settings:
        return Settings(
            node_root=self.base,
            collector_root=self.base,
            state_dir=self.base / "state",
            pin_roots=(self.pins,),
            environment={},
        )

    @property
    def logs(self) -> Path:
        return self.base / "volume" / "logs"

    def at(self, path: str) -> Path:
        return self.base / path.lstrip("/")

    @property
    def root(self) -> PinRoot:
        return PinRoot(self.pins, self.at(self.pins).stat().st_dev)

    def pinned(self, name: str = "set") -> dict[str, Path]:
        """Safe path → pin."""
        folder = self.at(self.pins) / name
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        return {each.name.split("~")[0]: each for each in found}

    def inodes(self, name: str = "set") -> list[int]:
        return sorted(each.stat().st_ino for each in (self.at(self.pins) / name).iterdir())

    def order(self, wanted: FileSet | None = None, **given: Any) -> Order:
        """What a first look needs; `given` are fields of Order."""
        plain: dict[str, Any] = {
            "file_set": wanted or file_set(),
            "on_node": self.at,
            "forbids": allows,
            "roots": (self.root,),
            "owner": lambda _: False,
            "serial": lambda: next(self.serials),
            "floor": Floor(0.0, 0.0),
        }
        return Order(**(plain | given))

    def sweep(self, wanted: FileSet | None = None, **given: Any) -> Sweep:
        return sweep(self.order(wanted, **given))


def key_of(path: Path) -> FileKey:
    status = path.stat(follow_symlinks=False)
    return status.st_dev, status.st_ino


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@contextmanager
def elsewhere(node: Node) -> Iterator[Node]:
    """The node with its pins on another filesystem, so that no link is possible."""
    if os.geteuid() == 0:
        with tmpfs(node.base / "other", "size=4m"):
            yield Node(node.base, pins="/other/pins")
        return
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == node.base.stat().st_dev:
        pytest.skip("neither root to mount a filesystem nor a /dev/shm that is another one")
    with tempfile.TemporaryDirectory(dir=shm) as folder:
        (node.base / "other").symlink_to(folder)
        yield Node(node.base, pins="/other/pins")
