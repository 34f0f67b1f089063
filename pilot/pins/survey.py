"""Compares pins with what the collector says it has read. Runs on a worker thread."""

from __future__ import annotations

import logging
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


class Surveyor:
    """Asks one survey at a time. Used by the one loop only."""

    def __init__(self, settings: Settings, workers: Workers, piloter: Piloter) -> None:
        """Ask this piloter, on these workers."""
        self._settings, self._workers, self._piloter = settings, workers, piloter
        self._asking = False
        self.problem = ""  # why the collector's records cannot be read

    def ask(
        self,
        sets: Mapping[str, PinSet],
        names: Collection[str],
        then: Callable[[str, Mapping[str, Answer]], None],
    ) -> None:
        """Have `then(file set, pin → answer)` called on the loop for the sets that matter.

        Those are the named ones and all that have a pin whose original may be gone.
        """
        if self._asking or not (questions := list(self._questions(sets, names))):
            return
        self._asking = True
        progress, end = self._piloter.progress, self._piloter.readable_end

        def answered(result: dict[str, dict[str, Answer]] | Exception) -> None:
            self._asking = False
            problem = str(result) if isinstance(result, Exception) else ""
            if problem and not self.problem:
                log.warning("the collector's records cannot be read: %s", problem)
            self.problem = problem
            if isinstance(result, Exception):
                return
            for name, answers in result.items():
                then(name, answers)

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
) -> dict[str, dict[str, Answer]]:
    """File set → pin → its state; a pin that vanished or cannot be read is missing.

    Raises OSError where the collector's records cannot be read: then nothing is known.

    A pin that the collector has never heard of counts as wholly unread.
    """
    read = progress([question.file_set.name for question in questions])
    answers: dict[str, dict[str, Answer]] = {}
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
            except OSError:
                continue  # Wiped, or unreadable: nothing is known, and the others go on.
            found[name] = Answer(
                max(0, end - offset), status.st_nlink, status.st_size, status.st_mtime_ns
            )
    return answers
