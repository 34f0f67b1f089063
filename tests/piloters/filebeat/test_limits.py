from __future__ import annotations

from pathlib import Path

import pytest

from pilot.model import Code, Framing, Log
from pilot.piloters.filebeat.piloter import FilebeatPiloter
from pilot.treatment import Feature, Format, Multiline, Treatment
from tests.piloters.filebeat import making


def refused(treatment: Treatment, framing: Framing = Framing.LINES) -> list[tuple[Code, str]]:
    piloter = FilebeatPiloter(making.settings(Path("/x")))
    log = Log(
        name="web",
        key="aliyun_logs_web",
        file_sets=(making.file_set(framing=framing),),
        tags={"mine": "x"},
        treatment=treatment,
    )
    found = piloter.refuse(log)
    assert all(each.notice and each.log == "web" and each.key == log.key for each in found)
    assert all(each.reason[0].islower() or each.reason.startswith("Fil") for each in found)
    return [(each.code, each.value) for each in found]


def test_what_filebeat_can_do_is_not_refused() -> None:
    treatment = Treatment(
        encoding="gbk",
        max_bytes=1024,
        multiline=Multiline(pattern="^ "),
        include="a",
        exclude="b",
        format=Format.CSV,
        keys=("a", "b"),
        time_key="a",
        time_format="%s",
        target="app",
        raw={"harvester_limit": "1"},
    )
    assert refused(treatment) == []
    assert Feature.CSV not in FilebeatPiloter.cannot


@pytest.mark.parametrize(
    ("treatment", "code", "value"),
    [
        (Treatment(format=Format.NGINX), Code.OPTION_UNSUPPORTED, "format nginx"),
        (Treatment(format=Format.REGEXP, pattern="a"), Code.OPTION_UNSUPPORTED, "format regexp"),
        (Treatment(encoding="utf-16"), Code.ENCODING_UNKNOWN, "utf-16"),
        (Treatment(format=Format.JSON, target="log"), Code.FORMAT_INVALID, "log"),
        (Treatment(format=Format.JSON, target="mine"), Code.FORMAT_INVALID, "mine"),
        (Treatment(format=Format.CSV, keys=("a", "host")), Code.FORMAT_INVALID, "host"),
        (Treatment(raw={"paths": "/etc"}), Code.OPTION_FORBIDDEN, "paths"),
        (
            Treatment(format=Format.JSON, time_key="t", time_format="%Z"),
            Code.TIME_FORMAT_INVALID,
            "%Z",
        ),
    ],
)
def test_what_it_cannot_do_is_said(treatment: Treatment, code: Code, value: str) -> None:
    assert refused(treatment) == [(code, value)]


def test_a_runtimes_log_has_no_encoding_to_be_unknown() -> None:
    assert refused(Treatment(encoding="utf-16"), Framing.CRI) == []
