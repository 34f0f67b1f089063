"""From a file's bytes to an application's lines: Docker json-file, CRI and plain text.

Only complete lines count, and only those of the wanted stream. Pieces of one line (Docker: text
without a final newline; CRI: tag P) are joined by stream, and nothing of a line is given before its
last piece is there. The result depends on the bytes alone, never on how they were cut into reads.
Memory is bounded: of a line over LONGEST bytes the beginning is kept and marked as cut.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pilot.model import Framing
from pilot.treatment import Stream

LONGEST = 1 << 20  # bytes kept of one line
STREAMS = ("stdout", "stderr")
TIME = re.compile(
    r"(?P<seconds>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?P<fraction>\.\d{1,9})?(?P<zone>Z|[+-]\d\d:\d\d)\Z",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Text:
    """One line of an application: where it lies in the file and what it says."""

    start: int  # offset of its first byte
    end: int  # offset behind its last piece
    text: bytes  # without the newline, CR LF counting as one
    time: str = ""  # the runtime's, RFC 3339 in UTC; "" where there is none
    stream: str = ""
    cut: bool = False
    error: str = ""  # why the runtime's framing could not be understood; then text is all of it


@dataclass(frozen=True, slots=True)
class Piece:
    """What the runtime wrote as one line of its own."""

    text: bytes
    stream: str
    time: str
    last: bool


@dataclass(slots=True)
class Open:
    """A line whose last piece has not come."""

    start: int
    time: str
    text: bytearray = field(default_factory=bytearray)
    cut: bool = False

    def add(self, text: bytes) -> None:
        """Take a further piece, as far as there is room."""
        room = LONGEST - len(self.text)
        self.text += text[:room]
        self.cut |= len(text) > room


class Framer:
    """Reads one file from its beginning, or from where another framer was, to its end."""

    def __init__(
        self, framing: Framing, stream: Stream = Stream.ALL, *, offset: int = 0, read: int = 0
    ) -> None:
        """Go on where a framer with this `offset` and `read` stopped.

        A line that is not framed as it should be has no stream. It counts as stdout's, so that of
        two inputs that share a file one gives it.
        """
        self.position = offset  # of the next byte to be fed
        self.framing, self._stream, self._emitted = framing, stream, read
        self._complete = offset  # behind the last newline
        self._line = bytearray()  # the beginning of a line without a newline so far
        self._open: dict[str, Open] = {}

    @property
    def offset(self) -> int:
        """Everything before this is done with; pieces of an open line come after it."""
        return min((each.start for each in self._open.values()), default=self._complete)

    @property
    def read(self) -> int:
        """Every text that ends at or before this was given out."""
        return max(self._complete, self._emitted)

    def feed(self, data: bytes) -> list[Text]:
        """The texts that these next bytes of the file complete."""
        texts, begin, base = [], 0, self.position
        while (newline := data.find(b"\n", begin)) >= 0:
            end = base + newline + 1
            self._keep(data, begin, newline)
            text = self._complete_line(self._complete, end)
            if text and end > self._emitted:
                texts.append(text)
            self._complete = end
            begin = newline + 1
        self._keep(data, begin, len(data))
        self.position = base + len(data)
        return texts

    def _keep(self, data: bytes, begin: int, end: int) -> None:
        room = LONGEST - len(self._line)
        self._line += data[begin : min(end, begin + room)]

    def _complete_line(self, start: int, end: int) -> Text | None:
        line = bytes(self._line)
        self._line.clear()
        cut = end - start - 1 > len(line)
        if self.framing is Framing.LINES:
            return Text(start, end, line if cut else line.removesuffix(b"\r"), cut=cut)
        try:
            if cut:
                raise ValueError("the line is too long")  # noqa: TRY301 -- as good as any garbage
            piece = _docker(line) if self.framing is Framing.DOCKER else _cri(line)
        except (ValueError, RecursionError) as error:
            if self._stream is Stream.STDERR:
                return None
            return Text(start, end, line, cut=cut, error=f"not {self.framing} framing: {error}")
        return self._join(start, end, piece)

    def _join(self, start: int, end: int, piece: Piece) -> Text | None:
        if self._stream not in (Stream.ALL, piece.stream):
            return None
        line = self._open.pop(piece.stream, None) or Open(start, piece.time)
        line.add(piece.text)
        if not piece.last:
            self._open[piece.stream] = line
            return None
        text = bytes(line.text) if line.cut else bytes(line.text).removesuffix(b"\r")
        return Text(line.start, end, text, line.time, piece.stream, line.cut)


def _docker(line: bytes) -> Piece:
    """Docker's json-file (daemon/logger/jsonfilelog): one object per piece. Raises ValueError."""
    try:
        raw = json.loads(line.decode("utf-8", "replace"))
    except ValueError:
        raise ValueError("no JSON") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("log"), str):
        raise ValueError("no text in `log`")  # noqa: TRY004 -- about a line, not an argument
    if raw.get("stream") not in STREAMS:
        raise ValueError("`stream` is neither stdout nor stderr")
    text = raw["log"].encode("utf-8", "replace")
    last = text.endswith(b"\n")
    return Piece(text[:-1] if last else text, raw["stream"], _utc(str(raw.get("time"))), last)


def _cri(line: bytes) -> Piece:
    """The Kubernetes logging format: `<time> <stream> <tags> <text>`. Raises ValueError.

    The first of the tags, which colons part, is P (partial) or F (full).
    """
    parts = line.split(b" ", 3)
    if len(parts) < 3:
        raise ValueError("fewer than three words")
    time = _utc(parts[0].decode("ascii", "replace"))
    if not time:
        raise ValueError("no time at its beginning")
    stream = parts[1].decode("ascii", "replace")
    if stream not in STREAMS:
        raise ValueError("the second word is neither stdout nor stderr")
    tag = parts[2].split(b":", 1)[0]
    if tag not in (b"P", b"F"):
        raise ValueError("the third word is neither P nor F")
    return Piece(parts[3] if len(parts) > 3 else b"", stream, time, tag == b"F")


def _utc(text: str) -> str:
    """An RFC 3339 time in UTC, to the last digit; "" for anything else."""
    match = TIME.match(text)
    if not match:
        return ""
    try:
        moment = datetime.fromisoformat(match["seconds"] + match["zone"]).astimezone(UTC)
    except (ValueError, OverflowError):
        return ""
    return f"{moment.replace(tzinfo=None).isoformat()}{match['fraction'] or ''}Z"
