"""What the tests of the console collector share: fragments on disk, the process, waiting."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING, Any

from pilot.handover import input_id
from pilot.model import Framing
from pilot.piloters.console.inputs import ConsoleInput, dump
from pilot.treatment import Stream, Treatment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


NOTHING = Treatment()


def pinned(
    pins: Path,
    *,
    framing: Framing = Framing.LINES,
    stream: Stream = Stream.ALL,
    treatment: Treatment = NOTHING,
    **fields: str,
) -> ConsoleInput:
    return ConsoleInput(
        id=input_id(pins.name, stream),
        pins=str(pins),
        folders=(),
        base="",
        pattern="",
        rotated=False,
        shown="/logs",
        framing=framing,
        stream=stream,
        treatment=treatment,
        fields=fields,
    )


def direct(directory: Path, pattern: str, treatment: Treatment = NOTHING) -> ConsoleInput:
    return ConsoleInput(
        id="direct",
        pins="",
        folders=(str(directory),),
        base=str(directory),
        pattern=pattern,
        rotated=True,
        shown="/logs",
        framing=Framing.LINES,
        treatment=treatment,
        fields={},
    )


class Setup:
    """A config and a data folder, and what they are for."""

    def __init__(self, folder: Path) -> None:
        self.config, self.data, self.output = folder / "config", folder / "data", folder / "out"
        self.inputs = self.config / "inputs.d"
        self.inputs.mkdir(parents=True)
        self.data.mkdir()
        self.registry = self.data / "registry.json"

    def want(self, name: str, *inputs: ConsoleInput) -> None:
        temporary = self.inputs / ".temporary"
        temporary.write_bytes(dump(inputs))
        temporary.rename(self.inputs / f"{name}.yml")

    def argv(self, *more: str) -> list[str]:
        folders = ("--config", str(self.config), "--data", str(self.data))
        return [sys.executable, "-m", "pilot.piloters.console", *folders, *more]

    def run(self, *more: str, stdout: IO[bytes] | int | None = None) -> subprocess.Popen[bytes]:
        if stdout is not None:
            return subprocess.Popen(self.argv(*more), stdout=stdout, stderr=subprocess.PIPE)
        with self.output.open("ab") as output:
            return subprocess.Popen(self.argv(*more), stdout=output, stderr=subprocess.PIPE)

    def events(self) -> list[dict[str, Any]]:
        lines = self.output.read_bytes().splitlines(keepends=True) if self.output.exists() else []
        return [json.loads(line) for line in lines if line.endswith(b"\n")]

    def messages(self) -> list[str]:
        return [event["message"] for event in self.events()]


def end(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Stop a collector in order; its exit code and what it said."""
    process.terminate()
    _, said = process.communicate(timeout=30)
    return process.returncode, said.decode()
