"""Whose logs are taken, and what a container may ask for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from pilot.declarations import options
from pilot.model import Pod, State
from pilot.policy import FAMILIES, Chosen, Own, Policy, Rules
from pilot.policy.reading import parse_policy
from pilot.settings import Settings
from tests.declarations.making import any_text, container

SETTINGS = Settings(environment={})
POD = Pod("team-a", "web-1", "uid-1", "web", labels={"app": "web"})


@pytest.mark.parametrize(
    ("allowed", "option", "answer"),
    [
        ({"format"}, "format", True),
        ({"format"}, "format_time_key", True),
        ({"tags"}, "format_time_key", False),
        ({"multiline"}, "multiline_pattern", True),
        ({"max_bytes"}, "max_bytes", True),
        ({"tags"}, "fields", True),
        (set(), "fields", False),
        ({"include"}, "include_lines", False),
        (set(), "raw_harvester_limit", True),
        (set(), "raw_Harvester_limit", False),
        (set(), "raw_close.removed", True),
        ({"raw"}, "raw_paths", False),
    ],
)
def test_options_are_allowed_by_family_and_raw_ones_by_key(
    allowed: set[str], option: str, *, answer: bool
) -> None:
    rules = Rules(options=frozenset(allowed), raw=frozenset({"harvester_limit", "close.removed"}))
    assert rules.allows_option(option) is answer


@pytest.mark.parametrize("option", [*options.OPTIONS, options.FIELDS])
def test_a_policy_knows_the_family_of_every_option(option: str) -> None:
    family = options.family(option)
    assert family in FAMILIES
    assert Rules(options=frozenset({family})).allows_option(option)
    assert not Rules(options=frozenset(FAMILIES) - {family}).allows_option(option)


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("/srv/logs", True),
        ("/srv/logs/a", True),
        ("/srv//logs/./a", True),
        ("/srv", False),
        ("/srv/logs2", False),
        ("/", False),
    ],
)
def test_host_paths_count_whole_names(source: str, *, answer: bool) -> None:
    assert Rules(host_paths=("/srv/logs",)).allows_host_path(source) is answer
    assert Rules().allows_host_path(source)
    assert not Rules(host_paths=()).allows_host_path(source)


@pytest.mark.parametrize(
    ("glob", "namespace", "target", "answer"),
    [
        ("{namespace}-*", "team-a", "team-a-web", True),
        ("{namespace}-*", "team-a", "team-b-web", False),
        ("{namespace}-*", "", "x", False),
        ("{namespace}-*", "", "-x", False),
        ("{namespace}", "*", "team-b", False),
        ("shop", "", "shop", True),
        ("shop", "", "SHOP", False),
        ("shop", "", "shop2", False),
    ],
)
def test_targets_hold_the_namespace(
    glob: str, namespace: str, target: str, *, answer: bool
) -> None:
    assert Rules(targets=(glob,)).allows_target(target, namespace) is answer


@given(any_text, any_text)
def test_any_namespace_and_target_is_judged(namespace: str, target: str) -> None:
    rules = Rules(targets=("{namespace}.*",))
    assert rules.allows_target(target, namespace) == (
        namespace != "" and target.startswith(namespace + ".")
    )


def test_a_namespace_has_its_own_rules_and_docker_those_of_none() -> None:
    policy = Policy(
        rules=Rules(max_logs=1), by_namespace={"team-a": Rules(max_logs=2), "": Rules()}
    )
    assert policy.rules_for(container(pod=POD)).max_logs == 2
    assert policy.rules_for(container(pod=replace(POD, namespace="b"))).max_logs == 1
    assert policy.rules_for(container()).max_logs is None


def test_namespaces_and_labels_choose_whose_logs_are_taken() -> None:
    policy = Policy(namespaces=Chosen(("team-*",), ("team-x",)))
    assert not policy.excludes(container(pod=POD))
    assert "'team-x'" in policy.excludes(container(pod=replace(POD, namespace="team-x")))
    assert "outside a namespace" in policy.excludes(container())
    policy = Policy(with_labels={"app": "w*"}, without_labels={"logs": "off"})
    assert not policy.excludes(container(pod=POD))
    assert not policy.excludes(container(labels={"app": "web"}))
    assert "app=w*" in policy.excludes(container(labels={"app": "other"}))
    assert "app=w*" in policy.excludes(container())
    assert "logs=off" in policy.excludes(container(labels={"logs": "off"}, pod=POD))


def test_undeclared_output_is_taken_where_the_file_or_else_the_flag_says_so() -> None:
    everything = replace(SETTINGS, collect="stdout")
    here = container()
    assert not Policy().collects(here, SETTINGS)
    assert Policy().collects(here, everything)
    assert Policy(collect="stdout").collects(here, SETTINGS)
    assert not Policy(collect="declared").collects(here, everything)


def test_undeclared_output_of_some_is_never_taken() -> None:
    policy = Policy(
        collect="stdout",
        own=Own(frozenset({"me"}), frozenset({"uid-2"})),
        namespaces=Chosen(exclude=("kube-*",)),
    )
    assert policy.collects(container(pod=POD), SETTINGS)
    assert not policy.collects(container(identifier="me"), SETTINGS)
    assert not policy.collects(container(pod=replace(POD, uid="uid-2")), SETTINGS)
    assert not policy.collects(container(pod=replace(POD, namespace="kube-system")), SETTINGS)
    assert not policy.collects(replace(container(), state=State.CREATED), SETTINGS)
    sandbox = container(labels={"io.kubernetes.docker.type": "podsandbox"})
    assert not policy.collects(sandbox, SETTINGS)


@pytest.mark.parametrize(
    ("template", "namespace", "target"),
    [
        ("", "team-a", ""),
        ("all", "team-a", "all"),
        ("{namespace}-stdout", "team-a", "team-a-stdout"),
        ("{namespace}-stdout", "", "stdout"),
        ("{namespace}", "ä b", "b"),
    ],
)
def test_the_target_of_undeclared_output(template: str, namespace: str, target: str) -> None:
    here = container(pod=replace(POD, namespace=namespace))
    assert Policy(collect_target=template).target_of_collected(here) == target


def test_a_link_may_not_lead_out_of_the_allowed_host_paths() -> None:
    policy = Policy(
        rules=Rules(host_paths=("/srv/logs",)), by_namespace={"a": Rules(host_paths=("/mnt",))}
    )
    assert policy.leads_out("/srv/logs/x", "/home/secret")
    assert not policy.leads_out("/srv/logs/x", "/srv/logs/y")
    assert not policy.leads_out("/srv/logs/x", "/mnt/y")
    assert not policy.leads_out("/var/lib/kubelet/pods/x/volumes/a~b/c", "/elsewhere")
    assert not Policy().leads_out("/srv/logs/x", "/home/secret")


def test_a_volume_that_is_another_folder_of_the_node_needs_that_to_be_a_host_path() -> None:
    policy = parse_policy("rules: {host_paths: [/srv/logs]}", "policy.yaml")
    root = "/var/lib/docker/volumes/v/_data"
    assert policy.leads_out(root, "/srv/others")
    assert not policy.leads_out(root, "/srv/logs/a")
    assert not policy.leads_out(root, root)
    assert not policy.leads_out(root, f"{root}/")
    assert not policy.leads_out(root, "/data/docker/volumes/v/_data")
    assert not policy.leads_out("/var/lib/kubelet/pods/x/volumes/a~b/c", "/mnt/disk")
    assert not parse_policy("{}", "policy.yaml").leads_out(root, "/srv/others")
