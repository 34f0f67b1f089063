"""From a line to an event: one JSON object per line of output."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pilot.treatment import Format

if TYPE_CHECKING:
    from pilot.piloters.console.framing import Text
    from pilot.piloters.console.inputs import ConsoleInput

RESERVED = ("@timestamp", "@metadata", "log", "stream")  # what no line of JSON may set
DEEPEST = 64  # nested objects and lists; whoever reads the events has a limit, too
# Controls, separators, bidirectional overrides: safe within JSON, unsafe on a terminal. Surrogates
# have no UTF-8.
UNSHOWN = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def encode(text: Text, source: ConsoleInput, path: str, now: float) -> bytes:
    """One event, newline included. `path` is the file's as the container knows it.

    `now` (seconds since the epoch) is the event's time where the runtime gave none.
    """
    event: dict[str, Any] = {
        "@timestamp": text.time or f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%S.%f}Z",
        "message": text.text.decode("utf-8", "replace"),
    }
    if text.stream:
        event["stream"] = text.stream
    event["log"] = {"file": {"path": path}, "offset": text.start}
    if text.cut:
        event["log"]["flags"] = ["truncated"]
    for key, value in source.fields.items():
        event.setdefault(key, value)
    if text.error:
        event.setdefault("error", {"type": "framing", "message": text.error})
    elif source.format is Format.JSON:
        _add_json(event, source)
    return _dump(event)


def _add_json(event: dict[str, Any], source: ConsoleInput) -> None:
    """Put the keys of a JSON line beside ours, never over them."""
    try:
        keys = json.loads(event["message"], parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        keys = None
    if not isinstance(keys, dict) or _too_deep(keys):
        event.setdefault("error", {"type": "json", "message": "the line is no JSON object"})
        return
    if isinstance(keys.get("message"), str):
        event["message"] = keys["message"]
    for key, value in keys.items():
        if key not in RESERVED and not key.startswith("@metadata."):
            event.setdefault(key, value)


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("the number is too large")
    return number


def _too_deep(value: object) -> bool:
    level: list[object] = [value]
    for _ in range(DEEPEST):
        level = [
            child
            for each in level
            for child in (each.values() if isinstance(each, dict) else each)  # type: ignore[attr-defined]
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _dump(event: dict[str, Any]) -> bytes:
    line = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    shown = UNSHOWN.sub(lambda match: f"\\u{ord(match[0]):04x}", line)
    return shown.encode("utf-8") + b"\n"
