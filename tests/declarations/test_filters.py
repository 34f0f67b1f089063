"""What is taken of a file and how it is read."""

from __future__ import annotations

import pytest

from pilot.declarations import read
from pilot.declarations.filters import ENCODINGS
from pilot.declarations.numbers import parse_count, parse_duration, parse_size
from pilot.model import Declaration, Option
from pilot.piloters.console.encodings import to_utf8
from pilot.treatment import Treatment


def treatment(
    value: str = "/a.log", **given: str
) -> tuple[Treatment | None, list[tuple[str, str, bool]]]:
    """What is read, and (code, hint, notice) of each rejection."""
    options = {name: Option(name, text) for name, text in given.items()}
    reading, said = read(Declaration(name="web", key="web", value=value, options=options))
    return (
        reading.treatment if reading else None,
        [(each.code.value, each.hint, each.notice) for each in said],
    )


@pytest.mark.parametrize("option", ["include", "exclude"])
def test_a_pattern_keeps_its_blanks(option: str) -> None:
    found, said = treatment(**{option: " DEBUG \n"})
    assert said == []
    assert found is not None
    assert (found.include or found.exclude) == " DEBUG "


@pytest.mark.parametrize("option", ["include", "exclude"])
@pytest.mark.parametrize("text", ["(", "(?=a)", r"(a)\1", "a" * 1001, "*", "a\nb", "\ud800"])
def test_a_bad_pattern_rejects_the_log(option: str, text: str) -> None:
    assert treatment(**{option: text}) == (None, [("regexp-invalid", "", False)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gbk", "gbk"),
        ("GB-2312", "gbk"),
        ("Shift_JIS", "shift-jis"),
        ("latin1", "iso8859-1"),
        ("ISO-8859-15", "iso8859-15"),
        ("cp1252", "windows-1252"),
        ("windows1251", "windows-1251"),
        ("KOI8-R", "koi8-r"),
        ("utf8", ""),
        ("UTF-8", ""),
        ("plain", ""),
        ("us-ascii", ""),
        *((name, name) for name in ENCODINGS),
    ],
)
def test_encodings_have_one_name_however_they_are_spelled(text: str, expected: str) -> None:
    found, said = treatment(encoding=text)
    assert said == []
    assert found is not None
    assert found.encoding == expected


@pytest.mark.parametrize("name", ENCODINGS)
def test_in_every_encoding_ascii_is_ascii_and_a_newline_one_byte(name: str) -> None:
    ascii_text = bytes(range(128))
    assert to_utf8(ascii_text, name) == ascii_text
    beyond = [bytes([first, 0x0A, 0x41, 0x41]) for first in range(128, 256)]
    assert all(b"\n" in to_utf8(text, name) for text in beyond)


@pytest.mark.parametrize(
    ("text", "hint"),
    [("utf-16", ""), ("utf-16le-bom", ""), ("iso-2022-jp", ""), ("gkb", "gbk"), ("rot13", "")],
)
def test_an_encoding_that_not_all_know_rejects_the_log(text: str, hint: str) -> None:
    assert treatment(encoding=text) == (None, [("encoding-unknown", hint, False)])


@pytest.mark.parametrize("value", ["stdout", "stderr", "stdout,stderr"])
def test_the_runtimes_own_log_has_no_encoding_to_choose(value: str) -> None:
    found, said = treatment(value, encoding="gbk")
    assert found == Treatment()
    assert said == [("option-unsupported", "", True)]


def test_a_log_with_files_too_has_one() -> None:
    found, said = treatment("stdout,/a.log", encoding="gbk")
    assert (found, said) == (Treatment(encoding="gbk"), [])


@pytest.mark.parametrize(
    ("text", "expected"), [("1Ki", 1024), ("10Mi", 10 << 20), ("65536", 65536), ("64 KB", 64000)]
)
def test_good_sizes(text: str, expected: int) -> None:
    assert treatment(max_bytes=text) == (Treatment(max_bytes=expected), [])


@pytest.mark.parametrize(
    ("text", "hint"),
    [("0", "1Ki"), ("1023", "1Ki"), ("11Mi", "10Mi"), ("1Gi", ""), ("-5", ""), ("1.5Mi", "")],
)
def test_a_bad_size_rejects_the_log(text: str, hint: str) -> None:
    assert treatment(max_bytes=text) == (None, [("number-invalid", hint, False)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5", 5.0), ("5s", 5.0), ("500ms", 0.5), ("1m", 60.0), ("1.5 s", 1.5), (".5", 0.5)],
)
def test_durations(text: str, expected: float) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "s", "-1", "1e3", "1h", "\uff15", "1 ", "inf", "9" * 99])
def test_no_durations_sizes_or_counts(text: str) -> None:
    assert parse_duration(text) is None
    assert parse_size(text) is None
    assert parse_count(text) is None
