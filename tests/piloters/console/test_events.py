"""From a line to an event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.model import Framing
from pilot.piloters.console.events import Encoder
from pilot.piloters.console.framing import Text
from pilot.piloters.console.inputs import ConsoleInput
from pilot.treatment import Format, Treatment

FIELDS = {"k8s_pod": "web-0", "index": "ours"}
NOT_JSON = {"type": "json", "message": "the line is no JSON object"}


def source(treatment: Treatment, **fields: str) -> ConsoleInput:
    return ConsoleInput(
        id="a",
        pins="/pins/a",
        folders=(),
        base="",
        pattern="",
        rotated=False,
        shown="/logs",
        framing=Framing.LINES,
        treatment=treatment,
        fields=fields or FIELDS,
    )


def event(
    text: Text | str | bytes, format_: Format = Format.NONE, **treatment: Any
) -> dict[str, Any]:
    if isinstance(text, str):
        text = text.encode("utf-8", "surrogatepass")
    if isinstance(text, bytes):
        text = Text(5, 5 + len(text) + 1, text)
    encoder = Encoder(source(Treatment(format=format_, **treatment)))
    line = encoder.encode(text, "/logs/a.log", 1_767_323_045.5)
    assert line.count(b"\n") == 1
    parsed = json.loads(line, parse_constant=pytest.fail)
    assert isinstance(parsed, dict)
    return parsed


def test_a_plain_line() -> None:
    assert event("hello") == {
        "@timestamp": "2026-01-02T03:04:05.500000Z",
        "message": "hello",
        "log": {"file": {"path": "/logs/a.log"}, "offset": 5},
        **FIELDS,
    }


def test_a_line_of_a_container_has_the_runtimes_time_and_stream() -> None:
    found = event(Text(0, 9, b"hello", "2026-01-01T00:00:00.123456789Z", "stderr", cut=True))
    assert found["@timestamp"] == "2026-01-01T00:00:00.123456789Z"
    assert found["stream"] == "stderr"
    assert found["log"]["flags"] == ["truncated"]


def test_broken_framing_is_said_and_its_text_is_not_taken_for_json() -> None:
    found = event(Text(0, 9, b'{"a": 1}', error="not cri framing"), Format.JSON)
    assert found["error"] == {"type": "framing", "message": "not cri framing"}
    assert found["message"] == '{"a": 1}'
    assert "a" not in found


def test_json_keys_come_beside_ours() -> None:
    found = event('{"level": "info", "n": [1, {"x": null}], "log.level": "info"}', Format.JSON)
    assert found["level"] == "info"
    assert found["n"] == [1, {"x": None}]
    assert found["log.level"] == "info"
    assert found["message"].startswith('{"level"')


def test_json_is_text_where_it_was_not_declared() -> None:
    assert "level" not in event('{"level": "info"}')


def test_a_message_within_json_replaces_the_text() -> None:
    assert event('{"message": "short"}', Format.JSON)["message"] == "short"
    assert event('{"message": {"a": 1}}', Format.JSON)["message"] == '{"message": {"a": 1}}'


@pytest.mark.parametrize(
    "key", ["@timestamp", "@metadata", "@metadata.index", "log", "stream", "k8s_pod", "index"]
)
def test_json_never_sets_what_is_ours(key: str) -> None:
    plain = event("x")
    found = event(json.dumps({key: "theirs", "also": 1}), Format.JSON)
    assert found.get(key) == plain.get(key)
    assert found["also"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "7",
        "null",
        "[1]",
        '"text"',
        "{",
        '{"a": 1} {"b": 2}',
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 1e999}',
        '{"a": ' + "9" * 5000 + "}",
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"a":' * 70 + "1" + "}" * 70,
        '{"a":' + "[" * 70 + "]" * 70 + "}",
        "\x00",
    ],
)
def test_a_line_that_is_no_usable_json_stays_a_message(text: str) -> None:
    found = event(text, Format.JSON)
    assert found["message"] == text
    assert found["error"] == NOT_JSON
    assert set(found) == {"@timestamp", "message", "log", "error", *FIELDS}


def test_nesting_within_reason_is_kept() -> None:
    assert "a" in event('{"a":' + "[" * 20 + "]" * 20 + "}", Format.JSON)


def test_parsed_fields_go_below_the_target() -> None:
    text = '{"message": "short", "@timestamp": "x", "log": 1, "k8s_pod": "theirs"}'
    found = event(text, Format.JSON, target="app")
    plain = event("x")
    assert found == {**plain, "message": text, "app": json.loads(text)}


@pytest.mark.parametrize(
    "target", ["@timestamp", "@metadata", "@metadata.index", "log", "stream", "message", "k8s_pod"]
)
def test_a_target_that_is_ours_takes_nothing(target: str) -> None:
    found, plain = event('{"a": 1}', Format.JSON, target=target), event("x")
    assert found.pop("error")["type"] == "target"
    assert found == {**plain, "message": '{"a": 1}'}


@pytest.mark.parametrize(
    ("format_", "treatment", "text"),
    [
        (Format.CSV, {"keys": ("@timestamp", "stream", "k8s_pod", "a")}, "x,x,x,1"),
        (Format.REGEXP, {"pattern": "(?P<log>x)(?P<stream>x)(?P<index>x)(?P<a>1)"}, "xxx1"),
    ],
)
def test_no_format_sets_what_is_ours(format_: Format, treatment: dict[str, Any], text: str) -> None:
    assert event(text, format_, **treatment) == {**event(text), "a": "1"}


def test_a_parsed_message_replaces_the_text() -> None:
    found = event("[a Oct 11 14:32:52 2000] [error] denied", Format.APACHE_ERROR)
    assert (found["message"], found["level"]) == ("denied", "error")
    assert found["@timestamp"] == "2000-10-11T14:32:52Z"


def test_a_field_gives_the_events_time_and_stays() -> None:
    found = event('{"t": "2026-01-01T00:00:00.5+01:00"}', Format.JSON, time_key="t")
    assert found["@timestamp"] == "2025-12-31T23:00:00.5Z"
    assert found["t"] == "2026-01-01T00:00:00.5+01:00"


def test_a_time_that_is_none_leaves_the_event_its_own() -> None:
    found = event('{"t": "soon", "error": "theirs"}', Format.JSON, time_key="t")
    assert found["@timestamp"] == event("x")["@timestamp"]
    assert found["t"] == "soon"
    assert found["error"]["type"] == "time"


def test_what_is_dropped_gives_nothing() -> None:
    encoder = Encoder(source(Treatment(include="a", exclude="b")))
    kept = [encoder.encode(Text(0, 9, each), "/a", 0) for each in (b"a", b"b", b"ab", b"c")]
    assert [bool(each) for each in kept] == [True, False, False, False]


def test_broken_framing_is_looked_at_by_exclude() -> None:
    encoder = Encoder(source(Treatment(exclude="secret")))
    assert encoder.encode(Text(0, 9, b"a secret", error="not cri framing"), "/a", 0) == b""


def test_an_event_is_looked_at_as_a_whole_and_cut_then() -> None:
    text = "a" * 2000 + " secret"
    encoder = Encoder(source(Treatment(max_bytes=1024, exclude="secret")))
    assert encoder.encode(Text(0, 2008, text.encode()), "/logs/a.log", 0.0) == b""
    found = event(text, max_bytes=1024, include="secret")
    assert (found["message"], found["log"]["flags"]) == ("a" * 1024, ["truncated"])


def test_invalid_utf8_is_replaced() -> None:
    assert event(b"a\xffb")["message"] == "a�b"


def test_a_terminal_is_not_told_what_to_do() -> None:
    encoder = Encoder(source(Treatment()))
    line = encoder.encode(Text(0, 9, "\x1b[2J\x9b\u202e\u2028é".encode()), "/logs/\udcff", 0)
    text = line.decode("utf-8")
    assert text.rstrip("\n").isprintable()
    assert "é" in text
    assert json.loads(line)["message"] == "\x1b[2J\x9b\u202e\u2028é"


@given(st.binary())
def test_any_bytes_make_one_line_of_json(raw: bytes) -> None:
    assert event(raw)["message"] == raw.decode("utf-8", "replace")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["@timestamp", "log", "message", "k8s_pod", "error", "stream"]) | st.text()


@given(st.dictionaries(KEYS, JSON, max_size=5))
def test_any_json_leaves_ours_alone(keys: dict[str, Any]) -> None:
    plain, found = event("x"), event(json.dumps(keys), Format.JSON)
    for key in ("@timestamp", "log", *FIELDS):
        assert found[key] == plain[key]
    assert "stream" not in found
    assert isinstance(found["message"], str)
