"""For which container of a pod a log is."""

from __future__ import annotations

import pytest

from pilot.declarations import Found, find
from pilot.model import Code
from tests.declarations.making import PREFIXES, container, pod


def found(
    annotations: dict[str, str],
    env: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
    name: str = "app",
) -> Found:
    where = container(env, labels, pod=pod(annotations, name))
    return find(where, prefixes=PREFIXES, max_logs=100)


@pytest.mark.parametrize("value", ["app", "app,sidecar", " sidecar , app ", "", " , "])
def test_an_annotation_that_names_this_container_or_none_is_its_own(value: str) -> None:
    result = found({"aliyun.logs/web": "stdout", "aliyun.logs/web.container": value})
    (log,) = result.declarations
    assert log.options["container"].value == value
    assert result.rejections == ()


@pytest.mark.parametrize("value", ["sidecar", "App", "ap", "sidecar,other"])
def test_an_annotation_that_names_others_is_as_if_it_were_not_there(value: str) -> None:
    annotations = {
        "aliyun.logs/web": "stdout",
        "aliyun.logs.web.container": value,
        "aliyun.logs/web.target": "t",
    }
    assert found(annotations) == Found((), ())


def test_a_containers_own_log_stays_when_an_annotation_gives_its_name_to_another() -> None:
    annotations = {
        "aliyun.logs/web": "stdout",
        "aliyun.logs/web.container": "sidecar",
        "aliyun.logs/web.exclude": "x",
    }
    result = found(annotations, {"aliyun_logs_web": "/a.log", "aliyun_logs_web_target": "t"})
    (log,) = result.declarations
    assert (log.value, list(log.options)) == ("/a.log", ["target"])
    assert result.rejections == ()


def test_an_annotations_options_alone_may_be_for_another_container() -> None:
    annotations = {"aliyun.logs/web.container": "sidecar", "aliyun.logs/web.target": "t"}
    (log,) = found(annotations, {"aliyun_logs_web": "/a.log"}).declarations
    assert log.options == {}


def test_an_option_of_this_container_for_anothers_log_is_told() -> None:
    annotations = {"aliyun.logs/web": "stdout", "aliyun.logs/web.container": "sidecar"}
    result = found(annotations, {"aliyun_logs_web_target": "t"})
    assert result.declarations == ()
    assert [(each.code, each.key) for each in result.rejections] == [
        (Code.VALUE_INVALID, "aliyun_logs_web_target")
    ]


def test_the_second_prefixs_annotation_counts_where_the_firsts_is_for_another() -> None:
    annotations = {
        "aliyun.logs/web": "/a",
        "aliyun.logs/web.container": "sidecar",
        "pilot.logs/web": "/p",
        "pilot.logs/web.container": "app",
    }
    assert [each.value for each in found(annotations).declarations] == ["/p"]
    assert [each.value for each in found(annotations, name="sidecar").declarations] == ["/a"]


@pytest.mark.parametrize("value", ["app", "web-1", "app,web"])
def test_environment_and_labels_may_name_their_own_container(value: str) -> None:
    result = found({}, {"aliyun_logs_web": "stdout", "aliyun_logs_web_container": value})
    assert len(result.declarations) == 1
    assert result.rejections == ()


@pytest.mark.parametrize(
    ("value", "hint"), [("sidecar", ""), ("appp", "app"), ("x,y", ""), ("APP", "")]
)
def test_environment_that_names_others_rejects_its_log(value: str, hint: str) -> None:
    result = found({}, {"aliyun_logs_web": "stdout", "aliyun_logs_web_container": value})
    assert result.declarations == ()
    (rejection,) = result.rejections
    assert (rejection.code, rejection.key, rejection.log, rejection.hint) == (
        Code.CONTAINER_UNKNOWN,
        "aliyun_logs_web_container",
        "web",
        hint,
    )


def test_without_a_pod_a_container_has_its_own_name() -> None:
    labels = {"aliyun.logs.web": "stdout", "aliyun.logs.web.container": "web-1"}
    result = find(container({}, labels), prefixes=PREFIXES, max_logs=9)
    assert [each.name for each in result.declarations] == ["web"]


def test_names_built_to_need_a_round_each_end() -> None:
    annotations: dict[str, str] = {}
    name = "a"
    for _ in range(40):
        annotations |= {f"aliyun.logs/{name}": "stdout", f"aliyun.logs/{name}.container": "x"}
        name += ".container"
    result = found(annotations)
    assert all(each.log for each in result.rejections)
