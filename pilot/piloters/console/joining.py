"""From lines to events: decodes each line and joins those that a multiline pattern holds together.

The rules are those of Filebeat's multiline parser (libbeat/reader/multiline). An event that may
still grow waits, and counts as not read, until a line that does not belong to it or the timeout
comes. Apart from timeouts the result depends on the lines alone. Of an event over LONGEST bytes or
max_lines lines the beginning is kept and marked as cut.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pilot.piloters.console.encodings import to_utf8
from pilot.piloters.console.framing import LONGEST
from pilot.piloters.console.sifting import compiled
from pilot.treatment import Match

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pilot.piloters.console.framing import Text
    from pilot.treatment import Treatment


@dataclass(slots=True)
class Waiting:
    """An event that may still grow."""

    first: Text
    start: int  # the least offset of its lines: pieces of two streams may lie in one another
    end: int
    text: bytearray = field(default_factory=bytearray)
    lines: int = 0
    cut: bool = False

    def add(self, line: Text, most: int) -> None:
        """Take a further line, as far as there is room."""
        self.start, self.end = min(self.start, line.start), line.end
        self.cut |= line.cut
        # As in Filebeat there is no newline after nothing.
        separator = b"\n" if self.text else b""
        room = LONGEST - len(self.text) - len(separator)
        if room <= 0 or self.lines >= most:
            self.cut |= bool(line.text)
            return
        self.text += separator
        self.text += line.text[:room]
        self.cut |= len(line.text) > room
        self.lines += 1

    def whole(self) -> Text:
        """The event as it is now; its time is that of its first line."""
        return replace(self.first, end=self.end, text=bytes(self.text), cut=self.cut)


class Joiner:
    """Joins the lines of one file, or of one stream of it."""

    def __init__(self, treatment: Treatment, *, read: int = 0) -> None:
        """Go on behind the lines that end at or before `read`; `treatment` was checked."""
        self.read = read  # every line that ends at or before this is in an event given out
        self._encoding, self._multiline = treatment.encoding, treatment.multiline
        self._pattern = compiled(self._multiline.pattern) if self._multiline else None
        self._event: Waiting | None = None
        self._found = False  # whether the last line is one that the pattern is about
        self._due = 0.0

    @property
    def waiting(self) -> bool:
        """Whether an event may still grow."""
        return self._event is not None

    def begin(self, otherwise: int) -> int:
        """Where the event that waits begins in the file; `otherwise` if none does."""
        return min(self._event.start, otherwise) if self._event else otherwise

    def due(self, at: float) -> bool:
        """Whether an event has waited for its timeout; `at` is on the clock given to `feed`."""
        return self._event is not None and at >= self._due

    def feed(self, lines: Iterable[Text], at: float) -> list[Text]:
        """The events that these next lines complete, at this time in seconds."""
        return [event for line in lines for event in self._take(self._decoded(line), at)]

    def flush(self) -> list[Text]:
        """The event that waits: nothing more will come, or not in time."""
        if self._event is None:
            return []
        event, self._event = self._event.whole(), None
        self.read = event.end
        return [event]

    def _take(self, line: Text, at: float) -> Iterator[Text]:
        if self._multiline is None:
            self.read = line.end
            yield line
            return
        if line.error:
            # It is no line of the application: nothing can be said about where it belongs.
            yield from self.flush()
            self.read = line.end
            yield line
            return
        before, self._found = self._found, self._finds(line)
        belongs = before if self._multiline.match is Match.BEFORE else self._found
        if not belongs:
            yield from self.flush()
        if self._event is None:
            self._event = Waiting(line, line.start, line.end)
        self._event.add(line, self._multiline.max_lines)
        self._due = at + self._multiline.timeout

    def _finds(self, line: Text) -> bool:
        if self._multiline is None or self._pattern is None:
            return False
        found = self._pattern.search(line.text.decode("utf-8", "replace"))
        return bool(found) is not self._multiline.negate

    def _decoded(self, line: Text) -> Text:
        if not self._encoding:
            return line
        text = to_utf8(line.text, self._encoding)
        return replace(line, text=text[:LONGEST], cut=line.cut or len(text) > LONGEST)
