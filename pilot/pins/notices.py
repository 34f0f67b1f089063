"""What the looks at a file set's folder and its pins have to say to whoever declared the log."""

from __future__ import annotations

import heapq
import itertools
import logging
from typing import TYPE_CHECKING

from pilot.model import Code, Rejection, shorten
from pilot.pins.confine import FolderMissingError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilot.model import Log
    from pilot.pins.record import PinSet

WARN_EVERY = 60.0  # seconds between two warnings about one set
DISTRUST = 10.0  # seconds for which a folder that was refused is not given to a collector

NAMED = 20  # files of one set that are named one by one
TRUNCATED = (
    "it became shorter in place, as copytruncate does: what was written between its last reading"
    " and that moment may be lost, and a copy that matches too is read as well; rotate by renaming"
)
PAUSED = (
    "its copies wait, because it holds what is allowed or a filesystem is nearly full: what is"
    " written now is read later, and lost if the file is deleted before"
)

log = logging.getLogger(__name__)


def note_problem(kept: PinSet, error: Exception, now: float) -> None:
    """Remember why a look at a file set's folder failed; a new reason goes into the log."""
    if isinstance(error, FolderMissingError):
        when = "any more" if kept.stamps or kept.pins else "yet"
        problem = f"there is no folder {shorten(kept.file_set.directory, 200)} {when}"
        kept.miss_all(now)
    elif isinstance(error, RefusedError):
        problem = str(error)
    else:
        problem = f"{shorten(kept.file_set.directory, 200)} cannot be read: {error}"
    if problem != kept.problem:
        calm = kept.ended or now - kept.warned < WARN_EVERY  # It may be a tenant's to change.
        kept.warned = kept.warned if calm else now
        log.log(
            logging.DEBUG if calm else logging.WARNING,
            "file set %s: %s",
            kept.file_set.name,
            problem,
        )
    kept.problem, kept.stamps, kept.confirmed = problem, {}, False
    kept.forbidden = problem if isinstance(error, RefusedError) else ""
    if kept.forbidden:
        kept.distrusted = now + DISTRUST
    if not isinstance(error, FolderMissingError):  # A deleted folder's files may still be read.
        kept.folders = ()
    kept.sum_up()


def notices(kept: PinSet, declared: Log) -> list[Rejection]:
    """What the last looks did not take, or could not take exactly, of one log."""
    if kept.forbidden:
        return [
            Rejection(
                code=Code.FOLDER_REFUSED,
                key=declared.key,
                log=declared.name,
                reason=kept.forbidden,
            )
        ]
    found = [*itertools.islice(_about_files(kept), NAMED)]
    if kept.missed:
        found.append((Code.FILES_MISSED, "", kept.missed))
    if kept.over:
        found.append((Code.ALLOWANCE, "", kept.over))
    if kept.paused:
        found.append((Code.ALLOWANCE, "", PAUSED))
    return [
        Rejection(
            code=code,
            key=declared.key,
            log=declared.name,
            value=shorten(name),
            reason=why,
            notice=True,
        )
        for code, name, why in found
    ]


def _about_files(kept: PinSet) -> Iterator[tuple[Code, str, str]]:
    for name in kept.truncated:
        yield Code.FILE_TRUNCATED, name, TRUNCATED
    for name, owner in heapq.nsmallest(NAMED, kept.doubles.items()):
        yield Code.FILE_CLAIMED, name, f"it is already collected as part of file set {owner}"
    for name, first in heapq.nsmallest(NAMED, kept.further.items()):
        yield Code.FILE_CLAIMED, name, f"it is the same file as {shorten(first)!r}, collected once"
    for name, why in heapq.nsmallest(NAMED, kept.refused.items()):
        yield Code.FILE_REFUSED, name, why
