"""What is to be seen of file sets on this machine, for an explanation without a daemon."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

from pilot.explaining import MOST_FILES, KnownFile, KnownSet
from pilot.model import shorten
from pilot.pins.confine import FolderMissingError, RefusedError
from pilot.pins.expand import look_into
from pilot.pins.roots import USUAL
from pilot.wiring import forbids

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from pilot.model import Container, FileSet, Log
    from pilot.pins.expand import Match, View
    from pilot.policy import Policy
    from pilot.settings import Settings


def known_sets(
    container: Container,
    logs: Sequence[Log],
    owners: Mapping[str, Container],
    *,
    settings: Settings,
    policy: Policy,
) -> dict[str, KnownSet]:
    """File set → what is in its folder here, or which other container of the file has it."""
    made = {}
    for log in logs:
        for one in log.file_sets:
            if owner := owners.get(one.name):
                made[one.name] = KnownSet(owner=f"{owner.name} ({owner.id[:12]})")
            else:
                made[one.name] = _look(container, one, settings=settings, policy=policy)
    return made


def _look(
    container: Container, file_set: FileSet, *, settings: Settings, policy: Policy
) -> KnownSet:
    """What is in a file set's folder on this machine, if the folder is here."""

    def forbidden(really: str) -> str | None:
        return forbids(policy, settings, file_set, really)

    try:
        with look_into(file_set, settings.on_node, forbidden) as view:
            files = [
                (_path(container, file_set, one), _really(file_set, one), one.status)
                for folder in view.folders()
                for one in view.matches(folder)
            ]
            return KnownSet(
                files=tuple(
                    _file(path, really, status, settings=settings)
                    for path, really, status in files[:MOST_FILES]
                ),
                files_found=len(files),
                refused={shorten(name): why for name, why in view.refused.items()},
                problem=_failed(view),
            )
    except (FolderMissingError, PermissionError):
        # Whose machine this is and who asks says nothing of the node.
        where = shorten(file_set.directory, 200)
        return KnownSet(note=f"this user sees no folder {where} on this machine: no file is known")
    except RefusedError as error:
        return KnownSet(problem=str(error))
    except OSError as error:
        where = shorten(file_set.directory, 200)
        return KnownSet(problem=f"{where} cannot be read: {error.strerror}")


def _failed(view: View) -> str:
    return "; ".join(f"{shorten(name)}: {why}" for name, why in sorted(view.failed.items())[:5])


def _really(file_set: FileSet, found: Match) -> str:
    """Where a link led, on the node; "" where the name that matched is the file's own."""
    written = posixpath.join(file_set.folder, found.name)
    linked = file_set.mounted_at and written != found.where
    return posixpath.join(file_set.root, found.where) if linked else ""


def _path(container: Container, file_set: FileSet, found: Match) -> str:
    """A file as the container knows it; the runtime's log as the node does."""
    if not file_set.inside:
        return posixpath.join(file_set.root, found.where)
    if file_set.mounted_at:
        return posixpath.join(file_set.inside, found.name)
    source = posixpath.join(file_set.root, found.where)
    single = [mount.destination for mount in container.mounts if mount.source == source]
    return single[0] if single else posixpath.join(file_set.inside, found.where)


def _file(path: str, really: str, status: os.stat_result, *, settings: Settings) -> KnownFile:
    """How it would be pinned, as far as the filesystems of this machine tell."""
    if not settings.pin:
        why = "would be read under its own name"
    else:
        parents = {settings.on_node(str(Path(r).parent)) for r in settings.pin_roots or USUAL}
        near = any(each.is_dir() and each.stat().st_dev == status.st_dev for each in parents)
        why = "would be linked" if near else "would be copied: no pin folder is on its filesystem"
    return KnownFile(path=path, size=status.st_size, why=why, really=really)
