"""Runs the steps of one life on a real tree of files, and checks the promise all along."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pilot.model import Container, Mount, State
from pilot.pins.record import COPY_AWAY, QUIET
from pilot.settings import Settings
from tests.fakes.clock import Clock
from tests.promise import steps as do
from tests.promise.applications import Applications
from tests.promise.ledger import Generation, Ledger
from tests.promise.node import Agent, CollectorRun
from tests.promise.pinned import CANARY, Pinned, plant
from tests.promise.steps import FOLDERS, MOUNTED, World
from tests.promise.volume import Volume

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Life:
    """A node with one volume, two containers that may run there, a pilot and a collector."""

    def __init__(self, base: Path, fast: Path, world: World) -> None:
        """`base` is the node's /; `fast` is on another filesystem, where no fsync(2) waits.

        There lie our own folders, and pins that cannot be links.
        """
        self.base, self.fast, self.world = base, fast, world
        self.root, self.outside = base / "volume", base / "outside"
        self.root.mkdir(parents=True)
        canaries = plant(self.outside, FOLDERS, (*world.names, "extra.log"))
        if world.copied:
            (fast / "pins").mkdir(mode=0o700)
            (base / "pins").symlink_to(fast / "pins")
        else:
            (base / "pins").mkdir(mode=0o700)
        self.volume = Volume(self.root, MOUNTED)
        self.clock, self.ledger = Clock(), self._new_ledger()
        self.applications = Applications(
            self.volume, self.outside, self.ledger, self.clock, self._wanted
        )
        self.settings = Settings(
            type="console",
            node_root=base,
            collector_root=base,
            state_dir=fast / "state",
            config_dir=fast / "config",
            data_dir=fast / "records",
            pin_roots=("/pins",),
            supervised=False,
            environment={},
        )
        self.containers: dict[str, Container] = {}  # as the runtime knows them, by id
        self.current: list[str] = ["", ""]  # the id of each of the two
        self.told: set[str] = set()  # ids that some life of the pilot was told of
        self.sets: dict[str, str] = {}  # a set's name → what its containers declare
        device = self.root.stat().st_dev
        self.pinned = Pinned(base / "pins", self.ledger, canaries, device)
        self.started = 0
        self.agent: Agent | None = Agent(self.settings, self.clock, {})
        self.collector: CollectorRun | None = self._new_collector()

    def close(self) -> None:
        self.applications.release()
        if self.agent:
            self.agent.kill(0)

    def _new_ledger(self) -> Ledger:
        payload = b"x" * self.world.longer + self.world.payload
        return Ledger(payload, copied=self.world.copied)

    def take(self, step: do.Step) -> None:
        """Do one step; one that is impossible does nothing, as for any program."""
        self.clock.now += 0.001  # No two things happen at one time.
        if not self.applications.take(step):
            getattr(self, f"_{type(step).__name__.lower()}")(step)

    # -- containers --------------------------------------------------------------------------------

    def _declared(self) -> frozenset[str]:
        """The file sets that some container declares now."""
        return frozenset(
            self.world.declared[which] for which, now in enumerate(self.current) if now
        )

    def _wanted(self, file: Generation) -> frozenset[str]:
        """The declarations that want what is written to a file now: none once nobody can read it.

        That is so where a program still writes to a file that has no name and no pin any more.
        """
        pinned = file in self.pinned.files
        return self._declared() if pinned or self.applications.named(file) else frozenset()

    def _put(self, container: Container) -> None:
        self.containers[container.id] = container
        if self.agent:
            self.told.add(container.id)
            self.agent.containers.found(container)

    def _start(self, step: do.Start) -> None:
        if before := self.containers.get(self.current[step.which]):
            self._put(replace(before, state=State.RUNNING))
            return
        number = self.started = self.started + 1
        self.current[step.which] = f"id-{step.which}-{number}"
        self._put(
            Container(
                id=self.current[step.which],
                name=f"c{step.which}",
                state=State.RUNNING,
                created=f"2026-01-01T00:00:00.{number:09}Z",
                env={"aliyun_logs_x": f"/{MOUNTED}/{self.world.declared[step.which]}"},
                mounts=(Mount(f"/{MOUNTED}", "/volume", "bind"),),
            )
        )

    def _end(self, step: do.End) -> None:
        if before := self.containers.get(self.current[step.which]):
            self._put(replace(before, state=State.ENDED))

    def _gone(self, step: do.Gone) -> None:
        if not (gone := self.current[step.which]):
            return
        declared = self.world.declared[step.which]
        self.current[step.which] = ""
        del self.containers[gone]
        if declared not in self._declared() and gone in self.told:
            for file in self._visible(declared):
                file.owed.add(declared)
        if self.agent:
            self.agent.containers.missing(gone)

    # -- the pilot ---------------------------------------------------------------------------------

    def _visible(self, declared: str) -> list[Generation]:
        """The files that a look for this declaration finds now."""
        found: dict[int, Generation] = {}
        for name, place in self.volume.matches("", declared):
            file = self.ledger.alive[place.key]
            file.names.add(f"/{MOUNTED}/{name}")
            if not place.doubtful:
                found[file.number] = file
        return list(found.values())

    def _wait(self, step: do.Wait) -> None:
        if not self.agent:
            self.clock.now += step.seconds
            return
        for _ in range(2):
            self._look(self.agent, lambda agent: agent.wait(step.seconds / 2))

    def _hint(self, _: do.Hint) -> None:
        if self.agent:
            self._look(self.agent, lambda agent: agent.hint(), sure=False)

    def _look(self, agent: Agent, how: Callable[[Agent], None], *, sure: bool = True) -> None:
        """Let the pilot look, and compare what it pinned with what there is.

        A look that is `sure` takes place for every file set; else it may find no time.
        """
        declared, began = self._declared(), self.clock()
        for each in declared:
            for file in self._visible(each):
                file.owed.add(each)
        owed = {
            file.number: file
            for each in set(self.world.declared)
            for file in self._visible(each)
            if each in file.owed
        }
        how(agent)
        self._learn_sets(agent)
        before, pins = self.pinned.scan(), self.pinned.pins.values()
        by_file = {file.number: self.sets.get(folder, "") for folder, file in pins}
        for number, file in owed.items():
            owner = by_file.get(number)
            assert owner is not None or not sure, f"file {number} has no pin"
            # A copy that was not looked at did not grow, and that it lies there says nothing.
            if owner and (sure or not self.world.copied):
                live = owner in declared
                self.ledger.looked(file, owner, live=live, now=began, away=COPY_AWAY)
                file.owed.clear()
        if sure:
            for file in self.ledger.generations:
                file.owed.clear()
        self._check_hands(before)
        self._check_removed(before)

    def _learn_sets(self, agent: Agent) -> None:
        """Which file set stands for which declaration."""
        for known in agent.containers.tracked.values():
            declared = self.world.declared[int(known.container.name[1:])]
            self.sets |= dict.fromkeys((each.name for each in known.sets), declared)

    def _check_hands(self, before: dict[str, tuple[str, Generation]]) -> None:
        """Who has a file keeps it while it wants it; but a copy's file may come to be another's.

        Two looks may meet at a new file; a kill right then leaves both pins for a while.
        """
        settled = [file for _, file in before.values()]
        for name in self.pinned.pins.keys() - before.keys():
            folder, file = self.pinned.pins[name]
            if file.folder not in ("", folder):
                wanted = file in settled and self.sets.get(file.folder) in self._declared()
                assert self.world.copied or not wanted, f"file {file.number} changed hands"
                self.ledger.changed_hands(file)
            file.folder = folder

    def _check_removed(self, before: dict[str, tuple[str, Generation]]) -> None:
        for name in before.keys() - self.pinned.pins.keys():
            _, file = before[name]
            if file in self.pinned.files:
                continue
            gone = self.world.copied or not self.applications.named(file)
            assert gone, f"pin {name!r} went before its file"
            if file.unnoticed and file.size == file.position:
                self.ledger.polled(file, file.position, file.lines_read)  # It looks as if read.
            unread = self.ledger.missing(file)
            assert not unread, f"pin {name!r} went with {unread[:3]} unread"
            if not self.world.copied:  # A copy knows nothing of writes to a deleted original.
                quiet = self.clock() - file.written >= QUIET
                assert quiet, f"pin {name!r} went before it was quiet"

    def _killagent(self, step: do.KillAgent) -> None:
        agent, self.agent = self.agent, None
        if agent:
            self._look(agent, lambda killed: killed.kill(step.calls), sure=False)

    def _startagent(self, _: do.StartAgent) -> None:
        if not self.agent:
            self.agent = Agent(self.settings, self.clock, self.containers)
            self.told |= self.containers.keys()

    # -- the collector -----------------------------------------------------------------------------

    def _new_collector(self) -> CollectorRun:
        return CollectorRun(self.fast / "config", self.fast / "records", self.clock)

    def _collect(self, _: do.Collect) -> None:
        if not self.collector:
            return
        for events, saved in self.collector.collect():
            self._polled(self.collector)
            self._printed(events)
            if saved:
                self.ledger.recorded()

    def _polled(self, collector: CollectorRun) -> None:
        for name, (position, lines) in collector.positions().items():
            if not self.world.copied and name in self.pinned.pins:
                self.ledger.polled(self.pinned.pins[name][1], position, lines)

    def _printed(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            assert not event["message"].startswith(CANARY.decode()), f"a canary came: {event}"
            self.ledger.printed(event["message"], event["log"]["file"]["path"])

    def _killcollector(self, step: do.KillCollector) -> None:
        if self.collector:
            events, through, saved = self.collector.kill(step.batches)
            if through:
                self._polled(self.collector)
            else:
                self.ledger.may_tear()
            self._printed(events)
            if saved:
                self.ledger.recorded()
            self.ledger.collector_killed()
        self.collector = None

    def _startcollector(self, _: do.StartCollector) -> None:
        self.collector = self.collector or self._new_collector()

    # -- the end -----------------------------------------------------------------------------------

    def settle(self) -> None:
        """Let everything run undisturbed; then the promise has to hold."""
        self.applications.release()
        self._startagent(do.StartAgent())
        self._startcollector(do.StartCollector())
        for seconds in (1.0, 1.0, 6.0, 65.0, 6.0, 65.0):
            self._wait(do.Wait(seconds))
            self._collect(do.Collect())
        for file in self.ledger.generations:
            missing = self.ledger.missing(file)
            assert not missing, f"file {file.number}: {missing[:3]} never came"
        for name, (_, file) in self.pinned.pins.items():
            assert self.applications.named(file), f"pin {name!r} stays, gone and read as it is"
        wanted = [
            file.number
            for folder, file in self.pinned.pins.values()
            if self.sets.get(folder) in self._declared()
        ]
        assert self.world.copied or len(wanted) == len(set(wanted)), "a file has two pins"
        assert self.agent
        gone = [each for each in self.agent.containers.tracked.values() if each.gone]
        assert not gone, f"containers that are gone and read are {[each.phase for each in gone]}"
