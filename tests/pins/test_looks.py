from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

import pytest

from pilot.pins.confine import FolderMissingError
from pilot.pins.looks import AT_ONCE, Looks
from pilot.pins.record import PinSet
from pilot.pins.roots import PinRoots
from pilot.pins.sweep import Sweep
from pilot.settings import Floor
from tests.fakes.clock import Clock
from tests.fakes.workers import HandWorkers
from tests.pins.node import Node, file_set

if TYPE_CHECKING:
    from pathlib import Path

    from pilot.workers import Workers


class Bench:
    """Looks over one node, with results kept and taken in as little as looks themselves need."""

    def __init__(self, base: Path) -> None:
        self.node, self.workers, self.clock = Node(base), HandWorkers(), Clock()
        self.results: list[tuple[str, float, Any]] = []
        self.looks = Looks(
            settings=self.node.settings,
            roots=PinRoots(self.node.settings),
            workers=cast("Workers", self.workers),
            serial=lambda: next(self.node.serials),
            pinned=set(),
            floor=Floor(0.0, 0.0),
            readable_end=lambda path, *_: path.stat().st_size,
            forbids=lambda _set, _really: None,
            done=self.done,
            monotonic=self.clock,
        )

    def done(self, kept: PinSet, began: float, result: Sweep | Exception) -> None:
        kept.sweeping = False
        kept.looked = began
        kept.stamps = result.stamps if isinstance(result, Sweep) else {}
        kept.confirmed = isinstance(result, Sweep)
        self.results.append((kept.file_set.name, began, result))

    def tended(self, name: str = "set", folder: str = "logs") -> PinSet:
        made = PinSet(file_set(name, folder=folder), tended=True)
        made.path = str(self.node.settings.on_node(made.file_set.directory))
        return made


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_one_look_at_a_time_and_a_hint_meanwhile_is_kept(bench: Bench) -> None:
    kept = bench.tended()
    for _ in range(5):
        bench.looks.look(kept)
    assert len(bench.workers.jobs) == 1
    assert kept.again


def test_a_look_counts_from_its_beginning(bench: Bench) -> None:
    bench.looks.look(bench.tended())
    hand_over = bench.workers.call_first()
    bench.clock.now += 7
    hand_over()
    assert bench.results[0][1] == bench.clock.now - 7


def test_the_check_looks_where_a_folder_changed_and_nowhere_else(bench: Bench) -> None:
    (bench.node.logs / "other").mkdir()
    one, other = bench.tended(), bench.tended("other", "logs/other")
    for kept in (one, other):
        bench.looks.look(kept)
    bench.workers.run()
    bench.results.clear()
    bench.looks.check([one, other])
    bench.workers.run()
    assert bench.results == []
    (bench.node.logs / "other" / "new.log").touch()
    bench.looks.check([one, other])
    bench.workers.run()
    assert [name for name, *_ in bench.results] == ["other"]


def test_the_check_sees_a_folder_appear_and_vanish(bench: Bench) -> None:
    kept = bench.tended(folder="late")
    bench.looks.look(kept)
    bench.workers.run()
    assert isinstance(bench.results.pop()[2], FolderMissingError)
    bench.looks.check([kept])
    bench.workers.run()
    assert bench.results == []
    (bench.node.base / "volume" / "late").mkdir()
    bench.looks.check([kept])
    bench.workers.run()
    assert isinstance(bench.results.pop()[2], Sweep)
    (bench.node.base / "volume" / "late").rmdir()
    bench.looks.check([kept])
    bench.workers.run()
    assert isinstance(bench.results.pop()[2], FolderMissingError)


def test_a_set_that_was_left_during_the_check_is_not_looked_at(bench: Bench) -> None:
    kept = bench.tended()
    (bench.node.logs / "app.log").touch()
    bench.looks.check([kept])
    hand_over = bench.workers.call_first()
    kept.tended = False
    hand_over()
    assert bench.workers.jobs == []
    assert not kept.sweeping


def test_a_check_that_hangs_holds_up_its_own_filesystem_only(bench: Bench) -> None:
    hanging, other = bench.tended("hanging"), bench.tended("other")
    hanging.stamps, hanging.confirmed = {"/gone": (999, 1, 1)}, True
    other.stamps, other.confirmed = {"/gone": (1000, 1, 1)}, True
    bench.looks.check([hanging])
    (stuck,) = bench.workers.jobs  # never answers
    bench.workers.jobs.clear()
    bench.looks.check([hanging, other])
    bench.workers.run()
    assert [name for name, *_ in bench.results] == ["other"]
    bench.workers.jobs.append(stuck)
    bench.workers.run()
    assert [name for name, *_ in bench.results] == ["other", "hanging"]


def test_an_unconfirmed_look_is_repeated(bench: Bench) -> None:
    kept = bench.tended()
    bench.looks.look(kept)
    bench.workers.run()
    kept.confirmed = False
    bench.looks.check([kept])
    assert len(bench.workers.jobs) == 1


def test_nobody_is_looked_at_that_nobody_tends(bench: Bench) -> None:
    kept = bench.tended()
    kept.tended = False
    bench.looks.check([kept])
    assert bench.workers.jobs == []


def test_a_look_at_an_untended_set_pins_and_watches_nothing(bench: Bench) -> None:
    (bench.node.logs / "app.log").touch()
    kept = bench.tended()
    kept.tended, kept.root = False, bench.node.root
    bench.looks.look(kept)
    bench.workers.run()
    found = bench.results[0][2]
    assert [seen.name for seen in found.files.values()] == ["app.log"]
    assert found.pinned == []
    assert os.listdir(bench.node.at("/pins")) == []


def test_looks_at_one_filesystem_wait_for_each_other(bench: Bench) -> None:
    sets = [bench.tended(str(number)) for number in range(AT_ONCE + 2)]
    for kept in sets:
        bench.looks.look(kept)
    assert len(bench.workers.jobs) == AT_ONCE
    bench.workers.call_first()()
    assert len(bench.workers.jobs) == AT_ONCE
    bench.workers.run()
    assert [name for name, *_ in bench.results] == [kept.file_set.name for kept in sets]


def test_a_look_that_waited_began_when_it_started(bench: Bench) -> None:
    """What happened while it waited is in it."""
    sets = [bench.tended(str(number)) for number in range(AT_ONCE + 1)]
    for kept in sets:
        bench.looks.look(kept)
    bench.clock.now += 7
    bench.workers.run()
    assert bench.results[-1][:2] == (str(AT_ONCE), bench.clock.now)


def test_looks_that_hang_hold_up_their_own_filesystem_only(bench: Bench) -> None:
    dead = [bench.tended(f"dead{number}") for number in range(2 * AT_ONCE)]
    for kept in dead:
        kept.stamps = {"/gone": (999, 1, 1)}
        bench.looks.look(kept)
    assert len(bench.workers.jobs) == AT_ONCE
    bench.workers.jobs.clear()  # never answer
    good = [bench.tended(f"good{number}") for number in range(2 * AT_ONCE)]
    for kept in good:
        kept.stamps = {"/gone": (1000, 1, 1)}
        bench.looks.look(kept)
    bench.workers.run()
    assert [name for name, *_ in bench.results] == [kept.file_set.name for kept in good]


def test_a_failing_look_makes_room_for_the_next(bench: Bench) -> None:
    sets = [bench.tended(str(number), "none") for number in range(2 * AT_ONCE)]
    for kept in sets:
        bench.looks.look(kept)
    bench.workers.run()
    assert len(bench.results) == 2 * AT_ONCE
    assert all(isinstance(result, FolderMissingError) for *_, result in bench.results)
