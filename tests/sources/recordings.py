"""What real engines answered, see recorded/README.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ENGINES = ("20.10", "29")
FOLDER = Path(__file__).with_name("recorded")


def inspected(engine: str, name: str) -> dict[str, Any]:
    """A recorded container's inspect object."""
    found: list[dict[str, Any]] = json.loads((FOLDER / f"inspect-{engine}.json").read_text())
    return next(container for container in found if container["Name"] == f"/{name}")


def listed(engine: str) -> bytes:
    """A recorded list."""
    return (FOLDER / f"list-{engine}.json").read_bytes()


def events(engine: str) -> bytes:
    """A recorded event stream."""
    return (FOLDER / f"events-{engine}.jsonl").read_bytes()
