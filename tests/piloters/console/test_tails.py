"""One file, read from where a record says, with events that wait for further lines."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.handover import input_id
from pilot.model import FileSet, Framing
from pilot.piloters.console import create
from pilot.piloters.console.records import Record
from pilot.piloters.console.tails import Tail, Tails
from pilot.settings import Settings
from pilot.treatment import Match, Multiline, Stream, Treatment
from tests.piloters.console.running import pinned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pilot.piloters.console.framing import Text

AFTER = Treatment(multiline=Multiline(pattern="^ ", timeout=5))
BEFORE = Treatment(multiline=Multiline(pattern=r"\\$", match=Match.BEFORE, timeout=5))
TIME = "2026-01-01T00:00:00Z"


def cri(text: str, tag: str = "F", stream: str = "stdout") -> str:
    return f"{TIME} {stream} {tag} {text}\n"


class File:
    """A file that grows, and the tails that read it one after the other."""

    def __init__(
        self,
        path: Path,
        treatment: Treatment = AFTER,
        framing: Framing = Framing.LINES,
        stream: Stream = Stream.ALL,
    ) -> None:
        path.write_bytes(b"")
        self.path, self.at = path, 0.0
        self.source = pinned(path.parent, framing=framing, stream=stream, treatment=treatment)
        self.tail = Tail(str(path), self.source, None)

    def add(self, data: bytes | str) -> list[Text]:
        with self.path.open("ab") as file:
            file.write(data.encode() if isinstance(data, str) else data)
        return self.pull()

    def pull(self) -> list[Text]:
        if not self.tail.changed(self.path.stat().st_size, self.at):
            return []
        events, more = self.tail.pull(self.at)
        assert not more
        return events

    def restart(self) -> list[Text]:
        self.tail = Tail(str(self.path), self.source, self.tail.record)
        return self.pull()


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path / "a~1~1")


def words(events: list[Text]) -> list[bytes]:
    return [each.text for each in events]


def test_an_event_that_waits_is_not_read_yet(file: File) -> None:
    assert words(file.add("one\n two\nthree\n")) == [b"one\n two"]
    assert file.tail.record == Record(9, 9, 15, 15)
    assert words(file.add(" four\nhal")) == []
    assert file.tail.record == Record(9, 9, 21, 21)
    file.at = 5
    assert words(file.pull()) == [b"three\n four"]
    assert file.tail.record == Record(21, 21)
    assert file.pull() == []


def test_a_line_starts_the_wait_anew(file: File) -> None:
    file.add("one\n")
    file.at = 4
    assert file.add(" two\n") == []
    file.at = 8.9
    assert file.pull() == []
    file.at = 9
    assert words(file.pull()) == [b"one\n two"]


def test_nothing_is_due_while_there_is_more_to_read(file: File) -> None:
    file.add("one\n")
    file.at = 100
    assert file.add(" two\n") == []


def test_a_restart_begins_where_the_event_does(file: File) -> None:
    file.add("one\n two\n")
    assert words(file.restart()) == []
    assert words(file.add(" three\nfour\n")) == [b"one\n two\n three"]
    assert words(file.restart()) == []
    file.at = 5
    assert words(file.pull()) == [b"four"]
    assert words(file.restart()) == []


def test_a_truncated_file_gives_what_waited_and_begins_anew(file: File) -> None:
    file.add("one\n two\n")
    file.path.write_text("new\n")
    assert words(file.pull()) == [b"one\n two"]
    file.at = 5
    assert words(file.pull()) == [b"new"]


def test_a_new_treatment_takes_effect_on_what_waits(file: File) -> None:
    file.add("one\n two\n")
    file.tail.treat(replace(file.source, treatment=Treatment()))
    assert words(file.pull()) == [b"one", b" two"]
    file.tail.treat(replace(file.source, treatment=Treatment(exclude="x")))
    assert words(file.add("three\n")) == [b"three"]


def test_two_streams_of_a_file_wait_for_themselves(tmp_path: Path) -> None:
    data = (
        cri("out")
        + cri("err", stream="stderr")
        + cri(" out", "P")
        + cri(" err", stream="stderr")
        + cri(" more")
        + cri("out")
        + cri("err", stream="stderr")
    )
    for stream in (Stream.STDOUT, Stream.STDERR):
        file = File(tmp_path / f"{stream}~1~1", AFTER, Framing.CRI, stream)
        word = stream.value[3:]
        (event,) = file.add(data)
        more = b" more" if stream is Stream.STDOUT else b""
        assert (event.text, event.stream) == (f"{word}\n {word}".encode() + more, stream)


def test_a_pin_that_goes_gives_what_waited(tmp_path: Path) -> None:
    pin = tmp_path / "a~1~1"
    pin.write_text("one\n two\n")
    tails = Tails(pinned(tmp_path, treatment=AFTER), nothing)
    assert [each for _, _, tail in tails.ready(0) for each in tail.pull(0)[0]] == []
    pin.unlink()
    (event,) = [each for _, _, tail in tails.ready(0) for each in tail.pull(0)[0]]
    assert event.text == b"one\n two"
    assert tails.files() == []
    assert list(tails.ready(0)) == []


def test_a_file_read_directly_waits_although_its_name_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    log = folder / "a.log"
    source = replace(pinned(tmp_path, treatment=AFTER), pins="", folders=(str(folder),))
    tails = Tails(replace(source, pattern="*.log", base=str(folder)), nothing)
    with log.open("w") as opened:
        opened.write("one\n")
        opened.flush()
        assert pull(tails, 0) == []
        log.unlink()
        assert pull(tails, 1) == []
        opened.write(" two\n")
        opened.flush()
        assert pull(tails, 4) == []
    assert pull(tails, 8) == []
    assert len(tails.files()) == 1
    assert pull(tails, 9) == [b"one\n two"]
    assert pull(tails, 10) == []
    assert tails.files() == []


def nothing(_: str) -> Record | None:
    return None


def pull(tails: Tails, at: float) -> list[bytes]:
    return [each.text for _, _, tail in tails.ready(at) for each in tail.pull(at)[0]]


LINES = st.lists(
    st.sampled_from(["a\n", " b\n", "c\\\n", "\n", "half", "\r\n", "\xff\n"]), max_size=12
).map(lambda parts: "".join(parts).encode("latin1"))
FRAMED = st.lists(
    st.builds(
        cri,
        st.sampled_from(["a", " b", "c\\", ""]),
        st.sampled_from(["F", "F", "P"]),
        st.sampled_from(["stdout", "stderr"]),
    )
    | st.just("bad\n"),
    max_size=10,
).map(lambda parts: "".join(parts).encode())
KINDS = st.tuples(st.just(Framing.LINES), st.just(Stream.ALL), LINES) | st.tuples(
    st.just(Framing.CRI), st.sampled_from(Stream), FRAMED
)
# How far the file grows, and whether the collector starts again or time goes by after that.
STEPS = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from(["", "restart", "wait"])), max_size=9
)


def growing(file: File, data: bytes, steps: list[tuple[int, str]]) -> Iterator[Text]:
    for size, then in [*steps, (len(data), "")]:
        yield from file.add(data[:size])
        data = data[size:]
        if then == "restart":
            yield from file.restart()
        elif then == "wait":
            file.at += 10
            yield from file.pull()
    file.at += 10
    yield from file.pull()


@given(KINDS, st.sampled_from([AFTER, BEFORE]), STEPS)
def test_events_depend_on_the_bytes_alone(
    tmp_path_factory: pytest.TempPathFactory,
    kind: tuple[Framing, Stream, bytes],
    treatment: Treatment,
    steps: list[tuple[int, str]],
) -> None:
    path, (framing, stream, data) = tmp_path_factory.mktemp("tail") / "a~1~1", kind
    whole = list(growing(File(path, treatment, framing, stream), data, []))
    untimed = [(size, then) for size, then in steps if then != "wait"]
    assert list(growing(File(path, treatment, framing, stream), data, untimed)) == whole


@given(KINDS, st.sampled_from([AFTER, BEFORE]), STEPS)
def test_no_line_is_lost_or_doubled_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory,
    kind: tuple[Framing, Stream, bytes],
    treatment: Treatment,
    steps: list[tuple[int, str]],
) -> None:
    path, (framing, stream, data) = tmp_path_factory.mktemp("tail") / "a~1~1", kind
    plain = list(growing(File(path, Treatment(), framing, stream), data, []))
    found = list(growing(File(path, treatment, framing, stream), data, steps))
    split = [line for each in found for line in each.text.split(b"\n")]
    assert [line for line in split if line] == [each.text for each in plain if each.text]
    assert [each.end for each in found] == sorted({each.end for each in found})


@given(KINDS, STEPS)
def test_a_quiet_file_is_read_to_its_readable_end(
    tmp_path_factory: pytest.TempPathFactory,
    kind: tuple[Framing, Stream, bytes],
    steps: list[tuple[int, str]],
) -> None:
    folder, (framing, stream, data) = tmp_path_factory.mktemp("tail"), kind
    file = File(folder / "a~1~1", AFTER, framing, stream)
    piloter = create(Settings(config_dir=folder, data_dir=folder))
    files = FileSet(name="set", root="/v", folder="", pattern="*", framing=framing)

    def end() -> int:
        record(folder, input_id("set", stream), file)
        return piloter.readable_end(file.path, files, stream)

    for size, then in steps:
        file.add(data[:size])
        data = data[size:]
        waiting, before = file.tail.waiting, end()
        # Of both streams together a piece of one may hold back the other's event, too.
        mixed = framing is Framing.CRI and stream is Stream.ALL
        assert file.tail.record.offset < before or not waiting or mixed
        if then == "wait":
            file.at += 10
            file.pull()
            assert file.tail.record.offset == before == end()


def record(folder: Path, id_: str, file: File) -> None:
    made = file.tail.record
    entry = {name: getattr(made, name) for name in ("offset", "read", "framed", "seen")}
    temporary = folder / "new"
    temporary.write_text(json.dumps({"version": 1, "files": {id_: {str(file.path): entry}}}))
    temporary.rename(folder / "registry.json")
