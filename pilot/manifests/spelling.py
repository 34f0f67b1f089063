"""Keys that look like declarations and are none: near a prefix, or spelled as in another place."""

from __future__ import annotations

import difflib
import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from pilot.model import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What may follow a prefix in each place; the first is what a hint is written with.
STARTS: Mapping[Origin, tuple[str, ...]] = MappingProxyType(
    {
        Origin.ANNOTATION: (".logs/", ".logs."),
        Origin.ENV: ("_logs_", ".logs."),
        Origin.LABEL: (".logs.",),
    }
)
_CUSTOM_CONFIG = "_logs_custom_config"  # log-pilot's, spelled so in labels too
_NEAR = re.compile(r"(?P<head>.{1,63}?)[._/-]+logs?[._/-]+(?P<rest>.+)", re.IGNORECASE | re.DOTALL)
_ALIKE = 0.85  # difflib's ratio: `alyun` is a typo of `aliyun`, `yunali` is not


def is_ours(key: str, origin: Origin, prefixes: Sequence[str]) -> bool:
    """Whether a key in that place is read as a declaration, by its beginning."""
    if not key.startswith(tuple(prefixes)):
        return False
    for prefix in prefixes:
        if key.startswith(prefix):
            rest = key[len(prefix) :]
            starts = STARTS[origin]
            if rest.startswith((*starts, _CUSTOM_CONFIG)) or rest in [s[:-1] for s in starts]:
                return True
    return False


def anywhere(key: str, prefixes: Sequence[str]) -> bool:
    """Whether a key would be read as a declaration in any place."""
    return key.startswith(tuple(prefixes)) and any(
        is_ours(key, origin, prefixes) for origin in STARTS
    )


def meant(key: str, origin: Origin, prefixes: Sequence[str]) -> str:
    """The key that one was probably meant to be; "" for a key of ours or of somebody else's.

    `PILOT_…` in capitals are this program's own settings.
    """
    if "log" not in key.lower() or key.startswith("PILOT_"):
        return ""
    found = _NEAR.match(key[:200])
    if not found or is_ours(key, origin, prefixes):
        return ""
    head = found["head"].lower()
    for prefix in prefixes:
        if head == prefix.lower() or (
            difflib.SequenceMatcher(None, head, prefix.lower()).ratio() >= _ALIKE
        ):
            return f"{prefix}{STARTS[origin][0]}{found['rest']}"
    return ""
