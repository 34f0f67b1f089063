"""Fixtures of the tests on real daemons: a short folder, programs, or a skip that says why."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.real import programs
from tests.real.processes import mentioning, unmount_below

if TYPE_CHECKING:
    from collections.abc import Iterator

FILEBEATS = {"filebeat-9": programs.FILEBEAT_9, "filebeat-7": programs.FILEBEAT_7}


def pytest_configure() -> None:
    """Let SIGTERM end a run as Ctrl-C does: fixtures end the daemons that they started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture
def root() -> None:
    """Skip without root, which mounts and daemons need."""
    if os.geteuid():
        missing("needs root")


@pytest.fixture
def folder(root: None) -> Iterator[Path]:
    """A folder with a short path, as sockets need it; nothing may run from it afterwards."""
    path = Path(tempfile.mkdtemp(prefix="pilot-"))
    yield path
    left = mentioning(str(path))
    unmount_below(path)
    shutil.rmtree(path)
    assert not left, f"processes left behind: {left}"


@pytest.fixture(params=FILEBEATS)
def filebeat(request: pytest.FixtureRequest) -> Path:
    """A Filebeat, in each version."""
    return filebeat_program(request.param)


def filebeat_program(name: str) -> Path:
    """A Filebeat by the name of its parameter."""
    with available():
        return programs.find(FILEBEATS[name])


def dockerd_program(name: str) -> Path:
    """A dockerd: `docker` is this machine's, `docker-29` the newest."""
    with available():
        return programs.find(programs.DOCKER_29) if name == "docker-29" else programs.dockerd()


@contextmanager
def available() -> Iterator[None]:
    """Turn a program that cannot be had into a failure in CI, elsewhere into a skip."""
    try:
        yield
    except programs.UnavailableError as problem:
        missing(str(problem))


def missing(reason: str) -> None:
    """Fail in CI, which promises to have everything; else skip."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
