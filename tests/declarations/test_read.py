"""What a declaration asks for, and what of it is refused."""

from __future__ import annotations

import pytest

from pilot.declarations import Reading, read
from pilot.declarations.items import MAX_ITEMS
from pilot.model import Code, Declaration, Option
from pilot.treatment import Format, Treatment


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


@pytest.mark.parametrize("bad", ["stderr", "a.log", "STDOUT", "stdout\x00", "stdout\u2028", "~"])
def test_a_bad_item_rejects_itself_only(bad: str) -> None:
    result, rejections = reading(f"/a.log,{bad}")
    assert result is not None
    assert result.items == ("/a.log",)
    assert rejections == [("value-invalid", False)]


@pytest.mark.parametrize("value", ["stderr", "var/log/a.log", "json", "stdout\n/etc/shadow"])
def test_a_value_of_bad_items_only_rejects_the_log(value: str) -> None:
    assert reading(value) == (None, [("value-invalid", False)])


def test_stderr_is_refused_as_not_yet_there() -> None:
    _, (rejection,) = read(Declaration(name="web", key="aliyun_logs_web", value="stderr"))
    assert "yet" in rejection.reason
    assert rejection.hint == "stdout"


def test_a_list_has_an_end() -> None:
    result, rejections = reading(",".join(f"/{number}" for number in range(1000)))
    assert result is not None
    assert len(result.items) == MAX_ITEMS
    assert rejections == [("value-too-long", False)]


@pytest.mark.parametrize(
    ("text", "expected"), [("json", Format.JSON), ("none", Format.NONE), ("", Format.NONE)]
)
def test_known_formats(text: str, expected: Format) -> None:
    result, rejections = reading(format=text)
    assert result is not None
    assert (result.format, rejections) == (expected, [])


@pytest.mark.parametrize("text", ["csv", "regexp", "nginx", "apache2", "apache_error"])
def test_formats_of_log_pilot_are_notices_and_the_text_is_collected(text: str) -> None:
    result, rejections = reading(format=text)
    assert result is not None
    assert (result.format, rejections) == (Format.NONE, [("option-unsupported", True)])


@pytest.mark.parametrize("text", ["jsno", "JSON", "xml", "json\x00", "\ud800"])
def test_an_unknown_format_rejects_the_log(text: str) -> None:
    assert reading(format=text) == (None, [("format-unknown", False)])


@pytest.mark.parametrize("option", ["include", "exclude", "container"])
def test_an_option_that_holds_lines_back_rejects_the_log_while_it_is_not_built(option: str) -> None:
    assert reading(**{option: "secret"}) == (None, [("option-unsupported", False)])


@pytest.mark.parametrize(
    "option",
    ["multiline", "multiline_pattern", "encoding", "max_bytes", "format_pattern", "format_target"],
)
def test_any_other_option_that_is_not_built_is_a_notice(option: str) -> None:
    result, rejections = reading(**{option: "x"})
    assert result is not None
    assert rejections == [("option-unsupported", True)]


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
