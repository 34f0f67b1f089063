from __future__ import annotations

import errno
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pilot.configdir import MARK, ConfigDirectory
from pilot.fragments import Fragments, inputs_of
from pilot.handover import Input
from pilot.model import Container, FileSet, Framing, Log, State
from pilot.pins.record import Place
from pilot.settings import Settings
from tests.fakes.piloter import FakePiloter

if TYPE_CHECKING:
    import pytest


def container(name: str) -> Container:
    return Container(id=name, name=name, state=State.RUNNING)


def file_set(name: str) -> FileSet:
    return FileSet(name=name, root="/v", folder="a", pattern="*.log", framing=Framing.LINES)


def inputs(name: str) -> list[Input]:
    return [
        Input(
            file_set=file_set(name),
            pins="/p",
            base="/v/a",
            shown="/v/a",
            fields={},
        )
    ]


def made(folder: Path) -> Fragments:
    directory = ConfigDirectory(folder, ".conf")
    directory.adopt()
    return Fragments(FakePiloter(folder), directory)


def test_a_fragment_appears_changes_and_goes(tmp_path: Path) -> None:
    fragments = made(tmp_path)
    assert fragments.want(container("a"), inputs("one"))
    assert (tmp_path / "a.conf").read_bytes() == MARK + b"\none /p\n"
    assert not fragments.want(container("a"), inputs("one"))
    assert fragments.want(container("a"), inputs("two"))
    assert fragments.want(container("a"), [])
    assert not fragments.want(container("a"), [])
    assert os.listdir(tmp_path) == []
    assert fragments.writes == 3
    fragments.sync()


def test_a_container_that_never_wanted_anything_is_not_written(tmp_path: Path) -> None:
    fragments = made(tmp_path)
    assert not fragments.want(container("a"), [])
    assert fragments.writes == 0


def test_only_what_was_touched_is_counted_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fragments = made(tmp_path)
    (tmp_path / "a.conf").write_bytes(b"foreign")
    for name in "abc":
        fragments.want(container(name), inputs(name))
    assert fragments.unwritten == {"a"}
    (tmp_path / "a.conf").unlink()
    fragments.unwritten |= {"b", "c"}  # as after a full disk: these two are right already
    caplog.set_level(logging.INFO)
    fragments.retry()
    assert fragments.writes == 3
    assert [line for line in caplog.messages if line.startswith("wrote")] == [
        f"wrote {tmp_path / 'a.conf'}"
    ]


def test_one_file_that_cannot_be_written_does_not_hold_up_the_others(tmp_path: Path) -> None:
    fragments = made(tmp_path)
    (tmp_path / "a.conf").mkdir()
    (tmp_path / "b.conf").mkdir()
    for name in "ab":
        assert not fragments.want(container(name), inputs(name))
    assert fragments.unwritten == {"a", "b"}
    assert fragments.problem
    (tmp_path / "b.conf").rmdir()
    fragments.retry()
    assert (tmp_path / "b.conf").read_bytes() == MARK + b"\nb /p\n"
    assert fragments.problem
    (tmp_path / "a.conf").rmdir()
    fragments.retry()
    assert not fragments.unwritten
    assert fragments.problem == ""


def test_a_failure_and_the_recovery_are_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fragments = made(tmp_path)
    caplog.set_level(logging.INFO)
    (tmp_path / "a.conf").mkdir()
    fragments.want(container("a"), inputs("a"))
    for _ in range(5):
        fragments.retry()
    assert len([line for line in caplog.messages if "trying again" in line]) == 1
    (tmp_path / "a.conf").rmdir()
    fragments.retry()
    fragments.retry()
    assert len([line for line in caplog.messages if "works again" in line]) == 1


def test_what_was_wanted_last_is_what_is_written_after_a_failure(tmp_path: Path) -> None:
    fragments = made(tmp_path)
    fragments.want(container("a"), inputs("old"))
    (tmp_path / "b.conf").mkdir()
    fragments.want(container("b"), inputs("first"))
    fragments.want(container("b"), inputs("second"))
    (tmp_path / "b.conf").rmdir()
    fragments.retry()
    assert (tmp_path / "b.conf").read_bytes() == MARK + b"\nsecond /p\n"
    (tmp_path / "a.conf").unlink()
    (tmp_path / "a.conf").mkdir()
    assert not fragments.want(container("a"), [])  # cannot be removed: it is a folder now
    assert fragments.unwritten == {"a"}
    (tmp_path / "a.conf").rmdir()
    fragments.retry()
    assert not fragments.unwritten
    assert os.listdir(tmp_path) == ["b.conf"]


def test_strangers_go_and_foreign_files_stay(tmp_path: Path) -> None:
    first = made(tmp_path)
    for name in "abc":
        first.want(container(name), inputs(name))
    (tmp_path / "admin.conf").write_bytes(b"foreign")
    second = made(tmp_path)  # as after a restart
    second.want(container("b"), inputs("b"))
    before = (tmp_path / "b.conf").stat()
    second.remove_strangers()
    assert sorted(os.listdir(tmp_path)) == ["admin.conf", "b.conf"]
    after = (tmp_path / "b.conf").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_folder_that_vanished_is_a_failure_not_a_crash(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    fragments = made(folder)
    folder.rmdir()
    fragments.want(container("a"), inputs("a"))
    assert os.strerror(errno.ENOENT) in fragments.problem
    folder.mkdir()
    fragments.retry()
    assert os.listdir(folder) == ["a.conf"]


def test_a_set_without_a_place_for_its_pins_waits(tmp_path: Path) -> None:
    declared = Log(name="web", key="k", file_sets=(file_set("one"), file_set("two")))
    settings = Settings(collector_root=Path("/host"), environment={})
    places = {"two": Place("/var/log/log-pilot/two")}
    (found,) = inputs_of(container("a"), [declared], settings, places)
    assert found.id == "two"
    assert found.pins == "/host/var/log/log-pilot/two"
    assert (found.base, found.shown) == ("/host/v/a", "/v/a")


def test_direct_inputs_name_the_folders_that_were_found() -> None:
    mounted = replace(file_set("one"), inside="/logs/a")
    declared = Log(name="web", key="k", file_sets=(mounted,))
    settings = Settings(pin=False, collector_root=Path("/host"), environment={})
    place = Place(None, ("/v/a", "/v/b"), mounted=True)
    (found,) = inputs_of(container("a"), [declared], settings, {"one": place})
    assert found.pins is None
    assert found.folders == ("/host/v/a", "/host/v/b")
    assert (found.base, found.shown) == ("/host/v", "/logs"), "a link may lead to another folder"
    assert found.mounted


def test_what_somebody_removed_or_changed_is_written_again_and_the_rest_is_not_touched(
    tmp_path: Path,
) -> None:
    fragments = made(tmp_path)
    for name in "abc":
        fragments.want(container(name), inputs(name))
    before = (tmp_path / "c.conf").stat()
    (tmp_path / "a.conf").unlink()
    (tmp_path / "b.conf").write_bytes(MARK + b"\nedited\n")
    fragments.repair()
    assert (tmp_path / "a.conf").read_bytes() == MARK + b"\na /p\n"
    assert (tmp_path / "b.conf").read_bytes() == MARK + b"\nb /p\n"
    after = (tmp_path / "c.conf").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    writes = fragments.writes
    fragments.repair()
    assert fragments.writes == writes


def failing(folder: Path, *names: str) -> tuple[Fragments, FakePiloter]:
    """Fragments for whose piloter some containers' template fails."""
    directory = ConfigDirectory(folder, ".conf")
    directory.adopt()
    piloter = FakePiloter(folder, failing=set(names))
    return Fragments(piloter, directory), piloter


def test_a_template_that_fails_for_one_container_hurts_no_other_and_stays_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fragments, _ = failing(tmp_path, "bad")
    assert not fragments.want(container("bad"), inputs("bad"))
    for _ in range(3):
        fragments.want(container("good"), inputs("good"))
        fragments.retry()
        fragments.repair()
    assert os.listdir(tmp_path) == ["good.conf"]
    assert "container bad: fragment.conf, line 2" in fragments.problem
    assert fragments.unwritten == {"bad"}
    assert len([line for line in caplog.messages if "no config can be made" in line]) == 1
    assert not [line for line in caplog.messages if "works again" in line]


def test_a_template_that_fails_later_keeps_the_last_good_file(tmp_path: Path) -> None:
    fragments, piloter = failing(tmp_path)
    fragments.want(container("a"), inputs("old"))
    piloter.failing = {"a"}
    assert not fragments.want(container("a"), inputs("new"))
    fragments.retry()
    assert (tmp_path / "a.conf").read_bytes() == MARK + b"\nold /p\n"
    assert fragments.unwritten == {"a"}
    piloter.failing = set()
    assert fragments.want(container("a"), inputs("new"))
    assert (tmp_path / "a.conf").read_bytes() == MARK + b"\nnew /p\n"
    assert fragments.unwritten == set()
    assert fragments.problem == ""


def test_a_container_that_goes_takes_its_problem_along(tmp_path: Path) -> None:
    fragments, _ = failing(tmp_path, "a")
    fragments.want(container("a"), inputs("a"))
    fragments.want(container("a"), [])
    assert fragments.unwritten == set()
    assert fragments.problem == ""


def test_a_disk_s_problem_and_a_template_s_are_both_said_while_they_last(tmp_path: Path) -> None:
    fragments, _ = failing(tmp_path, "bad")
    fragments.want(container("bad"), inputs("bad"))
    (tmp_path / "a.conf").mkdir()
    fragments.want(container("a"), inputs("a"))
    assert fragments.unwritten == {"a", "bad"}
    assert "cannot write" in fragments.problem
    (tmp_path / "a.conf").rmdir()
    fragments.retry()
    assert fragments.unwritten == {"bad"}
    assert "no config can be made" in fragments.problem


def test_what_somebody_put_in_place_of_a_file_of_ours_is_left_alone_and_said(
    tmp_path: Path,
) -> None:
    fragments = made(tmp_path)
    for name in "ab":
        fragments.want(container(name), inputs(name))
    (tmp_path / "a.conf").write_bytes(b"an administrator's\n")
    (tmp_path / "b.conf").unlink()
    fragments.repair()
    assert (tmp_path / "a.conf").read_bytes() == b"an administrator's\n"
    assert (tmp_path / "b.conf").exists()
    assert "left alone" in fragments.problem
    (tmp_path / "a.conf").unlink()
    fragments.retry()
    assert (tmp_path / "a.conf").read_bytes() == MARK + b"\na /p\n"
    assert fragments.problem == ""


def test_files_of_containers_that_could_not_be_looked_at_are_no_strangers(tmp_path: Path) -> None:
    first = made(tmp_path)
    for name in "abc":
        first.want(container(name), inputs(name))
    second = made(tmp_path)
    second.want(container("b"), inputs("b"))
    second.remove_strangers(but=["a", "never-seen"])
    assert sorted(os.listdir(tmp_path)) == ["a.conf", "b.conf"]
