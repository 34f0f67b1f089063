"""The fields of every event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.fields import MAX_ACCESS, MAX_ACCESS_LABELS, MAX_FIELD, fields
from pilot.model import Log, Pod
from tests.declarations.making import ID, any_text, container

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilot.model import Container

OWN = {
    "container_id": ID,
    "container_image": "nginx:1",
    "docker_container": "web-1",
    "index": "web",
    "k8s_node_name": "node-1",
    "log_name": "web",
    "topic": "web",
}


def made(
    here: Container | None = None, *, target: str = "", tags: Mapping[str, str] | None = None
) -> dict[str, str]:
    log = Log(name="web", key="aliyun_logs_web", file_sets=(), target=target, tags=tags or {})
    return fields(here or container(), log, "node-1")


def test_a_plain_container_has_its_own_names() -> None:
    assert made() == OWN


def test_fields_are_sorted_and_empty_ones_dropped() -> None:
    here = container(labels={"com.docker.compose.project": "", "io.kubernetes.pod.name": "p"})
    result = made(here, tags={"zebra": "z", "a": "1", "empty": ""})
    assert list(result) == sorted(result)
    assert result == {**OWN, "a": "1", "k8s_pod": "p", "zebra": "z"}


@pytest.mark.parametrize(
    ("target", "tags", "index", "topic"),
    [
        ("", {}, "web", "web"),
        ("t", {}, "t", "t"),
        ("t", {"index": "i"}, "i", "t"),
        ("", {"topic": "k"}, "web", "k"),
        ("t", {"index": "i", "topic": "k"}, "i", "k"),
    ],
)
def test_index_and_topic_are_the_tag_else_the_target_else_the_name(
    target: str, tags: dict[str, str], index: str, topic: str
) -> None:
    result = made(target=target, tags=tags)
    assert (result["index"], result["topic"]) == (index, topic)


def test_compose_and_swarm_name_app_and_service_and_swarm_is_the_stronger() -> None:
    compose = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
    swarm = {"com.docker.stack.namespace": "prod", "com.docker.swarm.service.name": "prod_web"}
    only = made(container(labels=compose))
    both = made(container(labels={**swarm, **compose}))
    assert (only["docker_app"], only["docker_service"]) == ("shop", "web")
    assert (both["docker_app"], both["docker_service"]) == ("prod", "prod_web")


LABELS = {
    "io.kubernetes.pod.name": "web-0",
    "io.kubernetes.pod.namespace": "shop",
    "io.kubernetes.pod.uid": "1-2",
    "io.kubernetes.container.name": "app",
}


def test_kubernetes_names_come_from_labels() -> None:
    expected = {
        "k8s_container_name": "app",
        "k8s_pod": "web-0",
        "k8s_pod_namespace": "shop",
        "k8s_pod_uid": "1-2",
    }
    assert made(container(labels=LABELS)) == {**OWN, **expected}


def test_what_is_known_of_the_pod_is_stronger_than_labels() -> None:
    pod = Pod(namespace="real", name="real-0", uid="", container="main")
    result = made(container(labels=LABELS, pod=pod))
    assert result["k8s_pod_namespace"] == "real"
    assert result["k8s_pod"] == "real-0"
    assert result["k8s_container_name"] == "main"
    assert result["k8s_pod_uid"] == "1-2"


def test_access_labels_become_fields_if_their_names_are_plain() -> None:
    labels = {"com.aliyun.access.team.id": "7", "com.aliyun.access.a b": "x"}
    labels |= {"com.aliyun.access.": "x", "com.aliyun.access.${x}": "x"}
    assert made(container(labels=labels)) == {**OWN, "com_aliyun_access_team_id": "7"}


def test_access_labels_have_an_end() -> None:
    labels = {f"com.aliyun.access.l{number}": "x" for number in range(500)}
    assert len(made(container(labels=labels))) == len(OWN) + MAX_ACCESS_LABELS


def test_access_labels_that_do_not_fit_are_left_out_and_the_order_is_by_name() -> None:
    sizes = {"a": 1000, "b": 4000, "c": 900, "d": 20}  # b is cut to MAX_FIELD and still too long
    labels = {f"com.aliyun.access.{name}": "x" * size for name, size in reversed(sizes.items())}
    found = made(container(labels=labels))
    assert [name for name in found if name not in OWN] == [
        "com_aliyun_access_a",
        "com_aliyun_access_c",
        "com_aliyun_access_d",
    ]
    assert found == made(container(labels=dict(sorted(labels.items()))))


@given(st.dictionaries(st.from_regex(r"[a-zA-Z0-9_.-]{1,64}", fullmatch=True), any_text))
def test_access_labels_together_are_small(texts: dict[str, str]) -> None:
    labels = {f"com.aliyun.access.{name}": text * 20 for name, text in texts.items()}
    found = made(container(labels=labels))
    added = [f"{name}{value}" for name, value in found.items() if name not in OWN]
    assert sum(map(len, added)) <= MAX_ACCESS


def test_own_fields_win_over_tags() -> None:
    assert made(tags={"container_id": "mine", "k8s_node_name": "mine"}) == OWN


def test_bad_text_is_replaced_and_long_text_cut() -> None:
    labels = {"com.docker.compose.project": "a\ud800\udcff", "io.kubernetes.pod.name": "p" * 65536}
    result = made(container(labels=labels), tags={"t": "\udc80"})
    assert result["docker_app"] == "a\ufffd\ufffd"
    assert result["k8s_pod"] == "p" * MAX_FIELD
    assert result["t"] == "\ufffd"


@given(st.dictionaries(any_text, any_text), any_text)
def test_fields_are_always_text_that_can_be_written(labels: dict[str, str], target: str) -> None:
    for name, value in made(container(labels=labels), target=target).items():
        assert name.isascii()
        assert value
        assert value.encode()
