"""What fragments look like that hold nothing odd: their keys, and the values that never differ."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Declarations that together have every step in a fragment.
HARMLESS: tuple[dict[str, str], ...] = (
    {},
    {"format": "json", "format_time_key": "t", "format_target": "app"},
    {"format": "json", "format_time_key": "t", "tags": "a=b"},
    {"format": "csv", "format_keys": "a,b", "format_time_key": "a"},
    {"format": "csv", "format_keys": "a,b", "format_target": "app"},
    {"multiline_pattern": "^ ", "include": "a", "exclude": "b"},
    {"encoding": "gbk", "max_bytes": "64Ki"},
    {"raw_x_hostile": "a", "multiline": "java"},
)
# Keys that a tenant names: fields, columns (with dots below a target), allowed raw options.
NAMED = re.compile(r"fields\.[^.]+|processors\[\]\..*mappings\.[^.]+(?:\.[^.]+)?|x_hostile|x_other")
# Values that are a tenant's or made of what is.
TENANTS = re.compile(
    r"(?:.*\.)?(?:id|encoding|paths\[\]|pattern|negate|match|max_lines|timeout|message|target|from|to"
    r"|field|layouts\[\]|replacement|max_bytes|log_pilot_more|fields\[\])"
)


class Shapes:
    """Learned from inputs that are known to be good."""

    def __init__(self, inputs: Iterable[dict[str, Any]]) -> None:
        self._keys: set[str] = set()
        self._values: set[tuple[str, object]] = set()
        for each in inputs:
            for path, value in leaves(each):
                self._keys.add(path)
                self._values.add((path, value))

    def strange(self, read: dict[str, Any]) -> list[str]:
        """What of an input nothing good has: keys, and values where they are not the tenant's."""
        found = []
        for path, value in leaves(read):
            if NAMED.fullmatch(path):
                continue
            if path not in self._keys:
                found.append(path)
            elif not TENANTS.fullmatch(path) and (path, value) not in self._values:
                found.append(f"{path} = {value!r}")
        return found


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value with the keys that lead to it, `[]` for any item of a list."""
    if isinstance(value, dict) and value:
        for key, below in value.items():
            yield from leaves(below, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for below in value:
            yield from leaves(below, f"{path}[]")
    else:
        yield path, str(value) if isinstance(value, (dict, list)) else value
