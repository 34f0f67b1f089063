"""A real Filebeat under the piloter's own command and files, with a file as its sink."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING, Any, Self

from pilot.piloters.filebeat.piloter import FilebeatPiloter
from tests.piloters.filebeat import making

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from pilot.handover import Input

PATIENCE = 30.0  # seconds until something that must happen has not


class RunningFilebeat:
    """Started by `with`; ended by SIGTERM, or by SIGKILL where that is not heard."""

    def __init__(self, program: Path, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.sink = folder / "sink"
        environment = {"LOGGING_OUTPUT": "file", "FILE_PATH": str(self.sink), **environment}
        self.piloter = FilebeatPiloter(
            making.settings(folder, str(program), environment=environment)
        )
        self.process: subprocess.Popen[bytes] | None = None
        self.piloter.directory.mkdir(parents=True, exist_ok=True)
        (folder / "data").mkdir(exist_ok=True)
        for path, content in self.piloter.prepare().items():
            path.write_bytes(content)

    def configure(self, container_id: str, inputs: Sequence[Input]) -> None:
        """Write one container's fragment as the pilot does: aside, then renamed."""
        container = making.container(container_id)
        fragments = {container_id: self.piloter.render(container, inputs)}
        for name, content in self.piloter.files([container_id], fragments).items():
            aside = self.piloter.directory / f".{name}.tmp"
            aside.write_bytes(content or b"")
            aside.rename(self.piloter.directory / name)

    def __enter__(self) -> Self:
        command = self.piloter.command()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command.argv, stdout=log, stderr=log)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self.process is not None
        self.process.terminate()
        try:
            self.process.wait(self.piloter.command().stop_grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def log(self) -> Path:
        return self.folder / "filebeat.err"

    def events(self) -> list[dict[str, Any]]:
        """What arrived, complete lines only."""
        return list(self._events())

    def _events(self) -> Iterator[dict[str, Any]]:
        if not self.sink.exists():
            return
        for file in sorted(self.sink.iterdir()):
            for line in file.read_bytes().splitlines(keepends=True):
                if line.endswith(b"\n"):
                    yield json.loads(line)

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, f"not so after {PATIENCE} s: {what}"
            time.sleep(0.05)
