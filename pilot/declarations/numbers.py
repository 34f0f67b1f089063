"""Whole numbers, sizes and durations as people write them: `500`, `64Ki`, `1.5s`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilot.model import Code

if TYPE_CHECKING:
    from pilot.declarations.asking import Asking

_COUNT = re.compile(r"[0-9]{1,9}")
_SIZE = re.compile(r"([0-9]{1,12})(?: ?(B|K|KB|Ki|KiB|M|MB|Mi|MiB))?")
_DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?|\.[0-9]{1,6})(?: ?(ms|s|m))?")
_BYTES = {"": 1, "B": 1, "K": 1000, "KB": 1000, "Ki": 1 << 10, "KiB": 1 << 10}
_BYTES |= {"M": 10**6, "MB": 10**6, "Mi": 1 << 20, "MiB": 1 << 20}
_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0}


def parse_count(text: str) -> int | None:
    """A whole number; None if it is none."""
    return int(text) if _COUNT.fullmatch(text) else None


def parse_size(text: str) -> int | None:
    """Bytes: `65536`, `64Ki`, `64KiB`, `64K` (1000 bytes each), `1Mi`, `1M`; None if it is none."""
    found = _SIZE.fullmatch(text)
    return int(found[1]) * _BYTES[found[2] or ""] if found else None


def parse_duration(text: str) -> float | None:
    """Seconds: `5`, `5s`, `500ms`, `1m`, `0.5`; None if it is none."""
    found = _DURATION.fullmatch(text)
    return float(found[1]) * _SECONDS[found[2] or ""] if found else None


def count(asking: Asking, option: str, *, least: int, most: int, default: int) -> int:
    """An option that is a whole number; refuses the log if it is not, or out of bounds."""
    text = asking.text(option)
    number = parse_count(text) if text else default
    if number is not None and least <= number <= most:
        return number
    reason = f"this is not a whole number from {least} to {most}."
    hint = "" if number is None else str(least if number < least else most)
    asking.refuse(option, Code.NUMBER_INVALID, reason, hint=hint)
    return default


def size(asking: Asking, option: str, *, least: int, most: int) -> int:
    """An option that is a number of bytes, 0 if not given; refuses the log as `count` does."""
    text = asking.text(option)
    number = parse_size(text) if text else None
    if not text or (number is not None and least <= number <= most):
        return number or 0
    low, high = _say_size(least), _say_size(most)
    reason = f"this is not a size from {low} to {high}, such as 64Ki or 65536."
    hint = "" if number is None else (low if number < least else high)
    asking.refuse(option, Code.NUMBER_INVALID, reason, hint=hint)
    return 0


def duration(asking: Asking, option: str, *, least: float, most: float, default: float) -> float:
    """An option that is a time in seconds; refuses the log as `count` does."""
    text = asking.text(option)
    seconds = parse_duration(text) if text else default
    if seconds is not None and least <= seconds <= most:
        return seconds
    reason = f"this is not a time from {least:g}s to {most:g}s, such as 5s, 500ms or 5."
    hint = "" if seconds is None else f"{least if seconds < least else most:g}s"
    asking.refuse(option, Code.NUMBER_INVALID, reason, hint=hint)
    return default


def _say_size(number: int) -> str:
    return f"{number >> 20}Mi" if number >= 1 << 20 else f"{number >> 10}Ki"
