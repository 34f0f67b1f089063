"""A container as a whole: what is collected and what is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.accept import MAX_FILE_SETS, MAX_REJECTIONS, Accepted, accept, declares
from pilot.fields import fields
from pilot.model import Code, Container, Log, Mount, Rejection, printable, shorten
from pilot.policy import Policy
from pilot.settings import Settings
from pilot.treatment import Format
from tests.declarations.making import ID, bind, container, texts, volume

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

SETTINGS = Settings(environment={})
POLICY = Policy()
MOUNTS = (
    bind("/logs", "/srv/logs"),
    bind("/node", "/etc"),
    volume("/v", "data"),
    bind("/one", "/srv/one.log"),
)


def accepted(here: Container) -> Accepted:
    return accept(here, settings=SETTINGS, policy=POLICY)


def summary(here: Container) -> tuple[dict[str, list[str]], list[tuple[str, str, str]]]:
    """Name → places, and (log, code, value) of each rejection."""
    result = accepted(here)
    return (
        {log.name: [f"{s.directory}/{s.pattern}" for s in log.file_sets] for log in result.logs},
        [(each.log, each.code.value, each.value) for each in result.rejections],
    )


def test_a_container_that_declares_nothing_has_nothing() -> None:
    here = container({"PATH": "/bin"}, {"app": "web"})
    assert not declares(here, SETTINGS)
    assert accepted(here) == Accepted()


def test_everything_a_log_declares_arrives() -> None:
    env = {
        "aliyun_logs_web": "stdout,/logs/*.log",
        "aliyun_logs_web_format": "json",
        "aliyun_logs_web_target": "shop",
        "aliyun_logs_web_tags": "team=a",
    }
    (log,) = accepted(container(env, mounts=MOUNTS)).logs
    assert (log.name, log.key, log.treatment.format) == ("web", "aliyun_logs_web", Format.JSON)
    assert (log.target, log.tags) == ("shop", {"team": "a"})
    assert [each.inside for each in log.file_sets] == ["", "/logs"]


def test_prefixes_are_the_settings_own() -> None:
    settings = Settings(log_prefixes=("acme",), environment={})
    here = container({"acme_logs_web": "stdout", "aliyun_logs_b": "stdout"})
    assert declares(here, settings)
    assert [log.name for log in accept(here, settings=settings, policy=POLICY).logs] == ["web"]


def test_logs_are_sorted_by_name() -> None:
    env = {f"aliyun_logs_{name}": f"/logs/{name}" for name in ("b", "c", "a")}
    assert list(summary(container(env, mounts=MOUNTS))[0]) == ["a", "b", "c"]


def test_a_refused_item_leaves_the_others_and_a_log_without_items_is_dropped() -> None:
    env = {
        "aliyun_logs_some": "/logs/a.log,/nowhere/a.log,/node/passwd",
        "aliyun_logs_none": "/nowhere/a.log,/logs/../x",
        "aliyun_logs_good": "stdout",
    }
    logs, rejections = summary(container(env, mounts=MOUNTS))
    assert sorted(logs) == ["good", "some"]
    assert logs["some"] == ["/srv/logs/a.log"]
    assert rejections == [
        ("none", "path-invalid", "/logs/../x"),
        ("none", "path-not-mounted", "/nowhere/a.log"),
        ("some", "mount-forbidden", "/node/passwd"),
        ("some", "path-not-mounted", "/nowhere/a.log"),
    ]


@pytest.mark.parametrize(
    ("source", "kind", "item"),
    [
        ("/", "bind", "/m/a.log"),
        ("/var", "bind", "/m/a.log"),
        ("/var/lib/docker/containers", "bind", "/m/a.log"),
        ("/var/lib/docker/volumes/v/_data", "bind", "/m/a.log"),
        ("/var/log/pods", "bind", "/m/a.log"),
        ("/etc/shadow", "bind", "/m"),
        ("/srv//../etc", "bind", "/m/a.log"),
    ],
)
def test_mounts_of_the_nodes_own_are_refused(source: str, kind: str, item: str) -> None:
    here = container({"aliyun_logs_a": item}, mounts=(Mount("/m", source, kind),))
    logs, ((log, code, value),) = summary(here)
    assert logs == {}
    assert (log, value) == ("a", item)
    assert code in ("mount-forbidden", "mount-unsupported")


VICTIM = "d" * 64


@pytest.mark.parametrize("root", ["/data/docker", "/data/docker/100000.100000"])
@pytest.mark.parametrize(
    ("source", "item"),
    [
        (f"/data/docker/containers/{VICTIM}", f"/m/{VICTIM}-json.log"),
        (f"/data/docker/containers/{VICTIM}/{VICTIM}-json.log", "/m"),
        ("/data/docker/containers", f"/m/{VICTIM}/{VICTIM}-json.log"),
        ("/data/docker", "/m/a.log"),
        ("/data", "/m/a.log"),
        ("/data/docker/overlay2/x/merged", "/m/a.log"),
        ("/data/docker/volumes/v/_data", "/m/a.log"),
    ],
)
def test_binds_below_the_runtimes_own_root_are_refused(root: str, source: str, item: str) -> None:
    log_path = f"{root}/containers/{ID}/{ID}-json.log"
    mounts = (bind("/m", source), Mount("/v", f"{root}/volumes/v/_data", "volume"))
    env = {"aliyun_logs_a": item, "aliyun_logs_b": "/v/x.log,stdout"}
    logs, rejections = summary(container(env, mounts=mounts, log_path=log_path))
    assert logs == {"b": [f"{root}/volumes/v/_data/x.log", log_path]}
    assert rejections == [("a", "mount-forbidden", shorten(item))]


@pytest.mark.parametrize(
    ("source", "item"),
    [
        (f"/data/docker/containers/{VICTIM}", "/m/*.log"),
        (f"/data/docker/containers/{VICTIM}/{VICTIM}-json.log", "/m"),
        ("/data/docker/containers", f"/m/{VICTIM}/*"),
        ("/data/docker", f"/m/containers/{VICTIM}/x.log"),
        ("/data", f"/m/docker/containers/{VICTIM}/mounts/secrets/x"),
    ],
)
def test_a_log_driver_that_hides_the_root_opens_no_other_container(source: str, item: str) -> None:
    here = container({"aliyun_logs_a": item}, mounts=(bind("/m", source),), log_path="")
    assert summary(here) == ({}, [("a", "mount-forbidden", shorten(item))])


def test_a_named_volume_below_the_docker_root_is_good() -> None:
    logs, rejections = summary(container({"aliyun_logs_a": "/v/x/a.log"}, mounts=MOUNTS))
    assert logs == {"a": ["/var/lib/docker/volumes/data/_data/x/a.log"]}
    assert rejections == []


def test_folders_may_be_patterns_and_two_stars_need_leave() -> None:
    here = container({"aliyun_logs_a": "/logs/*/a.log,/logs/**/b.log"}, mounts=MOUNTS)
    logs, rejections = summary(here)
    assert logs == {"a": ["/srv/logs/*/a.log"]}
    assert rejections == [("a", "path-glob", "/logs/**/b.log")]
    allowed = accept(here, settings=Settings(environment={}, recursive=True), policy=POLICY)
    assert [each.pattern for each in allowed.logs[0].file_sets] == ["*/a.log", "**/b.log"]
    assert allowed.rejections == ()


@pytest.mark.parametrize("item", ["/m/*/a.log", "/m/*/x/*.log", "/m/[e]tc/a.log", "/m/**/shadow"])
@pytest.mark.parametrize("source", ["/", "/var", "/etc", "/var/lib/docker"])
def test_a_pattern_in_a_folder_opens_no_forbidden_mount(source: str, item: str) -> None:
    here = container({"aliyun_logs_a": item}, mounts=(bind("/m", source),))
    settings = Settings(environment={}, recursive=True)
    result = accept(here, settings=settings, policy=POLICY)
    assert [each.code.value for each in result.rejections] == ["mount-forbidden"]
    assert result.logs == ()


def test_a_single_file_beside_the_nodes_own_is_good() -> None:
    mounts = (bind("/app.log", "/var/log/app.log"),)
    logs, rejections = summary(container({"aliyun_logs_a": "/app.log"}, mounts=mounts))
    assert logs == {"a": ["/var/log/app.log"]}
    assert rejections == []


def test_of_two_logs_naming_the_same_files_the_first_by_name_has_them() -> None:
    env = {
        "aliyun_logs_b": "stdout,/logs/b.log",
        "aliyun_logs_a": "stdout",
        "aliyun_logs_c": "/logs//b.log",
    }
    logs, rejections = summary(container(env, mounts=MOUNTS))
    assert list(logs) == ["a", "b"]
    assert logs["b"] == ["/srv/logs/b.log"]
    assert rejections == [("b", "claimed", "stdout"), ("c", "claimed", "/logs//b.log")]


def test_one_log_may_name_the_same_files_twice() -> None:
    logs, rejections = summary(container({"aliyun_logs_a": "/logs/a,/logs//a"}, mounts=MOUNTS))
    assert logs == {"a": ["/srv/logs/a"]}
    assert rejections == []


def test_a_log_that_is_refused_claims_nothing() -> None:
    env = {
        "aliyun_logs_a": "stdout",
        "aliyun_logs_a_exclude": "(?=secret)",
        "aliyun_logs_b": "stdout",
    }
    assert list(summary(container(env))[0]) == ["b"]


LONG = "x" * 65536
HOSTILE = [
    ("aliyun_logs_bad", "/logs/a\nb.log"),
    ("aliyun_logs_bad", "stdout\n- type: log"),
    ("aliyun_logs_bad", "${X}"),
    ("aliyun_logs_bad", LONG),
    ("aliyun_logs_bad", "/" + LONG),
    ("aliyun_logs_bad", "\ud800\udcff"),
    ("aliyun_logs_bad", "/logs/\udcff.log"),
    ("aliyun_logs_bad", "!!python/object/apply:os.system ['x']"),
    ("aliyun_logs_" + LONG, "stdout"),
    ("aliyun_logs_a\nb", "stdout"),
    ('aliyun_logs_"', "stdout"),
    ("aliyun_logs_${X}", "stdout"),
    ("aliyun_logs_\ud800", "stdout"),
    ("aliyun_logs_good_target", "%{[@metadata][x]}"),
    ("aliyun_logs_good_target", LONG),
    ("aliyun_logs_good_tags", LONG),
    ("aliyun_logs_good_tags", "index=%{[x]}"),
    ("aliyun_logs_good_format", "json\nscript: x"),
    ("aliyun_logs_good_tags", "@metadata.pipeline=x"),
    ("aliyun_logs_good_tags", "a=b\nc"),
    ("aliyun_logs_custom_config", "good.paths=/etc/shadow"),
]


@pytest.mark.parametrize(("key", "value"), HOSTILE)
def test_a_hostile_key_or_value_is_named_and_hurts_no_neighbour(key: str, value: str) -> None:
    env = {"aliyun_logs_good": "stdout", "aliyun_logs_other": "/logs/a.log", key: value}
    result = accepted(container(env, mounts=MOUNTS))
    assert "other" in {log.name for log in result.logs}
    assert {log.name for log in result.logs} <= {"good", "other"}
    assert {each.key for each in result.rejections} == {key}
    for each in result.rejections:
        assert len(str(each)) < 1000
        assert str(each).isprintable()


@pytest.mark.parametrize("kind", ["\x1b]0;x\x07", "a\nb", "\u202e", "\x85"])
def test_a_mounts_kind_is_written_as_one_line(kind: str) -> None:
    here = container({"aliyun_logs_a": "/m/a.log"}, mounts=(Mount("/m\n", "", kind),))
    other = container({"aliyun_logs_a": "/m/a.log"}, mounts=(Mount("/m", "", kind),))
    for rejection in (*accepted(here).rejections, *accepted(other).rejections):
        assert str(rejection).isprintable()
        assert printable(rejection.value) == rejection.value


@pytest.mark.parametrize(
    "tag", ["${X}", "${", "%{[x]}", "a: b", "- x", "'q'", "&a *a", "# no", "{{ x }}", "\\", "!x"]
)
def test_strange_but_harmless_text_in_a_tag_is_kept_exactly(tag: str) -> None:
    here = container({"aliyun_logs_good": "stdout", "aliyun_logs_good_tags": f"t={tag}"})
    result = accepted(here)
    assert result.logs[0].tags == {"t": tag}
    assert result.rejections == ()


def test_hundreds_of_hostile_logs_are_all_answered() -> None:
    env = {f"aliyun_logs_l{number:03}": "/logs/x" + "y" * 65536 for number in range(250)}
    env |= {f"aliyun_logs_m{number:03}": f"/logs/{number}" for number in range(250)}
    result = accepted(container(env, mounts=MOUNTS))
    assert len(result.logs) == SETTINGS.max_logs
    assert len(result.rejections) == MAX_REJECTIONS
    *shown, last = result.rejections
    assert [each.log for each in shown] == [f"l{number:03}" for number in range(99)]
    assert (last.code, last.key) == (Code.LOGS_TOO_MANY, "aliyun_logs_l099")
    assert last.reason.startswith(f"here and behind it {250 + 150 - 99} more ")
    assert not last.notice


@pytest.mark.parametrize("count", [MAX_REJECTIONS, MAX_REJECTIONS + 1])
def test_rejections_are_counted_only_beyond_the_limit(count: int) -> None:
    env = {f"aliyun_logs_l{number:03}": "relative" for number in range(count)}
    *_, last = accepted(container(env)).rejections
    assert (last.code is Code.LOGS_TOO_MANY) == (count > MAX_REJECTIONS)


def test_what_the_collector_cannot_do_counts_too_and_takes_its_log_unless_it_is_a_notice() -> None:
    def refuse(log: Log) -> list[Rejection]:
        notice = log.name == "l000"
        return [Rejection(code=Code.OPTION_UNSUPPORTED, key=log.key, reason="no", notice=notice)]

    env = {f"aliyun_logs_l{number:03}": f"/logs/{number}" for number in range(60)}
    env |= {f"aliyun_logs_m{number:03}": "relative" for number in range(60)}
    here = container(env, mounts=MOUNTS)
    result = accept(here, settings=SETTINGS, policy=POLICY, refuse=refuse)
    assert [log.name for log in result.logs] == ["l000"]
    *shown, last = result.rejections
    assert len(shown) == MAX_REJECTIONS - 1
    assert last.reason.startswith("here and behind it 21 more ")


def test_notices_that_are_left_out_are_counted_by_a_notice() -> None:
    env = {f"aliyun_logs_l{number:03}": f"/logs/{number}" for number in range(100)}
    env |= {f"{key}_tags": "a=1,a=2,a=3" for key in env}
    result = accepted(container(env, mounts=MOUNTS))
    assert (len(result.logs), len(result.rejections)) == (100, MAX_REJECTIONS)
    assert all(each.notice for each in result.rejections)


def test_small_labels_make_no_huge_fragment() -> None:
    env = {
        f"aliyun_logs_l{number:03}": ",".join(f"/logs/{number}x{item}" for item in range(32))
        for number in range(100)
    }
    labels = {f"com.aliyun.access.l{number}": "x" * 4000 for number in range(100)}
    here = container(env, labels, mounts=MOUNTS)
    result = accepted(here)
    assert sum(len(log.file_sets) for log in result.logs) == MAX_FILE_SETS
    assert [log.name for log in result.logs] == [f"l{number:03}" for number in range(7)]
    assert [each.log for each in result.rejections[:94]] == [f"l{n:03}" for n in range(6, 100)]
    assert {each.code for each in result.rejections} == {Code.LOGS_TOO_MANY}
    assert f"{MAX_FILE_SETS} streams and paths" in result.rejections[0].reason
    written = [fields(here, log, "n") for log in result.logs for _ in log.file_sets]
    assert sum(len(f"{name}{value}") for one in written for name, value in one.items()) < 500_000


def test_a_full_container_still_says_who_has_a_file() -> None:
    env = {
        f"aliyun_logs_l{number}": ",".join(f"/logs/{number}x{item}" for item in range(25))
        for number in range(8)
    }
    env["aliyun_logs_z"] = "/logs/0x0,/logs/new,/logs/newer"
    _, rejections = summary(container(env, mounts=MOUNTS))
    assert rejections == [
        ("z", "claimed", "/logs/0x0"),
        ("z", "logs-too-many", "/logs/new"),
    ]


@given(texts, texts)
def test_any_text_gives_places_below_their_roots_and_rejections_that_name_their_key(
    env: dict[str, str], labels: dict[str, str]
) -> None:
    here = container(env, labels, mounts=MOUNTS)
    result = accepted(here)
    assert [log.name for log in result.logs] == sorted({log.name for log in result.logs})
    names = [each.name for log in result.logs for each in log.file_sets]
    assert len(names) == len(set(names))
    for log in result.logs:
        assert log.file_sets
        assert log.key in env or log.key in labels
        assert all(name.isascii() for name in fields(here, log, "node"))
        for each in log.file_sets:
            assert re.fullmatch(r"[0-9A-Za-z._-]{1,100}", each.name)
            assert each.root in (
                "/srv/logs",
                "/srv",
                "/srv/one.log",  # a folder with such a name
                "/var/lib/docker/volumes/data/_data",
                f"/var/lib/docker/containers/{ID}",
            )
            assert f"{each.directory}/".startswith(f"{each.root}/")
            assert ".." not in each.directory.split("/")
    for rejection in result.rejections:
        assert rejection.key in env or rejection.key in labels
        assert rejection.reason
        assert str(rejection).isprintable()
        shown = f"{rejection}{rejection.value}{rejection.log}{rejection.hint}{rejection.reason}"
        assert printable(shown) == shown


@given(texts, texts, st.randoms())
def test_the_order_of_env_and_labels_does_not_matter(
    env: dict[str, str], labels: dict[str, str], chance: random.Random
) -> None:
    def shuffled(texts: dict[str, str]) -> dict[str, str]:
        items = list(texts.items())
        chance.shuffle(items)
        return dict(items)

    first = accepted(container(env, labels, mounts=MOUNTS))
    second = accepted(container(shuffled(env), shuffled(labels), mounts=MOUNTS))
    assert repr(first) == repr(second)


class CountedMounts(tuple[Mount, ...]):
    """Mounts that count how often somebody walks through all of them."""

    __slots__ = ()
    walks: ClassVar[list[int]] = []

    def __iter__(self) -> Iterator[Mount]:
        self.walks.append(1)
        return super().__iter__()


def test_many_items_do_not_walk_through_many_mounts_each() -> None:
    mounts = CountedMounts(bind(f"/m{number}", "/srv/x") for number in range(100))
    env = {
        f"aliyun_logs_{name}": ",".join(f"/none/{name}/{number}" for number in range(32))
        for name in "abcdefghij"
    }
    CountedMounts.walks.clear()
    assert not accepted(container(env, mounts=mounts)).logs
    assert len(CountedMounts.walks) < 10
