"""Texts → documents with lines; hostile ones are a sentence with a line."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pilot.manifests.documents import OtherFileError, UnusableError, documents


def one(text: str) -> Any:
    (document,) = documents(text, "x")
    return document.data


def test_each_document_of_a_text_is_one_and_empty_ones_are_none() -> None:
    found = documents("# nothing\n---\na: 1\n---\n---\nb: x\n...\n", "x")
    assert [each.data for each in found] == [{"a": 1}, {"b": "x"}]


def test_the_line_of_a_key_and_of_an_item_is_its_own_in_the_whole_text() -> None:
    (first, second) = documents("a:\n- x\n- y: 1\n---\nb:\n  c:\n    d: 1\n", "x")
    assert first.line(("a", 1)) == 3
    assert first.line(("a", 1, "y")) == 3
    assert second.line(("b", "c", "d")) == 7


def test_a_place_that_is_missing_has_the_line_of_what_is_nearest() -> None:
    (document,) = documents("a:\n  b: 1\n", "x")
    assert document.line(("a", "nothing", 5)) == 1
    assert document.line(("a", "b", "deeper")) == 2


def test_dates_and_the_like_are_text_as_for_kubernetes() -> None:
    assert one("a: 2026-01-02\nb: 0x1f\nc: yes\nd: ~\ne: 1.5\nf: 1:30\n") == {
        "a": "2026-01-02",
        "b": "0x1f",
        "c": True,
        "d": None,
        "e": 1.5,
        "f": "1:30",
    }


def test_anchors_aliases_and_merged_keys_are_read_and_have_their_lines() -> None:
    text = "x: &a {k: 1, m: 2}\ny:\n  <<: *a\n  m: 3\nz: [*a, *a]\n"
    (document,) = documents(text, "x")
    assert document.data["y"] == {"k": 1, "m": 3}
    assert document.data["z"] == [{"k": 1, "m": 2}] * 2
    assert document.line(("y", "k")) == 1
    assert document.line(("y", "m")) == 4


def test_of_several_merged_the_earlier_wins() -> None:
    assert one("- &a {k: 1}\n- &b {k: 2, l: 2}\n- <<: [*a, *b]\n")[2] == {"k": 1, "l": 2}


def test_several_json_values_may_follow_each_other() -> None:
    text = '{\n "a": 1\n}\n{\n "b": [\n  1,\n  {"c": 2}\n ]\n}\n'
    first, second = documents(text, "x")
    assert (first.data, second.data) == ({"a": 1}, {"b": [1, {"c": 2}]})
    assert first.line(("a",)) == 2
    assert second.line(("b", 1, "c")) == 7
    assert second.line(()) == 4


def test_json_with_tabs_escapes_and_surrogates_has_its_lines() -> None:
    text = '{\n\t"\\u0061\\"": "\\ud83d\\ude00 \\/",\n\t"b": {\n\t\t"c": "x: [y"}}'
    (document,) = documents(text, "x")
    assert document.line(('a"',)) == 2
    assert document.line(("b", "c")) == 4


bombs = {
    "aliases of aliases": "a: &a [x, x]\n"
    + "".join(f"b{n}: &b{n} [*b{n - 1}, *b{n - 1}]\n" for n in range(1, 30)).replace("*b0", "*a"),
    "merges of merges": "a: &b0 {k: 1}\n"
    + "".join(f"b{n}: &b{n} {{<<: [*b{n - 1}, *b{n - 1}]}}\n" for n in range(1, 30)),
    "many lists": "a: " + "[" * 20_000,
    "many mappings": "{a: " * 20_000,
    "many items": "- " * 20_000 + "x",
    "many indentations": "\n".join(" " * n + "a:" for n in range(2_000)),
    "itself": "a: &a [*a]\n",
    "JSON lists": "[" * 20_000 + "]" * 20_000,
}


@pytest.mark.parametrize("name", bombs)
def test_a_bomb_is_refused_with_a_line(name: str) -> None:
    with pytest.raises(UnusableError) as caught:
        documents(bombs[name], "evil.yaml")
    assert str(caught.value).startswith("evil.yaml:")
    assert caught.value.line >= 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: [\n", 2),
        ("a: 1\n b: 2\n", 2),
        ("a\x00b", 1),
        ("a: *nobody\n", 1),
        ("{'a': 1\n", 1),
    ],
)
def test_what_is_no_yaml_has_the_line(text: str, line: int) -> None:
    with pytest.raises(UnusableError) as caught:
        documents(text, "x.yaml")
    assert caught.value.line == line
    assert "not usable as YAML" in caught.value.reason


def test_a_template_that_is_not_rendered_is_told_so() -> None:
    with pytest.raises(OtherFileError, match="helm template"):
        documents("a: {{ .Values.a }}\n{{- if b }}\n", "x.yaml")


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), values, min_size=1), st.integers(0, 2))
def test_any_json_is_read_as_it_is_with_lines_within_it(data: Any, indent: int) -> None:
    text = json.dumps(data, indent=indent)
    (document,) = documents(text, "x")
    assert document.data == data
    lines = text.split("\n")
    for key in data:
        assert json.dumps(key) in lines[document.line((key,)) - 1]


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")))
plain = st.recursive(
    texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=10
)


@given(st.dictionaries(texts, plain, min_size=1))
def test_any_yaml_of_texts_is_read_as_it_is(data: Any) -> None:
    assert one(yaml.safe_dump(data)) == data


@given(st.text())
def test_any_text_gives_documents_or_a_sentence(text: str) -> None:
    try:
        for each in documents(text, "x"):
            assert each.line(()) >= 1
    except UnusableError as error:
        line, reason = error.line, error.reason
    else:
        return
    assert line >= 1
    assert reason
