"""The grammar of tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.declarations.tags import KEY, MAX_TAG_VALUE, MAX_TAGS, parse_tags, print_tag
from pilot.model import UNSAFE, Code
from tests.declarations.making import any_text, values


def parsed(text: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    tags, rejections = parse_tags("web", "key", text)
    return tags, [(each.code.value, each.value) for each in rejections]


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a=1,b=2", {"a": "1", "b": "2"}),
        (" a = 1 , b = 2 ,", {"a": "1", "b": "2"}),
        ("a=b=c", {"a": "b=c"}),
        ('a="x,y=z",b=2', {"a": "x,y=z", "b": "2"}),
        (r'a="say \"hi\" \\ n"', {"a": r'say "hi" \ n'}),
        ('a = "x" , b=2', {"a": "x", "b": "2"}),
        ('a=" x "', {"a": " x "}),
        ('a=x"y"', {"a": 'x"y"'}),
        ("app.kubernetes.io/name=web", {"app_kubernetes_io_name": "web"}),
        ("_x-y=1,INDEX=2", {"_x-y": "1", "INDEX": "2"}),
        ("index=a,topic=b", {"index": "a", "topic": "b"}),
        ("a=${X} %{[y]} {{z}} 'q': #", {"a": "${X} %{[y]} {{z}} 'q': #"}),
        ("a=été 🚀", {"a": "été 🚀"}),
        ("a=\ud800x\udcff", {"a": "\ufffdx\ufffd"}),
    ],
)
def test_good_tags(text: str, tags: dict[str, str]) -> None:
    assert parsed(text) == (tags, [])


@pytest.mark.parametrize(
    "bad",
    [
        "b",
        "=1",
        "b=",
        'b=""',
        "1b=x",
        "b c=x",
        "é=x",
        "${X}=x",
        'b="x" y',
        "b=x\ny",
        "b=x\x00",
        "b=x\u202ey",
        "b=x\u2028y",
        "\ud800=x",
        "b" * 65 + "=x",
        "b=" + "x" * (MAX_TAG_VALUE + 1),
    ],
)
def test_a_bad_tag_rejects_itself_only(bad: str) -> None:
    tags, rejections = parsed(f"a=1,{bad}")
    assert tags == {"a": "1"}
    assert [code for code, _ in rejections] == ["tag-invalid"]


def test_a_quote_that_is_not_closed_swallows_the_rest() -> None:
    assert parsed('a=1,b="x,c=3') == ({"a": "1"}, [("tag-invalid", 'b="x,c=3')])


@pytest.mark.parametrize(
    "key",
    [
        "message",
        "stream",
        "log",
        "input",
        "agent",
        "ecs",
        "host",
        "error",
        "event",
        "container",
        "container_id",
        "k8s_pod",
        "k8s.pod",
        "docker_app",
        "@timestamp",
        "@metadata.index",
        "log_name",
        "_id",
        "tags",
        "data_stream",
        "com.aliyun.access.x",
    ],
)
def test_a_tag_cannot_overwrite_what_an_event_is_made_of(key: str) -> None:
    tags, rejections = parsed(f"{key}=x,a=1")
    assert tags == {"a": "1"}
    assert rejections == [("tag-reserved", f"{key}=x")]


def test_of_a_tag_given_twice_the_later_counts_with_a_notice() -> None:
    tags, (notice,) = parse_tags("web", "key", "a.b=1,a_b=2")
    assert tags == {"a_b": "2"}
    assert (notice.code, notice.notice) == (Code.TAG_INVALID, True)


def test_there_is_an_end_to_tags_and_to_rejections_of_them() -> None:
    tags, rejections = parsed(",".join(f"t{number}=x" for number in range(500)))
    assert len(tags) == MAX_TAGS
    assert len(rejections) == 1
    assert len(parsed("x," * 2000)[1]) == MAX_TAGS + 1


@given(st.one_of(values, any_text, st.text('ab="\\, .@')))
def test_any_text_gives_keys_and_values_within_the_rules(text: str) -> None:
    tags, rejections = parse_tags("web", "key", text)
    for tag, value in tags.items():
        assert KEY.fullmatch(tag)
        assert value
        assert not UNSAFE.search(value)
        value.encode()
    assert all(each.key == "key" and str(each) for each in rejections)


@given(
    st.dictionaries(
        st.from_regex(r"t[a-z0-9_-]{0,9}", fullmatch=True),
        st.text(
            st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]),
            min_size=1,
            max_size=20,
        ),
        max_size=9,
    )
)
def test_whatever_is_quoted_comes_back(expected: dict[str, str]) -> None:
    def quote(value: str) -> str:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'

    expected.pop("tags", None)
    text = ",".join(f"{key}={quote(value)}" for key, value in expected.items())
    assert parsed(text) == (expected, [])


@given(st.dictionaries(st.from_regex(KEY, fullmatch=True), st.text(max_size=60), max_size=5))
def test_printed_tags_are_read_as_the_same_or_refused_one_by_one(
    given_tags: dict[str, str],
) -> None:
    printed = ",".join(print_tag(key, value) for key, value in given_tags.items())
    tags, rejections = parse_tags("web", "key", printed)
    assert tags.items() <= given_tags.items()
    assert len(tags) + len(rejections) == len(given_tags)
