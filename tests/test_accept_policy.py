"""A container under a policy: streams, options, mounts, targets, limits, undeclared output."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from pilot.accept import Accepted, accept, concerns
from pilot.model import Code, Mount, Pod, Rejection, State
from pilot.policy import Chosen, Own, Policy, Rules
from pilot.policy.rules import _matching, _targets
from pilot.settings import Settings
from pilot.treatment import Stream
from tests.declarations.making import bind, container, texts, volume

SETTINGS = Settings(environment={})
MOUNTS = (bind("/logs", "/srv/logs"), volume("/v", "data"))
POD = Pod("team-a", "web-1", "uid-1", "web")
EVERYTHING = Policy(collect="stdout")


def accepted(
    env: dict[str, str] | None = None, policy: Policy | None = None, **changes: Any
) -> Accepted:
    room = changes.pop("room", None)
    here = container(env, mounts=changes.pop("mounts", MOUNTS), **changes)
    return accept(here, settings=SETTINGS, policy=policy or Policy(), room=room)


def names(result: Accepted) -> list[str]:
    return [log.name for log in result.logs]


def said(result: Accepted) -> list[tuple[str, str, bool]]:
    return [(each.code.value, each.key, each.notice) for each in result.rejections]


# -- streams ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "streams"),
    [
        ({"a": "stdout"}, {"a": Stream.ALL}),
        ({"a": "stderr"}, {"a": Stream.STDERR}),
        ({"a": "stdout,stderr"}, {"a": Stream.ALL}),
        ({"a": "stdout", "b": "stderr"}, {"a": Stream.STDOUT, "b": Stream.STDERR}),
        ({"a": "stderr,/logs/x", "b": "stdout"}, {"a": Stream.STDERR, "b": Stream.STDOUT}),
        ({"a": "/logs/x"}, {"a": Stream.ALL}),
    ],
)
def test_stdout_is_both_streams_unless_stderr_is_declared(
    values: dict[str, str], streams: dict[str, Stream]
) -> None:
    result = accepted({f"aliyun_logs_{name}": value for name, value in values.items()})
    assert {log.name: log.stream for log in result.logs} == streams
    assert result.rejections == ()
    for log in result.logs:
        assert len({each.name for each in log.file_sets}) == len(log.file_sets)


def test_of_two_logs_with_one_stream_the_first_by_name_has_it() -> None:
    result = accepted({"aliyun_logs_a": "stderr", "aliyun_logs_b": "stdout,stderr"})
    assert {log.name: log.stream for log in result.logs} == {
        "a": Stream.STDERR,
        "b": Stream.STDOUT,
    }
    assert [(each.code, each.log, each.value) for each in result.rejections] == [
        (Code.CLAIMED, "b", "stderr")
    ]


def test_stderr_of_a_log_that_is_refused_does_not_leak_into_another() -> None:
    env = {"aliyun_logs_a": "stdout", "aliyun_logs_b": "stderr", "aliyun_logs_b_target": "a b"}
    result = accepted(env)
    assert [(log.name, log.stream) for log in result.logs] == [("a", Stream.STDOUT)]


# -- rules -----------------------------------------------------------------------------------------


def test_a_forbidden_option_is_dropped_with_a_notice() -> None:
    policy = Policy(rules=Rules(options=frozenset({"tags"})))
    env = {"aliyun_logs_a": "stdout", "aliyun_logs_a_format": "json"}
    result = accepted(env, policy)
    assert names(result) == ["a"]
    assert not result.logs[0].treatment.features
    assert said(result) == [("option-forbidden", "aliyun_logs_a_format", True)]
    assert accepted(env, Policy()).rejections == ()


@pytest.mark.parametrize("option", ["include", "exclude", "target", "tags"])
def test_a_log_that_needs_a_forbidden_option_is_refused(option: str) -> None:
    policy = Policy(rules=Rules(options=frozenset()))
    key = f"aliyun_logs_a_{option}"
    result = accepted({"aliyun_logs_a": "stdout", key: "k=v", "aliyun_logs_b": "/logs/b"}, policy)
    assert names(result) == ["b"]
    assert said(result) == [("option-forbidden", key, False)]


@pytest.mark.parametrize("option", ["encoding", "multiline", "multiline_pattern"])
@pytest.mark.parametrize("sifting", ["include", "exclude"])
def test_what_exclude_looks_at_is_not_changed_by_the_rules(option: str, sifting: str) -> None:
    value = {"encoding": "gbk", "multiline": "java", "multiline_pattern": "^ "}[option]
    env = {
        "aliyun_logs_a": "/logs/a.log",
        f"aliyun_logs_a_{option}": value,
        f"aliyun_logs_a_{sifting}": "secret",
    }
    rules = Policy(rules=Rules(options=frozenset({"include", "exclude"})))
    result = accepted(env, rules)
    assert not result.logs, "the rest of an event that was to be dropped would be shipped"
    assert said(result) == [("option-forbidden", f"aliyun_logs_a_{option}", False)]
    del env[f"aliyun_logs_a_{sifting}"]
    assert names(accepted(env, rules)) == ["a"]


def test_an_empty_option_is_not_given_and_so_not_forbidden() -> None:
    policy = Policy(rules=Rules(options=frozenset()))
    result = accepted({"aliyun_logs_a": "stdout", "aliyun_logs_a_exclude": " "}, policy)
    assert (names(result), result.rejections) == (["a"], ())


def test_host_paths_narrow_binds_and_not_volumes() -> None:
    env = {"aliyun_logs_a": "/logs/a", "aliyun_logs_b": "/v/b", "aliyun_logs_c": "/h/c"}
    mounts = (*MOUNTS, Mount("/h", "/home/x", "hostPath"))
    policy = Policy(rules=Rules(host_paths=("/srv",)))
    result = accepted(env, policy, mounts=mounts)
    assert names(result) == ["a", "b"]
    (refused,) = result.rejections
    assert (refused.code, refused.log) == (Code.MOUNT_FORBIDDEN, "c")
    assert "takes them from /srv of the node" in refused.reason
    assert names(accepted(env, mounts=mounts)) == ["a", "b", "c"]
    assert names(accepted(env, Policy(rules=Rules(host_paths=())), mounts=mounts)) == ["b"]


def test_rules_win_over_flags() -> None:
    here = container({"aliyun_logs_a": "/logs/**/x", "aliyun_logs_b": "/logs/b"}, mounts=MOUNTS)
    flags = replace(SETTINGS, recursive=True, max_logs=1)
    assert names(accept(here, settings=flags, policy=Policy())) == ["a"]
    policy = Policy(rules=Rules(recursive=False, max_logs=2))
    assert names(accept(here, settings=flags, policy=policy)) == ["b"]


def test_a_containers_own_filesystem_is_collected_by_rule() -> None:
    upper = f"/var/lib/docker/overlay2/{'e' * 64}/diff"
    here = replace(container({"aliyun_logs_a": "/app/a.log"}), rootfs=upper)
    (log,) = accept(here, settings=SETTINGS, policy=Policy(rules=Rules(rootfs=True))).logs
    assert log.file_sets[0].directory == f"{upper}/app"
    flags = replace(SETTINGS, rootfs=True)
    refused = accept(here, settings=flags, policy=Policy(rules=Rules(rootfs=False)))
    assert [each.code for each in refused.rejections] == [Code.PATH_NOT_MOUNTED]


@pytest.mark.parametrize("rule", [None, True, False])
@pytest.mark.parametrize("flag", [True, False])
def test_what_an_image_declares_counts_by_rule_or_else_by_flag(
    rule: bool | None, flag: bool
) -> None:
    env = {"aliyun_logs_a": "stdout"}
    here = replace(container(env), image_env=env)
    policy = Policy(rules=Rules(image_declarations=rule))
    result = accept(here, settings=replace(SETTINGS, image_declarations=flag), policy=policy)
    if flag if rule is None else rule:
        assert (names(result), result.rejections) == (["a"], ())
    else:
        assert [each.code for each in result.rejections] == [Code.IMAGE_REFUSED]
        assert names(result) == []


# -- targets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"target": "team-a.web"}, ""),
        ({"target": "team-b.web"}, "aliyun_logs_a_target"),
        ({"tags": "index=team-a.x,topic=team-a.y"}, ""),
        ({"tags": "index=team-b.x,topic=team-a.y"}, "aliyun_logs_a_tags"),
        ({"tags": "index=team-a.x"}, "aliyun_logs_a"),  # its topic is the log's name
        ({"tags": "index=team-a.x,topic=team-a.y", "target": "x"}, "aliyun_logs_a_target"),
        ({}, "aliyun_logs_a"),
    ],
)
def test_index_topic_and_target_have_to_match(options: dict[str, str], key: str) -> None:
    env = {"aliyun_logs_a": "stdout"}
    env |= {f"aliyun_logs_a_{option}": value for option, value in options.items()}
    result = accepted(env, Policy(rules=Rules(targets=("{namespace}.*",))), pod=POD)
    assert said(result) == ([("target-forbidden", key, False)] if key else [])
    assert names(result) == ([] if key else ["a"])


def test_topics_are_those_of_log_pilots_list() -> None:
    policy = Policy(topics=frozenset({"a"}))
    env = {"aliyun_logs_a": "stdout", "aliyun_logs_b": "/logs/b", "aliyun_logs_c": "/logs/c"}
    env |= {"aliyun_logs_b_target": "a", "aliyun_logs_c_tags": "index=b,topic=a"}
    assert names(accepted(env, policy)) == ["a", "b", "c"]
    result = accepted(env, replace(policy, topics=frozenset({"b"})))
    assert {each.code for each in result.rejections} == {Code.TARGET_FORBIDDEN}
    assert names(result) == []


# -- limits ----------------------------------------------------------------------------------------


def test_a_pods_room_is_for_the_logs_whose_names_sort_first() -> None:
    env = {"aliyun_logs_a": "/nowhere/a", "aliyun_logs_b": "/logs/b", "aliyun_logs_c": "/logs/c"}
    policy = Policy(rules=Rules(max_logs_per_pod=5))
    result = accepted(env, policy, pod=POD, room=1)
    assert names(result) == ["b"]
    assert ("logs-too-many", "aliyun_logs_c", False) in said(result)
    assert names(accepted(env, policy, pod=POD, room=0)) == []
    assert names(accepted(env, policy, pod=POD)) == ["b", "c"]


# -- who is left out -------------------------------------------------------------------------------


def test_a_container_that_is_left_out_is_told_for_each_log() -> None:
    policy = Policy(namespaces=Chosen(exclude=("team-*",)), collect="stdout")
    result = accepted({"aliyun_logs_a": "stdout", "aliyun_logs_b": "/logs/b"}, policy, pod=POD)
    assert names(result) == []
    assert said(result) == [
        ("policy-excluded", "aliyun_logs_a", False),
        ("policy-excluded", "aliyun_logs_b", False),
    ]
    assert accepted({}, policy, pod=POD) == Accepted()


# -- annotations -----------------------------------------------------------------------------------


def annotated(annotations: dict[str, str]) -> Pod:
    return replace(POD, annotations=annotations)


def test_an_annotation_is_for_whoever_mounts_its_path() -> None:
    pod = annotated({"aliyun.logs/a": "/logs/a", "aliyun.logs/b": "/elsewhere/b"})
    result = accepted({}, pod=pod)
    assert names(result) == ["a"]
    assert said(result) == [("annotation-elsewhere", "aliyun.logs/b", True)]


def test_an_annotation_for_others_is_not_judged_here() -> None:
    pod = annotated({"aliyun.logs/b": "/elsewhere/b,/other/c", "aliyun.logs/b.target": "x"})
    policy = Policy(rules=Rules(options=frozenset()))
    assert said(accepted({}, policy, pod=pod)) == [("annotation-elsewhere", "aliyun.logs/b", True)]
    pod = annotated({"aliyun.logs/b": "/logs/b,/other/c"})
    assert said(accepted({}, pod=pod)) == [("annotation-elsewhere", "aliyun.logs/b", True)]
    assert names(accepted({}, pod=pod)) == ["b"]


def test_an_annotation_that_names_its_container_has_to_be_right() -> None:
    pod = annotated({"aliyun.logs/b": "/elsewhere/b", "aliyun.logs/b.container": "web"})
    assert said(accepted({}, pod=pod)) == [("path-not-mounted", "aliyun.logs/b", False)]


# -- output that nobody declared -------------------------------------------------------------------


def test_undeclared_output_is_a_log_named_stdout() -> None:
    (log,) = accepted({}, EVERYTHING).logs
    assert (log.name, log.key, log.stream, log.target) == ("stdout", "collect", Stream.ALL, "")
    policy = replace(EVERYTHING, collect_target="{namespace}.out", rules=Rules(targets=("x",)))
    (log,) = accepted({}, policy, pod=POD).logs
    assert log.target == "team-a.out"


def test_it_comes_beside_declared_files_and_takes_nobodys_name() -> None:
    result = accepted({"aliyun_logs_z": "/logs/z", "aliyun_logs_stdout": "/logs/s"}, EVERYTHING)
    assert names(result) == ["stdout", "stdout.collect", "z"]
    assert result.rejections == ()


@pytest.mark.parametrize(
    "env",
    [
        {"aliyun_logs": "none"},
        {"aliyun_logs_a": "stdout"},
        {"aliyun_logs_a": "stderr"},
        {"aliyun_logs_a": "stdout", "aliyun_logs_a_target": "not good"},
        {"aliyun_logs_b@d": "stdout", "aliyun_logs_b@d_exclude": "secret"},
        {"aliyun_logs_a": "stdout", "aliyun_logs_custom_config": "a.exclude_lines=['(?=x)']"},
    ],
)
def test_who_declares_output_or_opts_out_has_none_collected_unasked(env: dict[str, str]) -> None:
    result = accepted(env, EVERYTHING)
    assert all(log.key != "collect" for log in result.logs)


@pytest.mark.parametrize("value", ["STDOUT", "stdot", "/logs/x,Stdout"])
def test_output_that_was_meant_to_be_declared_is_not_collected_without_its_options(
    value: str,
) -> None:
    env = {"aliyun_logs_a": value, "aliyun_logs_a_exclude": "secret"}
    assert "stdout" not in names(accepted(env, EVERYTHING))


def test_a_mistyped_stderr_does_not_end_up_in_another_log() -> None:
    env = {"aliyun_logs_a": "stdout", "aliyun_logs_b": "STDERR", "aliyun_logs_b_exclude": "secret"}
    assert [(log.name, log.stream) for log in accepted(env).logs] == [("a", Stream.STDOUT)]


def test_what_a_refused_image_declares_keeps_nobodys_output_back() -> None:
    env = {"aliyun_logs_a": "stdout", "aliyun_logs": "none"}
    here = replace(container(env), image_env=env)
    policy = replace(EVERYTHING, rules=Rules(image_declarations=False))
    assert names(accept(here, settings=SETTINGS, policy=policy)) == ["stdout"]


def test_a_container_without_a_file_of_its_output_is_a_mere_notice() -> None:
    result = accepted({}, EVERYTHING, log_path="", log_driver="journald")
    assert said(result) == [("stdout-no-file", "collect", True)]
    assert names(result) == []


def test_the_pilots_own_output_is_collected_only_if_declared() -> None:
    policy = replace(EVERYTHING, own=Own(frozenset({container().id})))
    assert accepted({}, policy) == Accepted()
    assert names(accepted({"aliyun_logs_a": "stdout"}, policy)) == ["a"]
    assert (
        accept(replace(container(), state=State.CREATED), settings=SETTINGS, policy=EVERYTHING)
        == Accepted()
    )


def test_who_is_of_concern_is_told_cheaply() -> None:
    def concern(env: dict[str, str], policy: Policy) -> bool:
        return concerns(container(env), settings=SETTINGS, policy=policy)

    assert not concern({"PATH": "/bin"}, Policy())
    assert concern({"aliyun_logs_a": "stdout"}, Policy())
    assert concern({"PATH": "/bin"}, EVERYTHING)
    assert not concern({"aliyun_logs": "none"}, EVERYTHING)


STRICT = Policy(
    collect="stdout",
    collect_target="{namespace}.x",
    rules=Rules(
        options=frozenset({"format", "container"}),
        host_paths=("/srv",),
        max_logs=2,
        max_logs_per_pod=3,
        targets=("{namespace}*", "web"),
    ),
    topics=frozenset({"web", "b"}),
)


@given(texts, texts, texts)
def test_any_text_under_a_strict_policy_gives_logs_and_rejections(
    env: dict[str, str], labels: dict[str, str], annotations: dict[str, str]
) -> None:
    here = container(env, labels, mounts=MOUNTS, pod=annotated(annotations))
    result = accept(here, settings=SETTINGS, policy=STRICT, room=1)
    declared = [log for log in result.logs if log.key != "collect"]
    assert len(declared) <= 1
    for log in declared:
        assert STRICT.rules.allows_target(log.target or log.name, "team-a")
        assert not log.tags
    streams = [
        (s.name, stream) for log in result.logs for s in log.file_sets for stream in log.streams(s)
    ]
    assert len(streams) == len(set(streams))
    for each in result.rejections:
        assert isinstance(each, Rejection)
        assert str(each).isprintable()


def test_a_second_container_of_a_namespace_has_no_pattern_read_again() -> None:
    policy = replace(STRICT, namespaces=Chosen(exclude=("kube-*",)), with_labels={"app": "w*"})
    env = {"aliyun_logs_web": "stdout"}
    one = container(env, {"app": "web"}, pod=POD)
    two = container(env, {"app": "wiki"}, pod=replace(POD, name="wiki", uid="uid-2"))
    assert names(accept(one, settings=SETTINGS, policy=policy)) == ["web"]
    before = _matching.cache_info().misses, _targets.cache_info().misses
    assert names(accept(two, settings=SETTINGS, policy=policy)) == ["web"]
    assert (_matching.cache_info().misses, _targets.cache_info().misses) == before


@pytest.mark.parametrize("blank", ["\u2003", "\u00a0", "\u3000"])
def test_a_value_of_other_blanks_brings_no_option_past_the_rules(blank: str) -> None:
    env = {"aliyun_logs_a": "/logs/a", "aliyun_logs_a_raw_harvester_limit": blank}
    result = accepted(env)
    assert [log.treatment.raw for log in result.logs] == [{}]
    assert said(result) == [("option-forbidden", "aliyun_logs_a_raw_harvester_limit", True)]
