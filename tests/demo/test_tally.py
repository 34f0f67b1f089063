"""Which of a run's numbered lines came."""

from __future__ import annotations

import json

import pytest

from pilot.demo.tally import Tally


def event(run: str, program: str, number: object, more: str = "") -> str:
    return json.dumps({"message": f"run={run} program={program} line={number}{more}"})


def test_every_line_once_is_complete() -> None:
    tally = Tally("r1", {"web": 2, "api": 1})
    for line in (
        event("r1", "web", 1),
        event("r1", "web", 2),
        event("r1", "api", 1, " padding=xx"),
    ):
        assert tally.feed(line)
    assert tally.complete
    assert tally.arrived == 3
    assert tally.missing() == {"web": [], "api": []}
    assert tally.twice() == {"web": [], "api": []}
    assert tally.others == 0
    assert tally.summary().splitlines() == [
        "web: 2 of 2 lines arrived, missing 0, twice 0",
        "api: 1 of 1 lines arrived, missing 0, twice 0",
    ]


def test_missing_and_twice_are_named() -> None:
    tally = Tally("r1", {"web": 4})
    for number in (1, 3, 3):
        tally.feed(event("r1", "web", number))
    assert not tally.complete
    assert tally.missing() == {"web": [2, 4]}
    assert tally.twice() == {"web": [3]}
    assert tally.summary() == "web: 2 of 4 lines arrived, missing 2 (line 2, 4), twice 1 (line 3)"


def test_a_summary_names_only_some_of_many() -> None:
    shown = Tally("r1", {"web": 100}).summary()
    assert "missing 100 (line 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …)" in shown


@pytest.mark.parametrize(
    "line",
    [
        "",
        "no JSON",
        "[" * 100_000,
        "[]",
        "7",
        json.dumps({"message": 7}),
        json.dumps({"message": "something else"}),
        event("r2", "web", 1),
        event("r1", "other", 1),
        event("r1", "web", 0),
        event("r1", "web", 3),
        event("r1", "web", "9" * 5000),
        event("r1", "web", "٣"),
    ],
)
def test_anything_else_is_counted_apart(line: str) -> None:
    tally = Tally("r1", {"web": 2})
    assert not tally.feed(line)
    assert tally.others == 1
    assert tally.arrived == 0
