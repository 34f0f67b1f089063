"""Variables of a pod's container, with the references that Kubernetes replaces."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.manifests.environment import MOST, Environment, environment, expand

FIELDS = {"metadata.namespace": "prod", "metadata.name": "web"}
POD = {"metadata": {"labels": {"app": "shop"}, "annotations": {"x/y": "1"}}}


def made(*entries: object, **container: Any) -> Environment:
    return environment({"env": list(entries), **container}, ("c",), FIELDS, POD)


def value(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("$(A)/x", "a/x"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$a"),
        ("$(LATER)", "$(LATER)"),
        ("$(A", "$(A"),
        ("$A ${A}", "$A ${A}"),
        ("$(A)$(A)", "aa"),
        ("$()", "$()"),
        ("a$", "a$"),
    ],
)
def test_references_are_replaced_as_kubernetes_does(written: str, read: str) -> None:
    assert made(value("A", "a"), value("B", written), value("LATER", "l")).values["B"] == read


def test_what_depends_on_an_unknown_value_is_unknown() -> None:
    secret = {"name": "S", "valueFrom": {"secretKeyRef": {"name": "db", "key": "k"}}}
    found = made(secret, value("B", "/logs/$(S).log"))
    assert found.values == {}
    assert found.unknown["S"] == "the Secret db"
    assert "S" in found.unknown["B"]


def test_what_env_from_or_a_service_may_give_is_unknown() -> None:
    assert "B" in made(value("B", "$(X)"), envFrom=[{"configMapRef": {"name": "c"}}]).unknown
    assert "B" in made(value("B", "$(DB_SERVICE_HOST)")).unknown


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("metadata.namespace", "prod"),
        ("metadata.name", "web"),
        ("metadata.labels['app']", "shop"),
        ("metadata.annotations['x/y']", "1"),
        ("metadata.labels['none']", ""),
    ],
)
def test_fields_of_the_pod_are_known(path: str, read: str) -> None:
    found = made({"name": "F", "valueFrom": {"fieldRef": {"fieldPath": path}}})
    assert found.values["F"] == read


@pytest.mark.parametrize(
    "source",
    [
        {"fieldRef": {"fieldPath": "status.podIP"}},
        {"configMapKeyRef": {"name": "c"}},
        {"resourceFieldRef": {"resource": "limits.cpu"}},
        {},
    ],
)
def test_other_sources_are_unknown(source: object) -> None:
    found = made({"name": "F", "valueFrom": source})
    assert found.values == {}
    assert found.unknown["F"]


def test_of_two_alike_the_later_counts_with_its_place() -> None:
    found = made(value("A", "1"), value("A", "2"))
    assert found.values == {"A": "2"}
    assert found.where["A"] == ("c", "env", 1)


def test_what_is_no_text_is_kept_apart() -> None:
    found = made({"name": "A", "value": 1}, {"name": "B"}, {"value": "x"}, 5)
    assert found.untyped == {"A": 1}
    assert found.values == {"B": ""}


@given(st.text(alphabet="$()AB x"))
def test_any_text_expands_and_what_has_no_dollar_stays(text: str) -> None:
    expanded, _ = expand(text, Environment(values={"A": "a"}), foreign=False)
    assert expanded is not None
    assert "$" in text or expanded == text


def test_references_that_double_a_text_again_and_again_end() -> None:
    doubling = [value(f"A{n + 1}", f"$(A{n})" * 8) for n in range(12)]
    found = made(value("A0", "x" * 100), *doubling, value("B", "b"), value("C", "$(B)"))
    assert "too long" in found.unknown["A12"] or "not known" in found.unknown["A12"]
    assert sum(map(len, found.values.values())) <= MOST + 200
