from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.model import Framing
from pilot.piloters.filebeat import ends
from tests.piloters.filebeat.endings import ENDINGS, Ending

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.name)
def test_the_end_is_behind_the_last_line_that_makes_an_event(
    tmp_path: Path, ending: Ending
) -> None:
    file = tmp_path / "file"
    file.write_bytes(ending.content)
    assert ends.readable_end(file, ending.framing) == ending.end


@given(st.lists(st.sampled_from([b"", b"\r", b"a", b"x" * 40000, b"y" * 65535]), max_size=8))
def test_lines_come_whole_whatever_the_blocks(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    file = tmp_path_factory.mktemp("lines") / "file"
    content = b"".join(line + b"\n" for line in lines) + b"rest"
    file.write_bytes(content)
    with file.open("rb") as stream:
        found = list(ends.lines_from_end(stream.fileno(), len(content)))
    assert [line for _, line in reversed(found)] == lines
    assert all(content[end - 1 : end] == b"\n" for end, _ in found)
    assert len({end for end, _ in found}) == len(lines)


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
    size = 3 * ends.LONGEST_LINE
    with file.open("wb") as stream:
        stream.truncate(size)
        stream.seek(size)
        stream.write(b"\n")
    tracemalloc.start()
    assert ends.readable_end(file, Framing.CRI) == size + 1
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * ends.LONGEST_LINE


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ends.readable_end(tmp_path / "file", Framing.LINES)


def test_deeply_nested_json_is_no_record(tmp_path: Path) -> None:
    file = tmp_path / "file"
    good = json.dumps({"log": "a\n", "time": "2026-01-01T00:00:00Z"}).encode() + b"\n"
    file.write_bytes(good + b"[" * 200_000 + b"\n")
    assert ends.readable_end(file, Framing.DOCKER) == len(good)
