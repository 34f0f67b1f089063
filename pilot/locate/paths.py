"""Paths as a tenant writes them: folded, or refused with the reason. Nothing asks the disk."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot.model import UNSAFE, Code, Rejection, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

GLOB = re.compile(r"[*?\[]")
ANY = "**"  # any number of folders
MAX_PATH = 4096  # characters; PATH_MAX counts bytes, so more cannot exist
MAX_PART = 255  # bytes of one name, NAME_MAX


@dataclass(frozen=True, slots=True)
class InsidePath:
    """A path inside a container: its folder, absolute and folded, and a name or glob below it.

    `folder` is what stands before the first part that is a glob.
    """

    folder: str
    pattern: str

    def __str__(self) -> str:
        return f"{self.folder.rstrip('/')}/{self.pattern}"


def parse_path(key: str, item: str, *, recursive: bool = False) -> InsidePath | Rejection:
    """An item that is not `stdout`, folded, or why it names no file.

    `recursive` says whether the administrator allows `**`.
    """
    code, reason, hint = Code.PATH_INVALID, "", ""
    parts = item.split("/")
    folded = [part for part in parts if part not in ("", ".")]
    if UNSAFE.search(item):
        reason = "a path may hold no control, line separating or direction changing character."
    elif not item.startswith("/"):
        reason = "the path is not absolute."
    elif ".." in parts:
        reason = "a path may not hold '..'."
    elif len(item) > MAX_PATH or _has_long_part(item, folded):
        reason = f"no file has such a long path (names have at most {MAX_PART} bytes)."
    elif parts[-1] in ("", "."):
        code, hint = Code.PATH_FOLDER, shorten("/".join(("", *folded, "*.log")), 200)
        reason = "this names a folder; name its files."
    elif ANY in item and any(ANY in part and part != ANY for part in folded):
        code, reason = (
            Code.PATH_GLOB,
            "'**' is any number of folders and a part of a path by itself.",
        )
    elif ANY in folded and not recursive:
        code = Code.PATH_GLOB
        reason = "'**' needs leave of whoever runs the pilot: --recursive (PILOT_RECURSIVE)."
    if reason:
        return Rejection(code=code, key=key, value=shorten(item), reason=reason, hint=hint)
    globs = (at for at, part in enumerate(folded[:-1]) if GLOB.search(part))
    literal = next(globs, len(folded) - 1)
    return InsidePath("/" + "/".join(folded[:literal]), "/".join(folded[literal:]))


def _has_long_part(item: str, parts: Sequence[str]) -> bool:
    if len(item.encode()) <= MAX_PART:  # as nearly all are
        return False
    return any(len(part.encode()) > MAX_PART for part in parts)


@functools.lru_cache(maxsize=1024)
def fold(path: str) -> str | None:
    """A path that a runtime gave, folded; None if it is relative, leads upwards or is no text."""
    parts = path.split("/")
    if not path.startswith("/") or ".." in parts or UNSAFE.search(path):
        return None
    return "/" + "/".join(part for part in parts if part not in ("", "."))
