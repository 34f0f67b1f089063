"""What a declaration asks for, and what of it is refused."""

from __future__ import annotations

import pytest
from hypothesis import assume
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from pilot.declarations import Reading, read
from pilot.declarations.items import MAX_ITEMS, check_value
from pilot.declarations.options import OPTIONS
from pilot.model import Code, Declaration, Option
from pilot.treatment import Format, Multiline, Treatment
from tests.declarations.making import any_text, values

MEANINGFUL = [
    *("json", "csv", "regexp", "nginx", "java", "date", "none", "true", "after", "5s", "64Ki"),
    *(
        "time,level",
        "(?<a>.*)",
        "/(?<time>x)/",
        "(",
        "[",
        "%Y",
        "yyyy-MM-dd",
        "gbk",
        "utf-16",
        "app",
    ),
]


def reading(value: str = "stdout", **given: str) -> tuple[Reading | None, list[tuple[str, bool]]]:
    """What is read, and (code, notice) of each rejection."""
    options = {name: Option(f"aliyun_logs_web_{name}", text) for name, text in given.items()}
    result, rejections = read(
        Declaration(name="web", key="aliyun_logs_web", value=value, options=options)
    )
    assert all(each.log == "web" for each in rejections)
    assert {each.key for each in rejections} <= {
        "aliyun_logs_web",
        *(option.key for option in options.values()),
    }
    return result, [(each.code.value, each.notice) for each in rejections]


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ("stdout", ("stdout",)),
        (" stdout\n", ("stdout",)),
        ("stderr", ("stderr",)),
        ("/a.log", ("/a.log",)),
        ("/a.log,/b.log, stdout", ("/a.log", "/b.log", "stdout")),
        ("/a.log,,/a.log,", ("/a.log",)),
        ("/a b.log", ("/a b.log",)),
        ("/${X}/%{[x]}.log", ("/${X}/%{[x]}.log",)),
    ],
)
def test_a_value_is_a_list_of_streams_and_paths(value: str, items: tuple[str, ...]) -> None:
    result, rejections = reading(value)
    assert result == Reading(items=items, treatment=Treatment(), target="", tags={})
    assert rejections == []


@pytest.mark.parametrize("bad", ["a.log", "STDOUT", "stdout\x00", "stdout\u2028", "~"])
def test_a_bad_item_rejects_itself_only(bad: str) -> None:
    result, rejections = reading(f"/a.log,{bad}")
    assert result is not None
    assert result.items == ("/a.log",)
    assert rejections == [("value-invalid", False)]


@pytest.mark.parametrize("value", ["var/log/a.log", "json", "stdout\n/etc/shadow"])
def test_a_value_of_bad_items_only_rejects_the_log(value: str) -> None:
    assert reading(value) == (None, [("value-invalid", False)])


def test_a_list_has_an_end() -> None:
    result, rejections = reading(",".join(f"/{number}" for number in range(1000)))
    assert result is not None
    assert len(result.items) == MAX_ITEMS
    assert rejections == [("value-too-long", False)]


def test_each_option_has_its_place_in_the_treatment() -> None:
    result, rejections = reading(
        "/a.log",
        format="regexp",
        format_pattern="^(?<level>[A-Z]+) (?<at>[^ ]+)",
        format_time_key="at",
        format_time_format="%s",
        format_target="app",
        multiline="indent",
        include="ERROR",
        exclude="healthz",
        encoding="GBK",
        max_bytes="64Ki",
        target="shop",
        tags="team=shop",
        **{"raw_close.inactive": "5m"},
    )
    assert rejections == []
    assert result is not None
    assert result == Reading(
        items=("/a.log",),
        treatment=Treatment(
            encoding="gbk",
            max_bytes=65536,
            multiline=Multiline(pattern=r"^[ \t]"),
            include="ERROR",
            exclude="healthz",
            format=Format.REGEXP,
            pattern="^(?<level>[A-Z]+) (?<at>[^ ]+)",
            time_key="at",
            time_format="%s",
            target="app",
            raw={"close.inactive": "5m"},
        ),
        target="shop",
        tags={"team": "shop"},
    )


@pytest.mark.parametrize("option", [name for name in OPTIONS if name != "tags"])
def test_an_option_longer_than_anybody_reads_rejects_the_log(option: str) -> None:
    assert reading("/a.log", **{option: "a" * 5000}) == (None, [("value-too-long", False)])


def test_whom_a_log_is_for_was_decided_before() -> None:
    result, rejections = reading(container="web,worker")
    assert (result is not None, rejections) == (True, [])


def test_fields_of_a_custom_config_are_weaker_tags() -> None:
    result, rejections = reading(fields="team=a,stage=test,k8s_pod=x", tags="team=b")
    assert result is not None
    assert result.tags == {"team": "b", "stage": "test"}
    assert rejections == [("tag-reserved", False)]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("", "x"),
        ("1a", "x"),
        ("a b", "x"),
        ("a" * 65, "x"),
        ("a\n", "x"),
        ("é", "x"),
        ("a", "x" * 1025),
        ("a", "x\ny"),
        ("a", "x\u202ey"),
        ("a", "\ud800"),
    ],
)
def test_a_raw_option_that_nobody_could_allow_rejects_the_log(key: str, text: str) -> None:
    assert reading(**{f"raw_{key}": text}) == (None, [("value-invalid", False)])


def test_raw_options_have_an_end() -> None:
    result, rejections = reading(**{f"raw_a{number}": "x" for number in range(33)})
    assert (result, rejections) == (None, [("value-invalid", False)])


def test_whatever_is_wrong_is_said_at_once() -> None:
    _, rejections = reading(include="(", format="jsno", max_bytes="big", target="/", tags="a")
    assert sorted(code for code, _ in rejections) == [
        "format-unknown",
        "number-invalid",
        "regexp-invalid",
        "tag-invalid",
        "target-invalid",
    ]


def test_an_empty_option_counts_as_not_given() -> None:
    result, rejections = reading(exclude="", target=" ", tags="", format="")
    assert result == Reading(items=("stdout",), treatment=Treatment(), target="", tags={})
    assert rejections == []


@pytest.mark.parametrize("target", ["web", "Topic.A_b-1", "0", "a" * 200])
def test_good_targets(target: str) -> None:
    result, _ = reading(target=target)
    assert result is not None
    assert result.target == target


BAD_TARGETS = [
    "_a",
    "-a",
    ".",
    "..",
    "a/b",
    "a b",
    "%{[x]}",
    "${X}",
    "a" * 201,
    "é",
    "a\nb",
    "\ud800",
]


@pytest.mark.parametrize("target", BAD_TARGETS)
def test_a_bad_target_rejects_the_log(target: str) -> None:
    assert reading(target=target) == (None, [("target-invalid", False)])


@pytest.mark.parametrize("tag", ["index", "topic"])
@pytest.mark.parametrize("target", BAD_TARGETS)
def test_a_tag_that_chooses_a_target_is_held_to_the_same_rule(tag: str, target: str) -> None:
    result, rejections = reading(tags=f'{tag}="{target}"')
    if rejections == [("tag-invalid", False)]:  # refused as a tag's value already
        assert result is not None
        assert result.tags == {}
    else:
        assert (result, rejections) == (None, [("target-invalid", False)])


def test_tags_too_long_to_read_reject_the_log() -> None:
    assert reading(tags="a=" + "b" * 65536) == (None, [("value-too-long", False)])


def test_a_bad_tag_rejects_itself_only() -> None:
    result, rejections = reading(tags="a=1,b,c=3")
    assert result is not None
    assert (result.tags, rejections) == ({"a": "1", "c": "3"}, [("tag-invalid", False)])


def test_the_reason_for_a_bad_target_tag_names_the_tag() -> None:
    options = {"tags": Option("k", "index=-x")}
    _, (rejection,) = read(Declaration(name="web", key="w", value="stdout", options=options))
    assert rejection.code is Code.TARGET_INVALID
    assert "index" in rejection.reason


@hypothesis_given(
    value=st.one_of(values, any_text),
    options=st.dictionaries(
        st.sampled_from([*OPTIONS, "fields", "raw_a", "raw_"]),
        st.one_of(values, any_text, st.sampled_from(MEANINGFUL)),
    ),
)
def test_any_text_is_read_or_refused(value: str, options: dict[str, str]) -> None:
    assume(check_value("web", "k", value) is None)  # else it is no declaration
    declared = {name: Option(f"k_{name}", text) for name, text in options.items()}
    result, rejections = read(Declaration(name="web", key="k", value=value, options=declared))
    assert result is not None or rejections
    for rejection in rejections:
        assert rejection.key in {"k", *(option.key for option in declared.values())}
        assert rejection.reason.endswith(".")
        assert "\n" not in str(rejection)
        assert str(rejection).encode()
