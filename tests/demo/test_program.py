"""What the demo's programs leave on the node."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pilot.demo.program import Api, Batch, Web

if TYPE_CHECKING:
    from pathlib import Path

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z\Z", re.ASCII)


def test_web_writes_docker_entries_of_both_streams(tmp_path: Path) -> None:
    path = tmp_path / "x" / "x-json.log"
    web = Web(path)
    for number in range(1, 5):
        web.write(number, f"line={number}")
    web.end()
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert [entry["log"] for entry in entries] == [f"line={n}\n" for n in range(1, 5)]
    assert {entry["stream"] for entry in entries} == {"stdout", "stderr"}
    assert all(TIME.match(entry["time"]) for entry in entries)


def test_web_splits_what_is_too_long_for_one_entry(tmp_path: Path) -> None:
    path = tmp_path / "x-json.log"
    web = Web(path)
    web.write(1, "x" * 40_000)
    web.end()
    pieces = [json.loads(line)["log"] for line in path.read_text().splitlines()]
    assert [len(piece) for piece in pieces] == [16_384, 16_384, 7_233]
    assert [piece.endswith("\n") for piece in pieces] == [False, False, True]


def test_web_rotates_by_renaming(tmp_path: Path) -> None:
    path = tmp_path / "x-json.log"
    web = Web(path)
    web.write(1, "before")
    inode = path.stat().st_ino
    web.half()
    web.write(2, "after")
    web.end()
    rotated = tmp_path / "x-json.log.1"
    assert rotated.stat().st_ino == inode
    assert "before" in rotated.read_text()
    assert "after" in path.read_text()
    assert "before" not in path.read_text()


def test_api_writes_long_lines_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "0.log"
    api = Api(path)
    api.write(4, "short")
    api.write(5, "long")
    api.end()
    lines = [line.split(" ", 3) for line in path.read_text().splitlines()]
    assert all(TIME.match(line[0]) for line in lines)
    assert {line[1] for line in lines} == {"stdout"}
    assert [line[2] for line in lines] == ["F", "P", "P", "F"]
    assert "".join(line[3] for line in lines[1:]) == "long padding=" + "x" * 200


def test_api_rotates_as_the_kubelet_does(tmp_path: Path) -> None:
    path = tmp_path / "0.log"
    api = Api(path)
    api.write(1, "before")
    inode = path.stat().st_ino
    api.half()
    api.write(2, "after")
    api.end()
    (rotated,) = (name for name in os.listdir(tmp_path) if name != "0.log")
    assert re.fullmatch(r"0\.log\.\d{8}-\d{6}", rotated)
    assert (tmp_path / rotated).stat().st_ino == inode
    assert "after" in path.read_text()


def test_batch_deletes_midway_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "batch.log"
    batch = Batch(path)
    batch.write(1, "before")
    with path.open() as held:
        batch.half()
        assert held.read() == "before\n"
        assert os.fstat(held.fileno()).st_nlink == 0
    batch.write(2, "after")
    assert path.read_text() == "after\n"
    batch.end()
    assert os.listdir(tmp_path) == []


def run(kind: str, file: Path, lines: int, interval: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "pilot.demo.program", kind, "--file", str(file)),
            *("--run", "r1", "--lines", str(lines), "--interval", str(interval)),
        ],
        stdin=subprocess.PIPE,
    )


@pytest.mark.parametrize("kind", ["web", "api"])
def test_a_program_writes_all_its_lines_and_ends(kind: str, tmp_path: Path) -> None:
    with run(kind, tmp_path / "a.log", 7, 0) as process:
        assert process.wait(30) == 0
    written = "".join(path.read_text() for path in tmp_path.iterdir())
    assert [f"run=r1 program={kind} line={n}" in written for n in range(1, 9)] == [True] * 7 + [
        False
    ]
    assert len(os.listdir(tmp_path)) == 2


def test_a_program_ends_when_its_stdin_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "batch.log"
    with run("batch", path, 1000, 60) as process:
        assert process.stdin
        deadline = time.monotonic() + 30
        while not path.exists() or not path.stat().st_size:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(30) == 0
