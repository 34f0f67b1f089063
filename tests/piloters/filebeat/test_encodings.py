from __future__ import annotations

import pytest

from pilot.declarations import filters
from pilot.piloters.filebeat.encodings import ENCODINGS, encoding


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("gbk", "gbk"),
        ("iso8859-15", "iso8859-15"),
        ("windows-1251", "windows1251"),
        ("windows-874", "windows874"),
        ("koi8-r", "koi8r"),
        ("utf-16", ""),
        ("${HOME}", ""),
        ("", ""),
    ],
)
def test_an_encoding_has_filebeats_name(name: str, known: str) -> None:
    assert encoding(name) == known


def test_filebeat_knows_those_that_a_declaration_may_name_and_no_other_is_listed() -> None:
    assert ENCODINGS.keys() == set(filters.ENCODINGS)
