"""Keys by their beginning: those of ours, and those that look like declarations and are none."""

from __future__ import annotations

import difflib
import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from pilot.declarations.dialects import CUSTOM_CONFIG, DIALECTS, PLACES, key_of, spellings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilot.model import Origin

# What may follow a prefix in each place; log-pilot spelled its custom config alike everywhere.
_STARTS: Mapping[Origin, tuple[str, ...]] = MappingProxyType(
    {
        origin: (
            *(each.start for each in spellings(origin)),
            *(f"{each.start}{CUSTOM_CONFIG[0]}" for each in DIALECTS if each.custom_only),
        )
        for origin in PLACES
    }
)
_BARE: Mapping[Origin, frozenset[str]] = MappingProxyType(
    {origin: frozenset(each.start[:-1] for each in spellings(origin)) for origin in PLACES}
)
# `<prefix>_logs_<rest>` with whatever separators and an `s` too few.
_NEAR = re.compile(r"(?P<head>.{1,63}?)[._/-]+logs?[._/-]+(?P<rest>.+)", re.IGNORECASE | re.DOTALL)
_ALIKE = 0.8  # difflib's ratio: `alyun` and `piolt` are typos, `yunali` and `app` are none
_LOOKED_AT = 200  # characters of a key


def is_ours(key: str, origin: Origin, prefixes: Sequence[str]) -> bool:
    """Whether a key in that place is read as a declaration, by its beginning."""
    if not key.startswith(tuple(prefixes)):
        return False
    for prefix in prefixes:
        if key.startswith(prefix):
            rest = key[len(prefix) :]
            if rest.startswith(_STARTS[origin]) or rest in _BARE[origin]:
                return True
    return False


def anywhere(key: str, prefixes: Sequence[str]) -> bool:
    """Whether a key would be read as a declaration in any place."""
    return key.startswith(tuple(prefixes)) and any(
        is_ours(key, origin, prefixes) for origin in PLACES
    )


def meant(key: str, origin: Origin, prefixes: Sequence[str]) -> str:
    """The key that one was probably meant to be; "" for a key of ours or of somebody else's.

    `PILOT_…` in capitals are this program's own settings.
    """
    if "log" not in key.lower() or key.startswith("PILOT_"):
        return ""
    found = _NEAR.match(key[:_LOOKED_AT])
    if not found or is_ours(key, origin, prefixes):
        return ""
    head = found["head"].lower()
    for prefix in prefixes:
        if head == prefix.lower() or (
            difflib.SequenceMatcher(None, head, prefix.lower()).ratio() >= _ALIKE
        ):
            return key_of(prefix, found["rest"], origin)
    return ""
