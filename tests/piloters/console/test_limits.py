"""What the console collector cannot honour."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pilot.model import Code, FileSet, Framing, Log
from pilot.piloters.console import create
from pilot.piloters.console.framing import LONGEST
from pilot.piloters.console.limits import beyond, honoured
from pilot.piloters.console.treatments import parse, plain
from pilot.settings import Settings
from pilot.treatment import Feature, Format, Multiline, Treatment

SLOW = "(a+)+$"
FILE = Framing.LINES


@pytest.mark.parametrize(
    ("treatment", "feature", "left"),
    [
        (Treatment(raw={"a": "b"}), Feature.RAW, Treatment()),
        (Treatment(encoding="klingon"), Feature.ENCODING, Treatment()),
        (Treatment(multiline=Multiline(pattern=SLOW)), Feature.MULTILINE, Treatment()),
        (
            Treatment(format=Format.REGEXP, pattern=SLOW, time_key="t", target="a"),
            Feature.REGEXP,
            Treatment(),
        ),
        (
            Treatment(format=Format.JSON, time_key="t", time_format="%Q"),
            Feature.TIME_FORMAT,
            Treatment(format=Format.JSON),
        ),
    ],
)
def test_what_is_left_out_is_a_notice(
    treatment: Treatment, feature: Feature, left: Treatment
) -> None:
    assert honoured(treatment, FILE) == left
    (notice,) = refused(treatment)
    assert notice == (Code.OPTION_UNSUPPORTED, feature.value, True)


def refused(treatment: Treatment) -> list[tuple[Code, str, bool]]:
    files = FileSet(name="set", root="/v", folder="", pattern="*", framing=FILE)
    log = Log(name="a", key="aliyun_logs_a", file_sets=(files,), treatment=treatment)
    found = create(Settings()).refuse(log)
    assert all(each.reason.endswith(".") and each.log == "a" for each in found)
    return [(each.code, each.value, each.notice) for each in found]


@pytest.mark.parametrize("feature", [Feature.INCLUDE, Feature.EXCLUDE])
def test_what_holds_lines_back_is_never_left_out(feature: Feature) -> None:
    treatment = replace(Treatment(), **{feature.value: SLOW})  # type: ignore[arg-type]
    assert refused(treatment) == [(Code.OPTION_UNSUPPORTED, feature.value, False)]
    assert honoured(treatment, FILE) == treatment


def test_too_large_a_limit_is_said() -> None:
    assert refused(Treatment(max_bytes=LONGEST)) == []
    assert refused(Treatment(max_bytes=LONGEST + 1)) == [
        (Code.OPTION_UNSUPPORTED, "max_bytes", True)
    ]


def test_everything_else_is_honoured() -> None:
    treatment = Treatment(
        encoding="gbk",
        max_bytes=1024,
        multiline=Multiline(pattern="^ "),
        include="a",
        exclude="b",
        format=Format.REGEXP,
        pattern="(?P<t>.*)",
        time_key="t",
        time_format="%s",
        target="app",
    )
    assert beyond(treatment) == {}
    assert honoured(treatment, FILE) == treatment
    assert parse(plain(treatment)) == treatment
    assert refused(treatment) == []


@pytest.mark.parametrize("framing", [Framing.DOCKER, Framing.CRI])
def test_what_a_runtime_writes_is_utf8(framing: Framing) -> None:
    assert honoured(Treatment(encoding="gbk", include="a"), framing) == Treatment(include="a")
