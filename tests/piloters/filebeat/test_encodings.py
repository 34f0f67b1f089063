from __future__ import annotations

import pytest

from pilot.piloters.filebeat.encodings import encoding


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("GBK", "gbk"),
        ("gb18030", "gb18030"),
        ("big5", "big5"),
        ("EUC-JP", "euc-jp"),
        ("euc_kr", "euc-kr"),
        ("Shift_JIS", "shift-jis"),
        ("latin1", "iso8859-1"),
        ("ISO-8859-15", "iso8859-15"),
        ("windows-1251", "windows1251"),
        ("cp1252", "windows1252"),
        ("koi8-r", "koi8r"),
        ("UTF-8", "utf-8"),
        ("plain", "plain"),
        ("utf-16", ""),
        ("${HOME}", ""),
        ("", ""),
    ],
)
def test_an_encoding_has_filebeats_name_however_it_is_spelled(name: str, known: str) -> None:
    assert encoding(name) == known
