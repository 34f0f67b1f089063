"""Values of documents that nobody checked: what is not of the wanted shape is empty."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Path = tuple[str | int, ...]  # of a value in a document: keys of mappings, indexes of lists


def mapping(value: object) -> Mapping[str, Any]:
    """A mapping, or an empty one. Documents have texts as keys only."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> Sequence[Any]:
    """A list, or an empty one."""
    return value if isinstance(value, list) else ()


def text(value: object) -> str:
    """A text, or ""."""
    return value if isinstance(value, str) else ""


def texts(value: object) -> dict[str, str]:
    """Those entries of a mapping that are texts."""
    return {key: each for key, each in mapping(value).items() if isinstance(each, str)}


def at(value: object, *keys: str) -> object:
    """The value below nested mappings; None where there is none."""
    for key in keys:
        value = mapping(value).get(key)
    return value


def absolute(path: str) -> str:
    """An absolute path in its shortest form; "" for one that is none or leads upwards."""
    if not path.startswith("/") or ".." in path.split("/") or "\0" in path:
        return ""
    return "/" + posixpath.normpath(path).lstrip("/")
