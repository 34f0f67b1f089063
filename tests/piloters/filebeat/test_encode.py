from __future__ import annotations

import fnmatch
import re
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from pilot.piloters.filebeat import encode

ANY_TEXT = st.text(st.characters())  # lone surrogates too
VALID_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def read_back(encoded: str) -> Any:
    value = yaml.safe_load(encoded)
    return value.replace("$$", "$") if isinstance(value, str) else value


@given(VALID_TEXT)
@example("${X}")
@example("$${")
@example('a: "b"\n- c')
@example("\x85\u2028\u2029\ufeff\x7f\0\U0001f600")
def test_any_string_is_read_back_as_it_was(text: str) -> None:
    assert read_back(encode.scalar(text)) == text


@given(ANY_TEXT)
def test_any_string_is_one_line_of_printable_ascii_without_a_lone_dollar(text: str) -> None:
    encoded = encode.scalar(text)
    assert re.fullmatch(r"[ -~]*", encoded)
    assert "$" not in encoded.replace("$$", "")
    assert read_back(encoded) == re.sub("[\ud800-\udfff]", "\ufffd", text)


@given(st.booleans() | st.integers() | st.floats(-1e6, 1e6))
def test_booleans_and_numbers_stay_what_they_are(value: object) -> None:
    assert read_back(encode.scalar(value)) == value
    assert type(read_back(encode.scalar(value))) is type(value)


@pytest.mark.parametrize("value", [None, [], {}, b"", float("nan"), float("inf"), object()])
def test_what_is_no_scalar_is_an_error(value: object) -> None:
    with pytest.raises(TypeError):
        encode.scalar(value)


@pytest.mark.parametrize("name", ["", "-1", "0", "a.b", "a b", "ä", "a\n", "$a", "-a"])
def test_a_key_that_filebeat_would_interpret_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a field's name"):
        encode.key(name)


@given(VALID_TEXT.filter(lambda text: "/" not in text))
def test_a_literal_regexp_matches_its_text_alone(text: str) -> None:
    # Python reads the same escapes of punctuation as RE2.
    assert re.fullmatch(encode.regexp_literal(text), text)
    assert not re.fullmatch(encode.regexp_literal(text), text + "x")


def test_a_literal_replacement_has_no_group_references() -> None:
    assert encode.replacement_literal("/a/$1/${b}") == "/a/$$1/$${b}"


def test_a_literal_glob_has_its_special_characters_escaped() -> None:
    assert encode.glob_literal("/a[1]*?\\b{x,y}") == "/a\\[1]\\*\\?\\\\b{x,y}"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.log", "*.log"),
        ("**", "*"),
        ("a***b", "a*b"),
        ("[!ab]", "[^\\a\\b]"),
        ("[^ab]", "[\\^\\a\\b]"),
        ("[a-z0]", "[\\a-\\z\\0]"),
        ("[]a]", "[\\]\\a]"),
        ("[-a]", "[\\-\\a]"),
        ("[a-]", "[\\a\\-]"),
        ("a[b", "a\\[b"),
        ("a\\*", "a\\\\*"),
        ("[!", "\\[!"),
    ],
)
def test_fnmatch_patterns_become_go_globs(pattern: str, expected: str) -> None:
    assert encode.go_glob(pattern) == expected


def go_match(pattern: str, name: str) -> bool:
    """Go's filepath.Match, as its documentation says; an error of the pattern fails the test."""
    if not pattern:
        return not name
    first, rest = pattern[0], pattern[1:]
    if first == "*":
        return any(go_match(rest, name[skip:]) for skip in range(len(name) + 1))
    if first == "[":
        hit, rest = go_class(rest, name[:1])
        return hit and go_match(rest, name[1:])
    if first == "\\":
        first, rest = rest[0], rest[1:]
    elif first == "?":
        first = name[:1]
    return bool(name) and name[0] == first and go_match(rest, name[1:])


def go_class(pattern: str, character: str) -> tuple[bool, str]:
    """Whether a class takes the character, and what follows its `]`."""
    negated = pattern.startswith("^")
    pattern = pattern.removeprefix("^")
    hit, count = False, 0
    while not (pattern.startswith("]") and count):
        low, pattern = go_class_member(pattern)
        high = low
        if pattern.startswith("-"):
            high, pattern = go_class_member(pattern[1:])
        hit = hit or low <= character <= high
        count += 1
    return bool(character) and hit != negated, pattern[1:]


def go_class_member(pattern: str) -> tuple[str, str]:
    assert pattern[0] not in "-]"
    return (pattern[1], pattern[2:]) if pattern[0] == "\\" else (pattern[0], pattern[1:])


GLOBBY = st.text(st.sampled_from("ab-*?[]!^\\."), max_size=8)


@given(GLOBBY, st.text(st.sampled_from("ab-*?[]!^\\."), max_size=5))
def test_a_go_glob_matches_what_fnmatch_does(pattern: str, name: str) -> None:
    assert go_match(encode.go_glob(pattern), name) == fnmatch.fnmatchcase(name, pattern)


@given(st.text(st.sampled_from("ab*?[]\\"), max_size=6))
def test_a_literal_glob_matches_its_text_alone(text: str) -> None:
    assert go_match(encode.glob_literal(text), text)
    assert not go_match(encode.glob_literal(text), text + "a")
