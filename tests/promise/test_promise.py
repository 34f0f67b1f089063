"""Whatever happens on a node: what the model says has to arrive arrives, and nothing else."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from tests.promise.choosing import lives
from tests.promise.life import Life

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.promise.steps import Step, World


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """The pilot says much about such lives."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def live(world: World, steps: list[Step]) -> None:
    """Live one life to its end."""
    fast = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with (
        tempfile.TemporaryDirectory(prefix="promise-") as here,
        tempfile.TemporaryDirectory(prefix="promise-", dir=fast) as elsewhere,
    ):
        life = Life(Path(here) / "node", Path(elsewhere), world)
        try:
            for step in steps:
                life.take(step)
            life.settle()
        finally:
            life.close()


@settings(max_examples=250, print_blob=True)
@given(lives())
def test_what_has_to_arrive_arrives_and_nothing_else(life: tuple[World, list[Step]]) -> None:
    live(*life)


@pytest.mark.proof
@pytest.mark.timeout(3600)
@settings(max_examples=10_000, print_blob=True)
@given(lives(parts=10))
def test_it_does_so_in_long_lives(life: tuple[World, list[Step]]) -> None:
    live(*life)
