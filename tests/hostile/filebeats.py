"""Batches of judged cases through real Filebeats: what arrives is what was meant."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilot.model import Framing
from pilot.piloters.filebeat.piloter import file_name
from pilot.regexps import parse
from pilot.treatment import Format, Match, Stream
from tests.hostile.pieces import CANARY_TEXT, CANARY_VALUE
from tests.piloters.filebeat import making
from tests.piloters.filebeat.running import RunningFilebeat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pilot.handover import Input
    from pilot.treatment import Multiline
    from tests.hostile.judging import Judged

Origin = tuple[str, str, str]  # container's id, log's name, file's path as the container knows it
LINES = ("probe", "ERROR one", " at a.b(C.java:1)", "a1 $b {c} %d [e]", "x.log", "ärger", "A")
TIME = "2026-01-02T03:04:05.678901234Z"
SHORT = 1.0  # seconds; events that need longer to be whole are not waited for
PROBE = "probe.log"
LATE = "late"
PATIENCE = 240.0  # seconds; thousands of inputs take a while where others work, too
EXPECTED_ERRORS = ("Not loading modules.",)


@dataclass(slots=True)
class Expected:
    """What the sink must hold. Of a parsed event only the number counts: its text is elsewhere."""

    messages: dict[Origin, list[str]] = field(default_factory=dict)
    parsed: dict[Origin, int] = field(default_factory=dict)
    fields: dict[Origin, dict[str, str]] = field(default_factory=dict)

    @property
    def events(self) -> int:
        return sum(map(len, self.messages.values())) + sum(self.parsed.values())


def lay_out(batch: Sequence[Judged], pins: Path) -> Expected:
    """Write a probe for each input; what must come of it."""
    expected = Expected()
    for judged in batch:
        for each in judged.inputs:
            shown = f"{each.shown.rstrip('/')}/{PROBE}"
            origin = (each.fields["container_id"], each.fields["log_name"], shown)
            asked = each.treatment
            if asked.multiline and asked.multiline.timeout > SHORT:
                continue
            lines = _lines(each)
            folder = pins / each.file_set.name
            folder.mkdir(exist_ok=True)  # two logs may have the streams of one file
            text = "".join(f"{_framed(line, each.file_set.framing)}\n" for line in lines)
            (folder / f"{PROBE}~1~1").write_text(text)
            if each.stream is Stream.STDERR:
                continue
            expected.fields[origin] = dict(each.fields)
            if asked.format in (Format.JSON, Format.CSV):
                expected.parsed[origin] = expected.parsed.get(origin, 0) + len(lines)
            else:
                expected.messages.setdefault(origin, []).extend(_messages(lines, each))
    return expected


def _lines(each: Input) -> list[str]:
    asked = each.treatment
    if asked.format is not Format.NONE:
        return ['{"a": "1"}']
    patterns = [text for text in (asked.include, asked.exclude) if text]
    if asked.multiline:
        patterns.append(asked.multiline.pattern)
    if not patterns:
        return [LINES[0]]
    own = [text[:40] for text in patterns if not parse(text).slow and text[:40].isprintable()]
    return [*LINES, *own]


def _framed(line: str, framing: Framing) -> str:
    if framing is Framing.LINES:
        return line
    return json.dumps({"log": f"{line}\n", "stream": "stdout", "time": TIME})


def _messages(lines: Sequence[str], each: Input) -> list[str]:
    asked = each.treatment
    events = _joined(lines, asked.multiline) if asked.multiline else list(lines)
    if asked.include:
        events = [each for each in events if _finds(asked.include, each)]
    if asked.exclude:
        events = [each for each in events if not _finds(asked.exclude, each)]
    return events


def _finds(pattern: str, text: str) -> bool:
    return re.search(parse(pattern).to_python(), text) is not None


def _joined(lines: Sequence[str], how: Multiline) -> list[str]:
    events: list[list[str]] = []
    open_ = False
    for line in lines:
        belongs = _finds(how.pattern, line) is not how.negate
        if events and (belongs if how.match is Match.AFTER else open_):
            events[-1].append(line)
        else:
            events.append([line])
        open_ = belongs
    return ["\n".join(event) for event in events]


def run(program: Path, folder: Path, batch: Sequence[Judged], expected: Expected) -> None:
    """Start a Filebeat with all fragments and judge its sink. Raises AssertionError."""
    filebeat = RunningFilebeat(program, folder, FILE_ROTATE_SIZE="1000000")
    inputs = 0
    for judged in batch:
        if judged.inputs:
            inputs += len(judged.inputs)
            name = file_name(judged.case.container.id)
            (filebeat.piloter.directory / name).write_bytes(judged.content)
    with filebeat:
        deadline = time.monotonic() + PATIENCE
        while _count(filebeat.sink) < expected.events and time.monotonic() < deadline:
            time.sleep(0.05)
        if _count(filebeat.sink) < expected.events:
            _judge(filebeat, expected)  # says which
        _let_in(filebeat, expected.events)
    _judge(filebeat, expected)
    _look_at_log(filebeat, inputs + 1)


def _let_in(filebeat: RunningFilebeat, before: int) -> None:
    """A container that comes last: what an injection did would have been done by then."""
    pins = filebeat.folder / LATE
    pins.mkdir()
    (pins / f"{PROBE}~1~1").write_text("late\n")
    files = making.file_set(LATE)
    filebeat.configure(LATE, [making.pinned(files, str(pins), fields={"container_id": LATE})])
    filebeat.wait(lambda: _count(filebeat.sink) > before, "the event of a container that came last")


def _count(sink: Path) -> int:
    return sum(each.read_bytes().count(b"\n") for each in sink.iterdir()) if sink.exists() else 0


def _judge(filebeat: RunningFilebeat, expected: Expected) -> None:
    messages: dict[Origin, list[str]] = {}
    parsed: Counter[Origin] = Counter()
    for event in filebeat.events():
        if event["container_id"] == LATE:
            continue
        origin = (event["container_id"], event["log_name"], event["log"]["file"]["path"])
        assert origin in expected.fields, f"an event of nobody: {event}"
        found = {name: event.get(name) for name in expected.fields[origin]}
        assert found == expected.fields[origin], origin
        if origin in expected.parsed:
            parsed[origin] += 1
        else:
            messages.setdefault(origin, []).append(event["message"])
        text = str(event)
        assert CANARY_TEXT not in text, f"a foreign file: {event}"
        assert CANARY_VALUE not in text, f"a variable: {event}"
    wanted = {origin: texts for origin, texts in expected.messages.items() if texts}
    wrong = {
        origin for origin in wanted.keys() | messages if wanted.get(origin) != messages.get(origin)
    }
    assert not wrong, [(each, wanted.get(each), messages.get(each)) for each in sorted(wrong)[:5]]
    assert parsed == expected.parsed


def _look_at_log(filebeat: RunningFilebeat, inputs: int) -> None:
    """As many inputs as were rendered, and no word of an error until it was told to end."""
    started, errors = 0, []
    for line in filebeat.log.read_text(errors="replace").splitlines():
        if not line.startswith("{"):
            errors.append(line)
            continue
        said = json.loads(line)
        message = said.get("message", "")
        if message.startswith("Stopping filebeat"):
            break
        started += message.startswith("Input 'filestream' starting")
        level = said.get("log.level") or said.get("level")
        if level not in ("info", "warn") and not message.startswith(EXPECTED_ERRORS):
            errors.append(line)
    assert not errors, errors[:5]
    assert started == inputs, f"{started} inputs, where {inputs} were rendered"
