from __future__ import annotations

import json
import sys
import tracemalloc
from typing import TYPE_CHECKING, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.model import Framing
from pilot.piloters.filebeat import ends
from tests.piloters.filebeat import endings
from tests.piloters.filebeat.endings import ENDINGS, Ending

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.name)
def test_the_end_is_behind_the_last_line_that_makes_an_event(
    tmp_path: Path, ending: Ending
) -> None:
    file = tmp_path / "file"
    file.write_bytes(ending.content)
    assert ends.readable_end(file, ending.framing) == ending.end


PIECES = [
    *(b"\n", b"\r\n", b"\r", b"a", b"} ", b"x" * 70_000 + b"\n", b"\n" * 70_000),
    *(b"\r\n" * 35_000, b"garbage of words }\n" * 500, b"x" * 1_100_000),
    *(endings.docker("a\n"), endings.docker("b"), endings.docker("c" * 70_000 + "\n")),
    *(endings.cri("F", "a"), endings.cri("P", "b"), endings.cri("F", "c" * 70_000)),
]


@given(st.lists(st.sampled_from(PIECES), max_size=6).map(b"".join), st.sampled_from(Framing))
def test_the_end_is_that_of_looking_at_each_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, framing: Framing
) -> None:
    file = tmp_path_factory.mktemp("lines") / "file"
    file.write_bytes(content)
    found = ends.readable_end(file, framing)
    expected, lines = line_by_line(content, framing)
    if lines > ends.MOST_LINES or len(content) > ends.FARTHEST:
        assert found >= expected
    else:
        assert found == expected


def line_by_line(content: bytes, framing: Framing) -> tuple[int, int]:
    """Where the last line ends that makes an event, and how many others with text come behind."""
    checks = {Framing.LINES: lambda line: line not in {b"", b"\r"}}
    makes_event = checks.get(framing) or ends.CHECKS[framing][0]
    *lines, rest = content.split(b"\n")
    end, passed = len(content) - len(rest), 0
    for line in reversed(lines):
        if makes_event(line):
            return end, passed
        end -= len(line) + 1
        passed += line not in {b"", b"\r"}
    return 0, passed


class Looks:
    """Counts the steps of this thread's Python code that `ends` takes."""

    def __init__(self) -> None:
        self.lines = 0

    def __call__(self, frame: FrameType, event: str, argument: object) -> Looks:
        if frame.f_code.co_filename == ends.__file__:
            self.lines += event == "line"
        return self

    def __enter__(self) -> Self:
        self._before = sys.gettrace()
        sys.settrace(self)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)


@pytest.mark.parametrize("framing", Framing)
@pytest.mark.parametrize("lines", [b"\n", b"\r\n", b"x\r\r\n", b"}\n", b" \n", b"{}\n", b"\r"])
def test_a_file_of_many_lines_is_not_looked_at_line_by_line(
    tmp_path: Path, framing: Framing, lines: bytes
) -> None:
    file = tmp_path / "file"
    text = b"text\n" + lines * (2 * ends.FARTHEST // len(lines))
    file.write_bytes(text)
    with Looks() as looks:
        end = ends.readable_end(file, framing)
    assert 0 < looks.lines < 20 * ends.MOST_LINES  # there are up to 8 million lines
    assert end >= len(text) - ends.FARTHEST  # what was not looked at counts as unread


@pytest.mark.parametrize(
    ("framing", "good", "bad"),
    [
        (Framing.DOCKER, endings.docker("a\n"), b"{}\n"),
        (Framing.CRI, endings.cri("F", "a"), b"x y\n"),
    ],
)
def test_behind_too_many_unreadable_lines_nothing_counts_as_read(
    tmp_path: Path, framing: Framing, good: bytes, bad: bytes
) -> None:
    file = tmp_path / "file"
    file.write_bytes(good + bad * ends.MOST_LINES)
    assert ends.readable_end(file, framing) == len(good)
    file.write_bytes(good + bad * (ends.MOST_LINES + 5))
    assert ends.readable_end(file, framing) == len(good) + 5 * len(bad)


def test_only_the_tail_of_a_large_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with file.open("wb") as stream:
        stream.truncate(8 << 30)
        stream.seek(0, 2)
        stream.write(b"\nlast\n\n")
    assert ends.readable_end(file, Framing.LINES) == (8 << 30) + 6


def test_a_file_without_any_newline_is_given_up_at_a_limit_and_not_called_read(
    tmp_path: Path,
) -> None:
    file = tmp_path / "file"
    with file.open("wb") as stream:
        stream.truncate(ends.FARTHEST + 100)
    assert ends.readable_end(file, Framing.LINES) == 100


def test_a_line_too_long_to_look_at_counts_and_is_not_held(tmp_path: Path) -> None:
    file = tmp_path / "file"
    size = 3 * ends.FARTHEST
    with file.open("wb") as stream:
        stream.truncate(size)
        stream.seek(size)
        stream.write(b"\n")
    tracemalloc.start()
    assert ends.readable_end(file, Framing.CRI) == size + 1
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * ends.FARTHEST


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ends.readable_end(tmp_path / "file", Framing.LINES)


def test_deeply_nested_json_is_no_record(tmp_path: Path) -> None:
    file = tmp_path / "file"
    good = json.dumps({"log": "a\n", "time": "2026-01-01T00:00:00Z"}).encode() + b"\n"
    file.write_bytes(good + b"[" * 200_000 + b"\n")
    assert ends.readable_end(file, Framing.DOCKER) == len(good)
