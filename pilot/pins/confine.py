"""Opens a file set's folder so that nobody's symlink, rename or mount leads anywhere else."""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pilot.model import FileSet

DIRECTORY = os.O_DIRECTORY | os.O_CLOEXEC


class FolderMissingError(Exception):
    """The file set's folder is not there."""


class RefusedError(Exception):
    """The file set's folder may not be read; the text says why."""


@contextmanager
def open_folder(
    file_set: FileSet, on_node: Callable[[str], Path], forbids: Callable[[str], str | None]
) -> Iterator[int]:
    """A descriptor of the file set's folder, for this context only.

    In a mount no symlink is followed, not even on the way to its source: a tenant may have made
    one there. The runtime's own folders are opened as the runtime names them. What was opened is
    judged by `forbids`, as is the folder that a bind mount in its place really shows.

    Raises FolderMissingError, RefusedError or OSError.
    """
    with ExitStack() as opened:
        try:
            descriptor = _open(file_set, on_node, opened)
            for place in _places(descriptor) if file_set.inside else ():
                if why := forbids(place):
                    raise RefusedError(why)
            listable = os.open(".", os.O_RDONLY | DIRECTORY, dir_fd=descriptor)
            opened.callback(os.close, listable)
        except FileNotFoundError as error:
            raise FolderMissingError(file_set.directory) from error
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise RefusedError(
                    f"{file_set.directory} is, or is reached through, a symlink or a file: not "
                    "followed; name the real path in the mount"
                ) from error
            raise
        yield listable


def _open(file_set: FileSet, on_node: Callable[[str], Path], opened: ExitStack) -> int:
    ours = not file_set.inside  # The runtime's own log, whose folder the runtime named.
    start = on_node(file_set.root if ours else "/")
    descriptor = os.open(start, os.O_PATH | DIRECTORY)
    opened.callback(os.close, descriptor)
    path = file_set.folder if ours else file_set.directory
    for part in filter(None, path.split("/")):
        if part == "..":
            raise RefusedError(f"{file_set.directory} leads upwards")
        descriptor = os.open(part, os.O_PATH | DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
        opened.callback(os.close, descriptor)
    return descriptor


def _places(descriptor: int) -> Iterator[str]:
    """Where an open folder is: its path and, behind bind mounts, what they show; proc(5)."""
    path = Path(f"/proc/self/fd/{descriptor}").readlink()
    yield str(path)
    mounts = [line.split(" ") for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    info = Path(f"/proc/self/fdinfo/{descriptor}").read_text()
    mount_id = next(line.split()[1] for line in info.splitlines() if line.startswith("mnt_id:"))
    mount = next((fields for fields in mounts if fields[0] == mount_id), None)
    if not mount or mount[3] == "/":
        return
    below = path.relative_to(_unescaped(mount[4]))
    for fields in mounts:
        if fields[2] == mount[2] and fields[3] == "/":  # The same filesystem, from its top.
            yield str(Path(_unescaped(fields[4])) / _unescaped(mount[3]).lstrip("/") / below)


def _unescaped(field: str) -> str:
    """A path in mountinfo, where white space and backslashes are octal escapes."""
    return (
        field.encode("utf-8", "surrogateescape")
        .decode("unicode_escape")
        .encode("latin-1", "replace")
        .decode("utf-8", "surrogateescape")
    )
