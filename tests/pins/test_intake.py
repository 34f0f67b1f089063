from __future__ import annotations

import gzip
import itertools
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pilot.model import Code, Log
from pilot.pins.notices import notices
from pilot.pins.record import SUSPECT
from tests.pins.bench import Bench, write
from tests.pins.node import file_set, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIVE = file_set(pattern="app.log")
ROTATIONS = 4


def said(bench: Bench, name: str = "set") -> list[tuple[Code, str]]:
    """What the person who declared the log is told."""
    kept = bench.keeper.sets[name]
    declared = Log(name="app", key="aliyun_logs_app", file_sets=(kept.file_set,))
    return [(each.code, each.value) for each in notices(kept, declared)]


def lines(bench: Bench, name: str = "set") -> list[str]:
    """Every line that lies in some pin."""
    folder = bench.node.at(bench.node.pins) / name
    return sorted(
        line for pin in bench.on_disk(name) for line in (folder / pin).read_text().splitlines()
    )


# -- truncated in place ----------------------------------------------------------------------------


def test_a_file_that_became_shorter_is_noticed_by_the_next_look(bench: Bench) -> None:
    log = write(bench, "app.log", "one\ntwo\n")
    bench.tend(LIVE)
    os.truncate(log, 0)
    write(bench, "app.log", "1\n")
    bench.look()
    assert said(bench) == [(Code.FILE_TRUNCATED, "app.log")]


def test_a_file_that_became_shorter_is_noticed_by_a_survey_though_no_folder_changed(
    bench: Bench,
) -> None:
    log = write(bench, "an app.log", "one\ntwo\n")
    bench.tend(file_set())
    bench.survey("set")
    os.truncate(log, 4)
    bench.settle()
    assert said(bench) == [], "nothing hints at it"
    bench.survey("set")
    assert said(bench) == [(Code.FILE_TRUNCATED, "an app.log")]


def test_a_file_that_grows_or_stays_is_no_truncated_one(bench: Bench) -> None:
    write(bench, "app.log", "one\n")
    bench.tend(LIVE)
    for _ in range(3):
        bench.look()
        bench.survey("set")
        write(bench, "app.log", "more\n")
    assert said(bench) == []


def test_a_truncated_copy_is_noticed_and_what_was_copied_stays(copying: Bench) -> None:
    log = write(copying, "app.log", "one\ntwo\n")
    copying.tend(LIVE)
    os.truncate(log, 0)
    write(copying, "app.log", "1\n")
    copying.settle()
    assert said(copying) == [(Code.FILE_TRUNCATED, "app.log")]
    assert lines(copying) == ["1", "one", "two"]


def test_copytruncate_is_noticed_though_its_copy_matches_too(bench: Bench) -> None:
    log = write(bench, "app.log", "one\ntwo\n")
    bench.tend(LIVE)
    shutil.copy(log, bench.node.logs / "app.log.1")
    os.truncate(log, 0)
    write(bench, "app.log", "1\n")
    bench.settle()
    assert said(bench) == [(Code.FILE_TRUNCATED, "app.log")]
    assert lines(bench) == ["1", "one", "two"], "a copy that matches is read as well"


@pytest.mark.parametrize("seconds", [1, SUSPECT - 5])
def test_a_truncation_some_seconds_after_the_copy_is_noticed(bench: Bench, seconds: int) -> None:
    """A large file takes a while to copy, and the truncation changes no folder."""
    log = write(bench, "app.log", "one\ntwo\n")
    bench.tend(LIVE)
    (bench.node.logs / "app.log.1").write_text("one\ntwo\n")
    bench.settle()
    for _ in range(seconds):
        write(bench, "app.log", "more\n")
        check(bench)
    os.truncate(log, 0)
    assert said(bench) == []
    check(bench)
    assert said(bench) == [(Code.FILE_TRUNCATED, "app.log")]


def test_looks_that_follow_a_new_file_end(bench: Bench) -> None:
    write(bench, "app.log")
    bench.tend(LIVE)
    write(bench, "app.log.1")
    bench.settle()
    looked = 0
    for _ in range(2 * SUSPECT):
        before = bench.keeper.sets["set"].looked
        check(bench)
        looked += bench.keeper.sets["set"].looked > before
    assert SUSPECT // 2 < looked <= SUSPECT


def test_a_set_that_takes_no_rotated_names_is_not_followed(bench: Bench) -> None:
    write(bench, "a.log")
    bench.tend(file_set(rotated=False))
    write(bench, "b.log")
    bench.settle()
    assert bench.keeper.sets["set"].suspect == 0


def check(bench: Bench) -> None:
    """What the loop does each second."""
    bench.clock.now += 1
    bench.keeper.check()
    bench.workers.run()


# -- rotation that loses nothing -------------------------------------------------------------------

Rotation = "Callable[[Path, int], Iterator[None]]"


def numbered(log: Path, _turn: int) -> Iterator[None]:
    """logrotate without options: app.log.2 → .3, app.log.1 → .2, app.log → .1, a new app.log."""
    (log.parent / "app.log.3").unlink(missing_ok=True)
    for number in (2, 1):
        if (older := log.parent / f"app.log.{number}").exists():
            older.rename(log.parent / f"app.log.{number + 1}")
            yield
    log.rename(log.parent / "app.log.1")
    yield
    log.touch()


def docker(log: Path, _turn: int) -> Iterator[None]:
    """json-file with max-file=2: app.log goes over app.log.1."""
    log.rename(log.parent / "app.log.1")
    yield
    log.touch()


def packed(log: Path, _turn: int) -> Iterator[None]:
    """Renamed and then packed into another file, as logrotate's `compress` does."""
    (log.parent / "app.log.1.gz").unlink(missing_ok=True)
    renamed = log.rename(log.parent / "app.log.1")
    yield
    log.touch()
    yield
    with gzip.open(log.parent / "app.log.1.gz", "wb") as target:
        target.write(renamed.read_bytes())
    yield
    renamed.unlink()


def dated(log: Path, turn: int) -> Iterator[None]:
    """logrotate's `dateext`."""
    log.rename(log.parent / f"app.log-2026010{turn + 1}")
    yield
    log.touch()


def kubelet(log: Path, turn: int) -> Iterator[None]:
    """The older ones packed by way of a `.tmp`, then the live one renamed and opened anew."""
    for older in sorted(log.parent.glob("app.log.2*")):
        if not older.name.endswith(".gz"):
            being_made = log.parent / f"{older.name}.tmp"
            being_made.write_bytes(gzip.compress(older.read_bytes()))
            yield
            being_made.rename(log.parent / f"{older.name}.gz")
            yield
            older.unlink()
            yield
    log.rename(log.parent / f"app.log.20260102-03040{turn}")
    yield
    log.touch()


def created_then_deleted(log: Path, turn: int) -> Iterator[None]:
    """A new file under a dated name first, the old one gone after that; `log` is a name only."""
    os.link(log, log.parent / f"app.log.2026-01-0{turn + 1}")
    fresh = log.parent / ".new"
    fresh.touch()
    yield
    fresh.rename(log)
    yield
    (log.parent / f"app.log.2026-01-0{turn + 1}").unlink()


STYLES = [numbered, docker, packed, dated, kubelet, created_then_deleted]


@pytest.mark.parametrize("style", STYLES, ids=[each.__name__ for each in STYLES])
@pytest.mark.parametrize("often", [True, False], ids=["at each step", "after each rotation"])
def test_no_rotation_by_renaming_loses_or_repeats_a_line_or_gives_a_notice(
    bench: Bench, style: Callable[[Path, int], Iterator[None]], often: bool
) -> None:
    numbers = itertools.count()
    written = []

    def append() -> None:
        written.append(f"line {next(numbers):04}")
        write(bench, "app.log", f"{written[-1]}\n")

    bench.node.logs.joinpath("app.log").touch()
    bench.tend(LIVE)
    for turn in range(ROTATIONS):
        append()
        bench.settle()
        for _ in style(bench.node.logs / "app.log", turn):
            if often:
                check(bench)
                bench.survey()
        append()
        bench.settle()
        assert [code for code, _ in said(bench) if code is not Code.FILE_CLAIMED] == []
    for _ in range(SUSPECT):
        append()
        check(bench)
    assert lines(bench) == written
    assert said(bench) == []
    assert not bench.keeper.sets["set"].loss


# -- what went by unseen while the pilot was down --------------------------------------------------


def rotate(bench: Bench, keep: int = 1) -> None:
    """One rotation of app.log, of which `keep` older files stay."""
    for number in range(keep, 0, -1):
        name = "app.log" if number == 1 else f"app.log.{number - 1}"
        if (older := bench.node.logs / name).exists():
            older.rename(bench.node.logs / f"app.log.{number}")
    write(bench, "app.log", "new\n")


def away(bench: Bench, *, rotations: int, keep: int = 1, pattern: str = "app.log") -> Bench:
    wanted = file_set(pattern=pattern)
    write(bench, "app.log", "old\n")
    bench.tend(wanted)
    bench.kill()
    for _ in range(rotations):
        rotate(bench, keep)
    bench.start()
    bench.tend(wanted)
    return bench


@pytest.mark.parametrize(
    ("rotations", "keep", "missed"),
    [(0, 1, False), (1, 1, False), (2, 1, True), (3, 3, False), (4, 3, True), (9, 3, True)],
)
def test_rotations_past_what_is_kept_are_said_after_a_restart(
    bench: Bench, rotations: int, keep: int, missed: bool
) -> None:
    away(bench, rotations=rotations, keep=keep)
    assert said(bench) == ([(Code.FILES_MISSED, "")] if missed else [])


def test_of_a_glob_nobody_can_tell_which_file_was_written_to(bench: Bench) -> None:
    away(bench, rotations=3, pattern="*.log")
    assert said(bench) == []


def test_a_name_with_a_bracket_of_its_own_is_no_glob(bench: Bench) -> None:
    wanted = file_set(pattern="a[[]1].log")
    write(bench, "a[1].log")
    bench.tend(wanted)
    bench.kill()
    (bench.node.logs / "a[1].log").unlink()
    write(bench, "a[1].log", "new\n")
    bench.start()
    bench.tend(wanted)
    assert said(bench) == [(Code.FILES_MISSED, "")]


def test_what_was_missed_is_said_until_the_next_restart(bench: Bench) -> None:
    away(bench, rotations=2)
    rotate(bench)
    bench.settle()
    assert said(bench) == [(Code.FILES_MISSED, "")]
    bench.restart(LIVE)
    assert said(bench) == []


def test_a_rotation_that_was_watched_is_none_that_was_missed(bench: Bench) -> None:
    write(bench, "app.log", "old\n")
    bench.tend(LIVE)
    for _ in range(3):
        rotate(bench)
        bench.settle()
    bench.restart(LIVE)
    assert said(bench) == []


def test_a_log_that_is_gone_without_a_successor_may_have_had_some(bench: Bench) -> None:
    log = write(bench, "app.log", "unread\n")
    bench.tend(LIVE)
    bench.kill()
    log.unlink()
    bench.start()
    bench.tend(LIVE)
    assert said(bench) == [(Code.FILES_MISSED, "")]


def test_a_folder_that_cannot_be_read_whole_says_nothing_yet(bench: Bench) -> None:
    away_log = write(bench, "app.log", "old\n")
    bench.tend(LIVE)
    bench.kill()
    away_log.unlink()
    write(bench, "app.log", "new\n")
    bench.start()
    bench.keeper.tend(LIVE)
    call, then = bench.workers.jobs.pop(0)
    result = call()
    result.failed["app.log.1"] = "Input/output error"
    then(result)
    assert said(bench) == []
    bench.look()
    assert said(bench) == [(Code.FILES_MISSED, "")]


# -- keys that change ------------------------------------------------------------------------------


def test_a_copy_whose_filesystem_has_another_number_goes_on_under_its_name(copying: Bench) -> None:
    log = write(copying, "app.log", "one\n")
    copying.tend(LIVE)
    (saved,) = copying.saved()
    assert copying.store
    pins = tuple(replace(pin, device=pin.device + 1) for pin in saved.pins)
    copying.store.save_set(replace(saved, pins=pins))
    before = copying.names()
    write(copying, "app.log", "two\n")
    copying.restart(LIVE)
    assert copying.names() == copying.on_disk() == before
    assert [pin.key for pin in copying.pins()] == [key_of(log)]
    assert lines(copying) == ["one", "two"]
    assert [pin.device for pin in copying.saved()[0].pins] == [log.stat().st_dev]


def test_a_copy_that_no_record_knows_goes_on_under_its_name(copying: Bench) -> None:
    """As after kill -9 between the copy and its record."""
    write(copying, "app.log", "one\n")
    copying.keeper.tend(LIVE)
    copying.workers.run()
    before = copying.on_disk()
    write(copying, "app.log", "two\n")
    for _ in range(2):
        copying.restart(LIVE)
        assert copying.names() == copying.on_disk() == before
        assert lines(copying) == ["one", "two"]
