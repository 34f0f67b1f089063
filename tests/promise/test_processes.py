"""The promise with real processes, killed for real: few lives, as each takes seconds."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from tests.promise.choosing import lives
from tests.promise.processes import Processes

if TYPE_CHECKING:
    from tests.promise.steps import Step, World


def live(world: World, steps: list[Step]) -> None:
    """Live one life; tmpfs gives no inode twice, so copies can be told apart by it."""
    world = replace(world, declared=(world.declared[0],) * 2)
    one, other = ("/dev/shm", None) if world.copied else (None, "/dev/shm")
    with (
        tempfile.TemporaryDirectory(prefix="promise-", dir=one) as here,
        tempfile.TemporaryDirectory(prefix="promise-", dir=other) as elsewhere,
    ):
        life = Processes(Path(here) / "node", Path(elsewhere), world)
        try:
            for step in steps:
                life.take(step)
            life.settle()
        finally:
            life.close()


@pytest.mark.real
@settings(max_examples=10, print_blob=True)
@given(lives(parts=3))
def test_what_has_to_arrive_arrives_and_nothing_else(life: tuple[World, list[Step]]) -> None:
    live(*life)


@pytest.mark.proof
@pytest.mark.timeout(7200)
@settings(max_examples=300, print_blob=True)
@given(lives())
def test_it_does_so_in_many_lives(life: tuple[World, list[Step]]) -> None:
    live(*life)
