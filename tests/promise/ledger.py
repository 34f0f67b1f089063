"""What was written, what of it has to arrive, and how often it may: the promise as a model.

A *generation* is one file from its creation to its last name. A line has to arrive once if

- a look of the pilot for a file set found a name that leads to the generation (what came and went
  between two looks is excused),
- it was completed before that look, or while some container declared that set, and
- for a copied pin: it was in the file at such a look.

It may come again for each kill of the collector after it was printed and before that was recorded;
for each change of hands between file sets whose patterns overlap; and, for a copy, when its file
comes back after no look had seen it for COPY_AWAY.

A truncation in place is not exact:

- What was cut away need not arrive, if it had not.
- What stays in the file may come once more.
- What is written afterwards has to arrive if the collector looks at the file while that is shorter
  than what it had read. Else all lines begun before its next look need not arrive, and one piece of
  a line may come. For a copied pin the pilot tells one file from the other, so all lines have to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilot.names import FileKey


@dataclass(slots=True, eq=False)
class Line:
    """One line: where it lies, who wanted it when it was completed, how often it came."""

    text: bytes
    sets: frozenset[str] = frozenset()
    whole: bool = False
    excused: str = ""  # why it need not arrive
    copied: bool = False  # it was in the file at a look that copied it
    more: int = 0  # how often it may come beyond once
    printed: int = 0
    unrecorded: int = 0  # how often it was printed since the collector last saved


@dataclass(slots=True, eq=False)
class Generation:
    """One file."""

    number: int
    key: FileKey
    lines: list[Line] = field(default_factory=list)  # all there ever were
    kept: list[Line] = field(default_factory=list)  # those in the file now
    size: int = 0
    rest: bytes = b""  # what the half line at the end still lacks
    seen: set[str] = field(default_factory=set)  # file sets that pinned it
    names: set[str] = field(default_factory=set)  # by which looks found it, as the container knows
    folder: str = ""  # of the file set whose pin it got last
    owed: set[str] = field(default_factory=set)  # ended file sets whose last look must find it
    written: float = 0.0
    epoch: int = 0  # truncations so far
    position: int = 0  # how far the collector read
    read_in: int = 0  # the epoch in which it read that
    lines_read: int = 0  # behind the last whole line of that
    recorded: tuple[int, int] = (0, 0)  # position and epoch, as the collector saved them
    last_seen: float = 0.0

    @property
    def unnoticed(self) -> bool:
        """Whether the collector, reading on now, would take no notice of a truncation."""
        return self.read_in != self.epoch and self.size >= self.position > 0

    def must(self, line: Line, *, copied: bool) -> bool:
        """Whether a line has to have arrived by now."""
        if not line.whole or line.excused or not self.seen & line.sets:
            return False
        return line.copied or not copied


class Ledger:
    """All generations and everything that was printed."""

    def __init__(self, payload: bytes, *, copied: bool) -> None:
        self.payload, self.copied = payload, copied
        self.generations: list[Generation] = []
        self.alive: dict[FileKey, Generation] = {}
        self.lines: dict[str, Line] = {}  # by the message of its event
        self.pieces = self.pieces_allowed = 0  # of lines, after truncations

    # -- what applications do ----------------------------------------------------------------------

    def created(self, key: FileKey) -> Generation:
        """A file is new; whatever had its inode is gone."""
        made = Generation(len(self.generations), key)
        self.generations.append(made)
        self.alive[key] = made
        return made

    def append(
        self, file: Generation, whole: int, *, half: bool, wanted: frozenset[str], now: float
    ) -> bytes:
        """The bytes of an append; by which declarations its lines are `wanted`."""
        data = b""
        if file.rest and (whole or half):
            data += self._finish(file, wanted)
        for number in range(whole + half):
            begun = b"%d.%d" % (file.number, len(file.lines))
            line = Line(begun + self.payload)
            file.lines.append(line)
            file.kept.append(line)
            self.lines[_message(line.text)] = line
            data += begun
            file.rest = self.payload + b"\n"
            if number < whole:
                data += self._finish(file, wanted)
        file.size += len(data)
        if data:
            file.written = now
        return data

    @staticmethod
    def _finish(file: Generation, wanted: frozenset[str]) -> bytes:
        rest, file.rest = file.rest, b""
        file.lines[-1].whole, file.lines[-1].sets = True, wanted
        return rest

    def truncated(self, file: Generation, keep: int, now: float) -> int:
        """Cut a file down to so many whole lines; its new size."""
        kept = [line for line in file.kept if line.whole]
        cut = file.kept[min(keep, len(kept)) :]
        if not cut:
            return file.size
        file.kept = kept[:keep]
        for line in cut:
            if not line.printed and not line.copied:
                line.excused = "cut away before it was read"
        for line in file.kept:
            line.more += 1
            line.copied = line.copied and self.copied
        if file.rest:
            file.rest = b""
        file.size = sum(len(line.text) + 1 for line in file.kept)
        file.epoch += 1
        file.written = now
        return file.size

    # -- what the pilot and the collector do -------------------------------------------------------

    def looked(
        self, file: Generation, declared: str, *, live: bool, now: float, away: float
    ) -> None:
        """A look found the file and pinned it, or let its copy grow; `live`: it is still wanted."""
        if self.copied and file.seen and now - file.last_seen >= away:
            for line in file.lines:
                line.more += 1
        file.last_seen = now
        file.seen.add(declared)
        for line in file.kept:
            line.copied = self.copied and line.whole
            if live and line.whole:
                line.sets |= {declared}

    def changed_hands(self, file: Generation) -> None:
        """Another set reads it from the start."""
        for line in file.lines:
            line.more += 1
        file.position = file.lines_read = 0
        file.read_in, file.recorded = file.epoch, (0, file.epoch)

    def printed(self, message: str, path: str) -> None:
        """An event came out, said to be of the file at a path in the container."""
        line = self.lines.get(message)
        if line is None:
            assert self.pieces_allowed > self.pieces, f"nobody wrote {message[:100]!r}"
            self.pieces += 1
            return
        assert line.whole, f"half a line came: {message[:100]!r}"
        names = self.generations[int(message.partition(".")[0])].names
        assert path in names or path.endswith("…"), f"{path!r} is none of its names {names}"
        line.printed += 1
        line.unrecorded += 1
        assert line.printed <= 1 + line.more, f"{message[:40]!r} came {line.printed} times"

    def polled(self, file: Generation, position: int, lines: int) -> None:
        """The collector read a linked file up to a position, its whole lines up to another."""
        if file.unnoticed:
            for line in file.kept:
                line.excused = line.excused or "a truncation went by unnoticed"
            self.pieces_allowed += 1
        file.position, file.lines_read, file.read_in = position, lines, file.epoch

    def may_tear(self) -> None:
        """The collector may have read some files, nobody knows which."""
        self.pieces_allowed += sum(file.unnoticed for file in self.generations)

    def recorded(self) -> None:
        """The collector saved how far it is."""
        for file in self.generations:
            file.recorded = (file.lines_read, file.read_in)
            for line in file.lines:
                line.unrecorded = 0

    def collector_killed(self) -> None:
        """What was printed since the last record comes again."""
        for file in self.generations:
            file.position, file.read_in = file.recorded
            file.lines_read = file.position
            for line in file.lines:
                line.more += line.unrecorded
                line.unrecorded = 0
        self.pieces_allowed += self.pieces

    # -- the promise -------------------------------------------------------------------------------

    def missing(self, file: Generation) -> list[bytes]:
        """The lines of one file that had to come and did not."""
        return [line.text for line in file.lines if not line.printed and self.must(file, line)]

    def must(self, file: Generation, line: Line) -> bool:
        return file.must(line, copied=self.copied)


def _message(text: bytes) -> str:
    return text.removesuffix(b"\r").decode("utf-8", "replace")
