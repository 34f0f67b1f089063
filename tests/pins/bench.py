"""One keeper over one node: real folders and pins, workers run by hand, time set by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from pilot.names import RESERVE
from pilot.pins.intake import CONFIRM
from pilot.pins.keeper import Keeper
from pilot.pins.record import QUIET_WRITER
from pilot.pins.roots import PinRoots
from pilot.state import SavedSet, StateStore
from tests.fakes.clock import Clock
from tests.fakes.piloter import FakePiloter
from tests.fakes.workers import HandWorkers

if TYPE_CHECKING:
    from pathlib import Path

    from pilot.model import FileSet
    from pilot.pins.record import Pin
    from pilot.workers import Workers
    from tests.pins.node import Node


class Bench:
    """One keeper over one node, its workers run by hand, its clock set by hand."""

    def __init__(self, node: Node, **changes: Any) -> None:
        self.node, self.clock = node, Clock()
        self.settings = replace(node.settings, **changes)
        self.piloter = FakePiloter(node.base / "config")
        self.store: StateStore | None = None
        self.start()

    def start(self) -> None:
        self.workers = HandWorkers()
        self.store = StateStore(self.node.base / "state")
        self.told: list[str] = []
        self.keeper = Keeper(
            settings=self.settings,
            store=self.store,
            roots=PinRoots(self.settings) if self.settings.pin else None,
            workers=cast("Workers", self.workers),
            readers=cast("Workers", self.workers),
            piloter=self.piloter,
            forbids=lambda _set, _really: None,
            monotonic=self.clock,
        )
        self.keeper.changed = self.told.append
        for saved in self.store.sets():
            self.keeper.restore(saved)

    def kill(self) -> None:
        """End as kill -9 does: what is not on disk is gone."""
        assert self.store
        self.store.close()

    def look(self, *names: str) -> None:
        """One look at each, a second later."""
        self.clock.now += 1
        for name in names or ("set",):
            self.keeper.look(name)
        self.workers.run()

    def restart(self, *wanted: FileSet) -> None:
        self.kill()
        self.start()
        for each in wanted:
            self.tend(each)

    def tend(self, wanted: FileSet) -> None:
        self.keeper.tend(wanted)
        self.settle()

    def settle(self) -> None:
        """Looks until a folder's state is confirmed, then what the loop does at a pass's end."""
        for _ in range(3):
            self.workers.run()
            self.clock.now += CONFIRM
            self.keeper.check()
        self.workers.run()
        self.keeper.shelf.save()

    def survey(self, *names: str) -> None:
        self.keeper.survey(names)
        self.workers.run()
        self.keeper.shelf.save()

    def untended(self) -> list[str]:
        """The sets that nobody declares any more."""
        return [name for name, kept in self.keeper.sets.items() if not kept.tended]

    def quiet(self, *names: str) -> None:
        """Let the quiet time pass between two surveys."""
        self.survey(*names)
        self.clock.now += QUIET_WRITER
        self.survey(*names)

    def read(self, pin: Pin, name: str = "set") -> None:
        """The collector has read a pin to its end."""
        path = self.node.at(self.node.pins) / name / pin.name
        self.piloter.read[(name, str(path))] = (path.parent / pin.file).stat().st_size

    def pins(self, name: str = "set") -> list[Pin]:
        return list(self.keeper.sets[name].pins.values())

    def names(self, name: str = "set") -> list[str]:
        return sorted(pin.name for pin in self.pins(name))

    def on_disk(self, name: str = "set") -> list[str]:
        """The names of a set's pins, those that no collector sees yet among them."""
        folder = self.node.at(self.node.pins) / name
        found = [*folder.glob("*"), *(folder / RESERVE).glob("*")]
        return sorted(each.name for each in found if each.name != RESERVE)

    def saved(self) -> list[SavedSet]:
        assert self.store
        return list(self.store.sets())


def write(bench: Bench, name: str, text: str = "one\n") -> Path:
    path = bench.node.logs / name
    with path.open("a") as file:
        file.write(text)
    return path
