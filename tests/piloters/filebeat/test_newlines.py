from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.piloters.filebeat.newlines import before_newline
from pilot.regexps import parse

PIECES = [
    *("a", "b", ".", "^", "$", "a$", r"\s", r"\S", r"\D", r"\W", "[^a]", "[[:space:]]", r"[\n]"),
    *("(?:a|$)", "(a|b)*", "a{0,2}", "[^ ]*", r"[\t-\r]", r"\z", r"\A", r"\b", " ", r"\\"),
]


def in_python(pattern: str) -> str:
    """Go's words for Python."""
    return re.sub(r"\\x\{([0-9a-f]+)\}", lambda m: f"\\U{int(m[1], 16):08x}", pattern)


@given(
    st.sampled_from(["", "(?s)", "(?m)", "(?i)"]),
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join),
    st.text("ab \t\\-", max_size=5),
)
def test_a_line_with_its_newline_matches_as_it_does_without(
    flags: str, body: str, line: str
) -> None:
    pattern = f"{flags}{body}"
    without = re.search(parse(pattern).to_python(), line)
    found = re.search(in_python(before_newline(pattern)), f"{line}\n")
    assert bool(found) is bool(without)


@pytest.mark.parametrize("pattern", ["a$", r"^a\z", "(?m)^a$", "^.$"])
def test_the_end_is_before_windows_newline_too(pattern: str) -> None:
    assert re.search(in_python(before_newline(pattern)), "a\r\n")
