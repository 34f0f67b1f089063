"""Declarations that are printed and found again, and dialects that say the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.declarations import find, print_declarations
from pilot.declarations.items import NAME
from pilot.declarations.options import OPTIONS, split
from pilot.declarations.tags import parse_tags
from pilot.model import Container, Declaration, Option, Origin
from tests.declarations.making import PREFIXES, any_text, container, pod, texts

ORIGINS = (Origin.ANNOTATION, Origin.ENV, Origin.LABEL)
NAMES = ["a", "a_b", "a.b", "a-b", "A", "a_target", "a_format", "a_b_tags", "0", "a.b_c.d"]


def holding(origin: Origin, printed: dict[str, str]) -> Container:
    if origin is Origin.ANNOTATION:
        return container(pod=pod(printed))
    return container(printed) if origin is Origin.ENV else container({}, printed)


def again(declarations: tuple[Declaration, ...], origin: Origin) -> tuple[Declaration, ...]:
    printed = print_declarations(declarations, origin=origin)
    result = find(holding(origin, printed), prefixes=PREFIXES, max_logs=100)
    assert result.rejections == ()
    assert len(printed) == len(declarations) + sum(len(each.options) for each in declarations)
    return result.declarations


def bare(declarations: tuple[Declaration, ...]) -> list[Declaration]:
    """Without what differs between dialects by nature: keys and origins."""
    return [
        replace(
            each,
            key="",
            origin=Origin.ENV,
            options={name: Option("", option.value) for name, option in each.options.items()},
        )
        for each in declarations
    ]


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (
            Origin.ENV,
            {
                "aliyun_logs_a": "stdout",
                "aliyun_logs_a_format_time_key": "t",
                "aliyun.logs.a_target": "/b",
                "aliyun.logs.a_target.tags": "k=v",
            },
        ),
        (
            Origin.LABEL,
            {
                "aliyun.logs.a": "stdout",
                "aliyun.logs.a.format.time_key": "t",
                "aliyun.logs.a_target": "/b",
                "aliyun.logs.a_target.tags": "k=v",
            },
        ),
        (
            Origin.ANNOTATION,
            {
                "aliyun.logs/a": "stdout",
                "aliyun.logs/a.format.time_key": "t",
                "aliyun.logs/a_target": "/b",
                "aliyun.logs/a_target.tags": "k=v",
            },
        ),
    ],
)
def test_each_dialect_has_its_spelling(origin: Origin, expected: dict[str, str]) -> None:
    declarations = find(
        container({}, {key.replace("/", "."): value for key, value in expected.items()})
        if origin is Origin.ANNOTATION
        else holding(origin, expected),
        prefixes=PREFIXES,
        max_logs=9,
    ).declarations
    printed = print_declarations(declarations, origin=origin)
    if origin is Origin.ENV:
        # Only a name that would be taken for another log's option needs the second spelling.
        expected = {
            key.replace("aliyun.logs.a_target.tags", "aliyun_logs_a_target_tags"): value
            for key, value in expected.items()
        }
    assert printed == expected


@given(texts, texts, texts)
def test_what_was_found_is_printed_and_found_again(
    annotations: dict[str, str], env: dict[str, str], labels: dict[str, str]
) -> None:
    where = container(env, labels, pod=pod(annotations))
    found = find(where, prefixes=PREFIXES, max_logs=9).declarations
    own = [
        replace(
            each,
            options={key: text for key, text in each.options.items() if key != "container"},
        )
        for each in found
    ]
    for origin in ORIGINS:
        assert bare(again(tuple(own), origin)) == bare(tuple(own))


options_given = st.dictionaries(
    st.one_of(
        st.sampled_from([each for each in OPTIONS if each != "container"]),
        st.from_regex(r"raw_[A-Za-z0-9_.]{1,20}", fullmatch=True),
    ),
    any_text,
    max_size=4,
)
logs = st.dictionaries(
    st.one_of(st.sampled_from(NAMES), st.from_regex(NAME, fullmatch=True)),
    st.tuples(
        st.lists(
            st.one_of(st.sampled_from(["stdout", "stderr"]), any_text.map("/{}".format)),
            min_size=1,
            max_size=4,
        ).map(", ".join),
        options_given,
    ),
    max_size=6,
)


@given(logs)
def test_environment_labels_and_annotations_say_the_same(
    written: dict[str, tuple[str, dict[str, str]]],
) -> None:
    declarations = tuple(
        Declaration(
            name=name,
            key="",
            value=value,
            options={option: Option("", text) for option, text in sorted(given.items())},
        )
        for name, (value, given) in sorted(written.items())
        # A name that is another's option in every dialect cannot be that of a log beside it.
        if not any(base in written for base, _ in split(name, "."))
    )
    for origin in ORIGINS:
        assert bare(again(declarations, origin)) == list(declarations)


def test_fields_come_back_as_tags_that_are_weaker() -> None:
    env = {
        "aliyun_logs_a": "stdout",
        "aliyun_logs_a_tags": "env=prod",
        "aliyun_logs_custom_config": "a.fields.env=dev\na.fields.team=x,y",
    }
    found = find(container(env), prefixes=PREFIXES, max_logs=9).declarations
    for origin in ORIGINS:
        printed = print_declarations(found, origin=origin)
        (log,) = find(holding(origin, printed), prefixes=PREFIXES, max_logs=9).declarations
        tags, said = parse_tags("a", "", log.options["tags"].value)
        assert (tags, said) == ({"env": "prod", "team": "x,y"}, [])
        assert list(log.options) == ["tags"]


@pytest.mark.parametrize("key", ["harvester_limit", "a.b.c", "Max_Bytes", "x.tags", "x_target"])
@pytest.mark.parametrize("origin", ORIGINS)
def test_a_raw_option_keeps_its_key(key: str, origin: Origin) -> None:
    where = Declaration(name="a", key="", value="stdout", options={f"raw_{key}": Option("", "1")})
    assert bare(again((where,), origin)) == [where]
