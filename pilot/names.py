"""Names of our own making: file sets and pins. Pure; the only place that knows their grammar.

A pin is called `<safe path>~<inode>~<serial>`. The safe path is the file's path inside its file
set's folder with every byte outside [0-9A-Za-z._-] written as `=XX`, so that no collector, glob or
shell sees a character that means something. The serial is never used twice on a node, so a name
never means two files.
"""

from __future__ import annotations

import fnmatch
import functools
import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FileKey = tuple[int, int]  # a file on the node: device, inode
SAFE = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-")
ROTATED = r"(?:[.-][0-9][0-9TZ:_.-]*)?"  # app.log.1, app.log-20260102, 0.log.20260102-030405
RESERVE = ".reserve"  # in a set's folder of pins: those that its collector does not see yet
PACKED = (".gz", ".tmp")  # endings of what rotation makes of a file that was pinned before
LONGEST_PATH = 160  # bytes of a safe path; NAME_MAX is 255, and the numbers need room
PIN_NAME = re.compile(r"(?P<path>[0-9A-Za-z._=-]+)~(?P<inode>\d+)~(?P<serial>\d+)\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class PinName:
    """The parts of a pin's name."""

    path: str  # escaped
    inode: int
    serial: int

    def __str__(self) -> str:
        return f"{self.path}~{self.inode}~{self.serial}"


def pin_name(path: str, inode: int, serial: int) -> str:
    """The name of a new pin for the file at `path` inside its file set's folder."""
    return str(PinName(escape(path), inode, serial))


def parse_pin_name(name: str) -> PinName | None:
    """The parts of a pin's name; None for a name that is no pin's."""
    match = PIN_NAME.match(name)
    return match and PinName(match["path"], int(match["inode"]), int(match["serial"]))


def escape(path: str) -> str:
    """A path as safe characters: reversible by `unescape`, unless too long and so hashed."""
    raw = os.fsencode(path)
    safe = "".join(chr(byte) if byte in SAFE else f"={byte:02X}" for byte in raw)
    if len(safe) <= LONGEST_PATH:
        return safe
    digest = hashlib.sha256(raw).hexdigest()[:16]
    return f"{safe[: LONGEST_PATH - 20]}=..={digest}"  # `=.` begins no escape: not reversible


def unescape(safe: str) -> str:
    """The path that `escape` was given; a hashed one comes back cut, ending in `…`."""
    kept, cut, _ = safe.partition("=..=")
    if cut:
        kept = re.sub(r"=[0-9A-F]?\Z", "", kept)
    raw = re.sub(rb"=([0-9A-F]{2})", lambda match: bytes([int(match[1], 16)]), kept.encode())
    return os.fsdecode(raw) + ("…" if cut else "")


def volume_set_name(root: str, folder: str, pattern: str) -> str:
    """A file set in a volume: named by its place, so that a new container continues the old one's.

    The pattern's readable part is for people; the digest is the identity.
    """
    digest = _digest(f"{root}\0{folder}\0{pattern}")
    return f"{readable(pattern)}-{digest}"


def output_set_name(container_id: str) -> str:
    """The file set of a container's own output: named by the container."""
    if re.fullmatch(r"[0-9a-f]{64}", container_id):
        return f"stdout-{container_id}"
    digest = _digest(container_id)
    return f"stdout-{readable(container_id)}-{digest}"


def readable(text: str) -> str:
    """The part of a text that is safe in a name, for a person to recognise; may not be unique."""
    return re.sub(r"[^0-9A-Za-z]+", "-", text).strip("-")[:40].lower() or "x"


def file_stem(container_id: str) -> str:
    """A file name, without its ending, for a container: the id itself where that is safe."""
    if re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,127}", container_id, re.ASCII):
        return container_id
    digest = _digest(container_id)
    return f"{readable(container_id)}-{digest}~"  # `~` is in no safe id, so the two cannot meet


@functools.lru_cache(maxsize=1024)
def matcher(pattern: str, *, rotated: bool) -> Callable[[str], bool]:
    """Whether a file's name belongs to a file set: its pattern (fnmatch), or that name rotated.

    What rotation packed (`.gz`) or is about to (`.tmp`) never does: its lines were there before.
    """
    glob = fnmatch.translate(pattern).removesuffix(r"\Z").removesuffix(r"\z")
    match = re.compile(rf"{glob}{ROTATED if rotated else ''}\Z").match
    return lambda name: bool(match(name)) and not name.endswith(PACKED)


def _digest(text: str) -> str:
    """Distinct for any two texts, also those with lone surrogates, which have no UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
