"""What is wanted in the config directory, and making it so: one changed container at a time."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pilot.fields import fields
from pilot.handover import Fragment, Input
from pilot.piloters import PiloterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pilot.configdir import ConfigDirectory
    from pilot.model import Container, Log
    from pilot.piloters import Piloter
    from pilot.pins.record import Place
    from pilot.settings import Settings

log = logging.getLogger(__name__)


def inputs_of(
    container: Container,
    logs: Iterable[Log],
    settings: Settings,
    places: Mapping[str, Place],
) -> list[Input]:
    """The inputs that the logs of a container need; without a place a set is left out for now."""
    made = []
    for declared in logs:
        shared = fields(container, declared, settings.node_name)
        for file_set in declared.file_sets:
            if not (where := places.get(file_set.name)):
                continue
            base, shown = file_set.directory, file_set.inside or file_set.directory
            if not where.pins and file_set.mounted_at:  # A folder glob or a link may lead anywhere.
                base, shown = file_set.root, file_set.mounted_at
            made += [
                Input(
                    file_set=file_set,
                    stream=stream,
                    treatment=declared.treatment,
                    pins=settings.for_collector(where.pins) if where.pins else None,
                    folders=tuple(settings.for_collector(each) for each in where.folders),
                    base=settings.for_collector(base),
                    shown=shown,
                    mounted=where.mounted,
                    fields=shared,
                )
                for stream in declared.streams(file_set)
            ]
    return made


class Fragments:
    """The fragments of all containers and the directory that holds them. Used by the loop only."""

    def __init__(self, piloter: Piloter, directory: ConfigDirectory) -> None:
        """Keep this directory equal to what this piloter makes of the fragments."""
        self._piloter, self._directory = piloter, directory
        self.wanted: dict[str, Fragment] = {}
        self.unwritten: set[str] = set()  # containers whose change could not be written yet
        self._unmade: dict[str, str] = {}  # those of them for which nothing can be made, and why
        self.problem = ""
        self.writes = 0

    def want(self, container: Container, inputs: Sequence[Input]) -> bool:
        """Want what these inputs need for a container; whether a byte changed on disk."""
        if inputs:
            try:
                self.wanted[container.id] = self._piloter.render(container, inputs)
            except PiloterError as error:
                why = f"no config can be made for container {container.name}: {error}"
                self._unmade[container.id] = why
                self.unwritten.add(container.id)
                self._say(why)
                return False
        elif self.wanted.pop(container.id, None) is None and container.id not in self.unwritten:
            return False
        self._unmade.pop(container.id, None)
        return self._write({container.id})

    def retry(self) -> None:
        """Write again what could not be written."""
        if changed := self.unwritten - self._unmade.keys():
            self._write(changed)

    def repair(self) -> None:
        """Write again what somebody else removed or changed."""
        if self._directory.forget_altered():
            self._write(set(self.wanted))

    def _write(self, changed: set[str]) -> bool:
        touched, problem = False, ""
        for name, content in self._piloter.files(changed, self.wanted).items():
            try:
                if content is None:
                    made = self._directory.remove(name)
                else:
                    made = self._directory.write(name, content)
            except (OSError, ValueError) as error:  # Others' files may still be possible.
                problem = problem or f"cannot write in {self._directory.folder}: {error}"
                continue
            if made:
                touched = True
                self.writes += 1
                verb = "removed" if content is None else "wrote"
                log.info("%s %s", verb, self._directory.folder / name)
        if problem:
            self.unwritten |= changed
            self._say(problem)
            return touched
        self.unwritten -= changed - self._unmade.keys()
        if self.unwritten <= self._unmade.keys():
            self._say(next(iter(self._unmade.values()), ""))
        return touched

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        try:
            self._directory.sync()
        except OSError as error:
            log.warning("cannot sync %s: %s", self._directory.folder, error)

    def remove_strangers(self, but: Iterable[str] = ()) -> None:
        """Remove files of ours that no container wants, once a full list has been looked at.

        `but` are containers that could not be looked at: theirs stay.
        """
        wanted = set(self._piloter.files({*self.wanted, *but}, self.wanted))
        for name in self._directory.names():
            if name not in wanted:
                try:
                    self._directory.remove(name)
                    log.info("removed %s: no container wants it", self._directory.folder / name)
                except OSError as error:
                    log.error("cannot remove %s: %s", name, error)

    def _say(self, problem: str) -> None:
        if problem and problem != self.problem:
            log.error("%s; the last good files stay, trying again", problem)
        elif self.problem and not problem:
            log.info("writing in %s works again", self._directory.folder)
        self.problem = problem
