"""Compares pins with what the collector says it has read. Runs on a worker thread."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot.model import PinKind
from pilot.pins.copying import punch

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
    scarce: bool = False  # its copies pause: also little of what was read is worth giving back


@dataclass(frozen=True, slots=True)
class Asked:
    """One pin that is asked for: what `Pin.asked_as` says, and more.

    `end` is how much of a direct file can be read.
    """

    name: str
    kind: PinKind
    key: FileKey
    end: int = 0
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
                Asked(pin.asked_as, pin.kind, pin.key, max(0, pin.end), pin.file)
                for pin in kept.pins.values()
            )
            if kept.root:
                folder = f"{kept.root.path}/{name}"
                there = self._settings.on_node(folder)
                seen = self._settings.for_collector(folder)
                yield Question(kept.file_set, there, seen, pins, scarce=kept.full)
            else:
                yield Question(kept.file_set, None, "", pins)


def survey(
    questions: Sequence[Question],
    progress: Callable[[Collection[str]], Mapping[tuple[str, str], int]],
    readable_end: Callable[[Path, FileSet], int],
) -> Answers:
    """File set → pin → its state, None if it is not there; one that cannot be read is missing.

    Raises OSError where the collector's records cannot be read: then nothing is known.

    A pin that the collector has never heard of counts as wholly unread. Of a copy what was read is
    given back to the disk.
    """
    read = progress([question.file_set.name for question in questions])
    answers: Answers = {}
    for question in questions:
        name = question.file_set.name
        found = answers.setdefault(name, {})
        for asked in question.pins:
            if question.folder is None:
                unread = max(0, asked.end - read.get((name, asked.name), 0))
                found[asked.name] = Answer(unread, 1, asked.end, 0)
                continue
            offset = read.get((name, f"{question.collector_folder}/{asked.name}"), 0)
            try:
                found[asked.name] = _answer(
                    question.folder / (asked.file or asked.name),
                    asked,
                    offset,
                    question.file_set,
                    readable_end,
                    worth=PUNCH_SCARCE if question.scarce else PUNCH_AT_ONCE,
                )
            except FileNotFoundError:
                found[asked.name] = None
            except OSError:
                continue  # Nothing is known of it, and the others go on.
    return answers


def _answer(
    path: Path,
    asked: Asked,
    offset: int,
    file_set: FileSet,
    readable_end: Callable[[Path, FileSet], int],
    *,
    worth: int,
) -> Answer:
    status = path.stat(follow_symlinks=False)
    end = status.st_size
    if offset > end:
        offset = 0  # It was truncated: a collector begins anew when it notices.
    if offset < end:
        end = readable_end(path, file_set)
    on_disk = status.st_blocks * 512
    if asked.kind is PinKind.COPIED and on_disk - (status.st_size - offset) >= worth:
        punch(path, offset)
        status = path.stat(follow_symlinks=False)  # The mtime may have changed by it.
        on_disk = status.st_blocks * 512
    return Answer(
        max(0, end - offset), status.st_nlink, status.st_size, status.st_mtime_ns, on_disk
    )
