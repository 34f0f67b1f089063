"""Which events go out, and how much of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.piloters.console.framing import LONGEST
from pilot.piloters.console.sifting import Sifter, compiled
from pilot.regexps import RegexpError
from pilot.treatment import Treatment


@pytest.mark.parametrize(
    ("text", "include", "exclude", "expected"),
    [
        ("ERROR one", "", "", True),
        ("ERROR one", "ERR", "", True),
        ("INFO one", "ERR", "", False),
        ("ERROR one", "", "one$", False),
        ("ERROR one", "ERR", "one$", False),
        ("ERROR one", "ERR", "^one", True),
        ("a\n  password=1\nb", "", "password", False),
        ("a\nERROR\nb", "^ERROR$", "", False),
        ("a\nERROR\nb", "(?m)^ERROR$", "", True),
        ("", "^$", "", True),
    ],
)
def test_patterns_are_searched_for_in_the_whole_event(
    text: str, include: str, exclude: str, expected: bool
) -> None:
    assert Sifter(Treatment(include=include, exclude=exclude)).wants(text) is expected


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        (b"12345", 5, ("12345", False)),
        (b"123456", 5, ("12345", True)),
        ("aé".encode(), 2, ("a", True)),
        ("aé".encode(), 3, ("aé", False)),
        ("a€".encode(), 3, ("a", True)),
        ("😀b".encode(), 4, ("😀", True)),
        ("a😀".encode(), 4, ("a", True)),
        (b"\x80" * 9, 5, ("�" * 5, True)),
        (b"a" * 9, 0, ("a" * 9, False)),
        (b"a" * (LONGEST + 1), LONGEST * 2, ("a" * LONGEST, True)),
    ],
)
def test_text_is_cut_between_two_characters(
    text: bytes, most: int, expected: tuple[str, bool]
) -> None:
    assert Sifter(Treatment(max_bytes=most)).cut(text) == expected


@given(st.text(), st.integers(1, 20))
def test_any_text_is_cut_to_a_beginning_of_it(text: str, most: int) -> None:
    found, cut = Sifter(Treatment(max_bytes=most)).cut(text.encode())
    assert text.startswith(found)
    assert len(found.encode()) <= most
    assert cut is (found != text)
    assert not cut or len(found.encode()) > most - 4


@given(st.binary(), st.integers(1, 20))
def test_any_bytes_are_cut_to_a_beginning_of_what_they_say(raw: bytes, most: int) -> None:
    found, _ = Sifter(Treatment(max_bytes=most)).cut(raw)
    assert len(found) <= most


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(RegexpError):
        compiled("(")
    with pytest.raises(RegexpError):
        Sifter(Treatment(exclude="(?=a)"))
