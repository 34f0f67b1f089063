from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pilot.pins.intake import CONFIRM
from pilot.pins.record import Loss
from pilot.settings import Allowance
from tests.pins.bench import Bench
from tests.pins.node import Node, file_set

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE = 4096  # bytes of one file, and of one block: what it holds is what it has


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(Node(tmp_path), set_allowance=Allowance(8 * SIZE, 1000))
    yield made
    made.kill()


def rotate(bench: Bench, number: int) -> None:
    """The current log is deleted, as rotation does in the end, and another one begins."""
    current = bench.node.logs / "app.log"
    current.unlink(missing_ok=True)
    current.write_bytes(b"%04d" % number + b"x" * (SIZE - 5) + b"\n")
    bench.settle()
    for _ in range(2):  # What the first says the second acts upon.
        bench.survey("set")
    bench.clock.now += CONFIRM


def texts(bench: Bench, *, visible: bool) -> list[str]:
    folder = bench.node.at(bench.node.pins) / "set" / ("" if visible else ".reserve")
    found = (path.read_text()[:4] for path in folder.iterdir() if path.is_file())
    return sorted(found) if folder.is_dir() else []


def test_a_collector_sees_half_of_what_may_be_unread(bench: Bench) -> None:
    bench.tend(file_set(rotated=False, pattern="app.log"))
    for number in range(7):
        rotate(bench, number)
    assert texts(bench, visible=True) == ["0000", "0001", "0002", "0003"]
    assert texts(bench, visible=False) == ["0004", "0005", "0006"]
    for pin in bench.pins():
        if not pin.reserved:
            bench.read(pin)
    bench.survey("set")
    bench.survey("set")
    assert texts(bench, visible=False) == []
    assert {"0004", "0005", "0006"} <= set(texts(bench, visible=True))


def test_an_allowance_of_nothing_keeps_no_living_file_from_the_collector(tmp_path: Path) -> None:
    bench = Bench(Node(tmp_path), node_allowance=Allowance(0, 0))
    bench.tend(file_set())
    for name in ("a.log", "b.log"):
        (bench.node.logs / name).write_text("x\n")
        bench.settle()
        bench.survey("set")
        bench.survey("set")
        bench.clock.now += CONFIRM
    assert len(bench.pins()) == 2
    assert not any(pin.reserved for pin in bench.pins())
    bench.kill()


def test_what_has_to_go_was_never_seen(bench: Bench) -> None:
    bench.tend(file_set(rotated=False, pattern="app.log"))
    seen: set[str] = set()
    for number in range(30):
        rotate(bench, number)
        bench.survey("set")
        seen |= set(texts(bench, visible=True))
    left = {*texts(bench, visible=True), *texts(bench, visible=False)}
    assert seen <= left, "nothing that the collector may have begun is given up"
    kept = bench.keeper.sets["set"]
    assert kept.loss == Loss(30 - len(left), (30 - len(left)) * SIZE)
    assert kept.loss.files > 15


def test_what_is_kept_back_survives_a_restart(bench: Bench) -> None:
    wanted = file_set(rotated=False, pattern="app.log")
    bench.tend(wanted)
    for number in range(7):
        rotate(bench, number)
    before = texts(bench, visible=False)
    assert before
    bench.restart(wanted)
    for _ in range(3):
        bench.survey("set")
    assert sorted(pin.name for pin in bench.pins() if pin.reserved) == sorted(
        path.name for path in (bench.node.at(bench.node.pins) / "set" / ".reserve").iterdir()
    )
    assert texts(bench, visible=False) == before


def test_nothing_is_kept_back_of_files_that_are_still_there(bench: Bench) -> None:
    for number in range(20):
        (bench.node.logs / f"{number}.log").write_bytes(b"x" * SIZE)
    bench.tend(file_set())
    bench.survey("set")
    (bench.node.logs / "new.log").write_bytes(b"x" * SIZE)
    bench.settle()
    assert not any(pin.reserved for pin in bench.pins())


def test_the_node_s_allowance_keeps_back_too(tmp_path: Path) -> None:
    bench = Bench(Node(tmp_path), node_allowance=Allowance(4 * SIZE, 1000))
    for name in ("a", "b"):
        (bench.node.logs / f"{name}.log").write_bytes(b"x" * SIZE)
        bench.tend(replace(file_set(name), pattern=f"{name}.log"))
    for name in ("a", "b"):
        (bench.node.logs / f"{name}.log").unlink()
    bench.look("a", "b")
    bench.survey("a", "b")
    bench.survey("a", "b")
    (bench.node.logs / "a.log").write_bytes(b"y" * SIZE)
    bench.look("a")
    (new,) = [pin for pin in bench.pins("a") if pin.reserved]
    assert new.unread is None
    bench.kill()
