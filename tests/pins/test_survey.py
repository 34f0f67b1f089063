from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from pilot.model import PinKind
from pilot.pins.record import Pin, PinSet
from pilot.pins.survey import Answer, Asked, Question, Survey, Surveyor, survey
from pilot.treatment import Stream
from tests.fakes.clock import Clock
from tests.fakes.piloter import FakePiloter
from tests.fakes.workers import HandWorkers
from tests.pins.node import Node, file_set

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pilot.model import FileSet
    from pilot.workers import Workers


def question(folder: Path, *names: str) -> Question:
    asked = tuple(Asked(each, PinKind.LINKED, (1, 1)) for each in names)
    return Question(file_set(), folder, "/seen/set", asked)


def size(file: Path, _: FileSet, _stream: Stream) -> int:
    return file.stat().st_size


def answered(found: Mapping[str, Mapping[str, Answer | None]], name: str) -> Answer:
    answer = found["set"][name]
    assert answer
    return answer


def test_what_the_collector_never_heard_of_is_unread(tmp_path: Path) -> None:
    (tmp_path / "a~1~1").write_bytes(b"12345")
    found = survey([question(tmp_path, "a~1~1")], lambda _: {}, size)
    answer = answered(found, "a~1~1")
    assert (answer.unread, answer.size, answer.links) == (5, 5, 1)


@pytest.mark.parametrize(("read", "unread"), [(0, 5), (3, 2), (5, 0), (9, 5)])
def test_unread_is_what_lies_behind_the_offset(tmp_path: Path, read: int, unread: int) -> None:
    (tmp_path / "a~1~1").write_bytes(b"12345")
    progress = {("set", "/seen/set/a~1~1"): read}
    found = survey([question(tmp_path, "a~1~1")], lambda _: progress, size)
    assert answered(found, "a~1~1").unread == unread


def test_another_set_s_or_another_path_s_offset_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "a~1~1").write_bytes(b"12345")
    progress = {("other", "/seen/set/a~1~1"): 5, ("set", "/seen/else/a~1~1"): 5}
    found = survey([question(tmp_path, "a~1~1")], lambda _: progress, size)
    assert answered(found, "a~1~1").unread == 5


def test_what_a_collector_does_not_ship_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "a~1~1").write_bytes(b"line\nhalf")
    progress = {("set", "/seen/set/a~1~1"): 5}
    found = survey(
        [question(tmp_path, "a~1~1")], lambda _: progress, lambda _path, _set, _stream: 5
    )
    assert answered(found, "a~1~1").unread == 0


@pytest.mark.parametrize(
    ("stdout", "stderr", "unread"),
    [(9, 4, 0), (8, 4, 1), (9, 3, 1), (9, 0, 4), (0, 4, 9), (9, 9, 0)],
)
def test_a_file_is_read_when_each_stream_s_input_is_behind_that_stream_s_last_line(
    tmp_path: Path, stdout: int, stderr: int, unread: int
) -> None:
    (tmp_path / "a~1~1").write_bytes(b"err\nout2\n")
    ends = {Stream.STDOUT: 9, Stream.STDERR: 4}
    asked = replace(question(tmp_path, "a~1~1"), streams=(Stream.STDERR, Stream.STDOUT))
    progress = {("set", "/seen/set/a~1~1"): stdout, ("set-stderr", "/seen/set/a~1~1"): stderr}
    found = survey([asked], lambda _: progress, lambda _path, _set, stream: ends[stream])
    assert answered(found, "a~1~1").unread == unread


def test_a_direct_file_is_read_when_each_stream_s_input_is() -> None:
    streams, progress = (
        (Stream.STDERR, Stream.STDOUT),
        {("set", "1-2"): 9, ("set-stderr", "1-2"): 3},
    )
    pin = Asked("1-2", PinKind.DIRECT, (1, 1), (4, 9))
    found = survey(
        [Question(file_set(), None, "", (pin,), streams=streams)], lambda _: progress, size
    )
    assert answered(found, "1-2").unread == 1


def test_one_pin_that_vanished_or_cannot_be_read_leaves_the_others(tmp_path: Path) -> None:
    for name in ("bad~1~1", "good~2~2"):
        (tmp_path / name).write_bytes(b"12")

    def end(path: Path, _: FileSet, _stream: Stream) -> int:
        if path.name.startswith("bad"):
            raise PermissionError(13, "Permission denied")
        return 2

    found = survey([question(tmp_path, "bad~1~1", "gone~3~3", "good~2~2")], lambda _: {}, end)
    assert found["set"].keys() == {"gone~3~3", "good~2~2"}
    assert found["set"]["gone~3~3"] is None, "nobody knows it any more"
    assert answered(found, "good~2~2").size == 2


def test_records_that_cannot_be_read_tell_nothing(tmp_path: Path) -> None:
    def broken(_: object) -> Mapping[tuple[str, str], int]:
        raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        survey([question(tmp_path)], broken, size)


def test_records_are_read_before_the_sizes(tmp_path: Path) -> None:
    """Else bytes written and read between the two would make a pin look read that is not."""
    pin = tmp_path / "a~1~1"
    pin.write_bytes(b"1")

    def progress(_: object) -> dict[tuple[str, str], int]:
        pin.write_bytes(b"123")
        return {("set", "/seen/set/a~1~1"): 1}

    found = survey([question(tmp_path, pin.name)], progress, size)
    assert answered(found, pin.name).unread == 2


def test_only_one_survey_runs_and_only_of_the_sets_that_matter(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node, workers = Node(tmp_path), HandWorkers()
    piloter = FakePiloter(tmp_path / "config")
    clock = Clock()
    surveyor = Surveyor(node.settings, cast("Workers", workers), piloter, clock)
    sets = {}
    for name in ("named", "missing", "alone", "calm", "empty"):
        kept = sets[name] = PinSet(file_set(name), node.root)
        if name != "empty":
            folder = node.at("/pins") / name
            folder.mkdir()
            (folder / "a~1~1").write_bytes(b"12")
            kept.pins[(1, 1)] = Pin("a~1~1", (1, 1), PinKind.LINKED)
            kept.pins[(1, 1)].missing = name == "missing"
            kept.pins[(1, 1)].alone = name == "alone"
            kept.sum_up()
    told: dict[str, Survey] = {}
    surveyor.ask(sets, {"named", "empty"}, told.__setitem__)
    surveyor.ask(sets, {"named"}, told.__setitem__)
    assert len(workers.jobs) == 1
    clock.now += 1
    workers.run()
    assert sorted(told) == ["alone", "missing", "named"]
    assert {each.asked for each in told.values()} == {clock.now - 1}, "not when it came back"
    told.clear()
    piloter.unreadable = OSError(5, "Input/output error")
    surveyor.ask(sets, {"named"}, told.__setitem__)
    workers.run()
    assert told == {}
    assert "cannot be read" in caplog.text
    piloter.unreadable = None
    surveyor.ask(sets, {"named"}, told.__setitem__)
    workers.run()
    assert sorted(told) == ["alone", "missing", "named"]
