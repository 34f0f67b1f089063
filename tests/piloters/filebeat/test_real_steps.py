"""What Filebeat makes of lines as a treatment asks, and where its cursors end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pilot.handover import input_id
from pilot.model import Framing
from pilot.treatment import Stream
from tests.piloters.filebeat import making
from tests.piloters.filebeat.endings import docker
from tests.piloters.filebeat.running import RunningFilebeat
from tests.piloters.filebeat.treatments import CASES, Case

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

pytestmark = pytest.mark.real
ALWAYS = ("@metadata", "@timestamp", "agent", "case", "ecs", "host", "input", "log")


def shown(event: dict[str, Any]) -> dict[str, Any]:
    """What is not the same on all events, with flags, and of an error of ours only its type."""
    kept = {key: value for key, value in event.items() if key not in ALWAYS}
    if flags := event["log"].get("flags"):
        kept["flags"] = flags
    error = kept.get("error")
    if isinstance(error, dict) and error.keys() == {"message", "type"}:
        assert "JSON" in error["message"]
        kept["error"] = error["type"]
    return kept


def names(cases: Iterable[Case]) -> list[str]:
    return [case.name for case in cases]


def test_events_and_cursors_are_those_that_a_treatment_asks_for(
    program: Path, folder: Path
) -> None:
    assert len(set(names(CASES))) == len(CASES)
    filebeat = RunningFilebeat(program, folder)
    inputs, ends, keys = [], {}, {}
    for case in CASES:
        pin = folder / "pins" / case.name / "a.log~1~1"
        pin.parent.mkdir(parents=True)
        pin.write_bytes(case.content)
        files = making.file_set(case.name, framing=case.framing)
        inputs.append(
            making.pinned(
                files,
                str(pin.parent),
                stream=case.stream,
                treatment=case.treatment,
                fields={"case": case.name, **case.fields},
            )
        )
        ends[case.name] = len(case.content) if case.end is None else case.end
        keys[case.name] = (input_id(case.name, case.stream), str(pin))
        found = filebeat.piloter.readable_end(pin, files, case.stream)
        assert found == ends[case.name] - case.beyond, case.name
    ids = [key[0] for key in keys.values()]
    filebeat.configure("c1", inputs)

    def cursors() -> dict[str, int]:
        at = filebeat.piloter.progress(ids)
        return {name: at.get(key, 0) for name, key in keys.items()}

    def late() -> dict[str, int]:
        return {name: at for name, at in cursors().items() if at < ends[name]}

    with filebeat:
        filebeat.wait(lambda: not late(), "every end")
        marker = folder / "pins" / "marker" / "a.log~1~1"
        marker.parent.mkdir()
        marker.write_bytes(b"marker\n")
        filebeat.configure("c2", [making.pinned(making.file_set("marker"), str(marker.parent))])
        filebeat.wait(lambda: filebeat.piloter.progress(["marker"]) != {}, "one more line")
        assert cursors() == ends
    events: dict[str, list[dict[str, Any]]] = {case.name: [] for case in CASES}
    for event in filebeat.events():
        if "case" in event:
            events[event["case"]].append(event)
    made = {name: [shown(event) for event in each] for name, each in events.items()}
    wrong = [case for case in CASES if made[case.name] != list(case.events)]
    assert not wrong, "\n".join(f"{each.name}: {made[each.name]}" for each in wrong)
    for case in CASES:
        for event, time in zip(events[case.name], case.times, strict=bool(case.times)):
            assert not time or event["@timestamp"] == time, case.name


def test_stdout_alone_goes_on_where_both_streams_were_read(program: Path, folder: Path) -> None:
    filebeat = RunningFilebeat(program, folder)
    pin = folder / "pins" / "a.log~1~1"
    pin.parent.mkdir()
    files = making.file_set("output", framing=Framing.DOCKER)
    first = docker("a\n") + docker("b\n", stream="stderr")
    then = docker("c\n") + docker("d\n", stream="stderr")
    pin.write_bytes(first)

    def read() -> int:
        return filebeat.piloter.progress(["output"]).get(("output", str(pin)), 0)

    filebeat.configure("c1", [making.pinned(files, str(pin.parent))])
    with filebeat:
        filebeat.wait(lambda: read() == len(first), "both streams")
        filebeat.configure("c1", [making.pinned(files, str(pin.parent), stream=Stream.STDOUT)])
        with pin.open("ab") as stream:
            stream.write(then)
        filebeat.wait(lambda: read() == len(first + then), "the rest")
    messages = [event["message"] for event in filebeat.events()]
    assert messages in (["a", "b", "c"], ["a", "b", "c", "d"])  # as soon as the change is seen
