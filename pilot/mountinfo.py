"""The kernel's list of mounts: the only place that knows its lines and its escapes (proc(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN_TABLE = Path("/proc/self/mountinfo")  # the mounts that this process sees
# Mount, parent, device, the folder of the filesystem that is shown, where it is shown, the rest.
# Only space, tab, newline and backslash are escaped: any other white space may be in a name.
_LINE = rb"^(%b) \d+ (%b) ([^ \n]+) ([^ \n]+) (.*)$"
_ESCAPE = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class MountLine:
    """One mount: which folder or file (`root`) of its filesystem it shows at `place`."""

    id: int
    device: str  # major:minor
    root: str
    place: str
    rest: bytes  # as the kernel wrote it

    @property
    def filesystem(self) -> str:
        """The kind of filesystem."""
        return _text(self._words[0])

    @property
    def options(self) -> tuple[str, ...]:
        """The filesystem's own options, each by itself: a comma within one is escaped."""
        return tuple(map(_text, self._words[2].split(b","))) if len(self._words) > 2 else ()

    @property
    def _words(self) -> list[bytes]:
        return (b" " + self.rest).partition(b" - ")[2].split(b" ")


def mounts(table: bytes, *, mount_id: int | None = None, device: str = "") -> Iterator[MountLine]:
    """The mounts of a table, in its order; only that one, or only those of that device.

    What is no such line is left out. A node may have thousands, so others are not taken apart.
    """
    number = rb"\d+" if mount_id is None else b"%d" % mount_id
    line = _LINE % (number, re.escape(device.encode()) or rb"\d+:\d+")
    for found in re.finditer(line, table, re.MULTILINE):
        yield MountLine(
            int(found[1]), found[2].decode(), _text(found[3]), _text(found[4]), found[5]
        )


def _text(field: bytes) -> str:
    plain = _ESCAPE.sub(lambda octal: bytes([int(octal[1], 8) & 255]), field)
    return plain.decode("utf-8", "surrogateescape")
