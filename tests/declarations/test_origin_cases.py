"""What log-pilot's own texts and users declared, from keys to logs."""

from __future__ import annotations

from operator import attrgetter

import pytest

from pilot.accept import accept
from pilot.fields import fields
from pilot.model import FileSet, Framing
from pilot.policy import Policy
from pilot.settings import Settings
from tests.declarations.making import LOG_PATH, container, pod
from tests.declarations.origin_cases import CASES, OUTPUT, Case


def place(file_set: FileSet) -> str:
    if file_set.framing is not Framing.LINES:
        return OUTPUT
    return f"{file_set.directory}/{file_set.pattern}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.origin}: {case.about}")
def test_what_was_declared_becomes_what_was_meant(case: Case) -> None:
    where = container(
        case.env,
        case.labels,
        mounts=case.mounts,
        log_path=LOG_PATH if case.log_driver == "json-file" else "",
        log_driver=case.log_driver,
        pod=pod(case.annotations) if case.annotations else None,
    )
    settings = Settings(environment={}, log_prefixes=case.prefixes)
    accepted = accept(where, settings=settings, policy=Policy())
    assert sorted((each.code.value, each.key) for each in accepted.rejections) == sorted(case.said)
    assert [log.name for log in accepted.logs] == [each.name for each in case.logs]
    for log, expected in zip(accepted.logs, case.logs, strict=True):
        assert sorted(place(each) for each in log.file_sets) == sorted(expected.files)
        assert log.treatment.format is expected.format
        assert log.tags == expected.tags
        assert log.target == expected.target
        assert log.stream is expected.stream
        shipped = fields(where, log, "node-1")
        assert shipped["index"] == (expected.index or expected.name)
        assert shipped["topic"] == expected.tags.get("topic", expected.target or expected.name)
        for name, value in expected.asks.items():
            assert attrgetter(name)(log.treatment) == value


def test_there_are_as_many_cases_as_were_promised() -> None:
    assert len(CASES) >= 85
    assert len({(case.origin, case.about) for case in CASES}) == len(CASES)
