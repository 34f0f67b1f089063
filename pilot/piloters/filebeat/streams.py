"""Where Filebeat is done with one stream of a file: behind the last line of that one.

Where the parser chooses the stream its cursor stays there while all that comes is the other
stream's, however much that is; else it goes further. The runtime writes these files and only ever
adds to them, so what was searched once is not searched again. Of a file that grew large while one
stream was silent a part is searched at each question, until its beginning is reached.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot.model import Framing
from pilot.piloters.filebeat.ends import CHECKS

if TYPE_CHECKING:
    from pathlib import Path

    from pilot.treatment import Stream

MOST_BYTES = 256 * 1024 * 1024  # that are looked at, at one question
BLOCK = 4 * 1024 * 1024  # bytes that are held at a time; a line is a piece of 16 KiB at most
MOST_LINES = 10_000  # lines that are looked at one by one, at one question
MOST = 10_000  # files and streams; the one that was looked at longest ago is forgotten first
SEAM = 64  # bytes, mostly with the time of a line among them, that tell a file from another


@dataclass(frozen=True, slots=True)
class Searched:
    """What is known of a file and a stream."""

    size: int  # up to here, the end of a line, everything from `low` on was looked at
    seam: bytes  # what was before that
    end: int  # behind the last line of the stream; `low` as long as none was found
    low: int  # 0 once there is nothing left to look at


class Streams:
    """The ends of single streams, each remembered. Used by several threads."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self._known: dict[tuple[int, int, Stream], Searched] = {}

    def readable_end(self, file: Path, framing: Framing, stream: Stream) -> int:
        """The offset behind the last line of the stream that makes an event; 0 if none does.

        What was not looked at yet counts as the stream's: too far rather than not far enough. The
        next questions go on there. Raises OSError.
        """
        with file.open("rb", buffering=0) as opened:
            descriptor = opened.fileno()
            status = os.fstat(descriptor)
            key = (status.st_dev, status.st_ino, stream)
            with self._lock:
                known = self._known.pop(key, None)
            if known and _seam(descriptor, known.size) != known.seam:
                known = None  # It is another file, or was cut.
            found = _look(descriptor, status.st_size, known, _Lines(framing, stream))
            with self._lock:
                if len(self._known) >= MOST:
                    del self._known[next(iter(self._known))]
                self._known[key] = found
            return found.end


def _look(descriptor: int, size: int, known: Searched | None, lines: _Lines) -> Searched:
    """What is known once the new part was searched, and else some more of what is left."""
    new = known.size if known else 0
    complete, low, end = _search(descriptor, new, size, lines)
    if not end and low == new and known:
        end, low = known.end, known.low
        if low:
            _, low, end = _search(descriptor, 0, low, lines)
    # What is left before a line that was found matters no more.
    return Searched(complete, _seam(descriptor, complete), end or low, 0 if end > low else low)


class _Lines:
    """Lines of one stream."""

    def __init__(self, framing: Framing, stream: Stream) -> None:
        self._docker = framing is Framing.DOCKER
        self._makes_event = CHECKS[framing][0]
        self._stream = stream.value
        # In a record's text quotes have backslashes, so there this is nothing else.
        self.needle = (f'"{stream}"' if self._docker else f" {stream} ").encode()

    def has(self, line: bytes) -> bool:
        """Whether this one makes an event of the stream."""
        if not self._makes_event(line):
            return False
        if self._docker:
            return bool(json.loads(line).get("stream") == self._stream)
        return line.split(b" ", 2)[1] == self._stream.encode()


def _seam(descriptor: int, size: int) -> bytes:
    start = max(0, size - SEAM)
    return os.pread(descriptor, size - start, start)


def _search(descriptor: int, start: int, size: int, lines: _Lines) -> tuple[int, int, int]:
    """Where the last complete line ends, where the search did, behind what line of the stream.

    The last is 0 without such a line. It goes from `size` back to `start`, as far as one question
    may. The last line is only looked at once it is complete, so one is never looked at in part.
    """
    complete, tried, stop = -1, 0, size
    farthest = max(start, size - MOST_BYTES)
    while stop > farthest:
        begin = max(farthest, stop - BLOCK)
        block = os.pread(descriptor, stop - begin, begin)
        last = block.rfind(b"\n") + 1
        if complete < 0 and last:
            complete = begin + last
        # Of the block's first line the beginning is missing: it is the next block's last.
        first = block.find(b"\n") + 1 if begin > start else 0
        at = block.rfind(lines.needle, first, last)
        while at >= 0:
            line = block.rfind(b"\n", first, at) + 1 or first
            end = block.find(b"\n", at) + 1
            if tried >= MOST_LINES:
                return complete, begin + end, 0
            if lines.has(block[line : end - 1]):
                return complete, begin + line, begin + end
            tried += 1
            at = block.rfind(lines.needle, first, line)
        stop = begin + first if begin > start and first and first < len(block) else begin
        if begin == farthest:
            break
    return max(complete, start), stop, 0
