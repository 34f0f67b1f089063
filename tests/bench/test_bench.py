"""A smoke test: the figures that need no collector give numbers."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.bench.__main__ import main
from tests.real import programs
from tests.real.conftest import available, missing

if TYPE_CHECKING:
    from pathlib import Path

ONLY = ("1", "4", "5", "7", "8", "9", "10", "11", "13")


@pytest.mark.real
def test_figures_come_out(tmp_path: Path) -> None:
    if os.geteuid():
        missing("needs root")
    with available():
        programs.dockerd()
    written = tmp_path / "figures.json"

    assert main(["--quick", "--only", *ONLY, "--json", str(written)]) == 0

    figures = json.loads(written.read_text())["figures"]
    assert {str(each["number"]) for each in figures if each["aim"]} == set(ONLY)
    for each in figures:
        assert each["values"], each
        assert all(isinstance(value, (int, float)) for value in each["values"].values()), each
