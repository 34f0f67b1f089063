"""What a start finds of pins on disk, with a record, without one, with a wrong one."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from pilot.model import PinKind
from pilot.names import FileKey, pin_name
from pilot.pins.record import COPY_AWAY
from pilot.pins.restore import find_pins, serial_of, unknown_set
from pilot.pins.sweep import Copy, Lost
from pilot.state import SavedPin, SavedSet
from tests.pins.bench import Bench, write
from tests.pins.node import Node, file_set, key_of

if TYPE_CHECKING:
    from pathlib import Path

HERE, THERE = 7, 8  # device numbers


def linked(folder: Path, name: str, serial: int, text: str = "one\n") -> str:
    """A pin that is a link: its inode is the one in its name."""
    folder.mkdir(exist_ok=True)
    made = folder / "new"
    made.write_text(text)
    pin = pin_name(name, made.stat().st_ino, serial)
    made.rename(folder / pin)
    return pin


def copied(folder: Path, name: str, inode: int, serial: int) -> str:
    """A pin that is a copy of a file with that inode."""
    folder.mkdir(exist_ok=True)
    pin = pin_name(name, inode, serial)
    (folder / pin).write_text("one\n")
    return pin


def inode_of(pin: str) -> int:
    return int(pin.split("~")[1])


# -- one folder ------------------------------------------------------------------------------------


def test_links_are_known_by_their_inode_with_and_without_a_record(tmp_path: Path) -> None:
    known, unknown = linked(tmp_path, "a.log", 1), linked(tmp_path, "b.log", 2)
    record = {known: SavedPin(known, THERE, linked=True, born=5)}
    found = find_pins(tmp_path, HERE, record, 3.0)
    assert {key: pin.name for key, pin in found.pins.items()} == {
        (HERE, inode_of(known)): known,
        (HERE, inode_of(unknown)): unknown,
    }
    assert all(pin.linked and pin.since == 3.0 for pin in found.pins.values())
    assert [pin.born for pin in found.pins.values()] == [5, 0]
    assert found.vanished == {}
    assert found.strays == {}


def test_a_copy_s_file_lies_where_the_record_says(tmp_path: Path) -> None:
    pin = copied(tmp_path, "a.log", 10**9, 1)
    record = {pin: SavedPin(pin, THERE, linked=False, born=5)}
    found = find_pins(tmp_path, HERE, record, 0.0)
    key = (THERE, 10**9)
    assert found.pins[key].kind is PinKind.COPIED
    assert found.strays == {10**9: (key, Copy(pin, 5))}


def test_a_copy_without_a_record_has_a_key_that_no_file_has(tmp_path: Path) -> None:
    pin = copied(tmp_path, "a.log", 10**9, 4)
    found = find_pins(tmp_path, HERE, {}, 0.0)
    assert found.pins.keys() == {(-1, 4)}
    assert found.strays == {10**9: ((-1, 4), Copy(pin, 0))}


def test_of_two_copies_with_one_inode_the_newest_is_the_file_s(tmp_path: Path) -> None:
    old, new = copied(tmp_path, "a.log", 10**9, 1), copied(tmp_path, "a.log", 10**9, 2)
    record = {name: SavedPin(name, THERE, linked=False) for name in (old, new)}
    found = find_pins(tmp_path, HERE, record, 0.0)
    assert {key: pin.name for key, pin in found.pins.items()} == {
        (-1, 1): old,
        (THERE, 10**9): new,
    }
    assert found.pins[-1, 1].missing
    assert found.pins[-1, 1].key == (-1, 1)
    assert found.strays[10**9][1].name == new


def test_what_only_the_record_knows_has_vanished(tmp_path: Path) -> None:
    gone = pin_name("a.log", 12, 1)
    for folder in (tmp_path, tmp_path / "none"):
        found = find_pins(folder, HERE, {gone: SavedPin(gone, HERE, linked=True, born=5)}, 0.0)
        assert found.pins == {}
        assert found.vanished == {(HERE, 12): Lost(gone, 5)}


@pytest.mark.parametrize("name", ["README", "a~b~c", ".probe", "a.log~12", "~1~2", "a~1~2~3 "])
def test_what_is_no_pin_is_not_looked_at(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to("nowhere")
    assert find_pins(tmp_path, HERE, {}, 0.0).pins == {}
    assert serial_of(name) == 0


def test_a_set_of_which_only_pins_are_left_has_no_files_of_its_own() -> None:
    assert unknown_set("stranger").pattern == ""


# -- a whole start ---------------------------------------------------------------------------------


def adopt(bench: Bench) -> None:
    """A start at which nobody declares anything."""
    bench.restart()
    bench.keeper.adopt_strangers()
    bench.workers.run()


def test_pins_that_no_record_knows_stay_while_their_originals_do(bench: Bench) -> None:
    log = write(bench, "app.log", "unread\n")
    bench.tend(file_set())
    assert bench.store
    bench.store.forget_set("set")
    before = bench.on_disk()
    adopt(bench)
    for _ in range(3):
        bench.quiet(*bench.keeper.sets)
    assert bench.names() == bench.on_disk() == before
    log.unlink()
    bench.quiet(*bench.keeper.sets)
    assert bench.keeper.sets == {}
    assert not bench.node.at("/pins/set").exists()
    assert bench.keeper.state()["lost"] == {"files": 1, "bytes": 7}


def test_strangers_that_the_collector_has_read_are_no_loss(bench: Bench) -> None:
    log = write(bench, "app.log")
    bench.tend(file_set())
    bench.read(bench.pins()[0])
    assert bench.store
    bench.store.forget_set("set")
    log.unlink()
    adopt(bench)
    for _ in range(2):
        bench.quiet(*bench.keeper.sets)
    assert bench.keeper.sets == {}
    assert bench.keeper.state()["lost"] == {"files": 0, "bytes": 0}


def test_strange_copies_go_after_a_while_and_count(copying: Bench) -> None:
    """Nobody knows where their originals are."""
    write(copying, "app.log", "unread\n")
    copying.tend(file_set())
    assert copying.store
    copying.store.forget_set("set")
    adopt(copying)
    for _ in range(3):
        copying.clock.now += COPY_AWAY / 4
        copying.survey(*copying.keeper.sets)
    assert len(copying.on_disk()) == 1
    for _ in range(2):
        copying.quiet(*copying.keeper.sets)
    assert copying.keeper.sets == {}
    assert copying.on_disk() == []
    assert copying.keeper.state()["lost"] == {"files": 1, "bytes": 7}


def test_strangers_that_somebody_declares_later_are_theirs(bench: Bench) -> None:
    write(bench, "app.log")
    bench.tend(file_set())
    assert bench.store
    bench.store.forget_set("set")
    before = bench.on_disk()
    adopt(bench)
    bench.tend(file_set())
    assert bench.names() == bench.on_disk() == before
    write(bench, "b.log")
    bench.settle()
    assert len(bench.on_disk()) == 2
    assert [len(saved.pins) for saved in bench.saved()] == [2]


def test_strangers_are_saved_so_that_the_next_start_knows_them(bench: Bench) -> None:
    log = write(bench, "app.log", "unread\n")
    bench.tend(file_set())
    assert bench.store
    bench.store.forget_set("set")
    adopt(bench)
    bench.survey(*bench.keeper.sets)
    adopt(bench)
    assert len(bench.on_disk()) == 1
    log.unlink()
    for _ in range(2):
        bench.quiet(*bench.keeper.sets)
    assert bench.on_disk() == []


def test_an_empty_folder_of_a_set_that_nobody_knows_is_removed(bench: Bench) -> None:
    bench.node.at("/pins/stranger").mkdir()
    foreign = bench.node.at("/pins/a person's")
    foreign.mkdir()
    adopt(bench)
    assert not bench.node.at("/pins/stranger").exists()
    assert foreign.exists()


def test_a_folder_that_holds_something_else_too_is_left(bench: Bench) -> None:
    folder = bench.node.at("/pins/stranger")
    folder.mkdir()
    (folder / "README").write_text("a person's")
    adopt(bench)
    assert (folder / "README").exists()


def test_a_loss_and_a_namespace_survive_any_number_of_restarts(bench: Bench) -> None:
    write(bench, "app.log")
    bench.keeper.tend(file_set(), namespace="ours")
    bench.settle()
    (saved,) = bench.saved()
    assert bench.store
    bench.store.save_set(
        SavedSet(
            saved.file_set,
            saved.pin_root,
            saved.pins,
            namespace="ours",
            lost_files=3,
            lost_bytes=99,
        )
    )
    for _ in range(3):
        bench.restart()
        kept = bench.keeper.sets["set"]
        assert (kept.loss.files, kept.loss.bytes, kept.namespace) == (3, 99, "ours")


# -- copies whose original was swapped while the pilot was down ------------------------------------


def content(bench: Bench) -> list[str]:
    folder = bench.node.at(bench.node.pins) / "set"
    return sorted((folder / name).read_text() for name in bench.on_disk())


def test_a_copy_whose_original_was_deleted_meanwhile_is_kept_until_read(copying: Bench) -> None:
    log = write(copying, "app.log", "unread\n")
    copying.tend(file_set())
    copying.kill()
    log.unlink()
    write(copying, "app.log", "of another file, longer\n")
    copying.start()
    copying.tend(file_set())
    copying.settle()
    assert content(copying) == ["of another file, longer\n", "unread\n"]
    copying.clock.now += COPY_AWAY
    for _ in range(2):
        copying.quiet("set")
    assert content(copying) == ["of another file, longer\n", "unread\n"]
    for pin in copying.pins():
        copying.read(pin)
    copying.quiet("set")
    assert content(copying) == ["of another file, longer\n"]


@pytest.mark.parametrize("record", [True, False], ids=["with a record", "without one"])
def test_two_generations_of_copies_and_a_kill_lose_neither(copying: Bench, record: bool) -> None:
    log = write(copying, "app.log", "first\n")
    copying.tend(file_set())
    log.write_text("second, longer\n")
    copying.settle()
    before = copying.names()
    assert len(before) == 2
    if not record:
        assert copying.store
        copying.store.forget_set("set")
    for _ in range(3):
        copying.restart(file_set())
        copying.settle()
        assert copying.names() == copying.on_disk() == before
        assert content(copying) == ["first\n", "second, longer\n"]


def test_a_pin_root_that_was_wiped_is_filled_again(copying: Bench) -> None:
    log = write(copying, "app.log", "one\n")
    copying.tend(file_set())
    before = copying.names()
    copying.kill()
    shutil.rmtree(copying.node.at(copying.node.pins) / "set")
    copying.start()
    copying.tend(file_set())
    copying.settle()
    assert copying.names() == copying.on_disk() == before
    assert content(copying) == ["one\n"]
    assert [pin.key for pin in copying.pins()] == [key_of(log)]


def test_links_of_a_moved_disk_are_known_by_their_inodes(tmp_path: Path) -> None:
    """The record's device numbers are of another boot."""
    bench = Bench(Node(tmp_path))
    logs = [write(bench, f"{number}.log") for number in range(3)]
    bench.tend(file_set())
    before = bench.names()
    (saved,) = bench.saved()
    assert bench.store
    pins = tuple(SavedPin(pin.name, pin.device + 5, linked=True) for pin in saved.pins)
    bench.store.save_set(SavedSet(saved.file_set, saved.pin_root, pins))
    bench.restart(file_set())
    keys: set[FileKey] = {pin.key for pin in bench.pins()}
    assert keys == {key_of(log) for log in logs}
    assert bench.names() == bench.on_disk() == before
    assert all(os.path.samestat(log.stat(), found.stat()) for log, found in pairs(bench, logs))
    bench.kill()


def pairs(bench: Bench, logs: list[Path]) -> list[tuple[Path, Path]]:
    found = bench.node.pinned()
    return [(log, found[log.name]) for log in logs]
