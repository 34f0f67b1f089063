"""Where Filebeat ends with a file as it is now: behind the last line that makes an event.

Its cursor moves only when an event was acknowledged. What makes none, and so is never counted: a
line without newline, an empty line, half a record of Docker or CRI whose other half is missing, and
what the container parser cannot read. Checked on Filebeat 7.17 and 9 for each of these. What our
processors drop is an event here. The cursor may go beyond: joined to other lines an empty one is
read with them.

Files are tenants' and may be made to be slow to look at, so only the end of one is looked at. What
lies further back counts as unread, which keeps the file until its drain's limit at most.
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

FARTHEST = 4 * 1024 * 1024  # bytes from the end that are looked at
LENGTHS = (64 * 1024, 1024 * 1024, FARTHEST)  # bytes from the end, one try after the other
MOST_LINES = 10_000  # lines that are looked at one by one, in one try
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)"  # RFC 3339
DOCKER_TIME = re.compile(TIME, re.ASCII)
CRI_LINE = re.compile(rb"%b [^ ]+ (?P<tags>[^ ]+) " % TIME.encode())


def readable_end(file: Path, framing: Framing) -> int:
    """The offset behind the last line of `file` that makes an event; 0 if none does.

    The first line from the end that was not looked at (it begins more than FARTHEST bytes before
    the end, or MOST_LINES come behind it) counts as one that does: too far rather than not far
    enough. Without any newline in the last FARTHEST bytes it is their beginning. Raises OSError.
    """
    makes_event, find = CHECKS[framing]
    with file.open("rb", buffering=0) as stream:
        size = os.fstat(stream.fileno()).st_size
        for length in LENGTHS:
            start = max(0, size - length)
            block = os.pread(stream.fileno(), size - start, start)
            for tried, (begin, end) in enumerate(_candidates(block, find)):
                if begin == 0 and start > 0 and framing is not Framing.LINES:
                    break  # Its beginning lies further back.
                if tried >= MOST_LINES or makes_event(block[begin : end - 1]):
                    return start + end
            if start == 0:
                return 0
        return start + block.find(b"\n") + 1


def _candidates(block: bytes, find: Callable[[bytes, int], int]) -> Iterator[tuple[int, int]]:
    """The complete lines that may make an event, last first: their beginnings and ends.

    Of the first line the beginning may be missing. `find` gives the place of some byte of the last
    such line before an offset, negative without any: millions of others are skipped at once.
    """
    stop = block.rfind(b"\n") + 1
    while (at := find(block, stop)) >= 0:
        begin = block.rfind(b"\n", 0, at) + 1
        yield begin, block.find(b"\n", at) + 1
        stop = begin


def _text(block: bytes, stop: int) -> int:
    """Of a line that is neither empty nor a lone carriage return."""
    return max(len(block[:stop].rstrip(b"\r\n")) - 1, block.rfind(b"\r\r", 0, stop))


def _brace(block: bytes, stop: int) -> int:
    """Of a line that may be a JSON object."""
    return block.rfind(b"}", 0, stop)


def _space(block: bytes, stop: int) -> int:
    """Of a line that may have CRI's words."""
    return block.rfind(b" ", 0, stop)


def _any(_line: bytes) -> bool:
    return True


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


CHECKS: dict[Framing, tuple[Callable[[bytes], bool], Callable[[bytes, int], int]]] = {
    Framing.LINES: (_any, _text),
    Framing.DOCKER: (_docker, _brace),
    Framing.CRI: (_cri, _space),
}
