"""The collector as a process: its output, its lock, its signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from pilot.model import Framing
from tests.piloters.console.running import Setup, end, pinned, wait_for

if TYPE_CHECKING:
    from pathlib import Path


def setup(tmp_path: Path, framing: Framing = Framing.LINES) -> tuple[Setup, Path]:
    made = Setup(tmp_path)
    pins = tmp_path / "pins" / "set"
    pins.mkdir(parents=True)
    made.want("a", pinned(pins, framing=framing, k8s_pod="web-0"))
    return made, pins / "app.log~1~1"


def add(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def test_from_a_file_to_events_across_restarts(tmp_path: Path) -> None:
    made, pin = setup(tmp_path, Framing.CRI)
    time = "2026-01-02T03:04:05.123456789Z"
    add(pin, f"{time} stdout F one", f"{time} stderr P tw")
    process = made.run()
    wait_for(lambda: len(made.events()) == 1, "the first line")
    assert end(process) == (0, "")
    assert made.events() == [
        {
            "@timestamp": time,
            "message": "one",
            "stream": "stdout",
            "log": {"file": {"path": "/logs/app.log"}, "offset": 0},
            "k8s_pod": "web-0",
        }
    ]
    add(pin, f"{time} stderr F o")
    process = made.run()
    wait_for(lambda: len(made.events()) == 2, "the second line")
    add(pin, f"{time} stdout F three")
    wait_for(lambda: len(made.events()) == 3, "the third line")
    assert end(process) == (0, "")
    assert made.messages() == ["one", "two", "three"]
    assert sorted(os.listdir(made.data)) == ["lock", "registry.json"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_ends_it(tmp_path: Path, number: signal.Signals) -> None:
    made, pin = setup(tmp_path)
    add(pin, *(f"line {n}" for n in range(1000)))
    process = made.run()
    wait_for(made.events, "some lines")
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == 0
    saved = json.loads(made.registry.read_bytes())
    assert saved["files"]["set"][str(pin)]["offset"] == pin.stat().st_size
    assert len(made.messages()) == 1000


def test_a_kill_loses_nothing(tmp_path: Path) -> None:
    made, pin = setup(tmp_path)
    for batch in range(5):
        process = made.run()
        add(pin, *(f"line {batch} {n}" for n in range(100)))
        wait_for(lambda batch=batch: f"line {batch} 0" in made.messages(), "a line")  # type: ignore[misc]
        process.kill()
        process.communicate(timeout=30)
    process = made.run()
    add(pin, "last")
    wait_for(lambda: "last" in made.messages(), "the last line")
    assert end(process)[0] == 0
    assert {f"line {b} {n}" for b in range(5) for n in range(100)} < set(made.messages())


def test_a_second_collector_is_refused(tmp_path: Path) -> None:
    made, pin = setup(tmp_path)
    add(pin, "one")
    first = made.run()
    wait_for(made.events, "the first collector works")
    second = made.run()
    _, said = second.communicate(timeout=30)
    assert second.returncode == 1
    assert f"another console collector works in {made.data}" in said.decode()
    assert "Traceback" not in said.decode()
    assert end(first)[0] == 0
    third = made.run()
    add(pin, "two")
    wait_for(lambda: "two" in made.messages(), "the lock is free again")
    assert end(third) == (0, "")
    assert made.messages() == ["one", "two"]


@pytest.mark.parametrize("lines", [0, 10])
def test_a_closed_stdout_ends_it(tmp_path: Path, lines: int) -> None:
    made, pin = setup(tmp_path)
    process = made.run(stdout=subprocess.PIPE)
    assert process.stdout
    add(pin, "one")
    assert process.stdout.readline()
    process.stdout.close()
    add(pin, *(["more"] * lines))
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "stdout was closed" in said.decode()


def test_a_blocked_stdout_delays_but_loses_nothing(tmp_path: Path) -> None:
    made, pin = setup(tmp_path)
    long = "x" * 1000
    add(pin, *(f"{n} {long}" for n in range(1000)))
    process = made.run(stdout=subprocess.PIPE)
    assert process.stdout
    with process.stdout as stdout:
        numbers = [int(json.loads(stdout.readline())["message"].split()[0]) for _ in range(1000)]
    assert numbers == list(range(1000))
    process.communicate(timeout=30)


def test_a_stop_while_stdout_is_blocked_ends_it_and_nothing_is_lost(tmp_path: Path) -> None:
    made, pin = setup(tmp_path)
    long = "x" * 1000
    add(pin, *(f"{n} {long}" for n in range(300)))
    process = made.run(stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline()  # It is writing now, and the pipe takes 64 KiB.
    process.terminate()
    assert process.wait(30) == 0
    read = process.stdout.read().splitlines(keepends=True)
    _, said = process.communicate()
    assert "blocked" in said.decode()
    process = made.run()
    wait_for(lambda: len(made.events()) >= 300 - len(read), "the rest")
    add(pin, "last")
    wait_for(lambda: "last" in made.messages(), "the last line")
    assert end(process)[0] == 0
    assert {line.split()[0] for line in made.messages()} >= {str(n) for n in range(299)}


def test_an_unusable_data_folder_is_said(tmp_path: Path) -> None:
    made, _ = setup(tmp_path)
    made.data.rmdir()
    made.data.write_text("a file")
    process = made.run()
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "the data folder cannot be used" in said.decode()
    assert "Traceback" not in said.decode()
