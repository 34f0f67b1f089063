"""With pins off: the same looks only list the originals, and the collector reads those."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pilot.model import Code, FileSet, Log, PinKind
from pilot.pins.notices import DISTRUST
from pilot.pins.record import DIRECT_AWAY, Loss, Place
from tests.pins.bench import Bench, write
from tests.pins.node import Node, file_set, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOGS = "/volume/logs"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(Node(tmp_path), pin=False)
    yield made
    made.kill()


def read(bench: Bench, log: Path, size: int | None = None, name: str = "set") -> None:
    """The collector has read a file to its end, or so far."""
    status = log.stat()
    file = f"{status.st_ino}-{status.st_dev}"
    bench.piloter.read[name, file] = status.st_size if size is None else size


def second(bench: Bench, seconds: int = 1) -> None:
    """What the loop does each second."""
    for _ in range(seconds):
        bench.clock.now += 1
        bench.keeper.check()
        bench.workers.run()
        bench.survey("set")


def names(bench: Bench) -> list[str]:
    return sorted(pin.name for pin in bench.pins())


# -- what is listed --------------------------------------------------------------------------------


def test_files_are_listed_under_their_own_names_and_nothing_is_pinned(bench: Bench) -> None:
    log = write(bench, "app.log", "one\n")
    bench.tend(file_set())
    (pin,) = bench.pins()
    assert (pin.name, pin.key, pin.kind) == ("app.log", key_of(log), PinKind.DIRECT)
    assert log.stat().st_nlink == 1
    assert not list(bench.node.at("/pins").iterdir())
    assert bench.keeper.place("set") == Place(None, (LOGS,), mounted=False)


def test_a_renamed_file_keeps_its_record_under_its_new_name(bench: Bench) -> None:
    log = write(bench, "app.log", "one\n")
    bench.tend(file_set())
    key = key_of(log)
    log.rename(bench.node.logs / "app.log.1")
    write(bench, "app.log", "two\n")
    bench.settle()
    assert names(bench) == ["app.log", "app.log.1"]
    assert next(pin.key for pin in bench.pins() if pin.name == "app.log.1") == key


def test_every_folder_that_can_hold_a_match_is_named_as_it_really_is(bench: Bench) -> None:
    for each in ("a", "b", "c"):
        (bench.node.base / "volume" / "logs" / each).mkdir()
    (bench.node.logs / "link").symlink_to("a")
    bench.tend(file_set(pattern="*/app.log"))
    place = bench.keeper.place("set")
    assert place
    assert set(place.folders) == {f"{LOGS}/{each}" for each in ("a", "b", "c")}


def test_a_folder_that_comes_later_is_told(bench: Bench) -> None:
    bench.tend(file_set(folder="late"))
    assert bench.keeper.place("set") is None
    (bench.node.base / "volume" / "late").mkdir()
    second(bench)
    assert bench.keeper.place("set") == Place(None, ("/volume/late",), mounted=False)


# -- folders that turn bad -------------------------------------------------------------------------


def test_a_folder_that_was_swapped_for_a_link_out_leaves_the_collector_s_config(
    bench: Bench,
) -> None:
    wanted = replace(file_set(), inside="/srv/logs")
    write(bench, "app.log")
    bench.tend(wanted)
    assert bench.keeper.place("set")
    bench.node.logs.rename(bench.node.base / "volume" / "aside")
    bench.node.logs.symlink_to("../../outside")
    bench.told.clear()
    second(bench)
    assert bench.keeper.place("set") is None
    assert "set" in bench.told
    declared = Log(name="app", key="aliyun_logs_app", file_sets=(wanted,))
    (refused,) = bench.keeper.notices("set", declared)
    assert (refused.code, refused.notice) == (Code.FOLDER_REFUSED, False)
    bench.node.logs.unlink()
    (bench.node.base / "volume" / "aside").rename(bench.node.logs)
    second(bench, int(DISTRUST) - 2)
    assert bench.keeper.place("set") is None, "who swaps once may swap again"
    second(bench, 4)
    assert bench.keeper.place("set") == Place(None, (LOGS,), mounted=False)


def test_a_folder_that_may_not_be_read_is_never_named(tmp_path: Path) -> None:
    bench = Bench(Node(tmp_path), pin=False)

    def forbids(_: FileSet, really: str) -> str:
        return f"{really} holds the node's secrets"

    bench.keeper._looks._forbids = forbids
    write(bench, "app.log")
    bench.tend(file_set())
    assert bench.keeper.place("set") is None
    assert bench.pins() == []
    bench.kill()


def test_a_link_to_a_file_outside_is_not_listed(bench: Bench) -> None:
    (bench.node.base / "canary").write_text("canary\n")
    (bench.node.logs / "app.log").symlink_to(bench.node.base / "canary")
    bench.tend(file_set())
    assert bench.pins() == []
    assert list(bench.keeper.sets["set"].refused) == ["app.log"]


# -- drained ---------------------------------------------------------------------------------------


def test_drained_by_the_offset_of_each_file(bench: Bench) -> None:
    logs = [write(bench, f"{number}.log", "line\n" * number) for number in range(1, 4)]
    bench.tend(file_set())
    bench.keeper.tend(file_set(), ended=True)
    ended = bench.clock.now
    second(bench, 3)
    assert not bench.keeper.drained("set", ended)
    assert sorted(pin.unread or 0 for pin in bench.pins()) == [5, 10, 15]
    for log in logs[:2]:
        read(bench, log)
    read(bench, logs[2], 10)
    second(bench, 3)
    assert not bench.keeper.drained("set", ended)
    assert sorted(pin.unread or 0 for pin in bench.pins()) == [0, 0, 5]
    read(bench, logs[2])
    second(bench, 3)
    assert bench.keeper.drained("set", ended)


def test_what_is_written_late_is_seen_though_no_folder_changed(bench: Bench) -> None:
    log = write(bench, "app.log", "one\n")
    bench.tend(file_set())
    bench.keeper.tend(file_set(), ended=True)
    ended = bench.clock.now
    read(bench, log)
    second(bench, 3)
    assert bench.keeper.drained("set", ended)
    write(bench, "app.log", "late\n")
    second(bench, 2)
    assert not bench.keeper.drained("set", ended)


def test_a_deleted_file_that_was_read_is_forgotten(bench: Bench) -> None:
    log = write(bench, "app.log", "one\n")
    bench.tend(file_set())
    bench.keeper.tend(file_set(), ended=True)
    second(bench, 3)
    read(bench, log)
    log.unlink()
    second(bench, 2)
    assert bench.pins() == []
    assert bench.keeper.sets["set"].loss == Loss()


def test_a_deleted_file_is_waited_for_while_its_collector_may_hold_it(bench: Bench) -> None:
    log = write(bench, "app.log", "one\n")
    bench.tend(file_set())
    bench.keeper.tend(file_set(), ended=True)
    second(bench, 3)
    log.unlink()
    second(bench, int(DIRECT_AWAY) + 5)
    (pin,) = bench.pins()
    assert (pin.unread, pin.alone) == (4, True)
    assert bench.keeper.leftover("set") == [pin]
    assert bench.keeper.give_up("set", "over") == Loss(1, 4)
    assert bench.pins() == []


def test_of_a_running_container_a_deleted_file_is_given_up_after_a_while(bench: Bench) -> None:
    """Its collector says no more of it, and a log that is deleted often would be kept for ever."""
    log = write(bench, "app.log", "one\n")
    bench.tend(file_set())
    read(bench, log, 0)
    log.unlink()
    second(bench, int(DIRECT_AWAY) - 2)
    assert len(bench.pins()) == 1
    second(bench, 4)
    assert bench.pins() == []


def test_a_name_that_is_used_again_is_another_file(bench: Bench) -> None:
    """Deleted unread, and a new file of its name was read: what was unread stays unread."""
    log = write(bench, "app.log", "unread\n")
    bench.tend(file_set())
    bench.keeper.tend(file_set(), ended=True)
    with log.open() as held:  # as a collector does, so that no other file gets its inode
        log.unlink()
        fresh = write(bench, "app.log", "of another\n")
        assert fresh.stat().st_ino != os.fstat(held.fileno()).st_ino
        read(bench, fresh)
        second(bench, 3)
    assert {pin.key: pin.unread for pin in bench.pins()}[key_of(fresh)] == 0
    assert sorted(pin.unread or 0 for pin in bench.pins()) == [0, 7]
    assert bench.keeper.give_up("set", "over") == Loss(1, 7)


def test_a_volume_that_vanished_leaves_what_was_unread_to_count(bench: Bench) -> None:
    log = write(bench, "app.log", "one\n")
    bench.tend(file_set())
    bench.keeper.tend(file_set(), ended=True)
    second(bench, 3)
    log.unlink()
    bench.node.logs.rmdir()
    second(bench, 3)
    assert bench.keeper.place("set") == Place(None, (LOGS,), mounted=False), "it is read on"
    assert [pin.unread for pin in bench.pins()] == [4]
    assert bench.keeper.give_up("set", "over") == Loss(1, 4)


def test_a_truncated_file_is_told_under_its_own_name(bench: Bench) -> None:
    log = write(bench, "a~b.log", "one\ntwo\n")
    bench.tend(file_set())
    bench.keeper.tend(file_set(), ended=True)
    second(bench, 3)
    os.truncate(log, 4)
    second(bench, 3)
    assert list(bench.keeper.sets["set"].truncated) == ["a~b.log"]


# -- several sets, restarts ------------------------------------------------------------------------


def test_a_file_that_two_sets_name_is_one_set_s(bench: Bench) -> None:
    write(bench, "app.log")
    bench.tend(file_set("narrow", "app.log"))
    bench.tend(file_set("wide", "*.log"))
    assert bench.keeper.sets["wide"].doubles == {"app.log": "narrow"}
    assert bench.pins("wide") == []
    bench.keeper.leave("narrow")
    bench.workers.run()
    assert len(bench.pins("wide")) == 1


def test_a_set_that_is_left_is_forgotten_at_once(bench: Bench) -> None:
    write(bench, "app.log")
    bench.tend(file_set())
    bench.keeper.leave("set")
    assert bench.keeper.sets == {}
    assert bench.keeper.place("set") is None


def test_a_restart_begins_with_a_look(bench: Bench) -> None:
    write(bench, "app.log")
    bench.tend(file_set())
    bench.restart(file_set())
    assert names(bench) == ["app.log"]
    assert bench.saved() == []


def test_pins_of_before_wait_for_pins_to_be_on_again(tmp_path: Path) -> None:
    node = Node(tmp_path)
    pinning = Bench(node)
    write(pinning, "app.log")
    pinning.tend(file_set())
    before = pinning.on_disk()
    pinning.kill()
    without = Bench(node, pin=False)
    without.tend(file_set())
    without.keeper.adopt_strangers()
    without.settle()
    without.kill()
    assert without.on_disk() == before
    pinning.start()
    pinning.tend(file_set())
    assert pinning.names() == pinning.on_disk() == before
    pinning.kill()
