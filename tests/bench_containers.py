"""All tracked containers of one node: real folders and pins, time set by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from pilot.configdir import ConfigDirectory
from pilot.containers import Containers
from pilot.fragments import Fragments
from pilot.hints import Deadlines
from pilot.model import Container, Mount, State
from pilot.pins.keeper import Keeper
from pilot.pins.roots import PinRoots
from pilot.policy import Policy
from pilot.state import StateStore
from tests.fakes.clock import Clock
from tests.fakes.piloter import FakePiloter
from tests.fakes.workers import HandWorkers
from tests.pins.node import Node

if TYPE_CHECKING:
    from pathlib import Path

    from pilot.tracked import Tracked
    from pilot.workers import Workers


class Bench:
    """All tracked containers of one node; a pass is what the loop does once a second."""

    def __init__(self, base: Path, *, node: Node | None = None, **changes: Any) -> None:
        self.node, self.clock = node or Node(base), Clock()
        self.settings = replace(self.node.settings, **changes)
        self.piloter = FakePiloter(base / "config")
        self.busy = True  # whether the collector gets on with anything
        self.policy = Policy()
        self.start()

    def start(self) -> None:
        self.workers, self.store = HandWorkers(), StateStore(self.node.base / "state")
        self.deadlines: Deadlines[tuple[str, str]] = Deadlines()
        keeper = self.keeper = Keeper(
            settings=self.settings,
            store=self.store,
            roots=PinRoots(self.settings) if self.settings.pin else None,
            workers=cast("Workers", self.workers),
            readers=cast("Workers", self.workers),
            piloter=self.piloter,
            forbids=lambda _set, _really: None,
            monotonic=self.clock,
        )
        directory = ConfigDirectory(self.piloter.directory, self.piloter.suffix)
        directory.adopt()
        self.containers = Containers(
            settings=self.settings,
            policy=lambda: self.policy,
            store=self.store,
            keeper=keeper,
            fragments=Fragments(self.piloter, directory),
            refuse=self.piloter.refuse,
            deadlines=self.deadlines,
            monotonic=self.clock,
        )
        keeper.changed = self.containers.set_changed
        for saved in self.store.sets():
            keeper.restore(saved)
        left = self.store.drains()
        for known in self.store.containers():
            self.containers.restore(known, left.get(known.container.id))

    def stop(self) -> None:
        """End in order."""
        self.containers.saver.save_all()
        self.keeper.shelf.save()
        self.store.close()

    def run(self, seconds: float = 1.0) -> None:
        """Let time pass in steps of a second at most, each with a pass of the loop."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            self.clock.now = min(until, self.clock.now + 1.0)
            self.piloter.elsewhere += self.busy
            for key in self.deadlines.due(self.clock.now):
                self.containers.due(key)
            self.keeper.check()
            self.workers.run()
            self.keeper.survey(self.containers.draining_sets())
            if self.keeper.surveyor.blocked:
                self.containers.put_off(1.0)
            self.workers.run()
            self.keeper.shelf.save()
            self.containers.saver.save()

    def found(self, container: Container) -> None:
        self.containers.found(container)
        self.workers.run()

    def gone(self, container_id: str = "web") -> None:
        self.containers.missing(container_id)
        self.workers.run()

    def known(self, container_id: str = "web") -> Tracked:
        return self.containers.tracked[container_id]

    def fragments(self) -> set[str]:
        return {path.stem for path in self.piloter.directory.glob("*.conf")}

    def pins(self) -> list[Path]:
        return sorted(self.node.at(self.node.pins).glob("*/*~*"))

    def read_all(self) -> None:
        """The collector has read every pin to its end."""
        for path in self.pins():
            self.piloter.read[path.parent.name, str(path)] = path.stat().st_size


def container(name: str = "web", **changes: Any) -> Container:
    values: dict[str, Any] = {
        "id": name,
        "name": name,
        "state": State.RUNNING,
        "env": {f"aliyun_logs_{name}": f"/logs/{name}*.log"},
        "mounts": (Mount("/logs", "/volume/logs", "bind"),),
        **changes,
    }
    return Container(**values)


def write(bench: Bench, name: str, text: str) -> Path:
    path = bench.node.logs / name
    with path.open("a") as file:
        file.write(text)
    return path
