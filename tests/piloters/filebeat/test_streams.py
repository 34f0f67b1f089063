from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.model import Framing
from pilot.piloters.filebeat import streams
from pilot.piloters.filebeat.streams import Streams
from pilot.treatment import Stream
from tests.piloters.filebeat import endings
from tests.piloters.filebeat.treatments import CASES, Case

if TYPE_CHECKING:
    from pathlib import Path

RUNTIMES = (Framing.DOCKER, Framing.CRI)
ENDS = [case for case in CASES if case.stream is not Stream.ALL]


def line(framing: Framing, text: str, stream: str, *, whole: bool = True) -> bytes:
    if framing is Framing.DOCKER:
        return endings.docker(f"{text}\n" if whole else text, stream=stream)
    made = endings.cri("F" if whole else "P", text)
    return made.replace(b" stdout ", f" {stream} ".encode(), 1)


@pytest.mark.parametrize("case", ENDS, ids=lambda case: case.name)
def test_the_end_is_behind_the_last_line_of_the_stream(tmp_path: Path, case: Case) -> None:
    file = tmp_path / "file"
    file.write_bytes(case.content)
    end = len(case.content) if case.end is None else case.end
    assert Streams().readable_end(file, case.framing, case.stream) == end - case.beyond


PARTS = [
    *(("stdout", "a", True), ("stderr", "b", True), ("stdout", "c", False), ("stderr", "", False)),
    *(("stdout", 'x "stderr" stderr F y', True), ("stderr", "z" * 3_000_000, True)),
    *(("stdout", "w" * 3_000_000, True), ("garbage", "stderr", True)),
]


@given(st.lists(st.sampled_from(PARTS), max_size=7), st.sampled_from(RUNTIMES), st.integers(0, 12))
def test_what_was_searched_before_changes_no_end(
    tmp_path_factory: pytest.TempPathFactory,
    parts: list[tuple[str, str, bool]],
    framing: Framing,
    first: int,
) -> None:
    file = tmp_path_factory.mktemp("streams") / "file"
    known = Streams()
    content, end = b"", 0
    for at, (stream, text, whole) in enumerate(parts):
        content += line(framing, text, stream, whole=whole)
        if stream == "stderr" and whole:
            end = len(content)
        if at == first:
            file.write_bytes(content + b"half of")
            assert known.readable_end(file, framing, Stream.STDERR) == end
    file.write_bytes(content)
    assert known.readable_end(file, framing, Stream.STDERR) == end
    assert Streams().readable_end(file, framing, Stream.STDERR) == end


@pytest.mark.parametrize("framing", RUNTIMES)
def test_a_file_that_was_cut_or_is_another_is_searched_again(
    tmp_path: Path, framing: Framing
) -> None:
    file, known = tmp_path / "file", Streams()
    out, err = line(framing, "out", "stdout"), line(framing, "err", "stderr")
    file.write_bytes(err + out * 3)
    assert known.readable_end(file, framing, Stream.STDERR) == len(err)
    file.write_bytes(out)
    assert known.readable_end(file, framing, Stream.STDERR) == 0
    file.write_bytes(err * 2 + out * 3)
    assert known.readable_end(file, framing, Stream.STDERR) == 2 * len(err)


def test_what_was_not_looked_at_counts_as_unread_until_it_is(tmp_path: Path) -> None:
    file, known = tmp_path / "file", Streams()
    err, out = (line(Framing.DOCKER, each, each) for each in ("stderr", "stdout"))
    with file.open("wb") as opened:
        opened.write(err)
        opened.truncate(2 * streams.MOST_BYTES)
        opened.seek(0, os.SEEK_END)
        opened.write(b"\n" + out)
        size = opened.tell()
    found = [known.readable_end(file, Framing.DOCKER, Stream.STDERR) for _ in range(4)]
    assert found[0] == size - streams.MOST_BYTES
    assert found[1:] == [found[0] - streams.MOST_BYTES, len(err), len(err)]
    with file.open("ab") as opened:
        opened.write(out)
    assert known.readable_end(file, Framing.DOCKER, Stream.STDERR) == len(err)


def test_of_a_stream_that_is_silent_in_a_large_file_nothing_stays_unread(tmp_path: Path) -> None:
    file, known = tmp_path / "file", Streams()
    text = line(Framing.CRI, "x" * 4000, "stdout")
    count = streams.MOST_BYTES // len(text) + 100
    with file.open("wb") as opened:
        for _ in range(count):
            opened.write(text)
    found = known.readable_end(file, Framing.CRI, Stream.STDERR)
    assert found > 0
    assert found % len(text) == 0, "a line that is looked at in part may be the stream's"
    assert known.readable_end(file, Framing.CRI, Stream.STDERR) == 0
    assert known.readable_end(file, Framing.CRI, Stream.STDOUT) == count * len(text)


def test_a_stream_that_only_seems_to_be_there_is_looked_for_little_by_little(
    tmp_path: Path,
) -> None:
    file, known = tmp_path / "file", Streams()
    text, err = line(Framing.CRI, "no stderr F", "stdout"), line(Framing.CRI, "err", "stderr")
    file.write_bytes(err + text * (streams.MOST_LINES + 3))
    found = [known.readable_end(file, Framing.CRI, Stream.STDERR) for _ in range(3)]
    assert found == [len(err) + 3 * len(text), len(err), len(err)]


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Streams().readable_end(tmp_path / "file", Framing.CRI, Stream.STDOUT)
