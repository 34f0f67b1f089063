from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.declarations.times import DIRECTIVES as DECLARED
from pilot.piloters.filebeat.layouts import (
    CHUNK,
    DIRECTIVES,
    EPOCHS,
    ISO_8601,
    SHORTHANDS,
    LayoutError,
    dated_layouts,
    layouts,
)


@pytest.mark.parametrize(
    ("time_format", "layout"),
    [
        ("%Y-%m-%dT%H:%M:%S.%fZ", "2006-01-02T15:04:05.999999999Z"),
        ("%F %T,%L", "2006-01-02 15:04:05,999999999"),
        ("%Y-%m-%dT%H:%M:%S.%N%z", "2006-01-02T15:04:05.999999999Z0700"),
        ("%d/%b/%Y:%H:%M:%S %z", "02/Jan/2006:15:04:05 Z0700"),
        ("%a %b %e %H:%M:%S %Y", "Mon Jan _2 15:04:05 2006"),
        ("%A, %d %B %y %I:%M %p", "Monday, 02 January 06 03:04 PM"),
        ("%Y%m%d%H%M%S", "20060102150405"),
        ("[%j %R]", "[002 15:04]"),
        ("%D %I:%M:%S %p", "01/02/06 03:04:05 PM"),
        ("%%%Y", "%2006"),
        ("%s", "UNIX"),
        ("%s.%L", "UNIX"),
        ("%s%L", "UNIX_MS"),
    ],
)
def test_a_format_is_a_layout(time_format: str, layout: str) -> None:
    assert layouts(time_format)[0] == layout


def test_a_zone_may_be_written_either_way() -> None:
    assert layouts("%H%z") == ("15Z0700", "15Z07:00")


def test_without_a_format_times_are_iso_8601() -> None:
    assert layouts("") == ISO_8601


@pytest.mark.parametrize(
    "time_format",
    [
        *("%Z", "%G", "%c", "%", "%Y%", "2006", "%Y 5", "January %d", "%d. Mon", "%H MST", "text"),
        *(
            "%Q",
            "%-d",
            "%Y %r",
            "%H%:z",
            "%Y_%e",
            "%H-07",
            "%H:%M%f",
            "%f",
            "%S%L",
            "%s %Y",
            "%%F",
            "%S.000",
        ),
    ],
)
def test_what_filebeat_would_misread_has_no_layout(time_format: str) -> None:
    with pytest.raises(LayoutError, match=r"^Filebeat .*\.$"):
        layouts(time_format)


@pytest.mark.parametrize("directive", DECLARED)
def test_whatever_a_declaration_may_use_is_written_or_refused(directive: str) -> None:
    """Alone, behind others, or behind the seconds' point; the name of a zone never."""
    written: list[str] = []
    for time_format in (directive, f"%Y {directive}", f"%H:%M:%S.{directive}"):
        try:
            written += layouts(time_format)
        except LayoutError:
            continue
    assert bool(written) == (directive != "%Z")


def test_nothing_is_written_that_no_declaration_may_use() -> None:
    used = {*DIRECTIVES, *SHORTHANDS, *re.findall(r"%\d?[A-Za-z]", "".join(EPOCHS))}
    assert used - DECLARED.keys() == set()


@given(st.lists(st.sampled_from(["%Y", "%m", "%e", "%d", "%H", "%S", ".%f", "%z", *"_-.,Z1 T%"])))
def test_a_layout_has_no_parts_but_those_that_were_meant(parts: list[str]) -> None:
    time_format = "".join(parts)
    try:
        found = layouts(time_format)
    except LayoutError:
        return
    if parts and found[0] not in {"UNIX", "UNIX_MS"}:
        directives = time_format.replace("%%", "").count("%")
        assert {len(CHUNK.findall(layout)) for layout in found} == {directives}


@pytest.mark.parametrize("time_format", ["%H:%M:%S", "%T.%L", "%Y %T"])
def test_a_time_without_a_day_is_not_dated_the_1st_of_january(time_format: str) -> None:
    with pytest.raises(LayoutError, match="without a day"):
        dated_layouts(time_format)


@pytest.mark.parametrize("time_format", ["", "%s", "%b %e %T", "%Y %j", "%F"])
def test_a_time_with_a_day_keeps_its_layouts(time_format: str) -> None:
    assert dated_layouts(time_format) == layouts(time_format)
