"""What only Filebeat itself can say: that it takes our files, and does what we say it does."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pilot.treatment import Format, Treatment
from tests.piloters.filebeat import making
from tests.piloters.filebeat.endings import ENDINGS
from tests.piloters.filebeat.running import RunningFilebeat

pytestmark = pytest.mark.real


def write(file: Path, content: str | bytes) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def nasty_strings(count: int) -> list[str]:
    chosen = random.Random(0)  # the same every time
    pieces = [
        *("$", "${", "${HOME}", "$${X}", "%{", "%{[k8s_pod]}", "\n", "\r", "\t", "\0", "'", '"'),
        *("\\", "#", ": ", "- ", "&a", "*a", "!!int ", "|", ">", "{", "}", "[", "]", ",", "~"),
        *("null", "yes", "0x1f", "1e3", "2001-01-01", "\x85", "\u2028", "\u2029", "\ufeff"),
        *("\x7f", "\x1b", "\U0001f600", "ä", "\ufffe", "\U0010ffff", " ", "a", "=", "<<", "${a:b}"),
    ]
    return ["".join(chosen.choices(pieces, k=chosen.randint(1, 8))) for _ in range(count)]


def test_two_thousand_nasty_strings_arrive_exactly(program: Path, folder: Path) -> None:
    filebeat = RunningFilebeat(program, folder)
    sent = dict(enumerate(nasty_strings(2000)))
    inputs = []
    for number in range(20):
        write(folder / "pins" / str(number) / "a.log~1~1", "line\n")
        fields = {f"f{key}": text for key, text in sent.items() if key % 20 == number}
        files = making.file_set(f"set-{number}")
        inputs.append(making.pinned(files, str(folder / "pins" / str(number)), fields=fields))
    filebeat.configure("c1", inputs)
    with filebeat:
        filebeat.wait(lambda: len(filebeat.events()) == 20, "20 events")
    arrived = {
        int(key[1:]): value
        for event in filebeat.events()
        for key, value in event.items()
        if key[0] == "f" and key[1:].isdigit()
    }
    assert arrived == sent


HOSTILE: list[dict[str, Any]] = [
    {
        "k8s_pod": "evil",
        "@metadata": {"raw_index": "evil", "pipeline": "evil"},
        "@timestamp": "2001-01-01T00:00:00Z",
        "log": {"file": {"path": "evil"}, "offset": "evil"},
        "message": "hi",
        "host": {"name": "evil"},
        "agent": {"id": "evil", "name": "evil"},
        "ecs": {"version": "evil"},
        "input": {"type": "evil"},
        "docker_app": "evil",
        "log_pilot_log": {"file": {"path": "evil"}},
        "log_pilot_input": {"type": "evil"},
        "level": "info",
    },
    {"k8s_pod": {"evil": 1}, "index": ["evil"], "log": "evil", "input": "evil", "host": "evil"},
    {"log.file.path": "evil", "log.file": {"path": "evil"}, "log.offset": "evil"},
    {"agent.id": "evil", "host.name": "evil", "input.type": "evil", "ecs.version": "evil"},
    {"host": "evil", "json": "text", "agent": [], "@metadata.raw_index": "evil"},
    {"host": "evil", "json.host": "taken", "json": {"host": "taken"}, "ecs": None},
    {"log_pilot_log.file.path": "evil", "log_pilot_log": "evil", "log": {"file": "evil"}},
    {"fields": {"k8s_pod": "evil"}, "tags": ["mine"], "_id": "evil", "": "evil"},
    {"data_stream": {"type": "evil"}, "_id": {"a": "evil"}},
    {"log": {"file": {"path": {"x": "evil"}}, "offset": {"x": "evil"}}},
    {"log": {"file": {"path": {"x": "evil"}, "y": "evil"}}, "input": {"type": {"x": "evil"}}},
    {"log_pilot_log": {"offset": {"x": "evil"}}, "log_pilot_input": {"type": {"x": "evil"}}},
    {
        "log_pilot_text": {"x": "evil"},
        "index": {"x": {"y": "evil"}},
        "agent": {"id": {"x": "evil"}},
    },
    {"data_stream.type": "evil", "data_stream.dataset": "evil", "data_stream.namespace": "evil"},
]


def test_a_hostile_json_line_cannot_say_who_it_is_or_where_it_goes(
    program: Path, folder: Path
) -> None:
    """Guaranteed: our fields, @metadata, @timestamp, agent, ecs, host, input and log are not a
    container's to set, neither nested nor with dots; names that we leave out stay out; what is no
    JSON is kept in `message`; and the rest of a line is there.
    """
    lines = [json.dumps(line) for line in HOSTILE]
    others = ["not JSON", '{"half": ', "[1]", "5", "null", "   "]
    filebeat = RunningFilebeat(program, folder)
    pin = write(folder / "pins" / "a=20b.json~12~3", "\n".join(["", *lines, *others, ""]))
    files = making.file_set("json", inside="/in $1")
    fields = {"k8s_pod": "ours", "index": "ours"}
    filebeat.configure(
        "c1",
        [
            making.pinned(
                files,
                str(pin.parent),
                treatment=Treatment(format=Format.JSON),
                fields=fields,
            )
        ],
    )
    with filebeat:
        filebeat.wait(lambda: len(filebeat.events()) >= len(lines) + len(others), "every line")
    events = filebeat.events()
    assert len(events) == len(lines) + len(others)
    *_, plain = events
    offsets = []
    for event in events:
        assert {key: event[key] for key in fields} == fields
        assert event["@metadata"] == plain["@metadata"]
        assert not event["@timestamp"].startswith("2001")
        assert event["agent"] == plain["agent"]
        assert event["ecs"] == plain["ecs"]
        assert event["host"] == plain["host"]
        assert event["input"] == {"type": "filestream"}
        assert event["log"]["file"] == plain["log"]["file"]
        assert event["log"]["file"]["path"] == "/in $1/a=20b.json"
        offsets.append(event["log"]["offset"])
        assert not event.keys() & {"docker_app", "data_stream", "_id"}
        assert "evil" not in json.dumps(
            {
                key: value
                for key, value in event.items()
                if key.startswith(
                    ("agent", "data_stream", "docker", "ecs", "host", "input", "log.", "k8s")
                )
            }
        )
    assert offsets == sorted(set(offsets))
    assert events[0]["message"] == "hi"
    assert events[0]["level"] == "info"
    assert events[0]["json"]["agent"] == {"id": "evil", "name": "evil"}
    assert events[1]["json"]["host"] == "evil"
    assert [event["message"] for event in events[len(lines) :]] == others
    assert all("error" in event for event in events[len(lines) :])


def test_the_cursor_ends_where_we_say_a_file_ends(program: Path, folder: Path) -> None:
    filebeat = RunningFilebeat(program, folder)
    inputs = []
    for ending in ENDINGS:
        write(folder / "pins" / ending.name / "a.log~1~1", ending.content)
        files = making.file_set(ending.name, framing=ending.framing)
        pins = str(folder / "pins" / ending.name)
        inputs.append(making.pinned(files, pins, treatment=Treatment(format=ending.format)))
    names = [ending.name for ending in ENDINGS]
    expected = {ending.name: ending.end for ending in ENDINGS}
    filebeat.configure("c1", inputs)

    def cursors() -> dict[str, int]:
        found = dict.fromkeys(names, 0)
        found.update({name: at for (name, _), at in filebeat.piloter.progress(names).items()})
        return found

    def shipped(marker: str) -> None:
        write(folder / "pins" / marker / "a.log~1~1", "marker\n")
        pins = str(folder / "pins" / marker)
        filebeat.configure(marker, [making.pinned(making.file_set(marker), pins)])
        key = (marker, f"{pins}/a.log~1~1")
        filebeat.wait(lambda: filebeat.piloter.progress([marker]).get(key) == 7, marker)

    with filebeat:
        filebeat.wait(lambda: all(cursors()[n] >= expected[n] for n in names), "every end")
        # Lines of other inputs came and went since: what was to come has come.
        for marker in ("marker-1", "marker-2", "marker-3"):
            shipped(marker)
        assert cursors() == expected


def test_pins_that_come_and_go_with_the_same_inode_are_read_once_each(
    program: Path, folder: Path
) -> None:
    filebeat = RunningFilebeat(program, folder)
    pins = folder / "pins"
    pins.mkdir()
    files = making.file_set("app")
    filebeat.configure("c1", [making.pinned(files, str(pins))])
    sent: list[str] = []
    inodes = []
    with filebeat:
        for serial in range(5):
            original = folder / "app.log"
            lines = [f"{serial}-{number}" for number in range(40 + 20 * serial)]
            write(original, "\n".join(lines) + "\n")
            inodes.append(original.stat().st_ino)
            pin = pins / f"app.log~{inodes[-1]}~{serial}"
            os.link(original, pin)
            original.unlink()
            sent += lines
            end = filebeat.piloter.readable_end(pin, files)

            def drained(pin: Path = pin, end: int = end) -> bool:
                return filebeat.piloter.progress(["app"]).get(("app", str(pin))) == end

            filebeat.wait(drained, f"{pin.name} drained")
            pin.unlink()
    assert [event["message"] for event in filebeat.events()] == sent
    assert {event["log"]["file"]["path"] for event in filebeat.events()} == {"/logs/app.log"}


def test_direct_files_are_read_through_rotation(program: Path, folder: Path) -> None:
    filebeat = RunningFilebeat(program, folder)
    file = write(folder / "v[1]" / "app.log", "one\n")
    write(folder / "v1" / "app.log", "another's\n")
    write(folder / "v[1]" / "app.log.1.gz", "packed\n")
    files = making.file_set("app", root=str(file.parent), pattern="app.log")
    filebeat.configure("c1", [making.direct(files, index="i")])
    with filebeat:
        filebeat.wait(lambda: len(filebeat.events()) == 1, "the first line")
        file.rename(file.with_name("app.log.1"))
        write(file, "two\n")
        filebeat.wait(lambda: len(filebeat.events()) == 2, "the second line")
    assert [event["message"] for event in filebeat.events()] == ["one", "two"]
    assert filebeat.events()[0]["log"]["file"]["path"] == "/logs/app.log"


@pytest.mark.parametrize("output", ["console", "file"])
def test_the_main_file_is_accepted(program: Path, folder: Path, output: str) -> None:
    filebeat = RunningFilebeat(
        program,
        folder,
        LOGGING_OUTPUT=output,
        FILE_ROTATE_SIZE="2048",
        FILE_NUMBER_OF_FILES="3",
        FILE_PERMISSIONS="0640",
        FILEBEAT_LOG_LEVEL="warn",
        FILEBEAT_SHUTDOWN_TIMEOUT="1",
        FILEBEAT_MAX_PROCS="1",
    )
    command = filebeat.piloter.command()
    done = subprocess.run(
        [command.argv[0], "test", "config", *command.argv[1:]], capture_output=True, timeout=30
    )
    assert done.returncode == 0, done.stderr


def test_a_running_filebeat_holds_the_lock_and_survives_a_kill(program: Path, folder: Path) -> None:
    filebeat = RunningFilebeat(program, folder)
    pin = write(folder / "pins" / "a.log~1~1", "one\n")
    filebeat.configure("c1", [making.pinned(making.file_set("app"), str(pin.parent))])
    filebeat.configure("c2", [])
    with filebeat:
        key = ("app", str(pin))
        filebeat.wait(lambda: filebeat.piloter.progress(["app"]).get(key) == 4, "the first line")
        lock = os.stat(filebeat.piloter.command().lock)
        held = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
        assert any(f[1] == "FLOCK" and f[5].endswith(f":{lock.st_ino}") for f in held)
        assert (folder / "data" / "filebeat.sock").is_socket()
        assert filebeat.process is not None
        filebeat.process.kill()
    with filebeat:
        with pin.open("a") as stream:
            stream.write("two\n")
        filebeat.wait(lambda: len(filebeat.events()) >= 2, "the second line")
    assert sorted(event["message"] for event in filebeat.events()) == ["one", "two"]
