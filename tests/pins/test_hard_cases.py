"""Where a line would be lost, doubled or miscounted if two rare things met."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pilot.names import RESERVE
from pilot.pins.record import COPY_AWAY, Loss
from pilot.settings import Allowance, Floor
from tests.fakes.disks import tmpfs
from tests.pins.bench import Bench, write
from tests.pins.node import Node, elsewhere, file_set, key_of

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = 4096


def block(bench: Bench, path: str, blocks: int = 1) -> Path:
    made = bench.node.base / "volume" / path
    made.parent.mkdir(exist_ok=True)
    made.write_bytes((b"x" * (BLOCK - 1) + b"\n") * blocks)
    return made


def steps(bench: Bench, number: int = 3, *names: str) -> None:
    for _ in range(number):
        bench.clock.now += 1
        bench.survey(*(names or bench.keeper.sets))


def test_a_truncated_file_is_unread_from_its_start(bench: Bench) -> None:
    path = write(bench, "app.log", "one\n" * 100)
    bench.tend(file_set())
    bench.read(bench.pins()[0])
    steps(bench)
    path.write_text("after\n")
    steps(bench)
    assert bench.pins()[0].unread == 6
    path.unlink()
    bench.look()
    bench.quiet("set")
    bench.quiet("set")
    assert len(bench.on_disk()) == 1, "nobody has read it"


def test_copies_that_were_read_hold_up_no_other(tmp_path: Path) -> None:
    allowed = Allowance(160 * BLOCK, 100)
    with elsewhere(Node(tmp_path)) as node:
        bench = Bench(node, floor=Floor(0.0, 0.0), set_allowance=allowed)
        for number in range(4):
            block(bench, f"logs/{number}.log", 40)
        bench.tend(file_set())
        steps(bench)
        for pin in bench.pins():
            bench.read(pin)
        steps(bench)
        block(bench, "logs/new.log", 3)
        for _ in range(5):
            bench.look()
            steps(bench)
        assert len(bench.on_disk()) == 5, bench.keeper.clearing.held
        bench.kill()


def test_a_look_that_meets_a_release_makes_no_second_copy(copying: Bench) -> None:
    write(copying, "a.log", "one\n")
    copying.tend(file_set())
    steps(copying)
    copying.keeper.sets["set"].reserve = True
    write(copying, "b.log", "two\n")
    copying.look()
    (pin,) = [pin for pin in copying.pins() if pin.reserved]
    copying.clock.now += 1
    copying.keeper.look("set")  # Under way, with the old place, ...
    copying.keeper.clearing.enforce()  # ... while the collector is let see it.
    assert not pin.reserved
    copying.workers.run()
    folder = copying.node.at(copying.node.pins) / "set"
    assert os.listdir(folder / RESERVE) == []
    write(copying, "b.log", "three\n")
    copying.look()
    assert (folder / pin.name).read_text() == "two\nthree\n"


def test_after_a_restart_new_pins_wait_behind_those_that_wait(tmp_path: Path) -> None:
    bench = Bench(Node(tmp_path), set_allowance=Allowance(8 * BLOCK, 1000))
    wanted = file_set(rotated=False, pattern="app.log")
    bench.tend(wanted)
    for _ in range(6):
        (bench.node.logs / "app.log").unlink(missing_ok=True)
        block(bench, "logs/app.log")
        bench.settle()
        steps(bench)
    before = {pin.name for pin in bench.pins()}
    assert any(pin.reserved for pin in bench.pins())
    bench.kill()
    (bench.node.logs / "app.log").unlink()
    block(bench, "logs/app.log")
    bench.start()
    bench.tend(wanted)
    (new,) = [pin for pin in bench.pins() if pin.name not in before]
    assert new.reserved
    bench.kill()


def test_what_a_left_set_keeps_takes_no_room_from_others(tmp_path: Path) -> None:
    with elsewhere(Node(tmp_path)) as node:
        bench = Bench(node, floor=Floor(0.0, 0.0), node_allowance=Allowance(16 * BLOCK, 1000))
        block(bench, "logs/a.log", 8)
        bench.tend(file_set())
        steps(bench)
        bench.keeper.leave("set")
        steps(bench)
        block(bench, "other/b.log")
        bench.tend(file_set("other", folder="other"))
        steps(bench, 5)
        block(bench, "other/c.log")
        bench.look("other")
        steps(bench, 5)
        assert [pin.reserved for pin in bench.pins("other")] == [False, False]
        bench.kill()


def test_what_a_left_set_keeps_blocks_nothing(copying: Bench) -> None:
    write(copying, "a.log")
    copying.tend(file_set())
    steps(copying)
    copying.keeper.leave("set")
    steps(copying, 30)
    assert not copying.keeper.surveyor.blocked


def test_a_left_copy_whose_inode_is_another_file_s_now_is_counted(tmp_path: Path) -> None:
    with elsewhere(Node(tmp_path)) as node:
        bench = Bench(node)
        old = write(bench, "a.log", "lost\n")
        bench.tend(file_set())
        steps(bench)
        key = key_of(old)
        bench.keeper.leave("set")
        (bench.node.base / "volume" / "other").mkdir()
        new = bench.node.base / "volume" / "other" / "new.log"
        old.rename(new)  # Stands for a file that got the inode of the deleted one, ...
        new.write_text("x\n")
        bench.keeper.sets["set"].pins[key].born -= 1  # ... and was born later.
        assert key_of(new) == key
        bench.tend(file_set("other", folder="other"))
        steps(bench)
        assert len(bench.on_disk("set")) == 1, "it goes only counted"
        bench.clock.now += COPY_AWAY
        for _ in range(3):
            steps(bench)
            bench.clock.now += 2 * COPY_AWAY
        assert bench.on_disk("set") == []
        assert bench.keeper.state()["lost"] == {"files": 1, "bytes": 5}
        bench.kill()


def test_a_file_that_moved_is_copied_for_the_set_that_looked_first(copying: Bench) -> None:
    (copying.node.base / "volume" / "other").mkdir()
    path = write(copying, "app.log")
    copying.tend(file_set("a"))
    copying.tend(file_set("b", folder="other"))
    path.rename(copying.node.base / "volume" / "other" / "b.log")
    copying.look("b")
    copying.look("b")
    copying.look("a")
    copying.settle()
    for _ in range(5):
        copying.clock.now += 1
        copying.keeper.check()
        copying.workers.run()
    assert [name.split("~")[0] for name in copying.on_disk("b")] == ["b.log"]


def test_a_survey_that_is_asked_while_one_is_under_way_follows(bench: Bench) -> None:
    path = write(bench, "a.log")
    bench.tend(file_set())
    path.unlink()
    bench.look()
    bench.tend(file_set("left", "*.txt"))
    write(bench, "a.txt")
    bench.look("left")
    bench.keeper.leave("left")
    bench.node.logs.joinpath("a.txt").unlink()
    bench.keeper.survey(())  # Each second's, slow: it asks for `set` only ...
    bench.keeper.survey(bench.keeper.sets)  # ... while each minute's asks for all.
    bench.workers.run()
    bench.clock.now += 1
    bench.keeper.survey(())
    bench.workers.run()
    assert bench.pins("left")[0].alone


def test_a_wiped_pin_that_held_the_last_of_a_file_is_counted(bench: Bench) -> None:
    path = write(bench, "a.log", "lost\n")
    bench.tend(file_set())
    path.unlink()
    bench.look()
    steps(bench)
    (pin,) = bench.on_disk()
    (bench.node.at("/pins/set") / pin).unlink()
    steps(bench)
    assert bench.keeper.sets["set"].loss == Loss(1, 5)


def test_what_was_counted_is_not_counted_again_after_a_restart(bench: Bench) -> None:
    path = write(bench, "a.log", "lost\n")
    bench.tend(file_set())
    steps(bench)
    assert bench.keeper.give_up("set", "over") == Loss(1, 5)
    bench.keeper.leave("set")
    bench.keeper.shelf.save()
    bench.restart()
    assert bench.keeper.sets["set"].loss == Loss(1, 5)
    path.unlink()
    steps(bench)
    kept = bench.keeper.sets["set"]
    bench.quiet("set")
    assert bench.on_disk() == []
    assert kept.loss == Loss(1, 5)


def test_a_floor_takes_no_more_than_it_needs_though_a_collector_holds_it(
    tmp_path: Path,
) -> None:
    with tmpfs(tmp_path, "size=1m"):
        bench = Bench(Node(tmp_path), floor=Floor(0.3, 0.0))
        wanted = file_set(rotated=False, pattern="app.log")
        bench.tend(wanted)
        for _ in range(6):
            (bench.node.logs / "app.log").unlink(missing_ok=True)
            block(bench, "logs/app.log", 16)
            bench.settle()
        (bench.node.logs / "app.log").unlink()
        steps(bench)
        opened = [p.open("rb") for p in (bench.node.at("/pins/set")).iterdir() if p.is_file()]
        free = os.statvfs(tmp_path)
        (tmp_path / "ballast").write_bytes(b"x" * (free.f_bavail * free.f_frsize - 256 * 1024))
        steps(bench, 6)
        left = len(bench.on_disk())
        for each in opened:
            each.close()
        assert left >= 4
        bench.kill()
