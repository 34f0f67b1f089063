"""From a text to an event: one JSON object per line of output."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pilot.model import UNSAFE
from pilot.piloters.console.parsing import Parser
from pilot.piloters.console.sifting import Sifter

if TYPE_CHECKING:
    from pilot.piloters.console.framing import Text
    from pilot.piloters.console.inputs import ConsoleInput
    from pilot.piloters.console.parsing import Parsed

RESERVED = ("@timestamp", "@metadata", "log", "stream")  # what no line may set


class Encoder:
    """Makes the events of one input."""

    def __init__(self, source: ConsoleInput) -> None:
        """The input's patterns and formats were checked when its fragment was read."""
        self._fields, self._target = source.fields, source.treatment.target
        self._sifter, self._parser = Sifter(source.treatment), Parser(source.treatment)

    def encode(self, text: Text, path: str, now: float) -> bytes:
        """One event, newline included; nothing if it is to be dropped.

        `path` is the file's as the container knows it. `now` (seconds since the epoch) is the
        event's time where the runtime gave none.
        """
        if not self._sifter.wants(text.text.decode("utf-8", "replace")):
            return b""
        message, cut = self._sifter.cut(text.text)
        event: dict[str, Any] = {
            "@timestamp": text.time or f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%S.%f}Z",
            "message": message,
        }
        if text.stream:
            event["stream"] = text.stream
        event["log"] = {"file": {"path": path}, "offset": text.start}
        if text.cut or cut:
            event["log"]["flags"] = ["truncated"]
        for key, value in self._fields.items():
            event.setdefault(key, value)
        if text.error:
            event.setdefault("error", {"type": "framing", "message": text.error})
        else:
            self._add(event, self._parser.parse(message, event["@timestamp"]))
        return _dump(event)

    def _add(self, event: dict[str, Any], parsed: Parsed) -> None:
        """Put what a text says beside ours, never over it."""
        event["@timestamp"] = parsed.time or event["@timestamp"]
        if parsed.error:
            kind, said = parsed.error
            event.setdefault("error", {"type": kind, "message": said})
        if self._target:
            self._add_below(event, parsed.fields)
            return
        if isinstance(parsed.fields.get("message"), str):
            event["message"] = parsed.fields["message"]
        for key, value in parsed.fields.items():
            if _free(key):
                event.setdefault(key, value)

    def _add_below(self, event: dict[str, Any], fields: dict[str, Any]) -> None:
        if not _free(self._target) or self._target in event:
            said = f"the fields cannot be put below {self._target!r}, which is taken"
            event.setdefault("error", {"type": "target", "message": said})
        elif fields:
            event[self._target] = fields


def _free(key: str) -> bool:
    return key not in RESERVED and not key.startswith("@metadata.")


def _dump(event: dict[str, Any]) -> bytes:
    line = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    # Within JSON they are no harm, on a terminal they are; surrogates have no UTF-8.
    shown = UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", line)
    return shown.replace("\ufeff", "\\ufeff").encode("utf-8") + b"\n"
