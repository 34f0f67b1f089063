"""log-pilot's custom config, line by line."""

from __future__ import annotations

import pytest

from pilot.declarations import Found, declares, find
from pilot.declarations.custom_config import MAX_LINES
from pilot.declarations.tags import parse_tags
from pilot.model import Code, Origin
from tests.declarations.making import PREFIXES, container, pod

KEY = "aliyun_logs_custom_config"


def found(text: str, env: dict[str, str] | None = None, key: str = KEY) -> Found:
    env = {"aliyun_logs_catalina": "stdout", "aliyun_logs_a": "/a", "aliyun_logs_a_b": "/b"} | (
        env or {}
    )
    return find(container({**env, key: text}), prefixes=PREFIXES, max_logs=100)


def options_of(result: Found, name: str) -> dict[str, str]:
    (log,) = (each for each in result.declarations if each.name == name)
    return {option: text.value for option, text in log.options.items()}


@pytest.mark.parametrize(
    ("line", "option", "value"),
    [
        (r"catalina.multiline.pattern=^\[", "multiline_pattern", r"^\["),
        (r"catalina.multiline.pattern='^\['", "multiline_pattern", r"^\["),
        (r'catalina.multiline.pattern="^\\["', "multiline_pattern", r"^\["),
        ("catalina.multiline.pattern='it''s'", "multiline_pattern", "it's"),
        ("catalina.multiline.pattern='a' or 'b'", "multiline_pattern", "'a' or 'b'"),
        ("catalina.multiline.negate=true", "multiline_negate", "true"),
        ("catalina.multiline.match = after ", "multiline_match", "after"),
        ("catalina.multiline.max_lines=200", "multiline_max_lines", "200"),
        ("catalina.multiline.timeout=10s", "multiline_timeout", "10s"),
        ("catalina.encoding=gbk", "encoding", "gbk"),
        ("catalina.max_bytes=1048576", "max_bytes", "1048576"),
        ("catalina.include_lines=['^ERR', '^WARN']", "include", "(?:^ERR)|(?:^WARN)"),
        ("catalina.include_lines=[^ERR, ^WARN]", "include", "(?:^ERR)|(?:^WARN)"),
        ("catalina.exclude_lines=['^DEBUG']", "exclude", "^DEBUG"),
        ("catalina.exclude_lines=['a,b=[c]']", "exclude", "a,b=[c]"),
        ("catalina.exclude_lines=^DEBUG", "exclude", "^DEBUG"),
        ("catalina.harvester_limit=10", "raw_harvester_limit", "10"),
        ("catalina.json.message_key=Log", "raw_json.message_key", "Log"),
        ("catalina.fields_under_root=true", "raw_fields_under_root", "true"),
        ("catalina.tags=['x']", "raw_tags", "['x']"),
    ],
)
def test_a_line_becomes_an_option(line: str, option: str, value: str) -> None:
    result = found(line)
    assert options_of(result, "catalina") == {option: value}
    assert options_of(result, "a") == {}
    assert result.rejections == ()
    (log,) = (each for each in result.declarations if each.name == "catalina")
    assert (log.options[option].key, log.options[option].origin) == (KEY, Origin.CUSTOM_CONFIG)


def test_many_lines_go_to_their_logs_and_the_longest_name_wins() -> None:
    text = "\r\n a.encoding=gbk\n\na_b.encoding=big5\r\ncatalina.encoding=utf-8\n"
    env = {"aliyun.logs.a-b.c": "/c"}
    result = found(text + "a-b.c.encoding=latin1\n", env)
    assert {
        each.name: options_of(result, each.name)["encoding"] for each in result.declarations
    } == {
        "a": "gbk",
        "a_b": "big5",
        "a-b.c": "latin1",
        "catalina": "utf-8",
    }
    assert result.rejections == ()


def test_of_two_lines_alike_the_later_counts() -> None:
    assert options_of(found("a.encoding=gbk\na.encoding=big5"), "a") == {"encoding": "big5"}


def test_fields_become_tags_of_their_own() -> None:
    result = found("a.fields.env=prod\na.fields.note=say \"x, y\" = \\ z\na.fields.app.kind='web'")
    assert options_of(result, "a").keys() == {"fields"}
    tags, rejections = parse_tags("a", KEY, options_of(result, "a")["fields"])
    assert tags == {"env": "prod", "note": 'say "x, y" = \\ z', "app_kind": "web"}
    assert rejections == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("catalina", Code.VALUE_INVALID),
        ("catalina.encoding", Code.VALUE_INVALID),
        ("# comment", Code.VALUE_INVALID),
        ("=x", Code.VALUE_INVALID),
        ("catalina=stdout", Code.VALUE_INVALID),
        ("catalina.=x", Code.VALUE_INVALID),
        (".encoding=x", Code.VALUE_INVALID),
        ("cataline.encoding=gbk", Code.VALUE_INVALID),
        ("catalina2.encoding=gbk", Code.VALUE_INVALID),
        ("catalina.fields.a,b=x", Code.TAG_INVALID),
        ("catalina.fields.=x", Code.TAG_INVALID),
        ('catalina.fields.a"=x', Code.TAG_INVALID),
        ("catalina.2nd=x", Code.VALUE_INVALID),
        (f"catalina.{'k' * 65}=x", Code.VALUE_INVALID),
        ("." * 100_000 + "=x", Code.VALUE_INVALID),
    ],
)
def test_a_bad_line_rejects_itself_only(line: str, code: Code) -> None:
    result = found(f"{line}\na.encoding=gbk")
    assert [(each.code, each.key) for each in result.rejections] == [(code, KEY)]
    assert options_of(result, "a") == {"encoding": "gbk"}
    assert options_of(result, "catalina") == {}


def test_a_line_for_a_mistyped_log_names_the_nearest() -> None:
    (rejection,) = found("cataline.encoding=gbk").rejections
    assert rejection.hint == "catalina"


# Put into one pattern without a limit, a megabyte of it takes a quarter of a minute.
LONG = f"[{'a,' * 2048}b]"


@pytest.mark.parametrize("value", ["['^DEBUG'", "['a' 'b']", "[[a]]", "[]", "['a',]", "[a]x", LONG])
def test_a_list_that_cannot_be_read_rejects_the_log_that_it_would_hold_lines_of(
    value: str,
) -> None:
    result = found(f"catalina.exclude_lines={value}\na.encoding=gbk")
    assert [each.name for each in result.declarations] == ["a", "a_b"]
    assert [(each.code, each.log) for each in result.rejections] == [
        (Code.REGEXP_INVALID, "catalina")
    ]


def test_too_many_lines_refuse_all_logs_for_any_might_be_meant() -> None:
    result = found("\n".join(["a.encoding=gbk"] * (MAX_LINES + 1)))
    assert result.declarations == ()
    assert len(result.rejections) == 1


def test_a_custom_config_is_weaker_than_anything_else_of_its_prefix() -> None:
    env = {"aliyun_logs_a_encoding": "big5"}
    labels = {"aliyun.logs.a.max_bytes": "2048"}
    text = "a.encoding=gbk\na.max_bytes=1\na.harvester_limit=3"
    where = container({"aliyun_logs_a": "/a", KEY: text, **env}, labels)
    result = find(where, prefixes=PREFIXES, max_logs=9)
    assert options_of(result, "a") == {
        "encoding": "big5",
        "max_bytes": "2048",
        "raw_harvester_limit": "3",
    }


@pytest.mark.parametrize(
    ("place", "key"),
    [
        ("env", "aliyun_logs_custom_config"),
        ("env", "pilot_logs_custom_config"),
        ("env", "aliyun_logs_custom.config"),
        ("env", "aliyun.logs.custom.config"),
        ("labels", "aliyun_logs_custom_config"),
        ("labels", "aliyun.logs.custom.config"),
        ("labels", "pilot.logs.custom_config"),
        ("annotations", "aliyun.logs/custom.config"),
        ("annotations", "aliyun_logs_custom_config"),
    ],
)
def test_its_key_is_never_a_logs(place: str, key: str) -> None:
    texts: dict[str, dict[str, str]] = {"env": {}, "labels": {}, "annotations": {}}
    texts[place][key] = "/path.log"
    where = container(texts["env"], texts["labels"], pod=pod(texts["annotations"]))
    result = find(where, prefixes=PREFIXES, max_logs=9)
    assert result.declarations == ()
    assert [each.key for each in result.rejections] == [key]
    texts[place][key] = "web.encoding=gbk"
    texts["env"]["aliyun_logs_web"] = "stdout"
    where = container(texts["env"], texts["labels"], pod=pod(texts["annotations"]))
    result = find(where, prefixes=PREFIXES, max_logs=9)
    assert options_of(result, "web") == {"encoding": "gbk"}
    assert declares(where, PREFIXES)
