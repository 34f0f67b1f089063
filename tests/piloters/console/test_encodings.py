"""Text in other encodings than UTF-8."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.declarations.filters import ENCODINGS
from pilot.piloters.console.encodings import OTHERS, known, to_utf8

SINGLE = [f"iso8859-{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)] + [
    *(f"windows-{n}" for n in range(1250, 1259)),
    *("windows-874", "koi8-r", "koi8-u"),
]
DOUBLE = ["gbk", "gb18030", "big5", "euc-jp", "euc-kr", "shift-jis"]


@pytest.mark.parametrize("name", ["", *SINGLE, *DOUBLE])
def test_what_is_ascii_in_it_is_ascii(name: str) -> None:
    text = bytes(range(0x20, 0x7F))
    if name == "shift-jis":  # has a yen sign and an overline in some tables
        text = text.replace(b"\\", b"").replace(b"~", b"")
    assert known(name)
    assert to_utf8(text, name) == text


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("gbk", b"\xd6\xd0", "中"),
        ("gb18030", b"\x81\x30\x81\x30", "\x80"),
        ("big5", b"\xa4\xa4", "中"),
        ("euc-jp", b"\xc3\xe6", "中"),
        ("shift-jis", b"\x92\x86", "中"),
        ("shift-jis", b"\x87\x40", "①"),
        ("euc-kr", b"\xc7\xd1", "한"),
        ("euc-kr", b"\x81\x41", "갂"),
        ("iso8859-1", b"\xe9", "é"),
        ("iso8859-15", b"\xa4", "€"),
        ("windows-1251", b"\xe6", "ж"),
        ("koi8-r", b"\xd6", "ж"),
        ("shift-jis", b"\xa0\xfd\xff", "���"),
        ("gbk", b"\xd6\n", "�\n"),
        ("", b"\xff", None),
    ],
)
def test_other_text_becomes_utf8(name: str, raw: bytes, expected: str | None) -> None:
    assert to_utf8(raw, name) == (raw if expected is None else expected.encode())


def test_whatever_a_declaration_may_name_is_known_and_no_other_is_listed() -> None:
    assert [name for name in ENCODINGS if not known(name)] == []
    assert OTHERS.keys() - set(ENCODINGS) == set()


@pytest.mark.parametrize("name", ["nonsense", "base64", "hex", "rot13", "\0", "é", "a" * 1000])
def test_what_is_no_encoding_is_not_known(name: str) -> None:
    assert not known(name)


@given(st.sampled_from([*SINGLE, *DOUBLE]), st.binary())
def test_any_bytes_become_utf8(name: str, raw: bytes) -> None:
    to_utf8(raw, name).decode("utf-8")
