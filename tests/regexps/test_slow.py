"""Which patterns could keep an engine that backtracks busy for very long."""

from __future__ import annotations

import pytest

from pilot.regexps import parse


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a*b*c?d)*(a|a)*$",
        r"(\w+\s*)+$",
        "(?:a|ab)*c",
        "(?:a|a)+$",
        "(.*,)*x",
        "(.*a){12}",
        "(?:x+x+)+y",
        r"^(\d+|\w+)+$",
        r"([a-z]+)*@",
        "^(?:a?b?a)*$",
        "(?:(?:ab?)+c?)+d",
        r"^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@)",
        "a.*b.*c.*d",
        r"\s*\s*\s*x",
        "^.*.*.*.*x",
        "(?:.*x|.*y).*z.*w.*v",
        "(?s).*a.*b.*c",
    ],
)
def test_patterns_that_can_divide_a_text_in_many_ways_are_slow(pattern: str) -> None:
    assert parse(pattern).slow.endswith(".")


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "ERROR|WARN|FATAL",
        "GET /healthz",
        r"^\[",
        r"^\d{4}-\d{2}-\d{2}",
        "a.*b.*c",
        ".*a.*b.*",
        "^[^ ]* [^ ]* [^ ]* [^ ]* [^ ]*$",
        r"(?:\d{1,3}\.){3}\d{1,3}",
        "(?:[^,]*,)*x",
        "(?:a{2})*",
        r"(?:\.\w+)*",
        r'"(?:[^"\\]|\\.)*"',
        r"(?m)(?:^\s+at .*\n)+",
        # Fluentd's own for Apache and nginx.
        (
            r'^(?<host>[^ ]*) [^ ]* (?<user>[^ ]*) \[(?<time>[^\]]*)\] "(?<method>\S+)'
            r'(?: +(?<path>[^"]*?)(?: +\S*)?)?" (?<code>[^ ]*) (?<size>[^ ]*)$'
        ),
        (
            r"^(?<remote>[^ ]*) (?<host>[^ ]*) (?<user>[^ ]*) \[(?<time>[^\]]*)\] "
            r'"(?<method>\S+)(?: +(?<path>[^"]*?)(?: +\S*)?)?" (?<code>[^ ]*) (?<size>[^ ]*)'
            r'(?: "(?<referer>[^"]*)" "(?<agent>[^"]*)")?$'
        ),
    ],
)
def test_patterns_that_people_write_are_not(pattern: str) -> None:
    assert parse(pattern).slow == ""
