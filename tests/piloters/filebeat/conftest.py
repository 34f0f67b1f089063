"""A real Filebeat, the newest and the oldest that is there, and a folder for it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.real.daemons import UnavailableError, filebeats

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=[False, True], ids=["newest", "oldest"])
def program(request: pytest.FixtureRequest) -> Path:
    try:
        newest, *others = filebeats()
        if request.param and not others:
            raise UnavailableError("there is only one Filebeat")  # noqa: TRY301 -- said below
        return others[-1] if request.param else newest
    except UnavailableError as error:
        if os.environ.get("CI") == "true":
            raise  # CI promises to have them
        pytest.skip(str(error))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: Unix sockets allow 107 bytes."""
    made = Path(tempfile.mkdtemp(prefix="fb-"))
    yield made
    shutil.rmtree(made)
