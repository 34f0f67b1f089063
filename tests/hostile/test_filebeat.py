"""Hostile strings in every place that takes a tenant's text, up to the sink of real Filebeats."""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.hostile import filebeats
from tests.hostile.cases import make
from tests.hostile.judging import Judge
from tests.hostile.pieces import CANARY, CANARY_TEXT, CANARY_VALUE, CANARY_VARIABLE
from tests.real.conftest import filebeat_program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hostile.judging import Judged

NEIGHBOURS = 10  # of so many cases one is rendered again without what is hostile
BATCH = 120  # cases that one run of Filebeat gets
PARTS = 10
WITHOUT_FILEBEAT, WITH_FILEBEAT, PROOF = 5_000, 20_000, 1_000_000  # strings


def judged(judge: Judge, seed: str, strings: int) -> Iterator[Judged]:
    """So many strings, in cases that came out as they were meant."""
    number = 0
    while strings > 0:
        case = make(seed, number, judge.sample)
        try:
            done = judge.run(case)
            if number % NEIGHBOURS == 0:
                judge.neighbour(done)
        except Exception as error:
            error.add_note(f"the case {number} of the seed {seed!r}")
            raise
        yield done
        strings -= case.strings
        number += 1


def test_hostile_strings_come_out_of_the_fragment_as_they_were_or_are_rejected() -> None:
    rejected = kept = 0
    for each in judged(Judge(), "fragments", WITHOUT_FILEBEAT):
        rejected += len(each.accepted.rejections)
        kept += len(each.inputs)
    # Neither says much if everything is refused, or nothing.
    assert rejected > 500
    assert kept > 500


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Both Filebeats, in an environment with a canary, beside a file that is another."""
    canary = Path(CANARY)
    canary.parent.mkdir(exist_ok=True)
    canary.write_text(f"{CANARY_TEXT}\n")
    monkeypatch.setenv(CANARY_VARIABLE, CANARY_VALUE)
    return [filebeat_program("filebeat-9"), filebeat_program("filebeat-7")]


def through_filebeats(programs: list[Path], seed: str, strings: int) -> None:
    batch: list[Judged] = []
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        folder = Path(name)
        cases = judged(Judge(str(folder / "pins")), seed, strings)
        for each in cases:
            batch.append(each)
            if len(batch) == BATCH:
                run_both(programs, folder, batch)
                batch = []
        if batch:
            run_both(programs, folder, batch)


def run_both(programs: list[Path], folder: Path, batch: list[Judged]) -> None:
    pins = folder / "pins"
    pins.mkdir()
    expected = filebeats.lay_out(batch, pins)
    own = [folder / str(number) for number in range(len(programs))]
    for each in own:
        each.mkdir()
    with ThreadPoolExecutor() as threads:
        runs = [
            threads.submit(filebeats.run, program, each, batch, expected)
            for program, each in zip(programs, own, strict=True)
        ]
    for done in runs:
        done.result()
    for each in (pins, *own):
        shutil.rmtree(each)


@pytest.mark.real
def test_hostile_strings_reach_the_sink_as_they_were_and_nothing_else_does(
    programs: list[Path],
) -> None:
    through_filebeats(programs, "sink", WITH_FILEBEAT)


@pytest.mark.proof
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_million_hostile_strings_reach_the_sink_as_they_were(
    programs: list[Path], part: int
) -> None:
    through_filebeats(programs, f"proof-{part}", PROOF // PARTS)
