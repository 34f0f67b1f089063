"""Values for the tests of the Filebeat piloter, with everything that does not matter filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilot.handover import Input
from pilot.model import Container, FileSet, Framing, State
from pilot.settings import Settings
from pilot.treatment import Stream, Treatment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def container(identifier: str = "c" * 64, name: str = "web-1") -> Container:
    return Container(id=identifier, name=name, state=State.RUNNING)


def file_set(
    name: str = "app-log-0123",
    *,
    root: str = "/var/lib/docker/volumes/v/_data",
    pattern: str = "*.log",
    framing: Framing = Framing.LINES,
    inside: str = "/logs",
    rotated: bool = True,
) -> FileSet:
    return FileSet(
        name=name,
        root=root,
        folder="",
        pattern=pattern,
        framing=framing,
        inside=inside,
        rotated=rotated,
    )


def pinned(
    files: FileSet,
    pins: str = "/pins/app",
    *,
    stream: Stream = Stream.ALL,
    treatment: Treatment | None = None,
    fields: Mapping[str, str] | None = None,
) -> Input:
    return Input(
        file_set=files,
        stream=stream,
        treatment=treatment or Treatment(),
        pins=pins,
        base=files.directory,
        shown=files.inside or files.directory,
        fields=fields or {},
    )


def direct(files: FileSet, directory: str = "", **fields: str) -> Input:
    return Input(
        file_set=files,
        pins=None,
        folders=(directory or files.directory,),
        base=directory or files.directory,
        shown=files.inside or files.directory,
        fields=fields,
    )


def settings(
    folder: Path,
    collector: str = "",
    *,
    templates: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    return Settings(
        templates=templates,
        config_dir=folder / "etc",
        data_dir=folder / "data",
        collector=collector,
        environment=environment or {},
    )
