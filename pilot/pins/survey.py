"""Compares pins with what the collector says it has read. Runs on a worker thread."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot.handover import input_id
from pilot.model import PinKind
from pilot.pins.copying import punch
from pilot.treatment import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from pilot.model import FileSet
    from pilot.names import FileKey
    from pilot.piloters import Piloter
    from pilot.pins.record import PinSet
    from pilot.settings import Settings
    from pilot.workers import Workers

STALLED = 10.0  # seconds without an acknowledgement after which the output counts as blocked
PUNCH_AT_ONCE = 16 << 20  # bytes of a copy that were read and are still on disk, worth a call
PUNCH_SCARCE = 64 << 10  # the same while copies pause; more than the end that always stays

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """One file set's pins: where the pilot and the collector find them, and what is known of them.

    In direct mode there is no folder, and what a look saw of the originals is all there is.
    """

    file_set: FileSet
    folder: Path | None
    collector_folder: str
    pins: tuple[Asked, ...]
    streams: tuple[Stream, ...] = (Stream.ALL,)  # each is read by an input of its own
    scarce: bool = False  # its copies pause: also little of what was read is worth giving back


@dataclass(frozen=True, slots=True)
class Asked:
    """One pin that is asked for: what `Pin.asked_as` says, and more.

    `ends` is how much of a direct file each input can read.
    """

    name: str
    kind: PinKind
    key: FileKey
    ends: tuple[int, ...] = ()
    file: str = ""  # where it lies below the folder, if not under its name


@dataclass(frozen=True, slots=True)
class Answer:
    """One pin, as it is now."""

    unread: int  # bytes that the collector will still read
    links: int  # st_nlink: 1 when only the pin is left
    size: int
    modified: int  # ns; compared, never computed with
    on_disk: int = 0  # bytes


@dataclass(frozen=True, slots=True)
class Survey:
    """What came back for one file set."""

    asked: float  # monotonic time; what happened later is not in it
    answers: Mapping[str, Answer | None]  # by pin; None: it is not there; missing: unknown


Answers = dict[str, dict[str, Answer | None]]


class Surveyor:
    """Asks one survey at a time. Used by the one loop only."""

    def __init__(
        self,
        settings: Settings,
        workers: Workers,
        piloter: Piloter,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask this piloter, on these workers."""
        self._now = monotonic
        self._settings, self._workers, self._piloter = settings, workers, piloter
        self._asking = False
        self._missed: set[str] = set()  # asked for while a survey was under way
        self._pulse, self._moved = -1, monotonic()
        self._unread = False
        self.problem = ""  # why the collector's records cannot be read

    @property
    def blocked(self) -> bool:
        """Whether something is unread and the collector has acknowledged nothing for a while.

        Then its output is blocked, or it does not run: nobody's lines get on.
        """
        return self._unread and self._now() - self._moved >= STALLED

    def ask(
        self,
        sets: Mapping[str, PinSet],
        names: Collection[str],
        then: Callable[[str, Survey], None],
    ) -> None:
        """Have `then(file set, survey)` called on the loop for the sets that matter.

        Those are the named ones, all that have a pin whose original may be gone, and all copies.
        """
        if self._asking:
            self._missed.update(names)
            return
        names, self._missed = {*names, *self._missed}, set()
        if not (questions := list(self._questions(sets, names))):
            self._unread = False
            return
        self._asking, asked = True, self._now()
        piloter = self._piloter

        def work() -> tuple[Answers, int]:
            found = survey(questions, piloter.progress, piloter.readable_end)
            return found, piloter.pulse()

        def answered(result: tuple[Answers, int] | Exception) -> None:
            self._asking = False
            problem = str(result) if isinstance(result, Exception) else ""
            if problem and not self.problem:
                log.warning("the collector's records cannot be read: %s", problem)
            self.problem = problem
            if isinstance(result, Exception):
                return
            answers, pulse = result
            if pulse != self._pulse:
                self._pulse, self._moved = pulse, self._now()
            self._unread = any(
                answer and answer.unread
                for name, found in answers.items()
                if (kept := sets.get(name)) and kept.tended  # Of others nothing is ever read.
                for answer in found.values()
            )
            for each in questions:
                name = each.file_set.name
                then(name, Survey(asked, answers.get(name, {})))

        self._workers.submit(work, answered)

    def _questions(self, sets: Mapping[str, PinSet], names: Collection[str]) -> Iterator[Question]:
        for name, kept in sets.items():
            if not kept.pins or not (kept.notable or name in names):
                continue
            pins = tuple(
                Asked(pin.asked_as, pin.kind, pin.key, pin.ends, pin.file)
                for pin in kept.pins.values()
            )
            if kept.root:
                folder = f"{kept.root.path}/{name}"
                there = self._settings.on_node(folder)
                seen = self._settings.for_collector(folder)
                yield Question(
                    kept.file_set, there, seen, pins, streams=kept.streams, scarce=kept.full
                )
            else:
                yield Question(kept.file_set, None, "", pins, streams=kept.streams)


def survey(
    questions: Sequence[Question],
    progress: Callable[[Collection[str]], Mapping[tuple[str, str], int]],
    readable_end: Callable[[Path, FileSet, Stream], int],
) -> Answers:
    """File set → pin → its state, None if it is not there; one that cannot be read is missing.

    Raises OSError where the collector's records cannot be read: then nothing is known.

    A pin that the collector has never heard of counts as wholly unread, and one of which some input
    has not read its stream to the end as unread by that. Of a copy what all have read is given back
    to the disk.
    """
    read = progress(
        [input_id(each.file_set.name, stream) for each in questions for stream in each.streams]
    )
    answers: Answers = {}
    for question in questions:
        name = question.file_set.name
        ids = [input_id(name, stream) for stream in question.streams]
        found = answers.setdefault(name, {})
        for asked in question.pins:
            if question.folder is None:
                found[asked.name] = _direct(asked, [read.get((id_, asked.name), 0) for id_ in ids])
                continue
            file = f"{question.collector_folder}/{asked.name}"
            offsets = [read.get((id_, file), 0) for id_ in ids]
            try:
                path = question.folder / (asked.file or asked.name)
                found[asked.name] = _answer(path, question, asked, offsets, readable_end)
            except FileNotFoundError:
                found[asked.name] = None
            except OSError:
                continue  # Nothing is known of it, and the others go on.
    return answers


def _direct(asked: Asked, offsets: Sequence[int]) -> Answer:
    ends = asked.ends or (0,)
    # While somebody writes the ends are not asked for: then there is one for all.
    unread = max(ends[min(at, len(ends) - 1)] - offset for at, offset in enumerate(offsets))
    return Answer(max(0, unread), 1, max(ends), 0)


def _answer(
    path: Path,
    question: Question,
    asked: Asked,
    offsets: Sequence[int],
    readable_end: Callable[[Path, FileSet, Stream], int],
) -> Answer:
    status = path.stat(follow_symlinks=False)
    # Beyond the end, it was truncated: a collector begins anew when it notices.
    size, unread, done = status.st_size, 0, status.st_size
    for stream, read in zip(question.streams, offsets, strict=True):
        offset = read if read <= size else 0
        end = size if offset == size else readable_end(path, question.file_set, stream)
        unread, done = max(unread, end - offset), min(done, offset)
    on_disk = status.st_blocks * 512
    worth = PUNCH_SCARCE if question.scarce else PUNCH_AT_ONCE
    if asked.kind is PinKind.COPIED and on_disk - (size - done) >= worth:
        punch(path, done)
        status = path.stat(follow_symlinks=False)  # The mtime may have changed by it.
        on_disk = status.st_blocks * 512
    return Answer(unread, status.st_nlink, status.st_size, status.st_mtime_ns, on_disk)
