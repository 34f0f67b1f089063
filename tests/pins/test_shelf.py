from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pilot.model import PinKind
from pilot.pins.owners import Owners
from pilot.pins.record import Pin, PinSet
from pilot.pins.shelf import SAVING, Shelf
from pilot.state import StateStore
from tests.fakes.clock import Clock
from tests.pins.node import Node, file_set

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Bench:
    """A shelf over one node; its clock goes on by `cost` each time it is asked."""

    def __init__(self, base: Path) -> None:
        self.node, self.clock, self.cost = Node(base), Clock(), 0.0
        self.store = StateStore(base / "state")
        self.sets: dict[str, PinSet] = {}
        self.shelf = Shelf(self.node.settings, self.store, self.sets, Owners(), self.now)

    def now(self) -> float:
        self.clock.now += self.cost
        return self.clock.now

    def made(self, name: str, *pins: str) -> PinSet:
        kept = self.sets[name] = PinSet(file_set(name), self.node.root)
        folder = self.node.at("/pins") / name
        folder.mkdir()
        for number, pin in enumerate(pins):
            (folder / pin).touch()
            kept.pins[1, number] = Pin(pin, (1, number), PinKind.LINKED)
        return kept

    def saved(self) -> dict[str, list[str]]:
        return {each.file_set.name: [pin.name for pin in each.pins] for each in self.store.sets()}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.store.close()


def test_only_what_changed_is_saved_and_once(bench: Bench) -> None:
    kept = bench.made("a", "x~1~1")
    bench.made("b", "y~2~2")
    bench.shelf.save()
    assert bench.saved() == {}
    bench.shelf.note("a")
    assert bench.shelf.pending
    bench.shelf.save()
    assert bench.saved() == {"a": ["x~1~1"]}
    assert not bench.shelf.pending
    kept.pins.clear()
    bench.shelf.save()
    assert bench.saved() == {"a": ["x~1~1"]}, "nobody said that it changed"


def test_a_slow_disk_holds_up_a_pass_by_one_slice(bench: Bench) -> None:
    for name in "abcde":
        bench.made(name)
        bench.shelf.note(name)
    bench.cost = SAVING
    passes = 0
    while bench.shelf.pending:
        before = len(bench.saved())
        bench.shelf.save()
        passes += 1
        assert len(bench.saved()) == before + 1, "each pass gets on"
    assert passes == 5


def test_what_cannot_be_saved_waits_and_keeps_nobody_awake(bench: Bench, tmp_path: Path) -> None:
    bench.made("a", "x~1~1")
    (tmp_path / "state" / "sets").rename(tmp_path / "away")
    bench.shelf.note("a")
    bench.shelf.save()
    assert not bench.shelf.pending, "the loop would spin"
    assert not bench.shelf.save_at_once("a")
    (tmp_path / "away").rename(tmp_path / "state" / "sets")
    bench.shelf.save()
    assert bench.saved() == {"a": ["x~1~1"]}
    assert bench.store.problem == ""


def test_saving_at_once_does_not_wait_for_its_turn(bench: Bench) -> None:
    for name in "abc":
        bench.made(name)
        bench.shelf.note(name)
    assert bench.shelf.save_at_once("c")
    assert bench.saved() == {"c": []}
    assert bench.shelf.pending
    bench.shelf.save()
    assert sorted(bench.saved()) == ["a", "b", "c"]


def test_a_set_without_a_pin_root_has_neither_record_nor_folder(bench: Bench) -> None:
    kept = bench.sets["late"] = PinSet(file_set("late"))
    assert bench.shelf.folder(kept) is None
    assert bench.shelf.save_at_once("late")
    bench.shelf.remove_pin(kept, Pin("x~1~1", (1, 1), PinKind.LINKED))
    bench.shelf.forget_if_empty(kept)
    assert bench.saved() == {}
    assert not bench.shelf.pending


def test_a_set_that_went_before_its_turn_is_not_saved(bench: Bench) -> None:
    bench.made("a")
    bench.shelf.note("a")
    del bench.sets["a"]
    bench.shelf.save()
    assert bench.saved() == {}
    assert not bench.shelf.pending


def test_removing_a_pin_leaves_the_others_and_minds_no_absence(bench: Bench) -> None:
    kept = bench.made("a", "x~1~1", "y~2~2")
    folder = bench.shelf.folder(kept)
    assert folder == bench.node.at("/pins/a")
    for _ in range(2):
        bench.shelf.remove_pin(kept, kept.pins[1, 0])
        assert os.listdir(folder) == ["y~2~2"]


def test_a_forgotten_set_leaves_nothing_and_foreign_files_alone(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    empty, foreign = bench.made("a"), bench.made("b", "a-persons-own")
    for kept in (empty, foreign):
        bench.shelf.save_at_once(kept.file_set.name)
        bench.shelf.note(kept.file_set.name)
        kept.pins.clear()
        bench.shelf.forget_if_empty(kept)
    assert bench.sets == {}
    assert not bench.shelf.pending
    assert bench.saved() == {}
    assert os.listdir(bench.node.at("/pins")) == ["b"]
    assert "cannot remove" in caplog.text
