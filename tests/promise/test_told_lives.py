"""Lives that were found by chance, and what went wrong in them once."""

from __future__ import annotations

import pytest

from tests.promise.steps import (
    Append,
    Collect,
    End,
    Gone,
    KillAgent,
    Rotate,
    Start,
    StartAgent,
    Step,
    Truncate,
    Unlink,
    Wait,
    World,
)
from tests.promise.test_promise import live


def world(*, declared: tuple[str, str] = ("app.log", "app.log"), copied: bool = False) -> World:
    return World(declared, ("app.log",), copied, b"")


@pytest.mark.parametrize("copied", [False, True])
def test_a_pin_made_right_before_a_kill_is_found_again(copied: bool) -> None:
    """A copy without a record was made once more, and all of it came twice."""
    steps: list[Step] = [Start(), Append("app.log"), KillAgent(1), StartAgent(), Collect()]
    live(world(copied=copied), steps)


def test_who_ends_while_a_forerunner_retires_is_read_all_the_same() -> None:
    """The forerunner got the file set back, but drained it no more; the successor had none."""
    first: list[Step] = [Start(), Append("app.log"), Wait(), Collect(), Wait(), Collect()]
    steps = [*first, Gone(), Wait(), Wait(), Start(), Append("app.log"), Wait(), Unlink("app.log")]
    live(world(), [*steps, Gone(), Wait(65.0), Wait(65.0)])


def test_who_has_nothing_left_to_drain_is_forgotten() -> None:
    """It stayed until its deadline when a successor took over its file set."""
    live(world(), [Start(), Gone(), Start(), Wait()])


@pytest.mark.parametrize("copied", [False, True])
def test_rotation_past_what_is_kept_while_the_pilot_is_down_loses_that_only(copied: bool) -> None:
    down: list[Step] = [KillAgent()]
    for _ in range(4):
        down += [Rotate("app.log"), Append("app.log", 2)]
    live(world(copied=copied), [Start(), Append("app.log"), Wait(), *down, StartAgent()])


@pytest.mark.parametrize("copied", [False, True])
def test_lines_after_a_truncation_that_was_noticed_arrive(copied: bool) -> None:
    read: list[Step] = [Start(), Append("app.log", 3), Wait(), Collect()]
    live(world(copied=copied), [*read, Truncate("app.log"), Wait(), Collect(), Append("app.log")])


def test_an_ended_container_that_starts_again_goes_on() -> None:
    read: list[Step] = [Start(), Append("app.log"), Wait(), End(), Wait(65.0), Collect(), Start()]
    live(world(), [*read, Append("app.log"), Rotate("app.log"), Wait()])
