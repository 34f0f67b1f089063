"""The console collector against Filebeat: the same files, joined and sifted by the same words."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from pilot import regexps
from pilot.model import Framing
from pilot.piloters.console.events import Encoder
from pilot.piloters.console.tails import Tail
from pilot.treatment import Match, Multiline, Stream, Treatment
from tests.piloters.console.running import pinned
from tests.real.daemons import UnavailableError, filebeats

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real

TIME = "2026-01-01T00:00:00Z"
PATTERNS = ["^ ", "^b", r"\\$", "^$", "a", "^[[:alpha:]]", "[^ -~]", r"^\d{2}", "é"]
WORDS = ["a", " b", "c\\", "", "b", "12 x", "é", " ж 中", "x" * 9, "b b a", "\t"]
ENCODINGS = ["", "gbk", "big5", "euc-jp", "euc-kr", "shift-jis", "iso8859-1", "windows-1251"]
CASES = 100


def some_treatment(chosen: random.Random, *, encoded: bool) -> Treatment:
    multiline = Multiline(
        pattern=chosen.choice(PATTERNS),
        negate=chosen.random() < 0.5,
        match=chosen.choice(list(Match)),
        max_lines=chosen.choice([500, 2, 3]),
        timeout=1,
    )
    return Treatment(
        encoding=chosen.choice(ENCODINGS) if encoded else "",
        multiline=multiline if chosen.random() < 0.8 else None,
        include=chosen.choice(PATTERNS) if chosen.random() < 0.2 else "",
        exclude=chosen.choice(PATTERNS) if chosen.random() < 0.2 else "",
    )


def some_lines(chosen: random.Random, encoding: str, framing: Framing) -> bytes:
    words = chosen.choices(WORDS, k=chosen.randint(1, 25))
    if framing is Framing.LINES:
        names = {"shift-jis": "cp932"}
        encoded = "".join(f"{word}\n" for word in words)
        return encoded.encode(names.get(encoding, encoding or "utf-8"), "replace")
    lines = []
    for word in words:
        stream = chosen.choice(["stdout", "stdout", "stderr"])
        if len(word) > 4:
            lines.append(f"{TIME} {stream} P {word[:3]}\n")
            word = word[3:]  # noqa: PLW2901 -- the rest of it
        lines.append(f"{TIME} {stream} F {word}\n")
    return "".join(lines).encode()


def ours(file: Path, framing: Framing, stream: Stream, how: Treatment) -> list[tuple[str, bool]]:
    source = pinned(file.parent, framing=framing, stream=stream, treatment=how)
    tail, encoder = Tail(str(file), source, None), Encoder(source)
    texts = [*tail.pull(0)[0], *tail.pull(100)[0]]
    lines = [encoder.encode(text, "/logs/a", 0) for text in texts]
    events = [json.loads(line) for line in lines if line]
    return [(each["message"], "flags" in each["log"]) for each in events if each["message"]]


def filebeat_input(
    number: int, file: Path, framing: Framing, stream: Stream, how: Treatment
) -> dict[str, Any]:
    parsers: list[dict[str, Any]] = []
    if framing is Framing.CRI:
        parsers.append({"container": {"stream": stream.value, "format": "cri"}})
    if how.multiline:
        words = {key: getattr(how.multiline, key) for key in ("negate", "match", "max_lines")}
        pattern = regexps.parse(how.multiline.pattern).to_go()
        multiline = {"type": "pattern", "pattern": pattern, "timeout": "1s", **words}
        parsers.append({"multiline": multiline})
    lines = {"include_lines": how.include, "exclude_lines": how.exclude}
    return {
        "type": "filestream",
        "id": f"input-{number}",
        "paths": [str(file)],
        "fields": {"number": number},
        "file_identity.native": {},
        "prospector.scanner.fingerprint.enabled": False,
        "parsers": parsers,
        **({"encoding": how.encoding} if how.encoding else {}),
        **{key: [regexps.parse(text).to_go()] for key, text in lines.items() if text},
    }


def arrived(sink: Path) -> dict[int, list[tuple[str, bool]]]:
    events = [
        json.loads(line)
        for file in (sink.iterdir() if sink.exists() else ())
        for line in file.read_bytes().splitlines(keepends=True)
        if line.endswith(b"\n")
    ]
    found: dict[int, list[tuple[str, bool]]] = {}
    for each in sorted(events, key=lambda event: event["log"]["offset"]):
        said = (each.get("message", ""), "truncated" in each["log"].get("flags", []))
        if said[0]:
            found.setdefault(each["fields"]["number"], []).append(said)
    return found


@pytest.fixture(params=[False, True], ids=["newest", "oldest"])
def program(request: pytest.FixtureRequest) -> Path:
    try:
        found = filebeats()
        return found[-1] if request.param else found[0]
    except UnavailableError as error:
        if os.environ.get("CI") == "true":
            raise  # CI promises to have them
        pytest.skip(str(error))


def test_filebeat_joins_and_sifts_the_same(program: Path, tmp_path: Path) -> None:
    chosen, expected, inputs = random.Random(5), {}, []
    for number in range(CASES):
        framing = chosen.choice([Framing.LINES, Framing.CRI])
        stream = Stream.ALL if framing is Framing.LINES else chosen.choice(list(Stream)[1:])
        how = some_treatment(chosen, encoded=framing is Framing.LINES)
        file = tmp_path / f"{number}.log"
        file.write_bytes(some_lines(chosen, how.encoding, framing))
        inputs.append(filebeat_input(number, file, framing, stream, how))
        if events := ours(file, framing, stream, how):
            expected[number] = events
    config = {
        "filebeat.inputs": inputs,
        "path.home": str(tmp_path / "home"),
        "output.file": {"path": str(tmp_path / "sink"), "filename": "events"},
    }
    (tmp_path / "filebeat.yml").write_text(json.dumps(config))
    argv = [str(program), "-c", str(tmp_path / "filebeat.yml"), "--strict.perms=false"]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while arrived(tmp_path / "sink") != expected and time.monotonic() < deadline:
            time.sleep(0.09)
    finally:
        process.terminate()
        process.wait(30)
    assert arrived(tmp_path / "sink") == expected
