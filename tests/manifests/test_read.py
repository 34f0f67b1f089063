"""Which kind a file is, its content says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pilot.manifests import Manifest, OtherFileError, Surroundings, UnusableError, read
from pilot.manifests.shapes import absolute
from pilot.sources.inspect import container_from_inspect
from pilot.sources.static import parse_static
from tests.manifests.making import manifest

RECORDED = Path(__file__).parent.parent / "sources" / "recorded"
STATIC = """\
- id: one
  env:
    aliyun_logs_web: stdout
- id: two
  labels: {aliyun.logs.x: /l/x.log}
"""


@pytest.mark.parametrize("engine", ["20.10", "29"])
def test_what_docker_inspect_prints_is_read_as_the_docker_source_does(engine: str) -> None:
    text = (RECORDED / f"inspect-{engine}.json").read_text()
    found = manifest(text).containers
    assert found
    assert [each.container for each in found] == [
        container_from_inspect(each) for each in json.loads(text)
    ]
    lines = text.splitlines()
    for each in found:
        for key in each.container.env:
            assert key in lines[each.line(key) - 1]


def test_one_inspected_container_without_its_list_is_read_too() -> None:
    (found,) = manifest('{"Id": "a1", "Config": {"Env": ["A=b"]}}').containers
    assert found.container.env == {"A": "b"}


def test_a_static_file_is_read_as_the_static_source_does_with_lines() -> None:
    found = manifest(STATIC).containers
    assert [each.container for each in found] == parse_static(STATIC, "x")
    assert [found[0].line("aliyun_logs_web"), found[1].line("aliyun.logs.x")] == [3, 5]
    assert manifest("[]").containers == ()


@pytest.mark.parametrize("text", ["5", "[1]", "a: b", "{}", "[[]]", "- {Idd: 1}", "", "---\n"])
def test_what_is_none_of_them_is_a_sentence(text: str) -> None:
    with pytest.raises(OtherFileError, match=r"^x\.yaml:\d+: "):
        read(text, "x.yaml", Surroundings())


def test_a_slip_in_a_static_file_is_its_own_sentence() -> None:
    with pytest.raises(ValueError, match="x: id is 5"):
        read("id: 5", "x", Surroundings())


def test_what_docker_inspect_prints_of_no_container_has_a_line() -> None:
    with pytest.raises(UnusableError, match=r"x:1: .*no Id"):
        read('[{"Id": ""}]', "x", Surroundings())


words = st.sampled_from(
    [
        "apiVersion",
        "kind",
        "Pod",
        "spec",
        "metadata",
        "containers",
        "env",
        "name",
        "items",
        "List",
        "services",
        "image",
        "volumes",
        "status",
        "info",
        "id",
        "Id",
        "Config",
        "labels",
        "mounts",
        "template",
        "value",
        "annotations",
        "emptyDir",
        "hostPath",
        "/x",
        "stdout",
        "a:b",
        "${X}",
    ]
)
trees = st.recursive(
    words | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=6),
    max_leaves=30,
)


@given(st.dictionaries(words, trees) | st.lists(trees), st.booleans())
def test_any_tree_of_such_words_is_read_or_a_sentence(data: object, as_json: bool) -> None:
    text = json.dumps(data) if as_json else yaml.safe_dump(data)
    found, sentence = Manifest(), "x:"
    try:
        found = read(text, "x", Surroundings())
    except ValueError as error:
        sentence = str(error)
    assert sentence.startswith("x:")
    for each in found.containers:
        assert each.container.id
        assert all(each.line(key) >= 1 for _, key in each.where)


@pytest.mark.parametrize(
    ("path", "shortest"),
    [("/a//b/./c/", "/a/b/c"), ("//a", "/a"), ("a", ""), ("/a/../b", ""), ("/a\0", ""), ("/", "/")],
)
def test_paths_are_folded_or_refused(path: str, shortest: str) -> None:
    assert absolute(path) == shortest
