"""Finds a file again that no name of its file set leads to any more, in the folder where it was."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pilot.pins.confine import RefusedError
from pilot.pins.expand import Match
from pilot.pins.tree import PATH_ONLY, NotFollowedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilot.pins.expand import View


@contextmanager
def seek(view: View, where: str, inode: int) -> Iterator[Match | None]:
    """The file with that inode in the folder of `where`, under any name; None if it is not there.

    It was renamed there, or a link that led to it leads elsewhere now. The folder is judged as any
    other. The descriptor is the context's.
    """
    *folder, name = where.split("/")
    try:
        descriptor = view.list_folder(tuple(folder))
    except (OSError, RefusedError, NotFollowedError):
        yield None
        return
    file = -1
    try:
        others = view.names(descriptor, lambda each: each.inode() == inode)
        found: Match | None = None
        for each in dict.fromkeys((name, *others)):
            try:
                file = os.open(each, PATH_ONLY, dir_fd=descriptor)
            except OSError:
                continue
            status = os.fstat(file)
            if stat.S_ISREG(status.st_mode) and status.st_ino == inode:
                found = Match(each, file, status, "/".join((*folder, each)))
                break
            os.close(file)
            file = -1
        yield found
    finally:
        if file >= 0:
            os.close(file)
        os.close(descriptor)
