from __future__ import annotations

import errno
import logging
import os
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from pilot.model import FileSet, Framing
from pilot.names import parse_pin_name
from pilot.pins.record import COPY_AWAY, QUIET, QUIET_WRITER, SETTLED, Loss, Place
from pilot.pins.watch import FolderWatch
from pilot.state import SavedSet
from tests.fakes.disks import needs_root, tmpfs
from tests.pins.bench import Bench, write
from tests.pins.node import Node, file_set, key_of

if TYPE_CHECKING:
    from pathlib import Path

    from pilot.state import StateStore

# -- pinning ---------------------------------------------------------------------------------------


def test_a_file_is_pinned_at_first_sight(bench: Bench) -> None:
    log = write(bench, "app.log")
    assert bench.keeper.place("set") is None
    bench.tend(file_set())
    (pin,) = bench.pins()
    assert pin.linked
    assert pin.key == key_of(log)
    assert bench.on_disk() == [pin.name]
    assert bench.keeper.place("set") == Place("/pins/set")
    assert "set" in bench.told
    (saved,) = bench.saved()
    assert [each.name for each in saved.pins] == [pin.name]


def test_later_and_rotated_files_are_pinned_by_the_next_check(bench: Bench) -> None:
    bench.tend(file_set())
    assert bench.pins() == []
    log = write(bench, "app.log")
    bench.settle()
    log.rename(bench.node.logs / "app.log.1")
    write(bench, "app.log", "two\n")
    bench.settle()
    assert len(bench.on_disk()) == 2
    assert len({pin.key for pin in bench.pins()}) == 2
    assert {name.split("~")[0] for name in bench.names()} == {"app.log"}


def test_two_changes_within_one_tick_of_the_clock_are_both_seen(bench: Bench) -> None:
    write(bench, "a.log")
    bench.keeper.tend(file_set())
    bench.workers.run()
    stamp = bench.node.logs.stat()
    write(bench, "b.log")
    os.utime(bench.node.logs, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    bench.clock.now += 1
    bench.keeper.check()
    bench.workers.run()
    assert len(bench.pins()) == 2


def test_a_set_is_looked_at_since_a_time_only_by_a_look_that_began_later(bench: Bench) -> None:
    bench.keeper.tend(file_set())
    hand_over = bench.workers.call_first()
    bench.clock.now += 1
    ended = bench.clock.now
    hand_over()
    assert bench.keeper.looked_since("set", ended - 1)
    assert not bench.keeper.looked_since("set", ended)
    bench.keeper.look("set")
    bench.workers.run()
    assert bench.keeper.looked_since("set", ended)


def test_a_look_that_is_wanted_while_a_slow_folder_rests_comes_later(bench: Bench) -> None:
    """Else nobody would find out, at the end of a container, that no file is new."""
    bench.tend(file_set())
    bench.clock.now += 1
    bench.keeper.look("set")
    call, then = bench.workers.jobs.pop(0)
    slow = call()
    slow.took = 1.0
    then(slow)
    ended = bench.clock.now = bench.clock.now + 1
    bench.keeper.tend(file_set(), ended=True)
    assert bench.workers.jobs == []
    for _ in range(20):
        bench.clock.now += 1
        bench.keeper.check()
        bench.workers.run()
    assert bench.keeper.looked_since("set", ended)


def test_a_folder_that_is_not_there_yet_is_waited_for(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.tend(file_set(folder="late"))
    for _ in range(5):
        bench.settle()
    assert "no folder /volume/late" in bench.keeper.sets["set"].problem
    assert len([line for line in caplog.messages if "no folder" in line]) == 1
    (bench.node.base / "volume" / "late").mkdir()
    (bench.node.base / "volume" / "late" / "app.log").touch()
    bench.settle()
    assert len(bench.pins()) == 1
    assert bench.keeper.sets["set"].problem == ""


# -- unpinning -------------------------------------------------------------------------------------


def test_a_pin_goes_only_when_gone_and_read_and_quiet(bench: Bench) -> None:
    log = write(bench, "app.log")
    bench.tend(file_set())
    (pin,) = bench.pins()
    bench.read(pin)
    bench.quiet("set")
    assert bench.on_disk(), "the original is there"
    log.unlink()
    bench.settle()
    bench.piloter.read.clear()
    bench.quiet("set")
    assert bench.on_disk(), "it is not read"
    assert bench.keeper.leftover("set") == [pin]
    bench.read(pin)
    with (bench.node.at("/pins/set") / pin.name).open("a") as writer:
        writer.write("somebody still holds it\n")
    bench.survey("set")
    assert pin.unread == len("somebody still holds it\n")
    bench.read(pin)
    bench.clock.now += QUIET_WRITER / 2
    bench.survey("set")
    assert bench.on_disk(), "it is not quiet"
    bench.clock.now += QUIET_WRITER
    bench.survey("set")
    assert bench.on_disk() == []
    assert bench.pins() == []
    (saved,) = bench.saved()
    assert saved.pins == ()


def test_a_rotated_away_file_that_matches_no_more_keeps_its_pin_while_it_lives(
    bench: Bench,
) -> None:
    log = write(bench, "app.log")
    bench.tend(file_set())
    log.rename(bench.node.logs / "elsewhere")
    bench.settle()
    (pin,) = bench.pins()
    assert pin.missing
    bench.read(pin)
    bench.quiet("set")
    assert bench.on_disk()
    (bench.node.logs / "elsewhere").unlink()
    bench.quiet("set")
    assert bench.on_disk() == []


def test_drained_means_read_and_still(bench: Bench) -> None:
    write(bench, "app.log")
    bench.tend(file_set())
    bench.clock.now += SETTLED
    assert not bench.keeper.drained("set", 0.0), "nobody has asked"
    bench.survey("set")
    assert not bench.keeper.drained("set", 0.0)
    bench.read(bench.pins()[0])
    bench.quiet("set")
    assert bench.keeper.drained("set", 0.0)
    write(bench, "app.log", "more\n")
    bench.survey("set")
    assert not bench.keeper.drained("set", 0.0)
    bench.read(bench.pins()[0])
    bench.survey("set")
    assert not bench.keeper.drained("set", 0.0), "it changed just now"
    bench.clock.now += SETTLED
    assert not bench.keeper.drained("set", 0.0), "time alone proves nothing"
    bench.survey("set")
    assert bench.keeper.drained("set", 0.0)
    assert bench.keeper.drained("never heard of", 0.0)


def test_drained_is_proved_by_a_look_after_the_end_and_a_survey_after_that_look(
    bench: Bench,
) -> None:
    write(bench, "app.log")
    bench.tend(file_set())
    bench.read(bench.pins()[0])
    bench.quiet("set")
    ended = bench.clock.now = bench.clock.now + 1
    assert bench.keeper.drained("set", 0.0)
    assert not bench.keeper.drained("set", ended), "what was known before proves nothing"
    bench.survey("set")
    assert not bench.keeper.drained("set", ended), "no look has found all files"
    bench.clock.now += 1
    bench.keeper.look("set")
    bench.workers.run()
    assert not bench.keeper.drained("set", ended), "no survey asked about what the look found"
    bench.survey("set")
    assert bench.keeper.drained("set", ended)


def test_a_survey_asked_before_the_look_ended_proves_nothing(bench: Bench) -> None:
    write(bench, "app.log")
    bench.tend(file_set())
    bench.read(bench.pins()[0])
    bench.quiet("set")
    bench.keeper.survey(["set"])
    answer = bench.workers.call_first()
    ended = bench.clock.now = bench.clock.now + 1
    bench.keeper.look("set")
    bench.workers.run()
    answer()
    assert not bench.keeper.drained("set", ended)
    bench.survey("set")
    assert bench.keeper.drained("set", ended)


def test_a_set_without_files_is_drained_by_a_look_alone(bench: Bench) -> None:
    bench.tend(file_set())
    ended = bench.clock.now = bench.clock.now + 1
    assert not bench.keeper.drained("set", ended)
    bench.keeper.look("set")
    bench.workers.run()
    assert bench.keeper.drained("set", ended)


def test_records_that_cannot_be_read_unpin_nothing(bench: Bench) -> None:
    log = write(bench, "app.log")
    bench.tend(file_set())
    bench.read(bench.pins()[0])
    log.unlink()
    bench.settle()
    bench.piloter.unreadable = OSError(errno.EIO, "Input/output error")
    bench.quiet("set")
    assert bench.on_disk()
    assert not bench.keeper.drained("set", 0.0)
    bench.piloter.unreadable = None
    bench.quiet("set")
    assert bench.on_disk() == []


def test_an_inode_that_comes_back_after_unpinning_gets_a_new_name(bench: Bench) -> None:
    seen: set[str] = set()
    for number in range(20):  # ext4 gives the freed inode to the next file
        log = write(bench, "app.log", f"{number}\n")
        bench.settle() if number else bench.tend(file_set())
        (pin,) = bench.pins()
        assert pin.name not in seen
        seen.add(pin.name)
        bench.read(pin)
        log.unlink()
        bench.settle()
        bench.quiet("set")
        assert bench.pins() == []


def test_what_is_written_after_the_survey_was_asked_is_not_unpinned_unread(bench: Bench) -> None:
    """The loop may come late to an answer: what it says was true when it was asked."""
    log = write(bench, "app.log")
    with log.open("a") as writer:
        bench.tend(file_set())
        (pin,) = bench.pins()
        bench.read(pin)
        log.unlink()
        bench.settle()
        bench.survey("set")
        bench.clock.now += QUIET_WRITER
        bench.keeper.survey(["set"])
        answer = bench.workers.call_first()
        writer.write("late\n")
        writer.flush()
        answer()
        assert bench.on_disk() == [pin.name]
        bench.quiet("set")
        assert bench.on_disk() == [pin.name]
        assert pin.unread == len("late\n")


def test_a_late_answer_counts_as_quiet_only_until_it_was_asked(bench: Bench) -> None:
    log = write(bench, "app.log")
    bench.tend(file_set())
    bench.read(bench.pins()[0])
    log.unlink()
    bench.settle()
    bench.survey("set")
    bench.clock.now += 1
    bench.keeper.survey(["set"])
    answer = bench.workers.call_first()
    bench.clock.now += QUIET_WRITER  # the loop was busy
    answer()
    assert bench.on_disk()
    bench.survey("set")
    assert bench.on_disk() == []


@pytest.mark.parametrize(
    ("framing", "ended", "seconds"),
    [
        (Framing.LINES, False, QUIET_WRITER),
        (Framing.LINES, True, QUIET),
        (Framing.DOCKER, False, QUIET),  # who writes it is the runtime, which closes it
    ],
)
def test_how_long_a_deleted_file_is_kept_depends_on_who_may_hold_it(
    bench: Bench, framing: Framing, ended: bool, seconds: float
) -> None:
    log = write(bench, "app.log")
    bench.keeper.tend(replace(file_set(), framing=framing), ended=ended)
    bench.settle()
    bench.read(bench.pins()[0])
    log.unlink()
    bench.settle()
    bench.survey("set")
    bench.clock.now += seconds - 0.5
    bench.survey("set")
    assert bench.on_disk()
    bench.clock.now += 0.5
    bench.survey("set")
    assert bench.on_disk() == []


class Recording:
    """A store that notes which pins lie on disk each time a record is saved."""

    def __init__(self, store: StateStore, folder: Path) -> None:
        self._store, self._folder = store, folder
        self.seen: list[tuple[set[str], set[str]]] = []

    def save_set(self, saved: SavedSet, *, durable: bool = True) -> bool:
        done = self._store.save_set(saved, durable=durable)
        self.seen.append(({pin.name for pin in saved.pins}, set(os.listdir(self._folder))))
        return done


def test_the_record_forgets_a_pin_before_the_pin_goes(bench: Bench) -> None:
    """A kill between the two must not leave a name that a reused inode would inherit."""
    logs = [write(bench, f"{number}.log") for number in range(3)]
    bench.tend(file_set())
    assert bench.store
    recording = Recording(bench.store, bench.node.at("/pins/set"))
    bench.keeper.shelf._store = cast("StateStore", recording)
    for pin in bench.pins():
        bench.read(pin)
    for log in logs:
        log.unlink()
    bench.settle()
    bench.quiet("set")
    assert bench.on_disk() == []
    assert recording.seen
    for record, disk in recording.seen:
        assert record <= disk


@needs_root
def test_a_pin_that_cannot_be_removed_ends_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """A container with CAP_LINUX_IMMUTABLE can make its file append-only once it is pinned."""
    log = write(bench, "app.log")
    write(bench, "good.log")
    bench.tend(file_set())
    pin = next(pin for pin in bench.pins() if pin.name.startswith("app"))
    for each in bench.pins():
        bench.read(each)
    stuck = bench.node.at("/pins/set") / pin.name
    log.unlink()
    (bench.node.logs / "good.log").unlink()
    bench.settle()
    if subprocess.run(["chattr", "+a", str(stuck)], capture_output=True).returncode:
        pytest.skip("this filesystem has no append-only files")
    try:
        bench.quiet("set")
        assert bench.on_disk() == [pin.name]
        assert "cannot remove pin" in caplog.text
    finally:
        subprocess.run(["chattr", "-a", str(stuck)], check=True)


# -- restarts --------------------------------------------------------------------------------------


def test_a_restart_takes_over_names_and_makes_no_second_pin(bench: Bench) -> None:
    log = write(bench, "app.log")
    write(bench, "b.log")
    bench.tend(file_set())
    before = bench.names()
    for _ in range(3):
        bench.restart(file_set())
        assert bench.names() == bench.on_disk() == before
    log.rename(bench.node.logs / "app.log.1")
    write(bench, "app.log", "new\n")
    bench.restart(file_set())
    assert len(bench.on_disk()) == 3
    assert set(before) < set(bench.names())


def test_what_went_while_the_pilot_was_down_is_still_read_and_then_unpinned(bench: Bench) -> None:
    log = write(bench, "app.log")
    bench.tend(file_set())
    (before,) = bench.names()
    bench.kill()
    log.unlink()
    bench.start()
    bench.tend(file_set())
    bench.quiet("set")
    assert bench.on_disk() == [before]
    bench.read(bench.pins()[0])
    bench.quiet("set")
    assert bench.on_disk() == []


def test_a_pin_without_a_record_is_adopted(bench: Bench) -> None:
    write(bench, "a.log")
    bench.keeper.tend(file_set())
    bench.workers.run()  # killed before the record was saved
    (before,) = bench.on_disk()
    bench.restart(file_set())
    assert bench.names() == bench.on_disk() == [before]
    log = write(bench, "b.log")
    bench.keeper.look("set")
    bench.workers.run()  # and once more, beside one that is in the record
    both = bench.on_disk()
    assert len(both) == 2
    bench.restart(file_set())
    assert bench.names() == bench.on_disk() == both
    assert key_of(log) in [pin.key for pin in bench.pins()]


def test_a_kill_between_a_link_and_its_result_makes_no_second_pin(bench: Bench) -> None:
    write(bench, "a.log")
    bench.keeper.tend(file_set())
    bench.workers.call_first()  # the result never reaches the loop
    (before,) = bench.on_disk()
    bench.restart(file_set())
    assert bench.names() == bench.on_disk() == [before]


def test_wiped_pins_come_back_under_their_names_if_the_originals_live(bench: Bench) -> None:
    gone = write(bench, "gone.log")
    write(bench, "a.log")
    write(bench, "b.log")
    bench.tend(file_set())
    kept = [name for name in bench.names() if not name.startswith("gone")]
    bench.kill()
    for name in bench.on_disk():
        (bench.node.at("/pins/set") / name).unlink()
    bench.node.at("/pins/set").rmdir()
    gone.unlink()
    bench.start()
    bench.tend(file_set())
    assert bench.names() == bench.on_disk() == kept
    bench.restart(file_set())
    assert bench.names() == kept


def test_a_lost_name_is_given_to_no_later_file(bench: Bench) -> None:
    """The inode of a file that is gone may be another file's any time."""
    log = write(bench, "app.log")
    bench.tend(file_set())
    (old,) = bench.names()
    inode = log.stat().st_ino
    bench.kill()
    (bench.node.at("/pins/set") / old).unlink()
    log.unlink()
    bench.start()
    bench.tend(file_set())
    assert bench.pins() == []
    # Until the inode is reused: at once on ext4, never on tmpfs, where the test says less.
    for number in range(50):
        again = write(bench, f"{number}.log")
        if again.stat().st_ino == inode:
            break
    bench.settle()
    assert old not in bench.on_disk()
    assert len(bench.on_disk()) == len(list(bench.node.logs.iterdir()))


def test_pins_that_somebody_removes_come_back_under_their_names(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    write(bench, "a.log")
    write(bench, "b.log")
    gone = write(bench, "gone.log")
    bench.tend(file_set())
    before = bench.names()
    gone.unlink()
    bench.settle()
    for name in bench.on_disk():
        (bench.node.at("/pins/set") / name).unlink()
    bench.survey("set")
    assert bench.names() == bench.on_disk() == [n for n in before if not n.startswith("gone")]
    assert "3 pins of file set set were removed by somebody" in caplog.text
    bench.restart(file_set())
    assert bench.names() == bench.on_disk() == [n for n in before if not n.startswith("gone")]


@needs_root
def test_a_docker_root_on_a_disk_of_its_own_keeps_its_pins_over_a_restart(tmp_path: Path) -> None:
    """Its pin root is found beside the logs, and only when the first of them is."""
    (tmp_path / "var" / "log").mkdir(parents=True)
    with tmpfs(tmp_path / "data", "size=1m"):
        node = Node(tmp_path)
        folder = tmp_path / "data/docker/containers/x"
        folder.mkdir(parents=True)
        (folder / "x-json.log").write_text("{}\n")
        output = FileSet(
            name="stdout-x",
            root="/data/docker/containers/x",
            folder="",
            pattern="x-json.log",
            framing=Framing.DOCKER,
        )
        pins = tmp_path / "data/docker/log-pilot/stdout-x"
        bench = Bench(node, pin_roots=())
        bench.tend(output)
        before = os.listdir(pins)
        assert len(before) == 1
        bench.restart(output)
        assert os.listdir(pins) == before
        assert bench.pins("stdout-x")[0].linked
        (folder / "x-json.log").unlink()  # and what drains there is not forgotten
        bench.restart(output)
        bench.quiet("stdout-x")
        assert os.listdir(pins) == before
        assert [pin.name for pin in bench.keeper.leftover("stdout-x")] == before
        bench.kill()


def test_another_device_number_after_a_reboot_changes_no_name(bench: Bench) -> None:
    write(bench, "a.log")
    bench.tend(file_set())
    before = bench.names()
    assert bench.store
    (saved,) = bench.saved()
    old = tuple(type(pin)(pin.name, pin.device + 1, pin.linked) for pin in saved.pins)
    bench.store.save_set(SavedSet(saved.file_set, saved.pin_root, old))
    bench.restart(file_set())
    assert bench.names() == bench.on_disk() == before


def test_files_that_are_no_pins_are_left_alone(bench: Bench) -> None:
    write(bench, "a.log")
    bench.tend(file_set())
    before = bench.names()
    foreign = bench.node.at("/pins/set") / "README"
    foreign.write_text("a person's")
    bench.restart(file_set())
    assert bench.names() == before
    assert foreign.read_text() == "a person's"


# -- overlapping sets ------------------------------------------------------------------------------


def test_of_two_sets_that_match_one_file_one_pins_it_and_the_other_is_told(bench: Bench) -> None:
    write(bench, "app.log")
    write(bench, "only-wide.log")
    bench.tend(file_set("narrow", "app.log"))
    bench.tend(file_set("wide", "*.log"))
    assert len(bench.on_disk("narrow")) == 1
    assert [name.split("~")[0] for name in bench.on_disk("wide")] == ["only-wide.log"]
    assert bench.keeper.sets["wide"].doubles == {"app.log": "narrow"}
    assert bench.keeper.sets["narrow"].doubles == {}


def test_two_looks_that_meet_at_one_file_leave_one_pin(bench: Bench) -> None:
    write(bench, "app.log")
    bench.keeper.tend(file_set("one", "app.log"))
    bench.keeper.tend(file_set("two", "*.log"))
    hand_overs = [bench.workers.call_first(), bench.workers.call_first()]
    for hand_over in hand_overs:
        hand_over()
    bench.settle()
    assert len(bench.on_disk("one")) == 1
    assert bench.on_disk("two") == []
    assert bench.keeper.sets["two"].doubles == {"app.log": "one"}


def test_two_looks_that_meet_and_a_kill_leave_one_pin(bench: Bench) -> None:
    write(bench, "app.log")
    write(bench, "b.log")
    bench.tend(file_set("two", "b.log"))  # its record exists
    bench.keeper.tend(file_set("one", "app.log"))
    bench.keeper.tend(file_set("two", "*.log"))
    for _ in range(2):
        bench.workers.call_first()  # both link; no result reaches the loop
    bench.restart(file_set("one", "app.log"), file_set("two", "*.log"))
    pins = [
        parsed.inode
        for name in ("one", "two")
        for each in bench.on_disk(name)
        if (parsed := parse_pin_name(each))
    ]
    assert len(pins) == len(set(pins)) == 2


def test_a_file_whose_set_is_left_is_pinned_for_the_other_that_names_it(bench: Bench) -> None:
    log = write(bench, "app.log")
    bench.tend(file_set("wide", "*.log"))
    bench.tend(file_set("narrow", "app.log"))
    assert bench.on_disk("narrow") == []
    bench.keeper.leave("wide")
    bench.workers.run()
    assert bench.on_disk("wide") == []
    (pin,) = bench.pins("narrow")
    assert pin.key == key_of(log)
    assert bench.keeper.sets.keys() == {"narrow"}
    assert bench.keeper.sets["narrow"].doubles == {}


def test_a_set_that_comes_after_the_other_was_left_pins_their_file(bench: Bench) -> None:
    log = write(bench, "app.log")
    write(bench, "other.log")
    bench.tend(file_set("old", "*.log"))
    bench.keeper.leave("old")
    bench.tend(file_set("new", "app.log"))
    assert [pin.key for pin in bench.pins("new")] == [key_of(log)]
    assert [name.split("~")[0] for name in bench.on_disk("old")] == ["other.log"]
    bench.tend(file_set("old", "*.log"))  # who comes back does not take it away again
    assert len(bench.on_disk("new")) == len(bench.on_disk("old")) == 1
    assert bench.keeper.sets["old"].doubles == {"app.log": "new"}


def test_a_file_that_moves_to_another_set_s_folder_is_copied_for_that(copying: Bench) -> None:
    """So it is with the inode of a deleted file, which another file may get at once."""
    (copying.node.base / "volume" / "other").mkdir()
    log = write(copying, "app.log")
    copying.tend(file_set("a"))
    copying.tend(file_set("b", folder="other"))
    log.rename(copying.node.base / "volume" / "other" / "b.log")
    copying.look("a", "b")
    copying.look("a", "b")
    assert [name.split("~")[0] for name in copying.on_disk("b")] == ["b.log"]


def test_pins_that_a_kill_left_double_do_not_hinder_a_later_repair(bench: Bench) -> None:
    write(bench, "app.log")
    bench.keeper.tend(file_set("one", "app.log"))
    bench.keeper.tend(file_set("two", "*.log"))
    hand_overs = [bench.workers.call_first(), bench.workers.call_first()]
    hand_overs[0]()
    bench.keeper.shelf.save()
    bench.restart(file_set("one", "app.log"), file_set("two", "*.log"))
    (pin,) = bench.on_disk("one")
    (bench.node.at("/pins/one") / pin).unlink()
    bench.survey("one")
    assert bench.on_disk("one") == [pin]
    assert bench.on_disk("two") == []


# -- the end of a set ------------------------------------------------------------------------------


def test_a_set_that_is_left_keeps_its_pins_while_originals_live(bench: Bench) -> None:
    log = write(bench, "app.log")
    bench.tend(file_set())
    before = bench.names()
    bench.keeper.leave("set")
    bench.settle()
    bench.quiet(*bench.untended())
    assert bench.on_disk() == before
    write(bench, "later.log")
    bench.settle()
    assert bench.on_disk() == before, "nothing more is pinned"
    bench.tend(file_set())
    assert set(before) < set(bench.names()), "who comes back finds the old names"
    bench.keeper.leave("set")
    log.unlink()
    (bench.node.logs / "later.log").unlink()
    bench.quiet(*bench.untended())
    assert bench.keeper.sets == {}
    assert not bench.node.at("/pins/set").exists()
    assert bench.saved() == []


def test_a_set_without_pins_is_forgotten_at_once(bench: Bench) -> None:
    bench.tend(file_set())
    bench.keeper.leave("set")
    assert bench.keeper.sets == {}
    bench.keeper.leave("set")
    bench.keeper.leave("never there")


def test_a_set_that_is_left_during_its_look_is_forgotten_too(bench: Bench) -> None:
    watch = FolderWatch(lambda _: None)
    bench.keeper.watch_with(watch)
    bench.keeper.tend(file_set())
    hand_over = bench.workers.call_first()
    bench.keeper.leave("set")
    assert "set" in bench.keeper.sets
    hand_over()
    assert bench.keeper.sets == {}
    assert watch.count == 0


def test_a_set_that_is_left_during_its_look_keeps_what_the_look_pinned(bench: Bench) -> None:
    log = write(bench, "app.log")
    bench.keeper.tend(file_set())
    hand_over = bench.workers.call_first()
    bench.keeper.leave("set")
    hand_over()
    bench.settle()
    assert bench.names() == bench.on_disk() != []
    log.unlink()
    bench.quiet(*bench.untended())
    assert bench.keeper.sets == {}
    assert bench.on_disk() == []


def test_a_restored_set_that_nobody_declares_is_forgotten_when_its_files_are_gone(
    bench: Bench,
) -> None:
    log = write(bench, "app.log")
    bench.tend(file_set())
    bench.restart()
    bench.quiet(*bench.untended())
    assert len(bench.on_disk()) == 1
    log.unlink()
    bench.quiet(*bench.untended())
    assert bench.saved() == []
    assert bench.keeper.sets == {}


def test_a_restored_set_without_pins_is_forgotten(bench: Bench) -> None:
    log = write(bench, "app.log")
    bench.tend(file_set())
    bench.read(bench.pins()[0])
    log.unlink()
    bench.settle()
    bench.quiet("set")
    assert len(bench.saved()) == 1
    bench.restart()
    bench.survey(*bench.untended())
    assert bench.saved() == []


def test_giving_up_counts_exactly_what_is_lost(bench: Bench) -> None:
    texts = {"read.log": "x" * 7, "half.log": "y" * 10, "unread.log": "z" * 100, "alive.log": "ab"}
    logs = {name: write(bench, name, text) for name, text in texts.items()}
    bench.tend(file_set())
    for pin in bench.pins():
        if pin.name.startswith(("read", "half")):
            bench.read(pin)
    with logs["half.log"].open("a") as file:
        file.write("w" * 25)
    for name in ("read.log", "half.log", "unread.log"):
        logs[name].unlink()
    bench.settle()
    bench.survey("set")
    lost = bench.keeper.give_up("set", "over")
    assert lost == Loss(3, 127), "what nobody reads is lost, alive or not"
    assert [name.split("~")[0] for name in bench.on_disk()] == ["alive.log"]
    assert bench.keeper.give_up("set", "over") == Loss(), "and it is counted once"
    assert bench.keeper.sets["set"].loss == Loss(3, 127)
    bench.tend(file_set())
    bench.survey("set")
    assert bench.keeper.give_up("set", "over") == Loss(1, 2), "somebody declared it meanwhile"
    bench.tend(file_set())
    bench.read(bench.pins()[0])
    bench.survey("set")
    assert bench.keeper.give_up("set", "over") == Loss()
    assert bench.keeper.give_up("never there", "over") == Loss()
    assert [name.split("~")[0] for name in bench.on_disk()] == ["alive.log"]
    bench.keeper.shelf.save()
    (saved,) = bench.saved()
    assert [pin.name for pin in saved.pins] == bench.on_disk()
    assert (saved.lost_files, saved.lost_bytes) == (4, 129)
    bench.restart(file_set())
    assert bench.keeper.sets["set"].loss == Loss(4, 129), "a restart forgets no loss"


# -- copies ----------------------------------------------------------------------------------------


def content(bench: Bench) -> list[str]:
    folder = bench.node.at(bench.node.pins) / "set"
    return sorted((folder / name).read_text() for name in bench.on_disk())


def test_copies_grow_and_keep_their_names_over_restarts(copying: Bench) -> None:
    write(copying, "app.log", "1\n")
    copying.tend(file_set())
    before = copying.names()
    assert not copying.pins()[0].linked
    for number in range(2, 5):
        write(copying, "app.log", f"{number}\n")
        copying.settle() if number % 2 else copying.restart(file_set())
        assert content(copying) == ["".join(f"{n}\n" for n in range(1, number + 1))]
        assert copying.names() == before


def test_a_copy_goes_only_when_gone_and_read_and_quiet(copying: Bench) -> None:
    log = write(copying, "app.log")
    copying.tend(file_set())
    (pin,) = copying.pins()
    copying.read(pin)
    copying.quiet("set")
    assert copying.on_disk()
    copying.piloter.read.clear()
    log.unlink()
    copying.settle()
    copying.quiet("set")
    assert copying.on_disk()
    copying.read(pin)
    copying.quiet("set")
    assert copying.on_disk() == []


def test_a_truncated_original_gets_a_second_copy_and_both_survive_a_restart(
    copying: Bench,
) -> None:
    log = write(copying, "app.log", "before\n")
    copying.tend(file_set())
    log.write_text("after\n")
    copying.settle()
    assert content(copying) == ["after\n", "before\n"]
    before = copying.names()
    assert len(before) == 2
    for _ in range(3):
        copying.restart(file_set())
        copying.settle()
        assert copying.names() == copying.on_disk() == before
    write(copying, "app.log", "more\n")
    copying.settle()
    assert content(copying) == ["after\nmore\n", "before\n"]
    for pin in copying.pins():
        copying.read(pin)
    copying.quiet("set")
    assert content(copying) == ["after\nmore\n"], "the first one's original is gone"


def test_a_copy_of_a_set_that_is_left_goes_with_its_original(copying: Bench) -> None:
    log = write(copying, "app.log")
    copying.tend(file_set())
    copying.keeper.leave("set")
    copying.quiet(*copying.untended())
    assert len(copying.on_disk()) == 1
    write(copying, "later.log")
    copying.quiet(*copying.untended())
    assert len(copying.on_disk()) == 1
    log.unlink()
    copying.quiet(*copying.untended())
    copying.quiet(*copying.untended())
    assert copying.keeper.sets == {}
    assert copying.saved() == []


def test_a_file_that_cannot_be_opened_for_a_while_is_not_copied_again(copying: Bench) -> None:
    write(copying, "app.log")
    copying.tend(file_set())
    before = copying.on_disk()
    copying.read(copying.pins()[0])
    for _ in range(3):
        copying.clock.now += COPY_AWAY
        copying.keeper.look("set")
        call, then = copying.workers.jobs.pop(0)
        result = call()
        result.files.clear()
        result.failed["app.log"] = "Stale file handle"
        then(result)
        copying.quiet("set")
        assert copying.on_disk() == before
    copying.settle()
    assert copying.names() == copying.on_disk() == before


def test_a_volume_that_is_away_for_a_while_is_not_copied_again(copying: Bench) -> None:
    write(copying, "app.log")
    copying.tend(file_set())
    before = copying.on_disk()
    copying.read(copying.pins()[0])
    away = copying.node.logs.parent / "away"
    copying.node.logs.rename(away)
    for _ in range(int(COPY_AWAY) - 1):
        copying.look()
        copying.survey("set")
    away.rename(copying.node.logs)
    copying.settle()
    assert copying.names() == copying.on_disk() == before
    assert not copying.pins()[0].missing


def test_a_copy_whose_inode_number_is_the_original_s_stays_a_copy(copying: Bench) -> None:
    """Small filesystems give the same small numbers; the record says what the pin is."""
    log = write(copying, "app.log")
    copying.tend(file_set())
    (pin,) = copying.pins()
    parsed = parse_pin_name(pin.name)
    assert parsed
    folder = copying.node.at(copying.node.pins) / "set"
    inode = (folder / pin.name).stat().st_ino
    lookalike = f"app.log~{inode}~{parsed.serial}"
    (folder / pin.name).rename(folder / lookalike)
    (saved,) = copying.saved()
    device = log.stat().st_dev
    assert copying.store
    pins = (type(saved.pins[0])(lookalike, device, False),)
    copying.store.save_set(SavedSet(saved.file_set, saved.pin_root, pins))
    copying.kill()
    copying.start()
    (restored,) = copying.pins()
    assert not restored.linked
    assert restored.key == (device, inode)


# -- failures --------------------------------------------------------------------------------------


@needs_root
def test_a_state_folder_that_is_full_is_said_and_saved_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with tmpfs(tmp_path / "state", "size=32k"):
        bench = Bench(Node(tmp_path))
        try:
            write(bench, "first.log")  # numbers for pins are taken in blocks
            bench.tend(file_set())
            ballast = tmp_path / "state" / "ballast"
            with pytest.raises(OSError, match="No space"):
                ballast.write_bytes(b"x" * 100_000)
            write(bench, "app.log")
            bench.settle()
            assert "cannot save in" in caplog.text
            assert len(bench.on_disk()) == 2, "pins need no room there"
            ballast.unlink()
            bench.keeper.shelf.save()
            assert [len(saved.pins) for saved in bench.saved()] == [2]
        finally:
            bench.kill()


def test_nothing_is_logged_above_debug_for_each_file(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for number in range(10):
        write(bench, f"{number}.log")
    bench.tend(file_set())
    assert len(bench.pins()) == 10
    assert not [record for record in caplog.records if record.name == "pilot.pins.keeper"]
