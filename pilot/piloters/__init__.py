"""Piloters render what a collector needs: each one module, one template, one entry point."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol

from pilot.treatment import Stream

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from pilot.handover import Command, Fragment, Input
    from pilot.model import Container, FileSet, Log, Rejection
    from pilot.settings import Settings
    from pilot.treatment import Feature

ENTRY_POINTS = "pilot.piloters"


class PiloterError(Exception):
    """A setting of the collector is unusable. Said to a person, before anything is written."""


class Piloter(Protocol):
    """One kind of collector: pure where it can be, honest about what its collector cannot do."""

    name: str
    directory: Path  # the folder that is made equal to the wanted files; the pilot's own view
    suffix: str  # what the collector matches there; other files are left alone

    # What this collector cannot do, and what becomes of a log that asks for it: one sentence. The
    # table in docs/declarations.md is made of this, and `refuse` goes by it.
    cannot: Mapping[Feature, str]

    def refuse(self, log: Log) -> Sequence[Rejection]:
        """What this collector cannot do for a log; empty if it can do everything declared.

        Notices where the log is collected all the same, rendered without it; never so where it
        would ship what was to be held back. `pilot.piloters.cannot.missing` does what follows from
        `cannot`; a piloter adds what depends on values.
        """

    def render(self, container: Container, inputs: Sequence[Input]) -> Fragment:
        """What one container adds to the config. Pure: the same input gives the same bytes."""

    def files(
        self, changed: Collection[str], fragments: Mapping[str, Fragment]
    ) -> Mapping[str, bytes | None]:
        """What to write in `directory` after the containers `changed` did: name → content or None.

        `fragments` are all that are wanted, by container id. A collector with one file each looks
        at `changed` alone, so that one change costs the same among ten thousand containers.
        """

    def prepare(self) -> Mapping[Path, bytes]:
        """Files that must exist before the collector starts; each is written only if it is missing.

        Raises PiloterError for an unusable setting.
        """

    def progress(self, input_ids: Collection[str]) -> Mapping[tuple[str, str], int]:
        """How far the collector is, from its own records: (input id, file) → bytes acknowledged.

        `file` is the pin's path as the collector sees it or, in direct mode, `<inode>-<device>`
        (decimal, st_ino and st_dev). A file that the collector never heard of is missing.
        Raises OSError where the records cannot be read: then nothing counts as read.
        """

    def pulse(self) -> int:
        """A number that changes when the collector acknowledges anything; asked after `progress`.

        It tells an output that is blocked, or a collector that does not run, from a slow one.
        """

    def readable_end(self, file: Path, file_set: FileSet, stream: Stream = Stream.ALL) -> int:
        """The offset at which the input of a stream is done with a file as it is now.

        It may be below the size: collectors do not ship what has no newline yet, for example.
        Raises OSError.
        """

    def command(self) -> Command:
        """How to run the collector as a child of the pilot."""


class CreatePiloter(Protocol):
    """What an entry point in the group `pilot.piloters` names."""

    def __call__(self, settings: Settings) -> Piloter:
        """Make the piloter. Raises PiloterError for an unusable setting."""


def create(name: str, settings: Settings) -> Piloter:
    """Make the piloter of that name. Raises PiloterError for a name that nobody registered."""
    known = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    if name not in known:
        names = ", ".join(sorted(known))
        raise PiloterError(f"PILOT_TYPE {name!r} is not known; known are {names}")
    factory: CreatePiloter = known[name].load()
    return factory(settings)
