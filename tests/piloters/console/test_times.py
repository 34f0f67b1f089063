"""Times that a line says."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.declarations.times import DIRECTIVES
from pilot.piloters.console.times import PARTS, SHORT, TimeFormat, TimeFormatError

OWN = "2026-03-04T05:06:07.123Z"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("format_", "text", "expected"),
    [
        ("", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("", "2026-01-02T03:04:05.123456789+08:00", "2026-01-01T19:04:05.123456789Z"),
        ("", "2026-01-02 03:04:05,678", "2026-01-02T03:04:05.678Z"),
        ("", "2026-01-02t03:04:05z", "2026-01-02T03:04:05Z"),
        ("", "2026-01-02 03:04:05 -0230", "2026-01-02T05:34:05Z"),
        ("", "2026-01-02T03:04:05.1234567891Z", "2026-01-02T03:04:05.123456789Z"),
        ("%Y-%m-%d %H:%M:%S.%L", "2026-01-02 03:04:05.678", "2026-01-02T03:04:05.678Z"),
        ("%Y-%m-%d %H:%M:%S,%3N", "2026-01-02 03:04:05,678", "2026-01-02T03:04:05.678Z"),
        ("%Y%m%d%H%M%S%6N", "20260102030405000678", "2026-01-02T03:04:05.000678Z"),
        ("%FT%T.%9N%z", "2026-01-02T03:04:05.000000678+01:00", "2026-01-02T02:04:05.000000678Z"),
        ("%FT%T.%N%z", "2026-01-02T03:04:05.5-01:00", "2026-01-02T04:04:05.5Z"),
        ("%F %T.%f", "2026-01-02 03:04:05.000001", "2026-01-02T03:04:05.000001Z"),
        ("%s", "1767323045", "2026-01-02T03:04:05Z"),
        ("%s.%L", "1767323045.250", "2026-01-02T03:04:05.250Z"),
        ("%d/%b/%Y:%H:%M:%S %z", "02/Jan/2026:03:04:05 +0000", "2026-01-02T03:04:05Z"),
        ("%a %b %e %H:%M:%S %Y", "Fri Jan  2 03:04:05 2026", "2026-01-02T03:04:05Z"),
        ("%A, %d %B %Y %I:%M:%S %p", "Friday, 02 January 2026 12:04:05 AM", "2026-01-02T00:04:05Z"),
        ("%D %I:%M %p", "01/02/26 1:04 pm", "2026-01-02T13:04:00Z"),
        ("%y-%m-%e", "69-1-2", "1969-01-02T00:00:00Z"),
        ("%Y.%j", "2026.002", "2026-01-02T00:00:00Z"),
        ("%Y-%m-%d %H:%M:%S %Z", "2026-01-02 03:04:05 PST", "2026-01-02T11:04:05Z"),
        ("%Y-%m-%d %H:%M:%S", "2016-12-31 23:59:60", "2017-01-01T00:00:00Z"),
        ("100%% %F", "100%  2026-01-02", "2026-01-02T00:00:00Z"),
        ("%%F %F", "%F 2026-01-02", "2026-01-02T00:00:00Z"),
        ("(%F)", "(2026-01-02)", "2026-01-02T00:00:00Z"),
        # What is not said is taken from the event's own time, at most a day ahead of it.
        ("%b %d %H:%M:%S", "Mar  4 03:04:05", "2026-03-04T03:04:05Z"),
        ("%b %e %T", "Mar  5 03:04:05", "2026-03-05T03:04:05Z"),
        ("%b %e %T", "Dec 31 23:59:59", "2025-12-31T23:59:59Z"),
        ("%T", "03:04:05", "2026-03-04T03:04:05Z"),
        ("%d %T", "02 03:04:05", "2026-03-02T03:04:05Z"),
        ("%Y", "2020", "2020-01-01T00:00:00Z"),
    ],
)
def test_times_are_read(format_: str, text: str, expected: str) -> None:
    assert TimeFormat(format_).read(text, OWN) == expected


@pytest.mark.parametrize(
    ("format_", "text"),
    [
        ("", ""),
        ("", "yesterday"),
        ("", "1767323045"),
        ("", "2026-13-02T03:04:05Z"),
        ("", "2026-02-30T03:04:05Z"),
        ("", "2026-01-02T24:04:05Z"),
        ("", "2026-01-02T03:04:61Z"),
        ("", "2026-01-02T03:04:05+99:00"),
        ("", "0001-01-01T00:00:00+08:00"),
        ("", "2026-01-02T03:04:05Z and more"),
        ("", "2026-01-02T03:04:05Z" + " " * 100),
        ("%d/%b/%Y", "02/Foo/2026"),
        ("%Y.%j", "2026.366"),
        ("%Y.%j", "2026.000"),
        ("%I %p", "13 pm"),
        ("%s", "999999999999"),
        ("%s", "-1"),
        ("%s", "٣"),
        ("%b %d", "Feb 29"),
    ],
)
def test_what_is_no_time_is_refused(format_: str, text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        TimeFormat(format_).read(text, OWN)


@pytest.mark.parametrize("directive", DIRECTIVES)
def test_whatever_a_declaration_may_use_is_understood(directive: str) -> None:
    dated = "%s" if directive in ("%Y", "%F") else "%Y"
    at = datetime(2026, 1, 2, 13, 4, 5, tzinfo=UTC)
    text = at.strftime(re.sub(r"%(L|\d?N)", "123", f"{dated} {directive}"))
    assert TimeFormat(f"{dated} {directive}").read(text, OWN).endswith("Z")


def test_nothing_is_read_that_no_declaration_may_use() -> None:
    assert {f"%{letter}" for letter in (*PARTS, *SHORT)} - DIRECTIVES.keys() == set()


@pytest.mark.parametrize(
    ("format_", "expected"),
    [
        ("%Y-%m-%d %", "single %"),
        ("%Y %q", "'%q'"),
        ("%Y %:m", "'%:m'"),
        ("%Y %3S", "'%3S'"),
        ("%T.%2N", "'%2N'"),
        ("%Y %-m", "'%-m'"),
        ("%Y %r", "'%r'"),
        ("%Y %Y", "second time"),
        ("%T.%L%N", "second time"),
        ("now", "neither"),
        ("%z", "neither"),
    ],
)
def test_what_is_no_format_is_said(format_: str, expected: str) -> None:
    with pytest.raises(TimeFormatError, match=expected):
        TimeFormat(format_)


@given(st.integers(86400, 253402214400 * 10**6).map(lambda us: EPOCH + timedelta(microseconds=us)))
def test_what_python_writes_is_read(at: datetime) -> None:
    expected = f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"
    for format_ in (
        "%Y-%m-%dT%H:%M:%S.%f%z",
        "%A %d %B %Y %I:%M:%S.%f %p %Z",
        "%j %Y %H:%M:%S.%f",
    ):
        assert TimeFormat(format_).read(at.strftime(format_), OWN) == expected
    assert TimeFormat("").read(at.isoformat(timespec="microseconds"), OWN) == expected


@given(st.text(alphabet="%YmdHMSLNzZsbaAjpne:- 139x", max_size=30), st.text(max_size=40))
def test_any_format_reads_any_text_or_refuses(format_: str, text: str) -> None:
    try:
        found = TimeFormat(format_).read(text, OWN)
    except ValueError:
        return
    assert TimeFormat("").read(found, OWN) == found
