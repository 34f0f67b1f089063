"""The judges judged: what the oracle holds, what the sink reads, what the report says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.real.oracle import Oracle, Sink
from tests.real.waiting import until

if TYPE_CHECKING:
    from pathlib import Path


def record(text: str, stream: str = "stdout") -> str:
    return json.dumps({"log": text, "stream": stream, "time": "2026-01-02T03:04:05.6Z"}) + "\n"


def deliver(folder: Path, *lines: str, name: str = "events") -> None:
    with (folder / name).open("a") as file:
        file.writelines(json.dumps({"message": line}) + "\n" for line in lines)


def test_a_deleted_and_a_rotated_log_are_still_expected(tmp_path: Path) -> None:
    log = tmp_path / "docker/containers/c1/c1-json.log"
    log.parent.mkdir(parents=True)
    with Oracle(tmp_path / "docker") as oracle:
        log.write_text(record("one\n"))
        until(lambda: len(oracle.lines()) == 1, 5, "the first file is held")
        log.rename(f"{log}.1")
        log.write_text(record("two\n") + record("err ", "stderr") + record("three\n"))
        until(lambda: len(oracle.lines()) == 3, 5, "the second file is held")
        for path in log.parent.iterdir():
            path.unlink()
        assert [line.text for line in oracle.lines()] == ["one", "two", "three"]
        assert {line.origin for line in oracle.lines()} == {"c1"}


def test_a_long_line_is_joined_over_a_rotation(tmp_path: Path) -> None:
    log = tmp_path / "docker/containers/c1/c1-json.log"
    log.parent.mkdir(parents=True)
    log.write_text(record("long "))
    with Oracle(tmp_path / "docker") as oracle:
        log.rename(f"{log}.1")
        log.write_text(record("line\n"))
        until(oracle.lines, 5, "the end of the line is held")
        assert [line.text for line in oracle.lines()] == ["long line"]


def test_the_report_counts_missing_twice_and_foreign(tmp_path: Path) -> None:
    volume, sink = tmp_path / "volume", tmp_path / "sink"
    volume.mkdir()
    sink.mkdir()
    (volume / "app.log").write_text("a\nb\nc\nc\nunfinished")
    with Oracle(tmp_path / "docker", volume) as oracle:
        deliver(sink, "a", "c", "c", "c")
        deliver(sink, "nobody's", name="events-1.ndjson")
        report = Sink(sink).compare(oracle)
        assert [line.text for line in report.missing] == ["b"]
        assert (report.twice, report.foreign) == (1, ["nobody's"])


def test_the_sink_reads_on_after_a_rotation_and_counts_torn_records(tmp_path: Path) -> None:
    sink = Sink(tmp_path)
    deliver(tmp_path, "a")
    assert sink.texts() == ["a"]
    with (tmp_path / "events").open("a") as file:
        file.write('{"message": "to')
    assert sink.texts() == ["a"]
    (tmp_path / "events").rename(tmp_path / "events.1")
    deliver(tmp_path, "b")
    with (tmp_path / "events.1").open("a") as file:
        file.write("\n")
    assert sorted(sink.texts()) == ["a", "b"]
    assert sink.torn == 1
