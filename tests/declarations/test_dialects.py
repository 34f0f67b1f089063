"""Where declarations are written, and which of them wins."""

from __future__ import annotations

import itertools

import pytest

from pilot.declarations import Found, declares, find, opted_out
from pilot.model import Code, Container, Origin
from tests.declarations.making import PREFIXES, container, pod


def here(
    annotations: dict[str, str] | None = None,
    env: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
) -> Container:
    return container(env, labels, pod=pod(annotations))


def found(where: Container) -> Found:
    return find(where, prefixes=PREFIXES, max_logs=100)


@pytest.mark.parametrize(
    ("annotations", "env", "labels", "origin"),
    [
        ({"aliyun.logs/web": "stdout"}, {}, {}, Origin.ANNOTATION),
        ({"pilot.logs.web": "stdout"}, {}, {}, Origin.ANNOTATION),
        ({}, {"aliyun_logs_web": "stdout"}, {}, Origin.ENV),
        ({}, {"aliyun.logs.web": "stdout"}, {}, Origin.ENV),
        ({}, {}, {"pilot.logs.web": "stdout"}, Origin.LABEL),
    ],
)
def test_a_log_knows_where_it_was_written(
    annotations: dict[str, str], env: dict[str, str], labels: dict[str, str], origin: Origin
) -> None:
    where = here(annotations, env, labels)
    result = found(where)
    (log,) = result.declarations
    assert (log.name, log.value, log.origin, log.options) == ("web", "stdout", origin, {})
    assert result.rejections == ()
    assert declares(where, PREFIXES)


@pytest.mark.parametrize(
    "option",
    ["aliyun.logs/web.format.time_key", "aliyun.logs/web.format_time_key"],
)
def test_an_annotations_option_is_spelled_with_a_dot_or_an_underscore(option: str) -> None:
    (log,) = found(here({"aliyun.logs/web": "stdout", option: "t"})).declarations
    assert log.options["format_time_key"].value == "t"
    assert log.options["format_time_key"].origin is Origin.ANNOTATION


def test_annotation_beats_environment_beats_label_option_by_option() -> None:
    annotations = {"aliyun.logs/web": "/annotation", "aliyun.logs.web.target": "annotation"}
    env = {
        "aliyun_logs_web": "/env",
        "aliyun_logs_web_target": "env",
        "aliyun_logs_web_format": "json",
    }
    labels = {
        "aliyun.logs.web": "/label",
        "aliyun.logs.web.format": "none",
        "aliyun.logs.web.tags": "a=label",
    }
    result = found(here(annotations, env, labels))
    (log,) = result.declarations
    assert (log.value, log.origin) == ("/annotation", Origin.ANNOTATION)
    assert {name: (option.value, option.origin) for name, option in log.options.items()} == {
        "target": ("annotation", Origin.ANNOTATION),
        "format": ("json", Origin.ENV),
        "tags": ("a=label", Origin.LABEL),
    }
    assert result.rejections == ()


def test_an_empty_option_counts_as_not_given_and_hides_no_weaker_one() -> None:
    env = {"aliyun_logs_web": "stdout", "aliyun_logs_web_exclude": " "}
    result = found(here({}, env, {"aliyun.logs.web.exclude": "secret"}))
    (log,) = result.declarations
    assert log.options["exclude"].value == "secret"
    assert result.rejections == ()


# Every way to write one log, the strongest first.
WAYS = [
    ("annotations", "aliyun.logs/web"),
    ("annotations", "aliyun.logs.web"),
    ("env", "aliyun_logs_web"),
    ("env", "aliyun.logs.web"),
    ("labels", "aliyun.logs.web"),
    ("annotations", "pilot.logs/web"),
    ("annotations", "pilot.logs.web"),
    ("env", "pilot_logs_web"),
    ("env", "pilot.logs.web"),
    ("labels", "pilot.logs.web"),
]


@pytest.mark.parametrize("pair", list(itertools.combinations(WAYS, 2)), ids=str)
def test_the_first_prefix_wins_then_the_stronger_place(
    pair: tuple[tuple[str, str], tuple[str, str]],
) -> None:
    texts: dict[str, dict[str, str]] = {"annotations": {}, "env": {}, "labels": {}}
    for number, (place, key) in reversed(list(enumerate(pair))):
        texts[place][key] = f"/{number}"
    result = found(here(texts["annotations"], texts["env"], texts["labels"]))
    (log,) = result.declarations
    assert (log.key, log.value) == (pair[0][1], "/0")
    other_prefix = pair[0][1].startswith("aliyun") and pair[1][1].startswith("pilot")
    assert [each.code for each in result.rejections] == [Code.NAME_SHADOWED] * other_prefix


def test_dotted_environment_keys_carry_names_with_underscores_and_their_options() -> None:
    env = {
        "aliyun.logs.web": "stdout",
        "aliyun.logs.web_target": "/t.log",
        "aliyun.logs.web_target.tags": "a=b",
    }
    web, target = found(here(env=env)).declarations
    assert (web.name, web.options) == ("web", {})
    assert (target.name, target.options["tags"].value) == ("web_target", "a=b")


@pytest.mark.parametrize(
    ("annotations", "env", "labels"),
    [
        ({"aliyun.logs": "none"}, {}, {}),
        ({}, {"aliyun_logs": "none"}, {}),
        ({}, {"pilot.logs": " none\n"}, {}),
        ({}, {}, {"pilot.logs": "none"}),
    ],
)
def test_a_bare_key_opts_out_and_declares_nothing(
    annotations: dict[str, str], env: dict[str, str], labels: dict[str, str]
) -> None:
    where = here(annotations, env, labels)
    assert found(where) == Found((), (), opted_out=True)
    assert opted_out(where, PREFIXES)
    assert not declares(where, PREFIXES)


def test_opting_out_leaves_what_is_declared() -> None:
    result = found(here(env={"aliyun_logs": "none", "aliyun_logs_web": "stdout"}))
    assert result.opted_out
    assert [each.name for each in result.declarations] == ["web"]


@pytest.mark.parametrize("value", ["", "all", "None", "stdout", "none,"])
def test_a_bare_key_can_only_say_none(value: str) -> None:
    where = here(env={"aliyun_logs": value})
    result = found(where)
    assert [(each.code, each.key, each.hint) for each in result.rejections] == [
        (Code.VALUE_INVALID, "aliyun_logs", "none")
    ]
    assert not result.opted_out
    assert not opted_out(where, PREFIXES)
    assert declares(where, PREFIXES)


def test_a_bare_key_beside_our_spelling_is_not_ours() -> None:
    where = here({"aliyun_logs": "none"}, {"aliyunlogs": "none"}, {"aliyun_logs": "none"})
    assert found(where) == Found((), ())
    assert not declares(where, PREFIXES)


def test_what_the_image_brought_is_refused_where_it_is_known() -> None:
    brought = {"aliyun_logs_img": "stdout", "aliyun_logs": "none", "aliyun_logs_web_tags": "a=b"}
    labels = {"pilot.logs.img": "/x", "aliyun_logs_custom_config": "web.encoding=gbk"}
    where = container(
        {**brought, "aliyun_logs_web": "stdout"}, labels, image_env=brought, image_labels=labels
    )
    result = found(where)
    (log,) = result.declarations
    assert (log.name, log.options) == ("web", {})
    assert {each.key for each in result.rejections} == brought.keys() | labels.keys()
    assert {each.code for each in result.rejections} == {Code.IMAGE_REFUSED}
    assert not result.opted_out
    assert not opted_out(where, PREFIXES)


def test_what_is_said_again_in_other_words_than_the_images_counts() -> None:
    where = container({"aliyun_logs_web": "/b"}, image_env={"aliyun_logs_web": "/a"})
    result = found(where)
    assert [each.value for each in result.declarations] == ["/b"]
    assert result.rejections == ()


def test_a_label_spelled_as_environment_is_not_ours() -> None:
    assert not declares(here({"aliyun_logs_web": "stdout"}, {}, {"aliyun_logs_web": "/"}), PREFIXES)


@pytest.mark.parametrize("option", ["include", "exclude", "target"])
def test_what_an_image_and_a_manifest_say_alike_is_not_simply_left_out(option: str) -> None:
    """Where both write the same, the engine tells only that it is there."""
    image = {f"aliyun_logs_web_{option}": "a=b"}
    env = {"aliyun_logs_web": "/a", "aliyun_logs_other": "/b", **image}
    here = find(container(env, image_env=image), prefixes=PREFIXES, max_logs=9)
    assert [each.name for each in here.declarations] == ["other"]
    labels = {f"aliyun.logs.web.{option}": "c=d"}
    here = find(container(env, labels, image_env=image), prefixes=PREFIXES, max_logs=9)
    assert [each.name for each in here.declarations] == ["other", "web"], "said by the manifest"
