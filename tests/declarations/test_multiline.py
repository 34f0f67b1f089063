"""Which lines make one event."""

from __future__ import annotations

import re

import pytest

from pilot.declarations import read
from pilot.declarations.multiline import PRESETS
from pilot.model import Declaration, Option
from pilot.regexps import parse
from pilot.treatment import Match, Multiline
from tests.declarations.traces import TRACES


def multiline(**given: str) -> tuple[Multiline | None, list[tuple[str, str, str, bool]]]:
    """What is read, and (code, key, hint, notice) of each rejection."""
    options = {name: Option(name, text) for name, text in given.items()}
    reading, said = read(Declaration(name="web", key="web", value="/a.log", options=options))
    refused = any(not each.notice for each in said)
    assert (reading is None) == refused
    return (
        reading.treatment.multiline if reading else None,
        [(each.code.value, each.key, each.hint, each.notice) for each in said],
    )


def join(asked: Multiline, lines: list[str]) -> list[str]:
    """The events that lines make, as Filebeat's multiline parser makes them."""
    pattern = re.compile(parse(asked.pattern).to_python())
    events: list[list[str]] = []
    open_ = False  # the last event waits for a line behind it
    for line in lines:
        belongs = (pattern.search(line) is not None) != asked.negate
        if asked.match is Match.AFTER:
            append = belongs and bool(events)
        else:
            append, open_ = open_, belongs
        if append:
            events[-1].append(line)
        else:
            events.append([line])
    return ["\n".join(event) for event in events]


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("ending", ["", "\r", "\n"])
def test_a_preset_finds_the_events_of_real_traces(name: str, ending: str) -> None:
    asked, said = multiline(multiline=name)
    assert asked is not None
    assert said == []
    lines = [f"{line}{ending}" for event in TRACES[name] for line in event.split("\n")]
    expected = [event.replace("\n", f"{ending}\n") + ending for event in TRACES[name]]
    assert join(asked, lines) == expected


@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_is_slow_anywhere(name: str) -> None:
    assert parse(PRESETS[name].pattern).slow == ""


def test_a_pattern_of_the_logs_own() -> None:
    asked, said = multiline(
        multiline_pattern=r"^\[",
        multiline_negate="TRUE",
        multiline_match="before",
        multiline_max_lines="7",
        multiline_timeout="500ms",
    )
    expected = Multiline(pattern=r"^\[", negate=True, match=Match.BEFORE, max_lines=7, timeout=0.5)
    assert (asked, said) == (expected, [])


def test_lines_may_belong_to_the_line_behind_them() -> None:
    asked, _ = multiline(multiline_pattern=r"\\$", multiline_match="before")
    assert asked is not None
    assert join(asked, ["a \\", "b \\", "c", "d"]) == ["a \\\nb \\\nc", "d"]


def test_a_pattern_keeps_its_blanks() -> None:
    asked, _ = multiline(multiline_pattern="^  ")
    assert asked is not None
    assert asked.pattern == "^  "


def test_a_preset_takes_limits() -> None:
    asked, said = multiline(multiline="java", multiline_max_lines="10000", multiline_timeout="1m")
    assert asked is not None
    assert (asked.max_lines, asked.timeout, said) == (10_000, 60.0, [])


def test_none_switches_off_what_a_weaker_dialect_switched_on() -> None:
    assert multiline(multiline="none", multiline_pattern="^ ") == (None, [])


@pytest.mark.parametrize(
    ("given", "code", "key", "hint"),
    [
        ({"multiline": "jaba"}, "multiline-invalid", "multiline", "java"),
        ({"multiline": "Python"}, "multiline-invalid", "multiline", "python"),
        ({"multiline": r"^\["}, "multiline-invalid", "multiline", ""),
        ({"multiline_pattern": "("}, "regexp-invalid", "multiline_pattern", ""),
        (
            {"multiline": "java", "multiline_negate": "yes"},
            "multiline-invalid",
            "multiline_negate",
            "true",
        ),
        (
            {"multiline_pattern": "a", "multiline_negate": "fasle"},
            "multiline-invalid",
            "multiline_negate",
            "false",
        ),
        (
            {"multiline_pattern": "a", "multiline_match": "befor"},
            "multiline-invalid",
            "multiline_match",
            "before",
        ),
        (
            {"multiline": "go", "multiline_max_lines": "0"},
            "number-invalid",
            "multiline_max_lines",
            "1",
        ),
        (
            {"multiline": "go", "multiline_max_lines": "many"},
            "number-invalid",
            "multiline_max_lines",
            "",
        ),
        (
            {"multiline": "go", "multiline_timeout": "2m"},
            "number-invalid",
            "multiline_timeout",
            "60s",
        ),
    ],
)
def test_what_is_not_understood_rejects_the_log(
    given: dict[str, str], code: str, key: str, hint: str
) -> None:
    asked, said = multiline(**given)
    assert asked is None
    assert [one for one in said if not one[3]] == [(code, key, hint, False)]


@pytest.mark.parametrize(
    ("given", "ignored", "joined"),
    [
        ({"multiline": "java", "multiline_negate": "true"}, "multiline_negate", True),
        ({"multiline": "java", "multiline_pattern": "a"}, "multiline", True),
        ({"multiline_max_lines": "5"}, "multiline_max_lines", False),
        ({"multiline_match": "after"}, "multiline_match", False),
    ],
)
def test_what_has_no_effect_is_a_notice(given: dict[str, str], ignored: str, joined: bool) -> None:
    asked, said = multiline(**given)
    assert (asked is not None) == joined
    assert said == [("multiline-invalid", ignored, "", True)]
