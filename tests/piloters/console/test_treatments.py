"""Treatments in fragments."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pilot.piloters.console.treatments import parse, plain
from pilot.treatment import Format, Match, Multiline, Treatment

MULTILINE = {"pattern": "^ ", "negate": True, "match": "before", "max_lines": 9, "timeout": 0.5}
ALL = Treatment(
    encoding="gbk",
    max_bytes=1024,
    multiline=Multiline(pattern="^ ", negate=True, match=Match.BEFORE, max_lines=9, timeout=0.5),
    include="a",
    exclude="b",
    format=Format.REGEXP,
    pattern="(?P<t>.*)",
    time_key="t",
    time_format="%s",
    target="app",
)


def test_doing_nothing_is_an_empty_mapping() -> None:
    assert plain(Treatment()) == {}
    assert parse({}) == Treatment()


@pytest.mark.parametrize("treatment", [ALL, Treatment(format=Format.CSV, keys=("a", "b"))])
def test_everything_comes_back(treatment: Treatment) -> None:
    assert parse(yaml.safe_load(yaml.safe_dump(plain(treatment)))) == treatment


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (None, "a mapping"),
        ([], "a mapping"),
        ({"exclud": "a"}, "unknown key 'exclud'"),
        ({"raw": {"a": "b"}}, "unknown key 'raw'"),
        ({1: 2}, "unknown key 1"),
        ({"exclude": 1}, "`exclude`"),
        ({"exclude": "("}, "."),
        ({"include": "(?=a)"}, "."),
        ({"format": "xml"}, "`format`"),
        ({"format": "regexp"}, "`pattern`"),
        ({"format": "regexp", "pattern": "("}, "."),
        ({"format": "csv"}, "`keys`"),
        ({"format": "csv", "keys": "a"}, "`keys`"),
        ({"format": "csv", "keys": [1]}, "`keys`"),
        ({"pattern": "a"}, "`pattern`"),
        ({"time_format": "%"}, "single %"),
        ({"encoding": "nonsense"}, "nonsense"),
        ({"max_bytes": "1"}, "`max_bytes`"),
        ({"max_bytes": True}, "`max_bytes`"),
        ({"max_bytes": 0}, "`max_bytes`"),
        ({"multiline": "a"}, "`multiline`"),
        ({"multiline": {}}, "lacks match, max_lines, negate, pattern, timeout"),
        ({"multiline": MULTILINE | {"pattern": "("}}, "`multiline`"),
        ({"multiline": MULTILINE | {"negate": "yes"}}, "`negate`"),
        ({"multiline": MULTILINE | {"match": "within"}}, "`match`"),
        ({"multiline": MULTILINE | {"timeout": 0}}, "`timeout`"),
        ({"multiline": MULTILINE | {"timeout": True}}, "`timeout`"),
        ({"multiline": MULTILINE | {"timeout": float("nan")}}, "`timeout`"),
        ({"multiline": MULTILINE | {"more": 0}}, "unknown key"),
    ],
)
def test_what_is_not_understood_is_refused(raw: object, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        parse(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*plain(ALL), "keys"]), JSON))
def test_any_mapping_is_understood_whole_or_refused(raw: dict[str, Any]) -> None:
    try:
        found = parse(raw)
    except ValueError:
        return
    assert parse(plain(found)) == found
    assert plain(found).keys() == {key for key, value in raw.items() if value and value != "none"}
