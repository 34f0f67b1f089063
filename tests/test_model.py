"""Text of tenants as messages show it."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.model import VALUE_SHOWN, Code, FileSet, Framing, Log, Rejection, printable, shorten
from pilot.treatment import Multiline, Stream, Treatment
from tests.declarations.making import any_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x1b[2J\x07\x00\x7f", r"\x1b[2J\x07\x00\x7f"),
        ("\x85\x9b", r"\x85\x9b"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\u202e\u2066\u061c\u200f", r"\u202e\u2066\u061c\u200f"),
        ("\ud800\udcff", r"\ud800\udcff"),
        ("\\n äé 日本 😀 \u00a0\u200d'\"", "\\n äé 日本 😀 \u00a0\u200d'\""),
    ],
)
def test_what_a_terminal_obeys_is_written_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert shorten(text) == shown


def unsafe(char: str) -> bool:
    """Said a second time, by Unicode's own tables."""
    bidi = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
    return (
        unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}
        or unicodedata.bidirectional(char) in bidi
        or char in "\u061c\u200e\u200f"
    )


@given(st.characters(codec=None))
def test_everything_else_stays(char: str) -> None:
    assert (printable(char) != char) is unsafe(char)


@given(any_text)
def test_printable_text_is_one_line_that_can_be_written_and_stays(text: str) -> None:
    shown = printable(text)
    assert not any(unsafe(char) for char in shown)
    assert len(f"x{shown}".splitlines()) == 1
    assert f"x{shown}".encode()
    assert printable(shown) == shown


@given(any_text, st.integers(0, 50))
def test_shortened_text_is_printable_and_says_how_long_it_was(text: str, limit: int) -> None:
    shown = shorten(text, limit)
    if len(printable(text)) <= limit:
        assert shown == printable(text)
    else:
        assert shown == f"{printable(text)[:limit]}… ({len(text)} characters)"


def test_a_long_text_is_cut() -> None:
    assert shorten("x" * 65536) == "x" * VALUE_SHOWN + "… (65536 characters)"


@given(any_text, any_text)
def test_a_rejection_is_one_line(key: str, value: str) -> None:
    rejection = Rejection(
        code=Code.VALUE_INVALID, key=key, value=shorten(value), reason="no.", hint=value
    )
    assert printable(str(rejection)) == str(rejection)


def test_what_is_read_of_a_file_set() -> None:
    def streams(framing: Framing, **asked: Any) -> tuple[Stream, ...]:
        files = FileSet(name="s", root="/r", folder="", pattern="*", framing=framing)
        return Log(name="web", key="k", file_sets=(files,), **asked).streams(files)

    joined = Treatment(multiline=Multiline(pattern="^ "))
    assert streams(Framing.LINES, treatment=joined) == (Stream.ALL,)
    assert streams(Framing.DOCKER) == (Stream.ALL,)
    assert streams(Framing.CRI, stream=Stream.STDERR) == (Stream.STDERR,)
    assert streams(Framing.CRI, stream=Stream.STDOUT, treatment=joined) == (Stream.STDOUT,)
    both = streams(Framing.DOCKER, treatment=joined)
    assert both == (Stream.STDOUT, Stream.STDERR), "no event joins lines of two streams"
