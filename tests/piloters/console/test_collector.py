"""The collector's loop, one step after the other."""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Any

import pytest

from pilot.handover import input_id
from pilot.model import Framing
from pilot.piloters.console.collector import Collector
from pilot.piloters.console.folder import InputFolder
from pilot.piloters.console.output import Output
from pilot.piloters.console.records import Record, Records, load
from pilot.piloters.console.tails import CHUNK
from pilot.treatment import Multiline, Stream, Treatment
from tests.piloters.console.running import Setup, direct, pinned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Rig:
    """A collector in this process, its clock, and its output."""

    def __init__(self, folder: Path) -> None:
        self.setup = Setup(folder)
        self.pins = folder / "pins" / "set"
        self.pins.mkdir(parents=True)
        self.at = 0.0
        self._output = os.open(self.setup.output, os.O_CREAT | os.O_RDWR | os.O_APPEND)
        self.collector = self._make()

    def _make(self) -> Collector:
        return Collector(
            InputFolder(self.setup.inputs),
            Records(self.setup.registry),
            Output(self._output, lambda: False),
            monotonic=lambda: self.at,
            now=lambda: 0.0,
        )

    def step(self) -> None:
        self.at += 1
        while self.collector.step():
            pass

    def messages(self) -> list[str]:
        """What came since the last call."""
        self.step()
        found = self.setup.messages()
        os.ftruncate(self._output, 0)
        return found

    def restart(self) -> None:
        self.collector.close()
        self.collector = self._make()

    def crash(self) -> None:
        self.collector = self._make()

    def close(self) -> None:
        self.collector.close()
        os.close(self._output)

    def records(self) -> dict[str, Record]:
        self.step()
        return {file: record for (_, file), record in load(self.setup.registry).items()}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.close()


def add(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_pins_are_found_and_read_to_their_last_newline(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins))
    pin = rig.pins / "app.log~12~1"
    add(pin, "one\ntwo\nthr")
    assert rig.messages() == ["one", "two"]
    assert rig.records() == {str(pin): Record(8, 8)}
    add(pin, "ee\n")
    add(rig.pins / "app.log~13~2", "other\n")
    assert rig.messages() == ["three", "other"]


def test_only_pins_are_read(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins))
    add(rig.pins / ".tmp", "no\n")
    add(rig.pins / "app.log", "no\n")
    (rig.pins / "a~1~1").symlink_to(rig.pins / "app.log")
    (rig.pins / "a~1~2").mkdir()
    os.mkfifo(rig.pins / "a~1~3")
    assert rig.messages() == []
    assert rig.records() == {}


def test_an_empty_pin_has_a_record(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins))
    add(rig.pins / "a~1~1", "")
    assert rig.records() == {str(rig.pins / "a~1~1"): Record(0, 0)}


def test_events_name_the_path_that_the_container_knows(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins, k8s_pod="web-0"))
    add(rig.pins / "b=20c.log~1~1", "one\n")
    rig.step()
    (event,) = rig.setup.events()
    assert event["log"] == {"file": {"path": "/logs/b c.log"}, "offset": 0}
    assert event["k8s_pod"] == "web-0"


def test_new_fields_take_effect_without_reading_again(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins, index="old"))
    add(rig.pins / "a~1~1", "one\n")
    rig.step()
    rig.setup.want("a", pinned(rig.pins, index="new"))
    add(rig.pins / "a~1~1", "two\n")
    rig.step()
    assert [(e["message"], e["index"]) for e in rig.setup.events()] == [
        ("one", "old"),
        ("two", "new"),
    ]


def test_an_input_handed_over_to_another_fragment_goes_on(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins))
    add(rig.pins / "a~1~1", "one\n")
    assert rig.messages() == ["one"]
    (rig.setup.inputs / "a.yml").unlink()
    add(rig.pins / "a~1~1", "two\n")
    assert rig.messages() == []
    rig.at += 3600
    rig.setup.want("b", pinned(rig.pins))
    assert rig.messages() == ["two"]


def test_two_fragments_with_one_input_give_each_line_once(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins))
    rig.setup.want("b", pinned(rig.pins))
    add(rig.pins / "a~1~1", "one\n")
    assert rig.messages() == ["one"]


@pytest.mark.parametrize("cut", range(0, 140, 7))
def test_a_broken_fragment_keeps_its_last_good_state(
    rig: Rig, cut: int, caplog: pytest.LogCaptureFixture
) -> None:
    other = rig.pins.with_name("other")
    other.mkdir()
    rig.setup.want("a", pinned(rig.pins), pinned(other))
    add(rig.pins / "a~1~1", "one\n")
    assert rig.messages() == ["one"]
    fragment = rig.setup.inputs / "a.yml"
    whole = fragment.read_bytes()
    fragment.write_bytes(whole[: -cut - 2])
    add(rig.pins / "a~1~1", "two\n")
    add(other / "a~1~1", "three\n")
    assert rig.messages() == ["two", "three"]
    rig.step()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    fragment.write_bytes(whole.replace(b"/logs", b"/new"))
    add(rig.pins / "a~1~1", "four\n")
    assert rig.messages() == ["four"]


def test_a_stop_in_order_gives_each_line_once(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins))
    add(rig.pins / "a~1~1", "one\ntw")
    assert rig.messages() == ["one"]
    rig.restart()
    assert rig.messages() == []
    add(rig.pins / "a~1~1", "o\n")
    rig.restart()
    assert rig.messages() == ["two"]


def test_a_stop_in_order_amid_open_pieces_gives_each_line_once(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins, framing=Framing.CRI))
    pin, time = rig.pins / "a~1~1", "2026-01-01T00:00:00Z"
    add(pin, f"{time} stdout P one\n{time} stderr F other\n")
    assert rig.messages() == ["other"]
    assert rig.records() == {str(pin): Record(0, pin.stat().st_size)}
    rig.restart()
    assert rig.messages() == []
    add(pin, f"{time} stdout F two\n")
    rig.restart()
    assert rig.messages() == ["onetwo"]


def test_after_a_crash_no_line_is_missing(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins))
    add(rig.pins / "a~1~1", "one\n")
    assert rig.messages() == ["one"]
    add(rig.pins / "a~1~1", "two\n")
    rig.at -= 1  # too early for another save
    assert rig.messages() == ["two"]
    rig.crash()
    assert rig.messages() == ["two"]


def test_a_file_that_was_cut_in_place_is_read_from_its_start(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins))
    pin = rig.pins / "a~1~1"
    add(pin, "one\ntwo\n")
    assert rig.messages() == ["one", "two"]
    os.truncate(pin, 0)
    assert rig.records() == {str(pin): Record(0, 0)}
    add(pin, "three\n")
    assert rig.messages() == ["three"]
    os.truncate(pin, 0)
    add(pin, "new\n")
    rig.restart()
    assert rig.messages() == ["new"]


def test_records_of_vanished_pins_are_dropped_in_time(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins))
    pin = rig.pins / "a~1~1"
    add(pin, "one\n")
    assert rig.messages() == ["one"]
    aside = rig.pins.with_name("aside")
    rig.pins.rename(aside)
    rig.at += 40
    assert list(rig.records()) == [str(pin)]
    aside.rename(rig.pins)
    assert rig.messages() == []
    pin.unlink()
    rig.step()
    rig.at += 61
    assert rig.records() == {}


def test_long_files_take_turns(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins))
    line = "x" * 99 + "\n"
    for name in ("a~1~1", "b~1~2"):
        add(rig.pins / name, line * (2 * CHUNK // 100))
    rig.collector.step()
    paths = [event["log"]["file"]["path"] for event in rig.setup.events()]
    assert set(paths) == {"/logs/a", "/logs/b"}
    assert len(paths) == 2 * (CHUNK // 100)
    rig.step()
    assert len(rig.setup.messages()) == 2 * (2 * CHUNK // 100)


def test_direct_mode_follows_rotation_and_deletion(rig: Rig, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    rig.setup.want("a", direct(folder, "*.log"))
    log = folder / "app.log"
    add(log, "one\n")
    add(folder / "app.txt", "no\n")
    add(folder / "app.log.gz", "no\n")
    assert rig.messages() == ["one"]
    status = log.stat()
    assert rig.records() == {f"{status.st_ino}-{status.st_dev}": Record(4, 4)}
    add(log, "two\n")
    log.rename(folder / "app.log.1")
    add(log, "three\n")
    assert sorted(rig.messages()) == ["three", "two"]
    add(log, "four\n")
    log.unlink()
    add(log, "five\n")
    assert rig.messages() == ["four", "five"]
    rig.restart()
    assert rig.messages() == []


def test_direct_mode_never_follows_a_link(rig: Rig, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    add(tmp_path / "secret", "no\n")
    (folder / "a.log").symlink_to(tmp_path / "secret")
    rig.setup.want("a", direct(folder, "*.log"))
    assert rig.messages() == []


def test_unusable_records_are_put_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for content in ("{", "[]", '{"version": 2}', '{"version": 1, "files": {"a": {"b": {}}}}'):
        path = tmp_path / "registry.json"
        path.write_text(content)
        with pytest.raises(OSError, match=r"registry\.json"):
            load(path)
        assert Records(path).get(("a", "b")) is None
        assert (tmp_path / "registry.json.broken").read_text() == content
    assert len(caplog.records) == 4


def test_records_that_cannot_be_saved_are_said_once_and_saved_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "data"
    records = Records(folder / "registry.json")
    records.put(("a", "b"), Record(1, 2))
    records.save(1)
    records.save(2)
    assert len(caplog.records) == 1
    folder.mkdir()
    records.save(3)
    assert load(folder / "registry.json") == {("a", "b"): Record(1, 2)}
    saved: dict[str, Any] = json.loads((folder / "registry.json").read_text())
    assert saved == {"version": 1, "files": {"a": {"b": {"offset": 1, "read": 2}}}}


INDENTED = Treatment(multiline=Multiline(pattern="^ ", timeout=5))


def test_an_event_goes_out_when_the_next_begins_or_its_time_is_up(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins, treatment=INDENTED))
    pin = rig.pins / "a~1~1"
    add(pin, "one\n two\nthree\n")
    assert rig.messages() == ["one\n two"]
    assert rig.records() == {str(pin): Record(9, 9, 15, 15)}
    add(pin, " four\n")
    assert rig.messages() == []
    rig.at += 5
    assert rig.messages() == ["three\n four"]
    assert rig.records() == {str(pin): Record(21, 21)}


def test_a_stop_amid_an_event_gives_it_once_and_whole(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins, treatment=INDENTED))
    add(rig.pins / "a~1~1", "one\n two\n")
    assert rig.messages() == []
    rig.restart()
    add(rig.pins / "a~1~1", " three\nfour\n")
    assert rig.messages() == ["one\n two\n three"]
    rig.restart()
    assert rig.messages() == []
    rig.at += 5
    assert rig.messages() == ["four"]


def test_a_long_backlog_is_joined_over_all_its_chunks(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins, treatment=INDENTED))
    rig.at += 100
    event = "one" + 3 * f"\n {'x' * (CHUNK // 2)}"
    add(rig.pins / "a~1~1", f"{event}\ntwo\n")
    assert rig.messages() == [event]


def test_what_is_dropped_counts_as_read(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins, treatment=Treatment(exclude="secret")))
    pin = rig.pins / "a~1~1"
    add(pin, "one\nsecret\n")
    assert rig.messages() == ["one"]
    assert rig.records() == {str(pin): Record(11, 11)}


def test_a_new_treatment_takes_effect_without_reading_again(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins))
    add(rig.pins / "a~1~1", "one\n")
    assert rig.messages() == ["one"]
    rig.setup.want("a", pinned(rig.pins, treatment=INDENTED))
    add(rig.pins / "a~1~1", "two\n three\nfour\n")
    assert rig.messages() == ["two\n three"]
    rig.setup.want("a", pinned(rig.pins, treatment=Treatment(include="f")))
    add(rig.pins / "a~1~1", "five\nsix\n")
    assert rig.messages() == ["four", "five"]


def test_each_stream_is_an_input_with_its_own_record(rig: Rig) -> None:
    time, pin = "2026-01-01T00:00:00Z", rig.pins / "a~1~1"
    streams = (Stream.STDOUT, Stream.STDERR)
    rig.setup.want(
        "a",
        *(pinned(rig.pins, framing=Framing.CRI, stream=e, treatment=INDENTED) for e in streams),
    )
    add(pin, f"{time} stdout F one\n{time} stderr F bad\n{time} stdout F  two\n")
    add(pin, f"{time} stdout F three\n{time} stderr F  worse\n{time} stderr F worst\n")
    assert rig.messages() == ["one\n two", "bad\n worse"]
    rig.step()
    assert {id_ for id_, _ in load(rig.setup.registry)} == {input_id("set", e) for e in streams}
    rig.at += 5
    assert rig.messages() == ["three", "worst"]


def test_an_input_that_ceases_to_read_both_streams_goes_on(rig: Rig) -> None:
    time, pin = "2026-01-01T00:00:00Z", rig.pins / "a~1~1"
    rig.setup.want("a", pinned(rig.pins, framing=Framing.CRI))
    add(pin, f"{time} stdout F one\n{time} stderr F bad\n{time} stdout P tw\n")
    assert rig.messages() == ["one", "bad"]
    rig.setup.want("a", pinned(rig.pins, framing=Framing.CRI, stream=Stream.STDOUT))
    add(pin, f"{time} stdout F o\n{time} stderr F worse\n{time} stdout F three\n")
    assert rig.messages() == ["two", "three"]
    rig.setup.want("a", pinned(rig.pins, framing=Framing.CRI))
    add(pin, f"{time} stderr F worst\n")
    assert rig.messages() == ["worst"]


def test_a_truncated_pin_gives_what_waited(rig: Rig) -> None:
    rig.setup.want("a", pinned(rig.pins, treatment=INDENTED))
    add(rig.pins / "a~1~1", "one\n two\n")
    assert rig.messages() == []
    (rig.pins / "a~1~1").write_text("")
    assert rig.messages() == ["one\n two"]
