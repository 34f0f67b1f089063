"""The piloter of Filebeat 7.17, 8 and 9: one fragment for a container, one main file, one registry.

Pins are read under `file_identity.path`: a pin's name never means two files, while a freed inode
soon means another. Direct files are read under their inode, because rotation changes their names.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pilot.handover import Command, Fragment, Input
from pilot.model import Framing
from pilot.piloters import PiloterError
from pilot.piloters.cannot import missing
from pilot.piloters.filebeat import encode
from pilot.piloters.filebeat.ends import readable_end
from pilot.piloters.filebeat.limits import CANNOT, beyond
from pilot.piloters.filebeat.mainconfig import main_config, shutdown_timeout
from pilot.piloters.filebeat.registry import Registry
from pilot.piloters.filebeat.steps import DOTTED, RESERVED, TEXT, steps
from pilot.piloters.filebeat.streams import Streams
from pilot.piloters.unchanged import Unchanged
from pilot.templating import Templates, TemplatingError
from pilot.treatment import Feature, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from pilot.model import Container, FileSet, Log, Rejection
    from pilot.settings import Settings

CONFIG_DIR = Path("/etc/filebeat")
DATA_DIR = Path("/var/lib/filebeat")
SAFE_ID = re.compile(r"[0-9A-Za-z_-][0-9A-Za-z_.-]{0,127}\Z", re.ASCII)
STOP_GRACE = 10.0  # seconds; a Filebeat that was not told to wait takes at most one

FILTERS: Mapping[str, Callable[..., object]] = {
    "folder": lambda path: path.rstrip("/"),
    "glob_literal": encode.glob_literal,
    "go_glob": encode.go_glob,
    "key": encode.key,
    "regexp_literal": encode.regexp_literal,
    "replacement_literal": encode.replacement_literal,
    "steps": steps,
}


class FilebeatPiloter:
    """Implements `pilot.piloters.Piloter`; the methods' contracts stand there."""

    name = "filebeat"
    suffix = ".yml"
    cannot: Mapping[Feature, str] = CANNOT

    def __init__(self, settings: Settings) -> None:
        self._config_dir = settings.config_dir or CONFIG_DIR
        self._data_dir = settings.data_dir or DATA_DIR
        self._environment = settings.environment
        self._program = settings.collector or "filebeat"
        self._templates = Templates(
            self.name, encode=encode.scalar, user=settings.templates, filters=FILTERS
        )
        self._registry = Registry(self._data_dir)
        self._ends = Unchanged()
        self._streams = Streams()
        self.directory = self._config_dir / "prospectors.d"

    def refuse(self, log: Log) -> Sequence[Rejection]:
        """What this collector cannot do."""
        return [*missing(log, self.cannot), *beyond(log)]

    def render(self, container: Container, inputs: Sequence[Input]) -> Fragment:
        """A list with one filestream input per file set, or stream of it.

        Events carry `log.file.path` as the container knows it (for its own output, the node's
        path). In pins' names characters outside [0-9A-Za-z._-] are `=XX`, and stay so there.
        """
        context = {
            "container": container,
            "inputs": inputs,
            "reserved": RESERVED,
            "dotted": DOTTED,
            "text": TEXT,
        }
        return Fragment(container.id, self._render("fragment.yml", context))

    def files(
        self, changed: Collection[str], fragments: Mapping[str, Fragment]
    ) -> Mapping[str, bytes | None]:
        """One file for each container."""
        return {
            file_name(container_id): fragment.content
            if (fragment := fragments.get(container_id))
            else None
            for container_id in changed
        }

    def prepare(self) -> Mapping[Path, bytes]:
        """The main file; one that is there is a person's, or was made when this was run before."""
        if self._main.exists():
            return {self._main: b""}
        context = main_config(
            self._environment, config_dir=self._config_dir, data_dir=self._data_dir
        )
        return {self._main: self._render("filebeat.yml", context)}

    def progress(self, input_ids: Collection[str]) -> Mapping[tuple[str, str], int]:
        """From the registry."""
        return self._registry.progress(input_ids)

    def pulse(self) -> int:
        """The bytes that the registry counts."""
        return self._registry.total

    def readable_end(self, file: Path, file_set: FileSet, stream: Stream = Stream.ALL) -> int:
        """Behind the last line, of that stream, that makes an event."""
        framing = file_set.framing
        if stream is not Stream.ALL and framing is not Framing.LINES:
            return self._streams.readable_end(file, framing, stream)
        return self._ends.ask(file.stat(), framing, lambda: readable_end(file, framing))

    def command(self) -> Command:
        """Filebeat with our paths, which win over those of a main file that is not ours.

        Strict permissions stay on: who may write a fragment runs Filebeat's processors as its user.
        """
        return Command(
            argv=(
                *(self._program, "-e", "-c", str(self._main)),
                *("--path.config", str(self._config_dir)),
                *("--path.data", str(self._data_dir)),
                *("--path.logs", str(self._data_dir / "logs")),
            ),
            lock=str(self._data_dir / "filebeat.lock"),
            stop_grace=STOP_GRACE + shutdown_timeout(self._environment),
        )

    @property
    def _main(self) -> Path:
        return self._config_dir / "filebeat.yml"

    def _render(self, template: str, context: Mapping[str, object]) -> bytes:
        try:
            return self._templates.render(template, context)
        except TemplatingError as error:
            raise PiloterError(f"Filebeat's template: {error}") from error


def file_name(container_id: str) -> str:
    """The fragment's name for a container; an id that is no safe name is replaced by a digest."""
    if SAFE_ID.match(container_id):
        return f"{container_id}.yml"
    digest = hashlib.sha256(container_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"~{digest}.yml"  # no safe id begins so
