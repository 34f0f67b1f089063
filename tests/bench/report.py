"""The figures as a table, as JSON and in docs/performance.md, with what they were measured on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.real.programs import FILEBEAT_7, FILEBEAT_9, UnavailableError, dockerd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.bench.figures import Figure

DOCS = Path(__file__).parents[2] / "docs" / "performance.md"
BEGIN, END = "<!-- figures: written by `make bench` -->", "<!-- end of figures -->"
MET = {True: "yes", False: "**no**", None: ""}


def table(figures: Sequence[Figure]) -> str:
    """One markdown table."""
    rows = ["| | figure | aim | measured | met |", "|---|---|---|---|---|"]
    for each in figures:
        cells = (str(each.number), each.name, each.aim, each.measured, MET[each.met])
        rows.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(rows)


def conditions() -> dict[str, str]:
    """What a reader must know to believe the numbers."""
    model = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": f"{os.cpu_count()} cores ({model[0] if model else platform.machine()}),"
        " a shared virtual machine",
        "load": f"{load} before the first figure (1, 5 and 15 minutes)",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "docker": _docker(),
        "filebeat": f"{FILEBEAT_9.version} and {FILEBEAT_7.version}",
    }


def as_json(figures: Sequence[Figure], found: Mapping[str, str]) -> str:
    """Everything, for programs."""
    return json.dumps(
        {"conditions": dict(found), "figures": [asdict(each) for each in figures]}, indent=2
    )


def write_docs(figures: Sequence[Figure], found: Mapping[str, str]) -> None:
    """Replace the marked block. Raises ValueError where the marks are missing, and OSError."""
    text = DOCS.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{DOCS} lacks {BEGIN} or {END}")
    listed = "\n".join(f"- {name}: {value}" for name, value in found.items())
    DOCS.write_text(f"{before}{BEGIN}\n\n{table(figures)}\n\n{listed}\n\n{END}{after}")


def _docker() -> str:
    try:
        program = dockerd()
    except UnavailableError as problem:
        return str(problem)
    done = subprocess.run([program, "--version"], capture_output=True, text=True)
    return done.stdout.strip()
