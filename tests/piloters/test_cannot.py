"""What a collector cannot do, and what is not shipped because of it."""

from __future__ import annotations

import pytest

from pilot.model import Log
from pilot.piloters.cannot import missing
from pilot.treatment import Feature, Multiline, Treatment


@pytest.mark.parametrize(
    ("treatment", "feature"),
    [
        (Treatment(encoding="gbk", exclude="x"), Feature.ENCODING),
        (Treatment(multiline=Multiline(pattern="^ "), include="x"), Feature.MULTILINE),
    ],
)
def test_where_lines_are_sifted_what_makes_their_text_is_not_left_out(
    treatment: Treatment, feature: Feature
) -> None:
    log = Log(name="a", key="aliyun_logs_a", file_sets=(), treatment=treatment)
    assert [each.notice for each in missing(log, {feature: "It cannot."})] == [False]


def test_where_none_are_sifted_their_text_is_collected() -> None:
    log = Log(name="a", key="k", file_sets=(), treatment=Treatment(encoding="gbk"))
    assert [each.notice for each in missing(log, {Feature.ENCODING: "It cannot."})] == [True]
