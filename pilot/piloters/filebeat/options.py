"""The administrator's raw options: which keys a declaration may never set, and values' types.

Which keys are allowed at all is the policy's to say, and was said before. Here only those are held
back with which a log would read another's files, hide who it is, or never be drained.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SEGMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z", re.ASCII)
FRACTION = re.compile(r"-?(?:0|[1-9][0-9]{0,8})\.[0-9]{1,9}\Z", re.ASCII)

# The template's own, and what chooses files, what an event is made of, and where it goes.
OURS = frozenset(
    {
        "allow_deprecated_id_duplication",
        "allow_deprecated_use",
        "backoff",
        "clean_inactive",
        "clean_removed",
        "clean_timeout",
        "close",
        "data_stream",
        "delete",
        "enabled",
        "encoding",
        "exclude_files",
        "exclude_lines",
        "fields",
        "fields_under_root",
        "file_identity",
        "id",
        "include_files",
        "include_lines",
        "index",
        "keep_null",
        "parsers",
        "paths",
        "pipeline",
        "processors",
        "prospector",
        "publisher_pipeline",
        "recursive_glob",
        "rotation",
        "seek_to_tail",
        "tags",
        "take_over",
        "type",
    }
)
FAMILIES = ("clean_", "close", "fields", "file_identity", "prospector", "publisher_pipeline")


def forbidden(keys: Mapping[str, str]) -> dict[str, str]:
    """Which of these keys are not written, each with why in one sentence."""
    return {key: why for key in sorted(keys) if (why := _why_not(key, keys))}


def written(raw: Mapping[str, str]) -> dict[str, bool | int | float | str]:
    """The options that are written, sorted by key, with their values' types."""
    refused = forbidden(raw)
    return {key: typed(raw[key]) for key in sorted(raw) if key not in refused}


def typed(text: str) -> bool | int | float | str:
    """A value as YAML has it: `true`, `false` and plain numbers are such, all else is text."""
    if text in {"true", "false"}:
        return text == "true"
    if NUMBER.match(text):
        return int(text)
    return float(text) if FRACTION.match(text) else text


def _why_not(key: str, keys: Mapping[str, str]) -> str:
    parts = key.split(".")
    if not all(SEGMENT.match(part) for part in parts):
        return "no option of Filebeat is called so: a key is made of letters, digits, '_' and '-'."
    if parts[0].lower() in OURS or parts[0].lower().startswith(FAMILIES):
        return f"the option {parts[0]} of Filebeat is the pilot's own to set."
    for end in range(1, len(parts)):
        if (shorter := ".".join(parts[:end])) in keys:
            return f"there is also {shorter}, and an option has a value or parts, not both."
    return ""
