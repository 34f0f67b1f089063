"""From lines to events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.model import Framing
from pilot.piloters.console.framing import LONGEST, Framer, Text
from pilot.piloters.console.joining import Joiner
from pilot.treatment import Match, Multiline, Treatment


def treatment(
    pattern: str, match: Match = Match.AFTER, *, negate: bool = False, max_lines: int = 500
) -> Treatment:
    multiline = Multiline(
        pattern=pattern, negate=negate, match=match, max_lines=max_lines, timeout=5
    )
    return Treatment(multiline=multiline)


def lines(text: str) -> list[Text]:
    return Framer(Framing.LINES).feed(text.encode())


def joined(how: Treatment, text: str) -> list[str]:
    joiner = Joiner(how)
    return [each.text.decode() for each in [*joiner.feed(lines(text), 0), *joiner.flush()]]


@pytest.mark.parametrize(
    ("how", "text", "expected"),
    [
        # The four ways of Filebeat's documentation, on its own example of letters.
        (treatment("^b", Match.AFTER), "a\nb\nb\nc\nb\nb\n", ["a\nb\nb", "c\nb\nb"]),
        (treatment("^b", Match.BEFORE), "b\nb\na\nb\nb\nc\n", ["b\nb\na", "b\nb\nc"]),
        (treatment("^b", Match.AFTER, negate=True), "b\na\nc\nb\nd\ne\n", ["b\na\nc", "b\nd\ne"]),
        (treatment("^b", Match.BEFORE, negate=True), "a\nc\nb\nd\ne\nb\n", ["a\nc\nb", "d\ne\nb"]),
        # Lines that go to a line before them, where there is none, are an event of their own.
        (treatment("^ "), " a\n b\nc\n", [" a\n b", "c"]),
        (treatment(r"\\$", Match.BEFORE), "a \\\nb\nc\n", ["a \\\nb", "c"]),
        # No newline comes after nothing, but empty lines within stay.
        (treatment("^ ?$"), "a\n\n\nb\n", ["a\n\n", "b"]),
        (treatment("^ "), "\n a\n b\n", [" a\n b"]),
        (treatment("^ "), "\n\na\n", ["", "", "a"]),
    ],
)
def test_lines_are_joined_as_in_filebeat(how: Treatment, text: str, expected: list[str]) -> None:
    assert joined(how, text) == expected


JAVA = """\
Exception in thread "main" java.lang.IllegalStateException: no book
\tat com.example.Book.title(Book.java:16)
Caused by: java.lang.NullPointerException
\tat com.example.Book.id(Book.java:22)
\t... 1 more"""

PYTHON = """\
2026-01-02 03:04:05 ERROR failed
Traceback (most recent call last):
  File "a.py", line 1, in <module>
KeyError: 1

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
ValueError: 2"""

GO = """\
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]

goroutine 1 [running]:
main.main()
\t/tmp/a.go:3 +0x11"""


@pytest.mark.parametrize(
    ("pattern", "negate", "trace"),
    [
        (r"^\s|^Caused by:", False, JAVA),
        (r"^\d{4}-\d\d-\d\d ", True, PYTHON),
        (r"^(\t|goroutine|\[signal|main\.|$)", False, GO),
    ],
)
def test_a_trace_between_two_lines_is_one_event(pattern: str, negate: bool, trace: str) -> None:
    before, after = "2026-01-02 03:04:04 INFO one", "2026-01-02 03:04:06 INFO two"
    how = treatment(pattern, negate=negate)
    assert joined(how, f"{before}\n{trace}\n{after}\n") == [before, trace, after]


def test_without_multiline_nothing_waits() -> None:
    joiner, given_ = Joiner(Treatment()), lines("a\nb\n")
    assert joiner.feed(given_, 0) == given_
    assert (joiner.waiting, joiner.flush(), joiner.read) == (False, [], 4)


def test_an_event_waits_for_its_timeout_after_its_last_line() -> None:
    joiner = Joiner(treatment("^ "))
    assert not joiner.due(1e9)
    assert joiner.feed(lines("a\n"), 10) == []
    assert (joiner.waiting, joiner.due(14.9), joiner.due(15)) == (True, False, True)
    (_, second) = lines("a\n b\n")
    assert joiner.feed([second], 12) == []
    assert (joiner.due(16.9), joiner.due(17)) == (False, True)
    assert [(each.start, each.end, each.text) for each in joiner.flush()] == [(0, 5, b"a\n b")]
    assert (joiner.waiting, joiner.due(1e9)) == (False, False)


def test_what_comes_after_the_timeout_is_an_event_of_its_own() -> None:
    joiner = Joiner(treatment("^ "))
    first, *rest = lines("a\n b\n c\nd\n")
    joiner.feed([first], 0)
    joiner.flush()
    assert [each.text for each in joiner.feed(rest, 9)] == [b" b\n c"]


def test_before_is_about_the_last_line_even_after_a_timeout() -> None:
    joiner = Joiner(treatment(r"\\$", Match.BEFORE))
    first, *rest = lines("a\\\nb\nc\nd\n")
    joiner.feed([first], 0)
    joiner.flush()
    assert [each.text for each in joiner.feed(rest, 9)] == [b"b", b"c"]


def test_an_event_has_the_time_and_place_of_its_first_line() -> None:
    joiner = Joiner(treatment("^ "))
    first = Text(10, 20, b"a", time="first", stream="stdout")
    second = Text(20, 30, b" b", time="second", stream="stdout")
    joiner.feed([first, second], 0)
    assert joiner.begin(30) == 10
    assert joiner.flush() == [Text(10, 30, b"a\n b", "first", "stdout")]


def test_the_offset_stays_before_the_first_piece_of_all_its_lines() -> None:
    joiner = Joiner(treatment("^ "))
    joiner.feed([Text(100, 200, b"a"), Text(0, 300, b" b")], 0)
    assert joiner.begin(300) == 0
    assert joiner.flush()[0].start == 100


def test_a_line_with_broken_framing_ends_an_event_and_is_one_itself() -> None:
    joiner = Joiner(treatment("."))
    broken = Text(2, 4, b"b", error="not cri framing")
    found = joiner.feed([Text(0, 2, b"a"), broken, Text(4, 6, b"c")], 0)
    assert [each.text for each in found] == [b"a", b"b"]
    assert found[1] == broken
    assert (joiner.read, joiner.waiting) == (4, True)


def test_lines_beyond_the_most_are_left_out_and_said() -> None:
    joiner = Joiner(treatment("^ ", max_lines=2))
    found = joiner.feed(lines("a\n b\nc\n d\n e\n f\ng\n"), 0)
    assert [(each.text, each.cut, each.end) for each in found] == [
        (b"a\n b", False, 5),
        (b"c\n d", True, 16),
    ]


def test_an_event_is_never_longer_than_a_line_may_be() -> None:
    half = "x" * (LONGEST // 2)
    joiner = Joiner(treatment("^x"))
    found = joiner.feed(lines(f"a\n{half}\n{half}\n{half}\nb\n{half}\nc\n"), 0)
    assert [(len(each.text), each.cut) for each in found] == [
        (LONGEST, True),
        (LONGEST // 2 + 2, False),
    ]
    exact = joiner.feed(lines(f"d\n{'x' * (LONGEST - 2)}\n\n"), 0)
    assert [(len(each.text), each.cut) for each in exact[1:]] == [(LONGEST, False)]


def test_lines_are_decoded_before_they_are_looked_at() -> None:
    how = Treatment(encoding="gbk", multiline=Multiline(pattern="^中"))
    joiner = Joiner(how)
    data = "开始\n中间\n结束\n".encode("gbk")
    found = [*joiner.feed(Framer(Framing.LINES).feed(data), 0), *joiner.flush()]
    assert [each.text.decode() for each in found] == ["开始\n中间", "结束"]


def test_decoded_text_that_grew_too_long_is_cut_and_marked() -> None:
    joiner = Joiner(Treatment(encoding="latin1"))
    (found,) = joiner.feed([Text(0, LONGEST + 1, b"\xe9" * LONGEST)], 0)
    assert (len(found.text), found.cut) == (LONGEST, True)


@given(
    st.lists(st.sampled_from(["a", " b", "", "c\\", "é"]), max_size=12),
    st.sampled_from(["^ ", r"\\$", "^$", "a", "[^ -~]"]),
    st.sampled_from(Match),
    st.booleans(),
)
def test_any_lines_are_all_there_in_their_order(
    given_: list[str], pattern: str, match: Match, negate: bool
) -> None:
    found = joined(treatment(pattern, match, negate=negate), "".join(f"{x}\n" for x in given_))
    assert [line for event in found for line in event.split("\n") if line] == [
        line for line in given_ if line
    ]
