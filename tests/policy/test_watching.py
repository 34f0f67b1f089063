"""The policy in force: what is written now, or the last that could be used."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING

import pytest

from pilot.policy import Policy, PolicyError, PolicyFiles
from pilot.policy.watching import PolicyWatch
from tests.fakes.clock import Clock

if TYPE_CHECKING:
    from pathlib import Path

DEADLINE = 20.0  # seconds; only a failing test waits so long


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "policy.yaml"
    made.write_text("collect: stdout")
    return made


def test_a_changed_file_is_in_force_and_an_equal_one_changes_nothing(file: Path) -> None:
    watch = PolicyWatch(PolicyFiles(Policy(), file))
    assert watch.current.collect == "stdout"
    assert not watch.check()
    file.write_text("collect: declared")
    assert watch.check()
    assert watch.current.collect == "declared"
    file.write_text("collect: declared # as before")
    assert not watch.check()
    assert watch.problem == ""


def test_a_broken_file_keeps_the_last_good_and_is_said_once(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    watch = PolicyWatch(PolicyFiles(Policy(), file), clock)
    with caplog.at_level(logging.INFO):
        file.write_text("collect: everything")
        clock.now += 5
        broken_at = clock.now
        assert not watch.check()
        clock.now += 5
        assert not watch.check()
        assert watch.current.collect == "stdout"
        assert "collect is 'everything'" in watch.problem
        assert watch.problem_since == broken_at
        assert watch.loaded < broken_at
        file.unlink()
        assert not watch.check()
        assert not watch.check()
        assert watch.problem.startswith(f"{file}: ")
        assert watch.problem_since == broken_at
        file.write_text("collect: stdout")
        assert not watch.check(), "the same policy as before"
    assert watch.problem == ""
    recovered = watch.problem_since
    assert recovered is None
    levels = [record.levelname for record in caplog.records]
    assert levels == ["ERROR", "ERROR", "INFO"]
    assert "the last good policy stays in force" in caplog.text


def test_what_is_broken_at_the_start_is_an_error(file: Path) -> None:
    file.write_text("[")
    with pytest.raises(PolicyError, match="line 2"):
        PolicyWatch(PolicyFiles(Policy(), file))
    file.unlink()
    with pytest.raises(PolicyError, match="No such file"):
        PolicyWatch(PolicyFiles(Policy(), file))


def test_a_list_of_topics_that_goes_away_stays_in_force(tmp_path: Path) -> None:
    topics = tmp_path / "kafka_topics"
    watch = PolicyWatch(PolicyFiles(Policy(), None, topics))
    assert watch.current.topics is None
    topics.write_text("one")
    assert watch.check()
    topics.unlink()
    assert not watch.check()
    assert watch.current.topics == {"one"}
    assert "is gone" in watch.problem
    topics.write_text("one")
    assert not watch.check()
    assert watch.problem == ""


def test_a_link_that_is_swapped_is_a_change(tmp_path: Path) -> None:
    """As the kubelet does it for a ConfigMap."""
    for name, text in (("1", "collect: declared"), ("2", "collect: stdout")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "policy.yaml").write_text(text)
    (tmp_path / "..data").symlink_to("1")
    (tmp_path / "policy.yaml").symlink_to("..data/policy.yaml")
    watch = PolicyWatch(PolicyFiles(Policy(), tmp_path / "policy.yaml"))
    changed = threading.Event()
    with watch.watching(changed.set):
        assert not watch.check(), "a look is no change"
        (tmp_path / "..data_tmp").symlink_to("2")
        (tmp_path / "..data_tmp").rename(tmp_path / "..data")
        assert changed.wait(DEADLINE)
        assert watch.check()
    assert watch.current.collect == "stdout"


def test_a_file_that_is_written_or_replaced_is_a_change(file: Path) -> None:
    watch = PolicyWatch(PolicyFiles(Policy(), file))
    changed = threading.Event()
    with watch.watching(changed.set):
        file.write_text("collect: declared")
        assert changed.wait(DEADLINE)
        changed.clear()
        other = file.with_name("other")
        other.write_text("collect: stdout")
        os.replace(other, file)
        assert changed.wait(DEADLINE)


def test_without_files_nothing_is_watched() -> None:
    watch = PolicyWatch(PolicyFiles(Policy()))
    before = threading.active_count()
    with watch.watching(lambda: None):
        assert threading.active_count() == before
    assert not watch.check()
    assert watch.file is None
