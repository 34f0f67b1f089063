from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pilot.piloters import unchanged
from pilot.piloters.unchanged import SETTLED, Unchanged

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

TIMES = {"st_mtime_ns": 0, "st_ctime_ns": 0}


class Asking:
    """Asks about files at a time of its own choice, and counts what was really looked at."""

    def __init__(self) -> None:
        self.later = 2 * SETTLED  # ns since the file's last change
        self.looks = 0
        self._at = 0
        self._unchanged = Unchanged(lambda: self._at)

    def __call__(self, file: Path, about: Hashable = "") -> int:
        status = file.stat()
        self._at = status.st_ctime_ns + self.later
        return self._unchanged.ask(status, about, lambda: self._look(file))

    def _look(self, file: Path) -> int:
        self.looks += 1
        return len(file.read_bytes())


def test_a_file_that_stays_as_it_is_is_looked_at_once(tmp_path: Path) -> None:
    file, asking = tmp_path / "file", Asking()
    file.write_text("one")
    assert [asking(file) for _ in range(10)] == [3] * 10
    assert asking.looks == 1


def test_a_file_that_changed_is_looked_at_again(tmp_path: Path) -> None:
    file, asking = tmp_path / "file", Asking()
    file.write_text("one")
    asking(file)
    file.write_text("three")
    assert asking(file) == 5
    os.utime(file, ns=(1, 1))  # As somebody may who writes other text of the same size.
    asking(file)
    assert asking.looks == 3
    file.unlink()
    file.write_text("another")
    assert asking(file) == 7


def test_another_question_has_another_answer(tmp_path: Path) -> None:
    file, asking = tmp_path / "file", Asking()
    file.write_text("one")
    for about in ("a", "b", "b"):
        asking(file, about)
    assert asking.looks == 2


def test_what_may_change_within_the_same_tick_is_not_remembered(tmp_path: Path) -> None:
    file, asking = tmp_path / "file", Asking()
    file.write_text("one")
    for asking.later in (0, SETTLED, -SETTLED):  # the last: a clock that was set back
        asking(file)
    assert asking.looks == 3


def test_an_error_is_not_remembered(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("one")
    answers = Unchanged()
    with pytest.raises(PermissionError):
        answers.ask(file.stat(), "", fails)
    assert answers.ask(file.stat(), "", lambda: 3) == 3


def fails() -> int:
    raise PermissionError


def test_the_file_that_was_looked_at_longest_ago_is_forgotten_first(tmp_path: Path) -> None:
    real, answers, looks = tmp_path.stat(), Unchanged(lambda: 2 * SETTLED), list[int]()

    def ask(inode: int) -> None:
        status = os.stat_result((real.st_mode, inode, *real[2:10]), TIMES)
        answers.ask(status, "", lambda: looks.append(inode) or 0)  # type: ignore[func-returns-value]

    for inode in range(unchanged.MOST + 1):
        ask(inode)
    looks.clear()
    for inode in (unchanged.MOST, 1, 0):
        ask(inode)
    assert looks == [0]
