"""Flags whose values have a form of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from pilot.cli.options import (
    UNITS,
    AllowanceType,
    FloorType,
    holding,
    rendering,
    settings_from,
)
from pilot.model import printable
from pilot.settings import Allowance, Floor, Settings

if TYPE_CHECKING:
    from click.testing import Result


def given_by(*arguments: str, **env: str) -> tuple[Result, list[Settings]]:
    """What a command with these flags ends with, and the settings that it got."""
    got: list[Settings] = []

    @click.command()
    @rendering
    @holding
    def command(**chosen: Any) -> None:
        got.append(settings_from(chosen))

    return CliRunner().invoke(command, arguments, env=env), got


def test_without_a_flag_the_settings_are_those_of_the_daemon() -> None:
    result, (got,) = given_by()
    assert result.exit_code == 0
    usual = Settings()
    assert got.recursive is usual.recursive is False
    assert got.set_allowance == usual.set_allowance
    assert got.namespace_allowance == usual.namespace_allowance
    assert got.node_allowance == usual.node_allowance
    assert got.floor is usual.floor is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1GiB/10000", Allowance(1 << 30, 10_000)),
        ("1Gi/10000", Allowance(1 << 30, 10_000)),
        ("512MiB/1", Allowance(512 << 20, 1)),
        ("3Ki/7", Allowance(3072, 7)),
        ("2TiB/7", Allowance(2 << 40, 7)),
        ("12345/7", Allowance(12345, 7)),
        ("0/0", Allowance(0, 0)),
        (" 1GiB/10 ", Allowance(1 << 30, 10)),
    ],
)
@pytest.mark.parametrize("whose", ["set", "namespace", "node"])
def test_an_allowance_is_bytes_and_files(whose: str, text: str, meant: Allowance) -> None:
    _, (by_flag,) = given_by(f"--{whose}-allowance", text)
    _, (by_variable,) = given_by(**{f"PILOT_{whose.upper()}_ALLOWANCE": text})
    assert getattr(by_flag, f"{whose}_allowance") == meant
    assert getattr(by_variable, f"{whose}_allowance") == meant


@pytest.mark.parametrize(
    "text",
    [
        *("", "1GiB", "/", "1GiB/", "/10", "10000/1GiB", "1GB/10", "1gib/10", "1 GiB/10"),
        *("-1/10", "1/-10", "1.5GiB/10", "1GiB/10/10", "1GiB/many", "1KB/1", "٣/٣", "1/1\n2"),
        "9" * 5000 + "/1",
    ],
)
def test_what_is_no_allowance_is_a_sentence(text: str) -> None:
    result, got = given_by("--set-allowance", text)
    assert result.exit_code == 2
    assert not got
    assert "--set-allowance" in result.output
    assert "1GiB/10000" in result.output
    assert text[:20].splitlines()[0] in result.output if text else "''" in result.output
    assert len(result.output) < 1000


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("auto", None),
        ("12%/6%", Floor(0.12, 0.06)),
        ("0%/0%", Floor(0.0, 0.0)),
        ("2.5%/0.125%", Floor(0.025, 0.00125)),
    ],
)
def test_a_floor_is_two_percentages_or_auto(text: str, meant: Floor | None) -> None:
    _, (by_flag,) = given_by("--floor", text)
    _, (by_variable,) = given_by(PILOT_FLOOR=text)
    assert by_flag.floor == by_variable.floor == meant


@pytest.mark.parametrize(
    "text", ["", "12%", "12/6", "100%/6%", "12%/100%", "-1%/6%", "Auto", "12 %/6 %", "auto/auto"]
)
def test_what_is_no_floor_is_a_sentence(text: str) -> None:
    result, got = given_by("--floor", text)
    assert result.exit_code == 2
    assert not got
    for said in ("--floor", repr(text), "12%/6%", "auto"):
        assert said in result.output.replace("\n", " ")


def test_recursive_is_a_flag_of_its_own() -> None:
    _, (by_flag,) = given_by("--recursive")
    _, (by_variable,) = given_by(PILOT_RECURSIVE="true")
    _, (denied,) = given_by(PILOT_RECURSIVE="false")
    assert by_flag.recursive
    assert by_variable.recursive
    assert not denied.recursive


def complaint(kind: AllowanceType | FloorType, text: str) -> str:
    try:
        kind.convert(text, None, None)
    except click.BadParameter as problem:
        return str(problem)
    return ""


@given(st.text(max_size=200) | st.from_regex(r"[0-9.KMGTiB%/ -]{0,20}"))
def test_any_text_is_a_value_or_one_short_sentence(text: str) -> None:
    for kind in (AllowanceType(), FloorType()):
        said = complaint(kind, text)
        assert printable(said) == said
        assert len(said) < 400


@given(
    st.integers(0, 10**15 - 1),
    st.sampled_from([*UNITS, *(f"{unit}B" for unit in UNITS if unit)]),
    st.integers(0, 10**15 - 1),
)
def test_every_allowance_can_be_written(amount: int, unit: str, files: int) -> None:
    read = AllowanceType().convert(f"{amount}{unit}/{files}", None, None)
    assert read == Allowance(amount << UNITS[unit.removesuffix("B")], files)
