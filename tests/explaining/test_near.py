"""Which keys look nearly like declarations, and which names are near."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.explaining.near import MOST, near, nearly
from pilot.model import Container, Pod, State, printable
from tests.declarations.making import any_text

PREFIXES = ("aliyun", "pilot")


def container(
    env: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
) -> Container:
    pod = Pod("shop", "web", annotations=annotations) if annotations else None
    return Container(
        id="c", name="c", state=State.RUNNING, env=env or {}, labels=labels or {}, pod=pod
    )


@pytest.mark.parametrize(
    ("key", "value", "meant"),
    [
        ("aliyun_log_app", "stdout", "aliyun_logs_app"),
        ("alyun_logs_app", "stdout", "aliyun_logs_app"),
        ("ALIYUN_LOGS_app", "stdout", "aliyun_logs_app"),
        ("aliyun-logs-app", "stdout", "aliyun_logs_app"),
        ("piolt_logs_app", "stdout", "pilot_logs_app"),
        ("aliyun_app", "/var/log/app.log", "aliyun_logs_app"),
        ("pilot_app", "stdout", "pilot_logs_app"),
    ],
)
def test_a_slip_in_the_environment_gets_the_key_that_was_meant(
    key: str, value: str, meant: str
) -> None:
    (found,) = nearly(container(env={key: value}), PREFIXES)
    assert (found.key, found.origin, found.hint) == (key, "env", meant)


def test_labels_and_annotations_get_their_own_spelling() -> None:
    one = container(labels={"aliyun.log.app": "x"}, annotations={"aliyun.log/app": "x"})
    assert [each.hint for each in nearly(one, PREFIXES)] == ["aliyun.logs/app", "aliyun.logs.app"]


@pytest.mark.parametrize(
    "key",
    ["PATH", "aliyun_region", "com.docker.logs.x", "app_logs_dir", "pilot", "logs_app", "x" * 5000],
)
def test_what_is_nobodys_slip_is_left_alone(key: str) -> None:
    assert nearly(container(env={key: "cn-hangzhou"}), PREFIXES) == ()


@given(st.dictionaries(any_text, any_text, max_size=5))
def test_any_text_is_taken_and_a_hint_is_another_key_and_printable(texts: dict[str, str]) -> None:
    for each in nearly(container(env=texts, labels=texts, annotations=texts), PREFIXES):
        assert each.key in texts
        assert each.hint != each.key
        assert printable(each.hint) == each.hint


@given(any_text, st.lists(any_text, max_size=8))
def test_near_names_are_some_of_the_known(name: str, known: list[str]) -> None:
    found = near(name, known)
    assert set(found) <= set(known)
    assert len(found) <= MOST


def test_a_part_of_a_name_is_near_and_so_is_a_typo() -> None:
    known = ["shop-web-1", "shop-db-1", "other"]
    assert near("web", known) == ("shop-web-1",)
    assert near("shop-bd-1", known)[0] == "shop-db-1"
    assert near("", known) == ()
