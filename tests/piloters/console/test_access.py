"""The logs of web servers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.piloters.console.access import LONGEST, PATTERNS, fields
from pilot.treatment import Format

TIME = "28/Feb/2026:12:00:00 +0900"
WHEN = f"[{TIME}]"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            f'127.0.0.1 192.168.0.1 - {WHEN} "GET /a?b=c HTTP/1.1" 200 777 "-" "Opera/12.0"',
            {
                "remote": "127.0.0.1",
                "host": "192.168.0.1",
                "user": "-",
                "time": TIME,
                "method": "GET",
                "path": "/a?b=c",
                "code": "200",
                "size": "777",
                "referer": "-",
                "agent": "Opera/12.0",
            },
        ),
        (
            f'::1 - bob {WHEN} "GET / HTTP/1.1" 200 0 "" "a b" "1.2.3.4, 5.6.7.8"',
            {
                "remote": "::1",
                "host": "-",
                "user": "bob",
                "time": TIME,
                "method": "GET",
                "path": "/",
                "code": "200",
                "size": "0",
                "referer": "",
                "agent": "a b",
                "http_x_forwarded_for": "1.2.3.4, 5.6.7.8",
            },
        ),
        (
            f'1.1.1.1 - - {WHEN} "-" 400 0',
            {
                "remote": "1.1.1.1",
                "host": "-",
                "user": "-",
                "time": TIME,
                "method": "-",
                "code": "400",
                "size": "0",
            },
        ),
        (
            f'1.1.1.1 - - {WHEN} "GET  /a b  c HTTP/1.1" 200 1',
            {
                "remote": "1.1.1.1",
                "host": "-",
                "user": "-",
                "time": TIME,
                "method": "GET",
                "path": "/a b  c",
                "code": "200",
                "size": "1",
            },
        ),
    ],
)
def test_nginx(line: str, expected: dict[str, object]) -> None:
    assert fields(line, Format.NGINX) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            f'192.168.0.1 - - {WHEN} "GET / HTTP/1.1" 200 777',
            {
                "host": "192.168.0.1",
                "time": TIME,
                "method": "GET",
                "path": "/",
                "code": 200,
                "size": 777,
            },
        ),
        (
            rf'a x bob {WHEN} "POST /\"q\" HTTP/1.1" 304 - "http://\"r\"" "A \"b\" c"',
            {
                "host": "a",
                "user": "bob",
                "time": TIME,
                "method": "POST",
                "path": r"/\"q\"",
                "code": 304,
                "referer": r"http://\"r\"",
                "agent": r"A \"b\" c",
            },
        ),
        (
            f'- - - {WHEN} "-" 408 x "-" "-"',
            {"time": TIME, "method": "-", "code": 408, "size": 0},
        ),
    ],
)
def test_apache2(line: str, expected: dict[str, object]) -> None:
    assert fields(line, Format.APACHE2) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "[Wed Oct 11 14:32:52 2000] [error] [client 127.0.0.1] client denied: /a",
            {
                "time": "Oct 11 14:32:52 2000",
                "level": "error",
                "client": "127.0.0.1",
                "message": "client denied: /a",
            },
        ),
        (
            "[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 43] [client ::1] no [x]",
            {
                "time": "Sep 09 10:42:29.902022 2011",
                "level": "core:error",
                "pid": "35708:tid 43",
                "client": "::1",
                "message": "no [x]",
            },
        ),
        (
            "[Wed Oct 11 14:32:52 2000] [notice] ",
            {"time": "Oct 11 14:32:52 2000", "level": "notice", "message": ""},
        ),
    ],
)
def test_apache_error(line: str, expected: dict[str, object]) -> None:
    assert fields(line, Format.APACHE_ERROR) == expected


@pytest.mark.parametrize("format_", PATTERNS)
@pytest.mark.parametrize(
    "line", ["", "hello", "- - -", "[a b] c", f'- - - {WHEN} "GET" 200', '"""']
)
def test_other_lines_are_refused(format_: Format, line: str) -> None:
    with pytest.raises(ValueError, match=f"none of format {format_}"):
        fields(line, format_)


@pytest.mark.parametrize("format_", PATTERNS)
def test_a_line_that_no_server_writes_is_not_looked_at(format_: Format) -> None:
    line = f'- - - {WHEN} "GET {"x" * LONGEST}" 200 1'
    error = f"[Wed Oct 11 14:32:52 2000] [notice] {'x' * LONGEST}"
    with pytest.raises(ValueError, match="none of format"):
        fields(error if format_ is Format.APACHE_ERROR else line, format_)


@given(
    st.sampled_from(list(PATTERNS)),
    st.text() | st.text(alphabet='-a "[]\\\n1').map(lambda rest: f'- - - {WHEN} "{rest}'),
)
def test_any_line_has_fields_or_is_refused(format_: Format, line: str) -> None:
    try:
        found = fields(line, format_)
    except ValueError:
        return
    assert "time" in found
