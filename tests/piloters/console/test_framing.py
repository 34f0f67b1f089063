"""From bytes to an application's lines."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.model import Framing
from pilot.piloters.console.framing import LONGEST, Framer, Text
from pilot.treatment import Stream

NINE = "2026-01-02T03:04:05.123456789Z"


def docker(log: str, stream: str = "stdout", time: str = NINE) -> bytes:
    return json.dumps({"log": log, "stream": stream, "time": time}).encode() + b"\n"


def cri(text: str, tag: str = "F", stream: str = "stdout", time: str = NINE) -> bytes:
    return f"{time} {stream} {tag} {text}\n".encode()


def texts(framing: Framing, data: bytes) -> list[bytes]:
    return [each.text for each in Framer(framing).feed(data)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"half", []),
        (b"one\n", [b"one"]),
        (b"one\r\ntwo\nthr", [b"one", b"two"]),
        (b"\n\n", [b"", b""]),
        (b"\r\r\n", [b"\r"]),
        (b"\xff\x00\n", [b"\xff\x00"]),
    ],
)
def test_plain_lines(data: bytes, expected: list[bytes]) -> None:
    assert texts(Framing.LINES, data) == expected


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([("one\n", "stdout")], [("one", "stdout")]),
        ([("one\r\n", "stdout")], [("one", "stdout")]),
        ([("\n", "stderr")], [("", "stderr")]),
        ([("a", "stdout"), ("b", "stdout"), ("c\n", "stdout")], [("abc", "stdout")]),
        (
            [("a", "stdout"), ("x\n", "stderr"), ("c\n", "stdout")],
            [("x", "stderr"), ("ac", "stdout")],
        ),
        (
            [("a", "stdout"), ("x", "stderr"), ("c\n", "stdout"), ("y\n", "stderr")],
            [("ac", "stdout"), ("xy", "stderr")],
        ),
        ([("a", "stdout")], []),
        ([("é", "stdout"), ("\ud800\n", "stdout")], [("é?", "stdout")]),
    ],
)
def test_pieces_are_joined_by_stream(
    pieces: list[tuple[str, str]], expected: list[tuple[str, str]]
) -> None:
    of_docker = Framer(Framing.DOCKER).feed(b"".join(docker(*piece) for piece in pieces))
    assert [(each.text.decode(), each.stream) for each in of_docker] == expected
    if "\ud800" in pieces[-1][0]:
        return
    lines = [
        (text.removesuffix("\n"), "F" if text[-1:] == "\n" else "P", of) for text, of in pieces
    ]
    of_cri = Framer(Framing.CRI).feed(b"".join(cri(*line) for line in lines))
    assert [(each.text.decode(), each.stream) for each in of_cri] == expected


def test_a_joined_line_has_the_place_and_time_of_its_first_piece() -> None:
    first = cri("a", "P", time="2026-01-01T00:00:00.1Z")
    other = cri("x", stream="stderr")
    last = cri("b", "F", time="2026-01-01T00:00:01Z")
    found = Framer(Framing.CRI).feed(first + other + last)
    assert found == [
        Text(len(first), len(first + other), b"x", NINE, "stderr"),
        Text(0, len(first + other + last), b"ab", "2026-01-01T00:00:00.1Z", "stdout"),
    ]


def test_a_character_split_over_two_pieces_comes_whole() -> None:
    first, second = "é".encode()[:1], "é".encode()[1:]
    line = f"{NINE} stdout ".encode()
    assert texts(Framing.CRI, line + b"P " + first + b"\n" + line + b"F " + second + b"\n") == [
        "é".encode()
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"{NINE} stdout F:more:tags a b  c\n", b"a b  c"),
        (f"{NINE} stdout F \n", b""),
        (f"{NINE} stdout F\n", b""),
        (f"{NINE} stdout F  a\n", b" a"),
        (f"{NINE} stdout F a\r\n", b"a"),
    ],
)
def test_cri_text_is_taken_as_it_is(line: str, expected: bytes) -> None:
    (found,) = Framer(Framing.CRI).feed(line.encode())
    assert (found.text, found.error) == (expected, "")


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (NINE, NINE),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05.123456789+08:00", "2026-01-01T19:04:05.123456789Z"),
        ("2026-01-02T23:04:05-02:30", "2026-01-03T01:34:05Z"),
        ("0001-01-01T00:00:00+08:00", ""),
        ("2026-13-02T03:04:05Z", ""),
        ("2026-01-02 03:04:05", ""),
        ("yesterday", ""),
    ],
)
def test_times_are_utc_to_the_last_digit(time: str, expected: str) -> None:
    (found,) = Framer(Framing.DOCKER).feed(docker("a\n", time=time))
    assert found.time == expected
    (found,) = Framer(Framing.CRI).feed(cri("a", time=time))
    assert found.time == expected
    assert bool(found.error) is not bool(expected)


@pytest.mark.parametrize(
    ("framing", "line"),
    [
        (Framing.DOCKER, b""),
        (Framing.DOCKER, b"\0\0\0\0"),
        (Framing.DOCKER, b"{"),
        (Framing.DOCKER, b"[]"),
        (Framing.DOCKER, b'{"log": 7, "stream": "stdout"}'),
        (Framing.DOCKER, b'{"log": "x\\n"}'),
        (Framing.DOCKER, b'{"log": "x\\n", "stream": "stdin"}'),
        (Framing.DOCKER, b'{"log": "x\\n", "stream": []}'),
        (Framing.DOCKER, b"[" * 100_000),
        (Framing.CRI, b""),
        (Framing.CRI, b"\xff\xfe"),
        (Framing.CRI, b"one two"),
        (Framing.CRI, b"one stdout F text"),
        (Framing.CRI, f"{NINE} stdin F text".encode()),
        (Framing.CRI, f"{NINE} stdout X text".encode()),
    ],
)
def test_garbage_comes_as_it_is_with_an_error_and_disturbs_nothing(
    framing: Framing, line: bytes
) -> None:
    good = docker if framing is Framing.DOCKER else cri
    begin = docker("a") if framing is Framing.DOCKER else cri("a", "P")
    end = good("b\n") if framing is Framing.DOCKER else good("b")
    found = Framer(framing).feed(begin + line + b"\n" + end)
    assert [each.text for each in found] == [line, b"ab"]
    assert found[0].error.startswith(f"not {framing} framing: ")
    assert found[1].error == ""


def test_invalid_utf8_in_a_docker_entry_is_replaced() -> None:
    line = docker("a#b\n").replace(b"#", b"\xff")
    assert texts(Framing.DOCKER, line) == ["a�b".encode()]


def test_what_is_longer_than_a_line_may_be_is_cut_and_marked() -> None:
    framer = Framer(Framing.LINES)
    found = framer.feed(b"x" * LONGEST + b"\n")
    for _ in range(5):
        assert framer.feed(b"y" * LONGEST) == []
        assert framer.offset == LONGEST + 1
    found += framer.feed(b"\nnext\n")
    assert [(len(each.text), each.cut) for each in found] == [
        (LONGEST, False),
        (LONGEST, True),
        (4, False),
    ]
    assert found[2].start == 6 * LONGEST + 2


@pytest.mark.parametrize("framing", [Framing.DOCKER, Framing.CRI])
def test_joined_pieces_are_cut_and_marked(framing: Framing) -> None:
    quarter = "x" * (LONGEST // 4)
    begin = docker(quarter) if framing is Framing.DOCKER else cri(quarter, "P")
    last = docker("end\n") if framing is Framing.DOCKER else cri("end")
    found = Framer(framing).feed(begin * 3 + last + begin * 4 + last + last)
    assert [(len(each.text), each.cut) for each in found] == [
        (LONGEST // 4 * 3 + 3, False),
        (LONGEST, True),
        (3, False),
    ]


def test_a_raw_line_that_is_too_long_is_garbage_and_cut() -> None:
    found = Framer(Framing.DOCKER).feed(docker("x" * LONGEST + "\n") + docker("next\n"))
    assert [(len(each.text), each.cut, bool(each.error)) for each in found] == [
        (LONGEST, True, True),
        (4, False, False),
    ]


def test_the_offset_stays_before_pieces_of_an_open_line() -> None:
    framer = Framer(Framing.CRI)
    whole = cri("whole")
    framer.feed(whole + cri("open", "P") + cri("other", stream="stderr") + b"half a li")
    assert framer.offset == len(whole)
    assert framer.read == len(whole + cri("open", "P") + cri("other", stream="stderr"))


RAW = st.one_of(
    st.builds(
        docker,
        st.sampled_from(["", "a", "b\n", "é\r\n", "\n"]),
        st.sampled_from(["stdout", "stderr"]),
    ),
    st.builds(
        cri,
        st.sampled_from(["", "a", "é"]),
        st.sampled_from(["P", "F", "X"]),
        st.sampled_from(["stdout", "stderr"]),
    ),
    st.binary(max_size=6),
    st.just(b"\n"),
)
FILES = st.lists(RAW, max_size=12).map(b"".join)


@given(st.sampled_from(Framing), FILES, st.lists(st.integers(0, 400), max_size=6))
def test_any_split_into_reads_gives_the_same(
    framing: Framing, data: bytes, cuts: list[int]
) -> None:
    framer, found, before = Framer(framing), [], 0
    for cut in [*sorted(cuts), len(data)]:
        found += framer.feed(data[before:cut])
        before = max(before, min(cut, len(data)))
    whole = Framer(framing)
    assert found == whole.feed(data)
    assert (framer.offset, framer.read) == (whole.offset, whole.read)


@given(st.sampled_from(Framing), FILES, st.lists(st.integers(0, 400), max_size=4))
def test_any_stops_and_restarts_give_each_line_once(
    framing: Framing, data: bytes, stops: list[int]
) -> None:
    framer, found = Framer(framing), []
    for stop in [*sorted(stops), len(data)]:
        if stop > framer.position:
            found += framer.feed(data[framer.position : stop])
        framer = Framer(framing, offset=framer.offset, read=framer.read)
    found += framer.feed(data[framer.position :])
    assert found == Framer(framing).feed(data)


@given(FILES, st.lists(st.integers(0, 400), max_size=4))
def test_the_two_streams_are_all_that_there_is(data: bytes, stops: list[int]) -> None:
    for framing in (Framing.DOCKER, Framing.CRI):
        whole = Framer(framing).feed(data)
        for stream, others in ((Stream.STDOUT, {"stdout", ""}), (Stream.STDERR, {"stderr"})):
            framer, found = Framer(framing, stream), []
            for stop in [*sorted(stops), len(data)]:
                if stop > framer.position:
                    found += framer.feed(data[framer.position : stop])
                framer = Framer(framing, stream, offset=framer.offset, read=framer.read)
            found += framer.feed(data[framer.position :])
            assert found == [each for each in whole if each.stream in others]


def test_an_open_line_of_the_other_stream_holds_nothing_back() -> None:
    data = cri("open", "P", "stderr") + cri("whole")
    framer = Framer(Framing.CRI, Stream.STDOUT)
    assert [each.text for each in framer.feed(data)] == [b"whole"]
    assert framer.offset == len(data)


def test_broken_framing_is_given_by_one_of_two_streams() -> None:
    assert [each.text for each in Framer(Framing.CRI, Stream.STDOUT).feed(b"bad\n")] == [b"bad"]
    assert Framer(Framing.CRI, Stream.STDERR).feed(b"bad\n") == []
