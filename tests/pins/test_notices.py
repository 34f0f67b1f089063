from __future__ import annotations

import errno
import logging

import pytest

from pilot.model import Code, Log, PinKind, Rejection
from pilot.pins.confine import FolderMissingError, RefusedError
from pilot.pins.notices import NAMED, WARN_EVERY, note_problem, notices
from pilot.pins.record import Pin, PinSet
from tests.pins.node import file_set

WANTED = file_set()
DECLARED = Log(name="app", key="aliyun_logs_app", file_sets=(WANTED,))
STAMPS = {"/volume/logs": (1, 2, 3)}


def looked_at() -> PinSet:
    """A set whose look found one file."""
    kept = PinSet(WANTED, stamps=dict(STAMPS), confirmed=True, folders=("/volume/logs",))
    kept.problem = ""
    kept.pins[1, 1] = Pin("app.log~1~1", (1, 1), PinKind.LINKED)
    return kept


def told(kept: PinSet) -> list[Rejection]:
    return notices(kept, DECLARED)


# -- what is told ----------------------------------------------------------------------------------


def test_who_has_no_problem_is_told_nothing() -> None:
    assert told(looked_at()) == []


def test_each_kind_is_a_notice_with_the_key_and_the_log_that_declared_it() -> None:
    kept = looked_at()
    kept.truncated["short.log"] = None
    kept.doubles["double.log"] = "other"
    kept.further["second.log"] = "first.log"
    kept.refused["fifo"] = "it is no file"
    kept.missed, kept.over, kept.paused = "something went by", "its pins exceeded it", True
    found = told(kept)
    assert [(each.code, each.value) for each in found] == [
        (Code.FILE_TRUNCATED, "short.log"),
        (Code.FILE_CLAIMED, "double.log"),
        (Code.FILE_CLAIMED, "second.log"),
        (Code.FILE_REFUSED, "fifo"),
        (Code.FILES_MISSED, ""),
        (Code.ALLOWANCE, ""),
        (Code.ALLOWANCE, ""),
    ]
    assert all((each.notice, each.key, each.log) == (True, DECLARED.key, "app") for each in found)
    assert "file set other" in found[1].reason
    assert "'first.log'" in found[2].reason


def test_a_tenant_with_many_odd_files_hides_no_other_notice() -> None:
    kept = looked_at()
    kept.refused = {f"{number:04}": "it is no file" for number in range(1000)}
    kept.missed = "something went by"
    found = told(kept)
    assert len(found) == NAMED + 1
    assert found[-1].code is Code.FILES_MISSED


def test_names_are_the_tenant_s_and_printed_as_one_short_line() -> None:
    kept = looked_at()
    kept.refused["a\nb\x1b[31m" + "c" * 300] = "it is no file"
    (found,) = told(kept)
    assert found.value.isprintable()
    assert len(found.value) < 120


def test_of_a_forbidden_folder_nothing_else_is_said() -> None:
    kept = looked_at()
    kept.refused["fifo"] = "it is no file"
    note_problem(kept, RefusedError("a symlink leads out of the volume"), 1.0)
    (found,) = told(kept)
    assert found.code is Code.FOLDER_REFUSED
    assert not found.notice, "nothing of it is collected"
    assert found.reason == "a symlink leads out of the volume"


# -- a look that failed ----------------------------------------------------------------------------


def test_a_folder_that_vanished_takes_its_originals_with_it() -> None:
    kept = looked_at()
    note_problem(kept, FolderMissingError("gone"), 7.0)
    assert kept.problem == "there is no folder /volume/logs any more"
    assert (kept.pins[1, 1].missing, kept.pins[1, 1].missed) == (True, 7.0)
    assert kept.waiting, "each check asks whether it is gone for good"
    note_problem(kept, FolderMissingError("gone"), 9.0)
    assert kept.pins[1, 1].missed == 7.0


def test_a_folder_that_was_never_there_is_not_there_yet() -> None:
    kept = PinSet(WANTED)
    note_problem(kept, FolderMissingError("gone"), 7.0)
    assert kept.problem == "there is no folder /volume/logs yet"


@pytest.mark.parametrize(
    "error", [RefusedError("a symlink leads out"), OSError(errno.EIO, "Input/output error")]
)
def test_a_folder_that_cannot_be_looked_into_says_nothing_of_its_originals(
    error: Exception,
) -> None:
    kept = looked_at()
    note_problem(kept, error, 7.0)
    assert not kept.pins[1, 1].missing
    assert kept.stamps == {}, "it is looked at again"
    assert not kept.confirmed


@pytest.mark.parametrize(
    "error", [RefusedError("a symlink leads out"), OSError(errno.EIO, "Input/output error")]
)
def test_no_collector_is_sent_to_a_folder_that_was_not_checked(error: Exception) -> None:
    kept = looked_at()
    note_problem(kept, error, 7.0)
    assert kept.folders == ()


def test_a_collector_may_go_on_with_deleted_files_of_a_folder_that_is_gone() -> None:
    kept = looked_at()
    note_problem(kept, FolderMissingError("gone"), 7.0)
    assert kept.folders == ("/volume/logs",)


def test_what_was_refused_and_is_missing_now_is_no_longer_refused() -> None:
    kept = looked_at()
    note_problem(kept, RefusedError("a symlink leads out"), 7.0)
    note_problem(kept, FolderMissingError("gone"), 8.0)
    assert told(kept) == []


def test_a_problem_goes_into_the_log_once_and_no_set_fills_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept, now = looked_at(), WARN_EVERY
    for _ in range(3):
        note_problem(kept, FolderMissingError("gone"), now)
    assert len(caplog.records) == 1
    note_problem(kept, OSError(errno.EIO, "Input/output error"), now + WARN_EVERY / 2)
    assert len(caplog.records) == 1, "a tenant may change it again and again"
    note_problem(kept, FolderMissingError("gone"), now + WARN_EVERY)
    assert len(caplog.records) == 2


def test_an_ended_container_s_folder_that_goes_is_worth_no_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    kept = looked_at()
    kept.ended = True
    note_problem(kept, FolderMissingError("gone"), 7.0)
    assert [record.levelname for record in caplog.records] == ["DEBUG"]
