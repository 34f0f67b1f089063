"""A pilot and a console collector in this process, moved on step by step; each can be killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pilot import piloters, wiring
from pilot.configdir import ConfigDirectory
from pilot.containers import Containers
from pilot.fragments import Fragments
from pilot.hints import Deadlines
from pilot.piloters.console.collector import Collector
from pilot.piloters.console.folder import InputFolder
from pilot.piloters.console.records import Records
from pilot.pins.keeper import Keeper
from pilot.pins.roots import PinRoots
from pilot.state import StateStore
from tests.fakes.workers import HandWorkers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pilot.model import Container
    from pilot.piloters.console.output import Output
    from pilot.settings import Settings
    from pilot.workers import Workers
    from tests.fakes.clock import Clock

SAVE = 60.0  # seconds between two surveys of everything


class KilledError(Exception):
    """The collector ends here, as kill -9 ends it."""


class Agent:
    """Everything of a pilot but its threads and its source."""

    def __init__(
        self, settings: Settings, clock: Clock, containers: Mapping[str, Container]
    ) -> None:
        """Start it: what is on disk is taken over, then the source is listed and looked at."""
        self._clock = clock
        self.workers, self._readers = HandWorkers(), HandWorkers()
        piloter = piloters.create(settings.type, settings)
        self._store = StateStore(settings.state_dir)
        policy = wiring.policy_for(settings, piloter)
        self._deadlines = Deadlines[tuple[str, str]]()
        self.keeper = Keeper(
            settings=settings,
            store=self._store,
            roots=PinRoots(settings),
            workers=cast("Workers", self.workers),
            readers=cast("Workers", self._readers),
            piloter=piloter,
            forbids=lambda file_set, really: wiring.forbids(policy, settings, file_set, really),
            monotonic=clock,
        )
        directory = ConfigDirectory(piloter.directory, piloter.suffix)
        directory.adopt()
        self._fragments = Fragments(piloter, directory)
        self.containers = Containers(
            settings=settings,
            policy=lambda: policy,
            store=self._store,
            keeper=self.keeper,
            fragments=self._fragments,
            refuse=piloter.refuse,
            deadlines=self._deadlines,
            monotonic=clock,
        )
        self.keeper.changed = self.containers.set_changed
        self._next_save, self._clean = clock() + SAVE, False
        wiring._restore(self._store, self.keeper, self.containers)
        for each in containers.values():
            self.containers.found(each)
        for known in list(self.containers.tracked):
            if known not in containers:
                self.containers.missing(known)
        for path, content in piloter.prepare().items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def kill(self, calls: int) -> None:
        """End at once; so many calls of its workers were still made, their results never came."""
        for _ in range(min(calls, len(self.workers.jobs))):
            self.workers.call_first()
        self._store.close()

    def wait(self, seconds: float) -> None:
        """Let time pass with one pass at its beginning and some at its end."""
        self._pass()
        self._clock.now += seconds
        self._pass()
        while rest := self._rest():
            self._clock.now += rest
            self._pass()

    def hint(self) -> None:
        """Look at every folder now, as if each had said that it changed."""
        for name in list(self.keeper.sets):
            self.keeper.look(name)
        self._work()
        self._save()

    def _rest(self) -> float:
        """Seconds until every folder may be looked at again: this machine may be slow."""
        waits = [kept.rest - self._clock() for kept in self.keeper.sets.values()]
        return max([0.0, *(wait + 0.001 for wait in waits if wait > 0)])

    def _pass(self) -> None:
        for key in self._deadlines.due(self._clock()):
            self.containers.due(key)
        if self._clock() >= self._next_save:
            self._next_save = self._clock() + SAVE
            self.containers.saver.save_drains()
            self._fragments.repair()
            self.keeper.repair()
            self.keeper.survey(self.keeper.sets)
        self._fragments.retry()
        self.keeper.check()
        self._work()
        self.keeper.survey(self.containers.draining_sets())
        self._work()
        if self.keeper.surveyor.blocked:
            self.containers.put_off(1.0)
        if not self._clean and not self.containers.waiting:
            self._clean = True
            self._fragments.remove_strangers(but=())
            self.keeper.adopt_strangers()
        self._save()

    def _work(self) -> None:
        while self.workers.jobs or self._readers.jobs:
            self.workers.run()
            self._readers.run()

    def _save(self) -> None:
        self._fragments.sync()
        self.containers.saver.save()
        self.keeper.shelf.save()


class Printed:
    """The collector's stdout; may be killed after some batches."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.left: int | None = None

    def write(self, batch: bytes) -> None:
        if self.left is not None:
            if not self.left:
                raise KilledError
            self.left -= 1
        self.events += [json.loads(line) for line in batch.splitlines()]

    def wait(self, seconds: float) -> None:
        """Nobody waits here."""


class CollectorRun:
    """One life of the console collector."""

    def __init__(self, config: Path, data: Path, clock: Clock) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self._registry = data / "registry.json"
        self._printed = Printed()
        self._collector = Collector(
            InputFolder(config / "inputs.d"),
            Records(self._registry),
            cast("Output", self._printed),
            monotonic=clock,
            now=lambda: 0.0,
        )

    def collect(self) -> Iterator[tuple[list[dict[str, Any]], bool]]:
        """Steps until there is no more: what each printed, and whether it saved its records."""
        more = True
        while more:
            before = self._stamp()
            more = self._collector.step()
            events, self._printed.events = self._printed.events, []
            yield events, self._stamp() != before

    def kill(self, batches: int) -> tuple[list[dict[str, Any]], bool, bool]:
        """End in a step after so many batches: what it printed, if it got through, if it saved."""
        before, self._printed.left, through = self._stamp(), batches, True
        try:
            self._collector.step()
        except KilledError:
            through = False
        return self._printed.events, through, self._stamp() != before

    def positions(self) -> dict[str, tuple[int, int]]:
        """By pin: how far it read, and behind which of the whole lines that is."""
        return {
            Path(file).name: (tail._framer.position, tail.record.offset)
            for tails in self._collector._tails.values()
            for file, tail in tails._tails.items()
        }

    def _stamp(self) -> tuple[int, int]:
        try:
            found = self._registry.stat()
        except FileNotFoundError:
            return (0, 0)
        return found.st_ino, found.st_mtime_ns
