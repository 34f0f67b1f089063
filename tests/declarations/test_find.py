"""Which keys are logs, which are options, and which are mistakes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given

from pilot.declarations import declares, find
from pilot.declarations.find import MAX_HINTS, MAX_KEYS, MAX_REJECTIONS
from pilot.model import Code
from tests.declarations.making import PREFIXES, container, texts


def found(
    env: dict[str, str] | None = None, labels: dict[str, str] | None = None, max_logs: int = 100
) -> tuple[dict[str, tuple[str, dict[str, str]]], dict[str, tuple[str, str, bool]]]:
    """Name → (value, options); key → (code, hint, notice)."""
    result = find(container(env, labels), prefixes=PREFIXES, max_logs=max_logs)
    return (
        {
            each.name: (each.value, {name: option.value for name, option in each.options.items()})
            for each in result.declarations
        },
        {each.key: (each.code.value, each.hint, each.notice) for each in result.rejections},
    )


@pytest.mark.parametrize(
    ("env", "labels", "expected"),
    [
        ({"aliyun_logs_web": "stdout"}, {}, {"web": ("stdout", {})}),
        ({"pilot_logs_web": "stdout"}, {}, {"web": ("stdout", {})}),
        ({}, {"aliyun.logs.web": "/a.log"}, {"web": ("/a.log", {})}),
        ({"aliyun.logs.web": "stdout"}, {}, {"web": ("stdout", {})}),
        ({"aliyun_logs_business_log": "/a"}, {}, {"business_log": ("/a", {})}),
        ({"aliyun_logs_catalina-out.1": "/a"}, {}, {"catalina-out.1": ("/a", {})}),
        (
            {"aliyun_logs_web": "stdout", "aliyun_logs_web_target": "t"},
            {},
            {"web": ("stdout", {"target": "t"})},
        ),
        # Without its base, a suffix belongs to the name.
        ({"aliyun_logs_web_target": "stdout"}, {}, {"web_target": ("stdout", {})}),
        # The longest base wins.
        (
            {"aliyun_logs_a": "stdout", "aliyun_logs_a_b": "/x", "aliyun_logs_a_b_tags": "k=v"},
            {},
            {"a": ("stdout", {}), "a_b": ("/x", {"tags": "k=v"})},
        ),
        # What is an option itself is no base.
        (
            {
                "aliyun_logs_a": "stdout",
                "aliyun_logs_a_format": "json",
                "aliyun_logs_a_format_time_key": "t",
                "aliyun_logs_a_target_target": "/y",
            },
            {},
            {
                "a": ("stdout", {"format": "json", "format_time_key": "t"}),
                "a_target_target": ("/y", {}),
            },
        ),
        (
            {},
            {"aliyun.logs.web": "/a", "aliyun.logs.web.format.time_key": "t"},
            {"web": ("/a", {"format_time_key": "t"})},
        ),
        # In a label only a dot begins an option.
        (
            {},
            {"aliyun.logs.web": "/a", "aliyun.logs.web_target": "/b"},
            {"web": ("/a", {}), "web_target": ("/b", {})},
        ),
        # Environment beats label, option by option.
        (
            {"aliyun_logs_web": "/env", "aliyun_logs_web_target": "env"},
            {
                "aliyun.logs.web": "/label",
                "aliyun.logs.web.target": "label",
                "aliyun.logs.web.tags": "a=label",
            },
            {"web": ("/env", {"target": "env", "tags": "a=label"})},
        ),
        (
            {"aliyun_logs_web_target": "env"},
            {"aliyun.logs.web": "/label"},
            {"web": ("/label", {"target": "env"})},
        ),
        # log-pilot read dots and underscores of the environment alike.
        (
            {"aliyun_logs_web": "/a", "aliyun_logs_web.target": "t"},
            {},
            {"web": ("/a", {"target": "t"})},
        ),
        # One set of names over all prefixes, as log-pilot had it.
        (
            {"aliyun_logs_web": "/a", "pilot_logs_web_target": "t"},
            {},
            {"web": ("/a", {"target": "t"})},
        ),
        ({"ALIYUN_LOGS_web": "/a", "xaliyun_logs_web": "/a", "PATH": "/bin"}, {}, {}),
    ],
)
def test_keys_become_names_and_options(
    env: dict[str, str],
    labels: dict[str, str],
    expected: dict[str, tuple[str, dict[str, str]]],
) -> None:
    logs, rejections = found(env, labels)
    assert logs == expected
    assert rejections == {}


def test_a_name_under_two_prefixes_is_the_first_prefixs_and_the_other_gets_a_notice() -> None:
    logs, rejections = found(
        {
            "pilot_logs_web": "/second",
            "pilot_logs_web_target": "second",
            "aliyun_logs_web_tags": "a=b",
        },
        {"aliyun.logs.web": "/first"},
    )
    assert logs == {"web": ("/first", {"tags": "a=b"})}
    assert rejections == {"pilot_logs_web": ("name-shadowed", "", True)}


def test_an_option_under_two_prefixes_is_the_first_prefixs_and_the_other_gets_a_notice() -> None:
    env = {
        "aliyun_logs_web": "stdout",
        "aliyun_logs_web_target": "a",
        "pilot_logs_web_target": "b",
    }
    logs, rejections = found(env)
    assert logs == {"web": ("stdout", {"target": "a"})}
    assert rejections == {"pilot_logs_web_target": ("name-shadowed", "", True)}


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("aliyun_logs_web_tagz", "a=b", "aliyun_logs_web_tags"),
        ("aliyun_logs_web_tag", "a=b", "aliyun_logs_web_tags"),
        ("aliyun_logs_web_fromat", "json", "aliyun_logs_web_format"),
        ("aliyun_logs_web_TARGET", "x", "aliyun_logs_web_target"),
        ("aliyun_logs_web-target", "x", "aliyun_logs_web_target"),
        ("aliyun_logs_web_index", "x", "aliyun_logs_web_tags"),
        ("aliyun_logs_web_format_time_kye", "x", "aliyun_logs_web_format_time_key"),
    ],
)
def test_a_mistyped_option_is_named_with_the_nearest_one(key: str, value: str, hint: str) -> None:
    logs, rejections = found({"aliyun_logs_web": "stdout", key: value})
    assert logs == {"web": ("stdout", {})}
    assert rejections == {key: ("option-unknown", hint, False)}


@pytest.mark.parametrize(
    "key", ["exlude", "excludes", "exclude_lines", "Exclude", "inclde", "include.lines"]
)
def test_a_mistyped_exclude_ships_nothing_that_it_was_to_hold_back(key: str) -> None:
    env = {"aliyun_logs_web": "stdout", "aliyun_logs_other": "/a"}
    logs, said = found(env | {f"aliyun_logs_web_{key}": "secret"})
    assert logs == {"other": ("/a", {})}
    assert said[f"aliyun_logs_web_{key}"][0] == "option-unknown"
    assert not said[f"aliyun_logs_web_{key}"][2]
    assert len(found(env | {f"aliyun_logs_web_{key}": "/b"})[0]) == 3, "that is a log of its own"


def test_a_mistyped_option_in_a_label_is_named_as_labels_are_written() -> None:
    _, rejections = found({}, {"aliyun.logs.web": "stdout", "aliyun.logs.web.format.timekey": "x"})
    key = "aliyun.logs.web.format.timekey"
    assert rejections[key][:2] == ("option-unknown", "aliyun.logs.web.format.time_key")


def test_what_looks_like_a_mistyped_option_but_names_a_path_is_a_log() -> None:
    logs, rejections = found({"aliyun_logs_web": "stdout", "aliyun_logs_web_tagz": "/a.log"})
    assert sorted(logs) == ["web", "web_tagz"]
    assert rejections == {}


def test_an_option_whose_log_is_missing_says_so() -> None:
    result = find(container({"aliyun_logs_web_tags": "a=b"}), prefixes=PREFIXES, max_logs=9)
    (rejection,) = result.rejections
    assert rejection.code is Code.VALUE_INVALID
    assert "'web' is not declared" in rejection.reason


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("aliyun_logs_", "stdout", "name-invalid"),
        ("aliyun_logs__a", "stdout", "name-invalid"),
        ("aliyun_logs_a b", "stdout", "name-invalid"),
        ("aliyun_logs_é", "stdout", "name-invalid"),
        ("aliyun_logs_\ud800", "stdout", "name-invalid"),
        ("aliyun_logs_a\n", "stdout", "name-invalid"),
        ("aliyun_logs_${X}", "stdout", "name-invalid"),
        ("aliyun_logs_" + "a" * 64, "stdout", "name-invalid"),
        ("aliyun_logs_a", "", "value-empty"),
        ("aliyun_logs_a", " , ", "value-empty"),
        ("aliyun_logs_a", "/" + "a" * 4096, "value-too-long"),
        ("aliyun_logs_a", "me", "value-invalid"),
        ("aliyun_logs_custom_config", "a.multiline.pattern=x", "value-invalid"),
    ],
)
def test_a_bad_key_or_value_hurts_no_other_log(key: str, value: str, code: str) -> None:
    logs, rejections = found({key: value, "aliyun_logs_good": "stdout"})
    assert sorted(logs) == ["good"]
    assert rejections == {key: (code, "", False)}


def test_names_of_63_characters_are_good() -> None:
    logs, _ = found({"aliyun_logs_" + "a" * 63: "stdout"})
    assert list(logs) == ["a" * 63]


def test_of_too_many_logs_the_first_names_stay_and_each_other_is_told() -> None:
    env = {f"aliyun_logs_log{number:03}": f"/logs/{number}" for number in range(500)}
    logs, rejections = found(env, max_logs=100)
    assert list(logs) == [f"log{number:03}" for number in range(100)]
    assert {code for code, _, _ in rejections.values()} == {"logs-too-many"}
    assert len(rejections) == 400


def test_nothing_of_ours_is_nothing_declared() -> None:
    env = {f"OTHER_{number}": "x" * 65536 for number in range(500)}
    assert not declares(container(env, {"app": "web"}), PREFIXES)
    assert found(env) == ({}, {})


@pytest.mark.parametrize(
    "key", ["aliyun_logs_web", "pilot.logs.web", "aliyun_logs_", "pilot_logs_custom_config"]
)
def test_any_key_of_ours_is_something_declared(key: str) -> None:
    assert declares(container({key: ""}), PREFIXES)


def test_a_label_named_as_environment_declares_nothing_but_custom_config() -> None:
    assert not declares(container({}, {"aliyun_logs_web": "stdout"}), PREFIXES)
    assert declares(container({}, {"aliyun_logs_custom_config": ""}), PREFIXES)


def test_in_whatever_order_keys_come_the_result_is_one() -> None:
    env = {
        "aliyun_logs_a": "stdout",
        "aliyun_logs_a_b": "/x",
        "aliyun_logs_a_b_target": "t",
        "aliyun_logs_a_target": "u",
        "pilot_logs_a": "/z",
    }
    results = {
        repr(find(container(dict(order)), prefixes=PREFIXES, max_logs=2))
        for order in itertools.permutations(env.items())
    }
    assert len(results) == 1


@given(texts, texts)
def test_a_container_declares_exactly_if_something_is_found(
    env: dict[str, str], labels: dict[str, str]
) -> None:
    result = find(container(env, labels), prefixes=PREFIXES, max_logs=3)
    anything = bool(result.declarations or result.rejections)
    assert declares(container(env, labels), PREFIXES) == anything


def test_the_nearest_option_is_looked_for_behind_the_longest_base() -> None:
    env = {"aliyun_logs_a": "stdout", "aliyun_logs_a_b": "/x", "aliyun_logs_a_b_tagz": "k=v"}
    logs, rejections = found(env)
    assert sorted(logs) == ["a", "a_b"]
    assert rejections == {"aliyun_logs_a_b_tagz": ("option-unknown", "aliyun_logs_a_b_tags", False)}


def test_what_resembles_no_option_is_none_of_the_longest_base_if_its_value_is_no_logs() -> None:
    result = find(
        container({"aliyun_logs_a": "/a", "aliyun_logs_a_b": "/b", "aliyun_logs_a_b_owner": "me"}),
        prefixes=PREFIXES,
        max_logs=9,
    )
    assert [each.name for each in result.declarations] == ["a", "a_b"]
    (rejection,) = result.rejections
    assert (rejection.code, rejection.log, rejection.hint) == (Code.OPTION_UNKNOWN, "a_b", "")
    assert "'owner'" in rejection.reason


def test_a_hint_is_looked_for_only_as_often_as_somebody_may_read_it() -> None:
    env = {"aliyun_logs_web": "stdout"}
    env |= {f"aliyun_logs_web_tagz{number}": "a=b" for number in range(1_900)}
    result = find(container(env), prefixes=PREFIXES, max_logs=9)
    assert [each.name for each in result.declarations] == ["web"]
    assert len(result.rejections) == MAX_REJECTIONS
    assert sum(bool(each.hint) for each in result.rejections) <= MAX_HINTS
    assert "901 more" in result.rejections[-1].reason


def test_an_option_of_a_log_that_is_nearly_declared_is_hinted_at_that() -> None:
    env = {"aliyun_logs_orders": "stdout", "aliyun_logs_order_tags": "a=b"}
    (rejection,) = find(container(env), prefixes=PREFIXES, max_logs=9).rejections
    assert rejection.hint == "aliyun_logs_orders_tags"


def test_options_of_a_log_that_is_missing_are_no_hints_for_each_other() -> None:
    env = {"aliyun_logs_longservice_tags": "a=b", "aliyun_logs_longservice_target": "c"}
    rejections = find(container(env), prefixes=PREFIXES, max_logs=9).rejections
    assert [each.hint for each in rejections] == ["", ""]


def test_index_as_an_option_is_told_how_it_is_written_as_a_tag() -> None:
    env = {"aliyun_logs_web": "stdout", "aliyun_logs_web_index": "shop"}
    (rejection,) = find(container(env), prefixes=PREFIXES, max_logs=9).rejections
    assert rejection.reason == "the log 'web' has no option 'index'; it is a tag: index=shop."


def test_what_others_put_beside_our_keys_hurts_nobody() -> None:
    logs, rejections = found(
        {"aliyun_logs_arms_tags": "team=apm", "aliyun_logs_web": "stdout", "aliyun_logsx": "y"}
    )
    assert sorted(logs) == ["web"]
    assert rejections == {"aliyun_logs_arms_tags": ("value-invalid", "", False)}


def test_one_option_spelled_in_two_ways_is_the_same_in_whatever_order() -> None:
    spelled = {"aliyun_logs_web_target": "underscore", "aliyun_logs_web.target": "dot"}
    one, _ = found({"aliyun_logs_web": "stdout", **spelled})
    other, _ = found({**dict(reversed(spelled.items())), "aliyun_logs_web": "stdout"})
    assert one == other == {"web": ("stdout", {"target": "dot"})}


def test_of_very_many_keys_the_first_are_read_and_the_others_are_counted() -> None:
    env = {f"aliyun_logs_web_raw_{number:05}": "x" for number in range(MAX_KEYS + 50)}
    found = find(container({"aliyun_logs_web": "stdout", **env}), prefixes=PREFIXES, max_logs=9)
    assert [each.name for each in found.declarations] == ["web"]
    (said,) = found.rejections
    assert said.code is Code.LOGS_TOO_MANY
    assert f"{MAX_KEYS} keys" in said.reason
    assert "50 behind it" in said.reason, "the log itself is one of those that are read"
