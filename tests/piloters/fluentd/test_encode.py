from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.piloters.fluentd import encode
from tests.declarations.making import any_text
from tests.piloters.fluentd.syntax import EvaluationError, parse


def read_back(value: str) -> str:
    """What a section's parameter of that value is, with neighbours that must stay whole."""
    root = parse(
        f"<source>\n  before 1\n  value {value}\n  after 2\n</source>\n<match>\n</match>\n"
    )
    source, match = root.elements
    assert (source.name, match.name, source.elements) == ("source", "match", [])
    assert [*source.parameters] == ["before", "value", "after"]
    assert (source.parameters["before"], source.parameters["after"]) == ("1", "2")
    return source.parameters["value"]


def as_utf8(text: str) -> str:
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


@given(any_text)
def test_any_text_is_read_back_as_it_is(text: str) -> None:
    assert read_back(encode.quoted(text)) == as_utf8(text)


@pytest.mark.parametrize(
    "text",
    [
        "#{exit}",
        '"#{`id`}"',
        "\\#{exit}",
        "a\n</source>\n@include http://x/\n<source>",
        "[1]",
        "{}",
        "'",
        "x # y",
        "",
        "\0",
    ],
)
def test_what_would_be_more_than_a_text_is_only_a_text(text: str) -> None:
    assert read_back(encode.quoted(text)) == text


def test_the_oracle_knows_ruby_when_it_sees_it() -> None:
    with pytest.raises(EvaluationError):
        read_back('"#{exit}"')


@given(any_text)
def test_a_static_field_s_value_is_exact(text: str) -> None:
    """As record_transformer sees it: placeholders are replaced, one expression of ours is run."""
    value = read_back(encode.static(text))
    ours = re.fullmatch(r'\$\{\["([0-9a-f]*)"\]\.pack\("H\*"\)\.force_encoding\("UTF-8"\)\}', value)
    if ours:
        assert bytes.fromhex(ours[1]).decode() == as_utf8(text)
    else:
        assert value == as_utf8(text)
        assert not re.search(r"\$\{|__[A-Z_]+__|[\\#\[\]{}]", value)


@given(any_text)
def test_a_path_is_that_file_or_is_refused(text: str) -> None:
    try:
        value = read_back(encode.path(text))
    except ValueError:
        assert any(each in text for each in "*|\t\n") or text.strip(" \v\f\r\0") != text
        return
    assert value.replace("%%", "%") == as_utf8(text)
    assert not re.search("(?<!%)(?:%%)*%(?!%)", value), "strftime would see a directive"
    assert not set(value) & set("*|")


@given(st.text(st.sampled_from("ab_A1.-$@ \n"), max_size=5))
def test_only_a_plain_word_is_a_key(name: str) -> None:
    try:
        assert encode.key(name) == name
    except ValueError:
        assert not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name)


def test_a_regular_expression_stands_between_slashes() -> None:
    assert read_back(encode.regexp(r"^\d+ #{x}")) == r"/^\d+ #{x}/"
