from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilot.model import Container, State
from pilot.saving import LAST_SAVING, SAVING, Saver
from pilot.state import SavedContainer, StateStore
from pilot.tracked import Tracked
from tests.fakes.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Bench:
    """A saver over a real state folder; its clock goes on by `cost` each time it is asked."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.cost = Clock(), 0.0
        self.store = StateStore(folder)
        self.tracked: dict[str, Tracked] = {}
        self.saver = Saver(self.store, self.tracked, self.now)

    def now(self) -> float:
        self.clock.now += self.cost
        return self.clock.now

    def made(self, name: str) -> Tracked:
        container = Container(id=name, name=name, state=State.RUNNING)
        known = self.tracked[name] = Tracked(container, (), ())
        return known

    def saved(self) -> dict[str, SavedContainer]:
        return {each.container.id: each for each in self.store.containers()}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.store.close()


def test_a_new_container_is_saved_at_once_and_once_more_durably(bench: Bench) -> None:
    known = bench.made("a")
    bench.saver.note("a")
    bench.saver.save_first(known)
    assert list(bench.saved()) == ["a"]
    assert bench.saver.pending
    bench.saver.save()
    assert not bench.saver.pending


def test_only_what_changed_is_saved(bench: Bench) -> None:
    known = bench.made("a")
    bench.made("b")
    bench.saver.note("a")
    bench.saver.save()
    assert list(bench.saved()) == ["a"]
    known.gone = True
    bench.saver.save()
    assert not bench.saved()["a"].gone
    bench.saver.note("a")
    bench.saver.save()
    assert bench.saved()["a"].gone


def test_a_slow_disk_holds_up_a_pass_by_one_slice(bench: Bench) -> None:
    for name in "abcde":
        bench.made(name)
        bench.saver.note(name)
    bench.cost = SAVING
    for count in range(1, 6):
        assert bench.saver.pending
        bench.saver.save()
        assert len(bench.saved()) == count
    assert not bench.saver.pending


def test_the_end_waits_for_a_slow_disk_so_long_and_no_longer(bench: Bench) -> None:
    for number in range(10):
        bench.made(str(number)).deadline = bench.clock.now + 100
        bench.saver.note(str(number))
    bench.cost = LAST_SAVING / 4
    bench.saver.save_all()
    assert len(bench.saved()) == 4
    assert len(bench.store.drains()) == 10, "one write, whatever their number"


def test_what_cannot_be_saved_waits_and_keeps_nobody_awake(bench: Bench, tmp_path: Path) -> None:
    for name in "ab":
        bench.made(name)
        bench.saver.note(name)
    (tmp_path / "containers").rename(tmp_path / "away")
    bench.saver.save()
    assert not bench.saver.pending, "the loop would spin"
    (tmp_path / "away").rename(tmp_path / "containers")
    bench.saver.save()
    assert sorted(bench.saved()) == ["a", "b"]


def test_the_seconds_left_of_what_drains_are_saved(bench: Bench) -> None:
    bench.made("runs")
    bench.made("drains").deadline = bench.clock.now + 50
    bench.made("overdue").deadline = bench.clock.now - 50
    bench.saver.save_drains()
    assert bench.store.drains() == {"drains": 50.0, "overdue": 0.0}
    bench.tracked["drains"].deadline = None  # It came back.
    bench.clock.now += 10
    bench.saver.save_drains()
    assert bench.store.drains() == {"overdue": 0.0}


def test_nothing_remains_of_a_forgotten_container(bench: Bench) -> None:
    bench.made("a")
    bench.saver.note("a")
    bench.saver.save()
    bench.saver.note("a")
    del bench.tracked["a"]
    bench.saver.forget("a")
    assert bench.saved() == {}
    assert not bench.saver.pending
    bench.saver.save()
    assert bench.saved() == {}
