"""Where Filebeat ends with a file as it is now: behind the last line that makes an event.

Its cursor moves only when an event was acknowledged. What makes none, and so is never counted: a
line without newline, an empty line, half a record of Docker or CRI whose other half is missing, and
what the container parser cannot read. Checked on Filebeat 7.17 and 9 for each of these. The cursor
may go beyond: as JSON an empty line is an event, if one that our processors drop.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

from pilot.model import Framing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BLOCK = 64 * 1024
LONGEST_LINE = 16 * 1024 * 1024  # bytes of a line that are looked at; Filebeat cuts at 10 MB
FARTHEST = 256 * 1024 * 1024  # bytes from the end that are looked at
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)"  # RFC 3339
DOCKER_TIME = re.compile(TIME, re.ASCII)
CRI_LINE = re.compile(rb"%b [^ ]+ (?P<tags>[^ ]+) " % TIME.encode())


def readable_end(file: Path, framing: Framing) -> int:
    """The offset behind the last line of `file` that makes an event; 0 if none does.

    Reads from the end, a block at a time. Where nothing readable lies in the last 256 MiB, the
    start of those is returned: too far rather than not far enough. Raises OSError.
    """
    makes_event = CHECKS[framing]
    with file.open("rb", buffering=0) as stream:
        size = os.fstat(stream.fileno()).st_size
        for end, line in lines_from_end(stream.fileno(), size):
            if line is None or makes_event(line):
                return end
    return max(0, size - FARTHEST)


def lines_from_end(descriptor: int, size: int) -> Iterator[tuple[int, bytes | None]]:
    """The complete lines, last first: offset behind the newline, text (None if it is too long)."""
    end: int | None = None  # behind the newline of the line whose start is looked for
    chunks: list[bytes] = []  # of that line, last first
    held = 0
    position = size
    while position > max(0, size - FARTHEST):
        start = max(0, position - BLOCK)
        block = os.pread(descriptor, position - start, start)
        stop = len(block)
        while (newline := block.rfind(b"\n", 0, stop)) >= 0:
            if end is not None:
                yield end, _joined([*chunks, block[newline + 1 : stop]], held)
            end, chunks, held = start + newline + 1, [], 0
            stop = newline
        if end is not None:
            held += stop
            chunks = [*chunks, block[:stop]] if held <= LONGEST_LINE else []
        position = start
    if end is not None and position == 0:
        yield end, _joined(chunks, held)


def _joined(chunks: list[bytes], held: int) -> bytes | None:
    return b"".join(reversed(chunks)) if held <= LONGEST_LINE else None


def _plain(line: bytes) -> bool:
    return line not in {b"", b"\r"}


def _docker(line: bytes) -> bool:
    try:
        record = json.loads(line)
    except (RecursionError, ValueError):
        return False
    if not isinstance(record, dict):
        return False
    text, time = record.get("log"), record.get("time")
    if not (isinstance(text, str) and isinstance(time, str)):
        return False
    return text.endswith("\n") and DOCKER_TIME.fullmatch(time) is not None


def _cri(line: bytes) -> bool:
    match = CRI_LINE.match(line)
    return match is not None and match["tags"].split(b":")[0] != b"P"


CHECKS: dict[Framing, Callable[[bytes], bool]] = {
    Framing.LINES: _plain,
    Framing.DOCKER: _docker,
    Framing.CRI: _cri,
}
