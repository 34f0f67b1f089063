from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.piloters.filebeat.options import SEGMENT, forbidden, typed, written


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("True", "True"),
        ("0", 0),
        ("-12", -12),
        ("007", "007"),
        ("1.5", 1.5),
        ("1e3", "1e3"),
        ("5s", "5s"),
        ("9" * 19, "9" * 19),
        ("${HOME}", "${HOME}"),
        ("", ""),
    ],
)
def test_values_have_types(text: str, value: object) -> None:
    found = typed(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "key",
    [
        *("paths", "id", "type", "enabled", "parsers", "processors", "fields", "fields_under_root"),
        *("file_identity.native", "prospector.scanner.symlinks", "close.reader.on_eof", "index"),
        *("clean_inactive", "close_inactive", "pipeline", "publisher_pipeline.x", "keep_null"),
        *("tags", "take_over.enabled", "encoding", "include_lines", "backoff.max", "Paths"),
        *("delete.enabled", "seek_to_tail", "ignore_older.", ".x", "a..b", "-1", "0", "a.0", "a b"),
    ],
)
def test_what_the_pilot_sets_itself_or_filebeat_would_misread_is_not_written(key: str) -> None:
    assert forbidden({key: "1", "harvester_limit": "2"}).keys() == {key}
    assert written({key: "1", "harvester_limit": "2"}) == {"harvester_limit": 2}


def test_an_option_has_a_value_or_parts() -> None:
    raw = {"a": "1", "a.b": "2", "a.b.c": "3", "ab.c": "4"}
    assert written(raw) == {"a": 1, "ab.c": 4}


@given(st.dictionaries(st.text(), st.text()))
def test_each_key_is_written_or_forbidden(raw: dict[str, str]) -> None:
    assert written(raw).keys() | forbidden(raw).keys() == raw.keys()
    assert not written(raw).keys() & forbidden(raw).keys()
    assert all(SEGMENT.match(part) for key in written(raw) for part in key.split("."))
