"""Compares pins with what the collector says it has read. Runs on a worker thread."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from pilot.model import FileSet
    from pilot.piloters import Piloter
    from pilot.pins.record import PinSet
    from pilot.settings import Settings
    from pilot.workers import Workers

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """One file set's pins: where the pilot and the collector find them, and their names."""

    file_set: FileSet
    folder: Path
    collector_folder: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One pin, as it is now."""

    unread: int  # bytes that the collector will still read
    links: int  # st_nlink: 1 when only the pin is left
    size: int
    modified: int  # ns; compared, never computed with


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
        self.problem = ""  # why the collector's records cannot be read

    def ask(
        self,
        sets: Mapping[str, PinSet],
        names: Collection[str],
        then: Callable[[str, Survey], None],
    ) -> None:
        """Have `then(file set, survey)` called on the loop for the sets that matter.

        Those are the named ones and all that have a pin whose original may be gone.
        """
        if self._asking or not (questions := list(self._questions(sets, names))):
            return
        self._asking, asked = True, self._now()
        progress, end = self._piloter.progress, self._piloter.readable_end

        def answered(result: Answers | Exception) -> None:
            self._asking = False
            problem = str(result) if isinstance(result, Exception) else ""
            if problem and not self.problem:
                log.warning("the collector's records cannot be read: %s", problem)
            self.problem = problem
            if isinstance(result, Exception):
                return
            for each in questions:
                name = each.file_set.name
                then(name, Survey(asked, result.get(name, {})))

        self._workers.submit(lambda: survey(questions, progress, end), answered)

    def _questions(self, sets: Mapping[str, PinSet], names: Collection[str]) -> Iterator[Question]:
        for name, kept in sets.items():
            if not kept.root or not kept.pins:
                continue
            if kept.waiting or name in names:
                folder = f"{kept.root.path}/{name}"
                yield Question(
                    kept.file_set,
                    self._settings.on_node(folder),
                    self._settings.for_collector(folder),
                    tuple(pin.name for pin in kept.pins.values()),
                )


def survey(
    questions: Sequence[Question],
    progress: Callable[[Collection[str]], Mapping[tuple[str, str], int]],
    readable_end: Callable[[Path, FileSet], int],
) -> Answers:
    """File set → pin → its state, None if it is not there; one that cannot be read is missing.

    Raises OSError where the collector's records cannot be read: then nothing is known.

    A pin that the collector has never heard of counts as wholly unread.
    """
    read = progress([question.file_set.name for question in questions])
    answers: Answers = {}
    for question in questions:
        found = answers.setdefault(question.file_set.name, {})
        for name in question.names:
            path = question.folder / name
            offset = read.get((question.file_set.name, f"{question.collector_folder}/{name}"), 0)
            try:
                status = path.stat(follow_symlinks=False)
                end = status.st_size
                if offset < end:
                    end = readable_end(path, question.file_set)
            except FileNotFoundError:
                found[name] = None
                continue
            except OSError:
                continue  # Nothing is known of it, and the others go on.
            found[name] = Answer(
                max(0, end - offset), status.st_nlink, status.st_size, status.st_mtime_ns
            )
    return answers
