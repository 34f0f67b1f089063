"""How events are taken apart, and how their times are written."""

from __future__ import annotations

import pytest

from pilot.declarations import read
from pilot.declarations.times import DIRECTIVES
from pilot.model import Declaration, Option, Rejection
from pilot.treatment import Format, Treatment

GROUPS = "(?<time>[^ ]+) (?<level>[A-Z]+)"


def read_options(**given: str) -> tuple[Treatment | None, list[Rejection]]:
    options = {name: Option(name, text) for name, text in given.items()}
    reading, said = read(Declaration(name="web", key="web", value="/a.log", options=options))
    return (reading.treatment if reading else None), said


def formats(**given: str) -> tuple[Treatment | None, list[tuple[str, str, str, bool]]]:
    treatment, said = read_options(**{f"format{name}": text for name, text in given.items()})
    return treatment, [(each.code.value, each.key, each.hint, each.notice) for each in said]


@pytest.mark.parametrize("form", ["none", "json", "nginx", "apache2", "apache_error", ""])
def test_formats_that_need_nothing(form: str) -> None:
    expected = Treatment(format=Format(form or "none"))
    assert formats(**{"": form}) == (expected, [])


def test_columns_become_fields() -> None:
    treatment, said = formats(**{"": "csv", "_keys": "time, level ,text", "_time_key": "time"})
    expected = Treatment(format=Format.CSV, keys=("time", "level", "text"), time_key="time")
    assert (treatment, said) == (expected, [])


@pytest.mark.parametrize("pattern", [GROUPS, f"/{GROUPS}/", f" /{GROUPS}/\n"])
def test_named_groups_become_fields_and_log_pilots_slashes_do_not_count(pattern: str) -> None:
    treatment, said = formats(**{"": "regexp", "_pattern": pattern})
    assert (treatment, said) == (Treatment(format=Format.REGEXP, pattern=GROUPS), [])


@pytest.mark.parametrize(
    ("text", "hint"),
    [("jsno", "json"), ("JSON", "json"), ("regex", "regexp"), ("apache", "apache2"), ("xml", "")],
)
def test_an_unknown_format_rejects_the_log(text: str, hint: str) -> None:
    assert formats(**{"": text}) == (None, [("format-unknown", "format", hint, False)])


@pytest.mark.parametrize("text", ["json\x00", "\ud800", "j" * 4000])
def test_a_hostile_format_rejects_the_log(text: str) -> None:
    treatment, (rejection,) = read_options(format=text)
    assert treatment is None
    assert str(rejection).isprintable()


@pytest.mark.parametrize(
    ("given", "key", "code"),
    [
        ({"": "csv"}, "format", "format-invalid"),
        ({"": "regexp"}, "format", "format-invalid"),
        ({"": "regexp", "_pattern": "("}, "format_pattern", "regexp-invalid"),
        ({"": "regexp", "_pattern": "no group"}, "format_pattern", "format-invalid"),
        ({"": "regexp", "_pattern": "(?<host>.*)"}, "format_pattern", "format-invalid"),
        ({"": "csv", "_keys": "a,,b"}, "format_keys", "format-invalid"),
        ({"": "csv", "_keys": "a,b,a"}, "format_keys", "format-invalid"),
        ({"": "csv", "_keys": "a,größe"}, "format_keys", "format-invalid"),
        ({"": "csv", "_keys": "a,k8s_pod"}, "format_keys", "format-invalid"),
        ({"": "csv", "_keys": "a,@metadata"}, "format_keys", "format-invalid"),
        (
            {"": "csv", "_keys": ",".join(f"k{n}" for n in range(65))},
            "format_keys",
            "format-invalid",
        ),
        ({"": "json", "_target": "host"}, "format_target", "format-invalid"),
        ({"": "json", "_target": "@metadata"}, "format_target", "format-invalid"),
        ({"": "json", "_target": "a.b"}, "format_target", "format-invalid"),
        ({"": "json", "_time_key": "a b"}, "format_time_key", "format-invalid"),
        ({"": "json", "_time_format": "%Q"}, "format_time_format", "time-format-invalid"),
    ],
)
def test_what_a_format_needs_and_lacks_rejects_the_log(
    given: dict[str, str], key: str, code: str
) -> None:
    treatment, said = formats(**given)
    assert treatment is None
    assert [(each[0], each[1], each[3]) for each in said] == [(code, key, False)]


@pytest.mark.parametrize(
    "given",
    [
        {"": "csv", "_keys": "host,agent", "_target": "app"},
        {"": "regexp", "_pattern": "(?<host>.*)", "_target": "app"},
        {"": "regexp", "_pattern": "(?<message>.*)"},
    ],
)
def test_below_a_field_of_ones_own_any_name_is_good(given: dict[str, str]) -> None:
    treatment, said = formats(**given)
    assert treatment is not None
    assert said == []


@pytest.mark.parametrize(
    ("given", "ignored"),
    [
        ({"_time_key": "t"}, ["format_time_key"]),
        ({"": "none", "_target": "app"}, ["format_target"]),
        ({"": "json", "_keys": "a", "_pattern": "("}, ["format_keys", "format_pattern"]),
        ({"": "nginx", "_pattern": "x"}, ["format_pattern"]),
        ({"": "csv", "_keys": "a", "_pattern": "x"}, ["format_pattern"]),
    ],
)
def test_what_a_format_does_not_take_is_a_notice(given: dict[str, str], ignored: list[str]) -> None:
    treatment, said = formats(**given)
    assert treatment is not None
    assert (treatment.time_key, treatment.target, treatment.pattern) == ("", "", "")
    assert said == [("format-invalid", key, "", True) for key in ignored]


def test_a_time_key_that_is_no_field_is_a_notice_with_the_nearest() -> None:
    treatment, said = formats(**{"": "csv", "_keys": "time,level", "_time_key": "tiem"})
    assert treatment is not None
    assert treatment.time_key == ""
    assert said == [("format-invalid", "format_time_key", "time", True)]


@pytest.mark.parametrize(
    ("given", "time_key", "notices"),
    [
        ({"": "json"}, "time", 0),
        ({"": "regexp", "_pattern": GROUPS}, "time", 0),
        ({"": "csv", "_keys": "time"}, "time", 0),
        ({"": "csv", "_keys": "at"}, "", 1),
    ],
)
def test_a_time_format_alone_is_that_of_the_field_time_as_in_log_pilot(
    given: dict[str, str], time_key: str, notices: int
) -> None:
    treatment, said = formats(**given, _time_format="%s")
    assert treatment is not None
    assert (treatment.time_key, len(said)) == (time_key, notices)
    assert treatment.time_format == ("%s" if time_key else "")


@pytest.mark.parametrize(
    "text",
    [
        "%Y-%m-%dT%H:%M:%S.%NZ",
        "%d/%b/%Y:%H:%M:%S %z",
        "%s.%L",
        "100%% %F %T,%3N %6N %9N %f",
        "Zeit %R größer",
        *(each for each in DIRECTIVES if each != "%%"),
    ],
)
def test_good_time_formats(text: str) -> None:
    treatment, said = formats(**{"": "json", "_time_key": "@timestamp", "_time_format": text})
    assert said == []
    assert treatment is not None
    assert treatment.time_format == text


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("%Y-%m-%d %X", "%Y-%m-%d %T"),
        ("%h %e", "%b %e"),
        ("%Y-%m-%d %", ""),
        ("%Y %q", ""),
        ("%4N", ""),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "%Y-%m-%dT%H:%M:%S.%L%z"),
        ("dd/MMM/yyyy:HH:mm:ss Z", "%d/%b/%Y:%H:%M:%S %z"),
        ("2006-01-02", ""),
        ("iso8601", ""),
        ("%%", ""),
        ("%Y\x07", ""),
        ("%Y" * 65, ""),
    ],
)
def test_a_bad_time_format_rejects_the_log(text: str, hint: str) -> None:
    treatment, said = formats(**{"": "json", "_time_key": "t", "_time_format": text})
    assert treatment is None
    assert said == [("time-format-invalid", "format_time_format", hint, False)]
