"""A text taken apart."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.piloters.console.parsing import Parsed, Parser
from pilot.treatment import Format, Treatment

OWN = "2026-03-04T05:06:07Z"
NO_TIME = "no time in 't': "


def parse(text: str, format_: Format, **treatment: Any) -> Parsed:
    return Parser(Treatment(format=format_, **treatment)).parse(text, OWN)


def test_plain_text_says_nothing_more() -> None:
    assert parse('{"a": 1}', Format.NONE) == Parsed()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2", {"a": "1", "b": "2"}),
        (",", {"a": "", "b": ""}),
        (' 1 ,"2"', {"a": " 1 ", "b": "2"}),
        ('"x,""y""","l1\nl2"', {"a": 'x,"y"', "b": "l1\nl2"}),
        ('"",é', {"a": "", "b": "é"}),
    ],
)
def test_csv_columns_become_fields(text: str, expected: dict[str, str]) -> None:
    assert parse(text, Format.CSV, keys=("a", "b")) == Parsed(expected)


@pytest.mark.parametrize(
    ("text", "expected", "error"),
    [
        ("1,2,3", {"a": "1", "b": "2"}, "columns: 3, keys: 2; the last columns are left out"),
        ("1", {"a": "1"}, "columns: 1, keys: 2; the last keys are missing"),
        ("", {"a": ""}, "columns: 1, keys: 2; the last keys are missing"),
    ],
)
def test_more_or_fewer_columns_are_said(text: str, expected: dict[str, str], error: str) -> None:
    assert parse(text, Format.CSV, keys=("a", "b")) == Parsed(expected, error=("csv", error))


@pytest.mark.parametrize("text", ['"', '"a', '"a"b,c', 'a"b,c', 'a,"b"c', "a\nb,c", "a,b\n", '"""'])
def test_what_is_no_csv_stays_a_text(text: str) -> None:
    found = parse(text, Format.CSV, keys=("a", "b"))
    assert found.fields == {}
    assert found.error == ("csv", "the line is no CSV: a quote or the end of a line is amiss")


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_any_columns_come_back(columns: list[str]) -> None:
    quoted = ",".join('"' + each.replace('"', '""') + '"' for each in columns)
    keys = tuple(f"k{number}" for number in range(len(columns)))
    assert parse(quoted, Format.CSV, keys=keys) == Parsed(dict(zip(keys, columns, strict=True)))


def test_named_groups_become_fields() -> None:
    pattern = r"^(?P<level>[A-Z]+)( \[(?P<thread>\w+)\])? (?<rest>.*)$"
    assert parse("INFO [main] hello", Format.REGEXP, pattern=pattern) == Parsed(
        {"level": "INFO", "thread": "main", "rest": "hello"}
    )
    assert parse("INFO hello", Format.REGEXP, pattern=pattern) == Parsed(
        {"level": "INFO", "rest": "hello"}
    )
    assert parse("hello", Format.REGEXP, pattern=pattern).error == (
        "regexp",
        "the pattern is not found in the line",
    )


@pytest.mark.parametrize(
    ("text", "format_", "more", "time", "error"),
    [
        ('{"t": "2026-01-02T03:04:05Z"}', Format.JSON, {}, "2026-01-02T03:04:05Z", None),
        ('{"t": "1.5"}', Format.JSON, {"time_format": "%s.%L"}, "1970-01-01T00:00:01.5Z", None),
        ('{"t": 1.5}', Format.JSON, {"time_format": "%s.%L"}, "1970-01-01T00:00:01.5Z", None),
        ('{"t": 1}', Format.JSON, {"time_format": "%s"}, "1970-01-01T00:00:01Z", None),
        ('{"t": 1}', Format.JSON, {}, "", "the text does not have the format of a time"),
        ('{"t": true}', Format.JSON, {}, "", "there is no text and no number in it"),
        ('{"t": {"t": 1}}', Format.JSON, {}, "", "there is no text and no number in it"),
        ("{}", Format.JSON, {}, "", "there is no text and no number in it"),
        ("2026", Format.CSV, {"keys": ("t",), "time_format": "%Y"}, "2026-01-01T00:00:00Z", None),
        (
            "at=2026-01-02 03:04:05",
            Format.REGEXP,
            {"pattern": "at=(?P<t>.*)"},
            "2026-01-02T03:04:05Z",
            None,
        ),
    ],
)
def test_a_field_gives_the_time(
    text: str, format_: Format, more: dict[str, Any], time: str, error: str | None
) -> None:
    found = parse(text, format_, time_key="t", **more)
    assert found.time == time
    assert found.error == (("time", NO_TIME + error) if error else None)
    assert "t" in found.fields or text == "{}"


WHEN = "28/Feb/2026:12:00:00 +0900"


@pytest.mark.parametrize(
    ("format_", "text", "more", "time"),
    [
        (Format.NGINX, f'- - - [{WHEN}] "-" 400 0', {}, "2026-02-28T03:00:00Z"),
        (Format.APACHE2, f'- - - [{WHEN}] "-" 400 0', {}, "2026-02-28T03:00:00Z"),
        (Format.APACHE_ERROR, "[a Oct 11 14:32:52 2000] [b] ", {}, "2000-10-11T14:32:52Z"),
        (Format.APACHE_ERROR, "[a Oct 11 14:32:52.5 2000] [b] ", {}, "2000-10-11T14:32:52.5Z"),
        (Format.NGINX, '- - - [1] "-" 400 0', {"time_format": "%s"}, "1970-01-01T00:00:01Z"),
        (
            Format.NGINX,
            '- 2026-01-02T03:04:05Z - [1] "-" 400 0',
            {"time_key": "host", "time_format": "%FT%T%z"},
            "2026-01-02T03:04:05Z",
        ),
        (Format.NGINX, '- - - [now] "-" 400 0', {}, ""),
    ],
)
def test_web_servers_lines_have_their_own_time(
    format_: Format, text: str, more: dict[str, Any], time: str
) -> None:
    found = parse(text, format_, **more)
    assert found.time == time
    assert "time" in found.fields
    assert bool(found.error) is not bool(time)


@given(st.sampled_from(Format), st.text())
def test_any_text_gives_fields_or_an_error(format_: Format, text: str) -> None:
    more = {"pattern": r"^(?P<a>\w+) (?P<b>.*)$"} if format_ is Format.REGEXP else {}
    found = parse(text, format_, keys=("a", "b"), time_key="a", **more)
    assert format_ is Format.NONE or found.fields or found.error
