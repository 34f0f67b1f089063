"""Which folders of a volume can hold what a pattern names: its folders' globs, one by one."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pilot.pins.confine import RefusedError
from pilot.pins.tree import NotFollowedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilot.pins.expand import View
    from pilot.pins.tree import Names

ANY = "**"
GLOB = re.compile(r"[*?\[]")
REST = "…"  # the name under which it is said that something is left out


def split(pattern: str) -> tuple[list[str], str]:
    """The patterns of the folders and that of the file; `**` at the end is any file below."""
    folders = pattern.split("/")
    last = folders.pop()
    if last == ANY:
        folders, last = [*folders, ANY], "*"
    shorter = [each for at, each in enumerate(folders) if folders[at : at + 2] != [ANY, ANY]]
    return shorter, last


def plan(view: View, patterns: list[str]) -> dict[Names, str]:
    """Each folder that can hold matches: its real place, and how the pattern names it.

    `**` follows no links, so it ends. One folder at a time is open. A folder that several names
    lead to is told once, by its own name if the pattern has that too.
    """
    planned: dict[Names, str] = {}
    todo = [_Step(view.base.where, "", 0, 0)]
    seen: set[tuple[Names, int, int]] = set()
    while todo and not view.late():
        step = todo.pop()
        if (step.where, step.at, step.depth) in seen:
            continue
        if len(seen) >= view.limits.folders:
            view.refused[REST] = (
                f"the pattern leads through more than {view.limits.folders} folders; "
                "what the rest holds is not collected"
            )
            break
        seen.add((step.where, step.at, step.depth))
        if step.at < len(patterns):
            todo += _below(view, step, patterns[step.at])
        else:
            planned.setdefault(step.where, step.written)
    return planned


@dataclass(frozen=True, slots=True)
class _Step:
    where: Names
    written: str
    at: int  # in the patterns
    depth: int  # folders that the `**` at that place took so far

    def into(self, name: str, where: Names, depth: int = 0) -> _Step:
        written = f"{self.written}/{name}" if self.written else name
        return _Step(where, written, self.at if depth else self.at + 1, depth)


def _below(view: View, step: _Step, pattern: str) -> list[_Step]:
    """Where one part of the pattern leads from a folder; what is to be seen first comes last."""
    try:
        folder = view.list_folder(step.where)
        try:
            if pattern == ANY:
                return _anywhere(view, step, folder)
            if not GLOB.search(pattern):
                return list(_through(view, step, folder, [pattern]))
            match = re.compile(fnmatch.translate(pattern)).match
            links = view.names(folder, lambda each: each.is_symlink() and bool(match(each.name)))
            names = view.names(folder, lambda each: _is_folder(each) and bool(match(each.name)))
            return [
                *_through(view, step, folder, sorted(links, reverse=True)),
                *(step.into(name, (*step.where, name)) for name in sorted(names, reverse=True)),
            ]
        finally:
            os.close(folder)
    except FileNotFoundError:
        pass
    except RefusedError as error:
        view.refused[step.written] = str(error)
    except OSError as error:
        view.failed[step.written] = str(error.strerror)
    return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _anywhere(view: View, step: _Step, folder: int) -> list[_Step]:
    """`**`: this folder itself, and all below it."""
    names = sorted(view.names(folder, _is_folder), reverse=True)
    steps = [step.into(name, (*step.where, name), step.depth + 1) for name in names]
    if steps and step.depth >= view.limits.depth:
        view.refused[REST] = (
            f"'**' takes {view.limits.depth} folders, one in the other; what lies deeper is not "
            "collected"
        )
        steps = []
    return [*steps, _Step(step.where, step.written, step.at + 1, 0)]


def _through(view: View, step: _Step, folder: int, names: list[str]) -> Iterator[_Step]:
    """The folders that names mean which may be links."""
    for name in names:
        if view.late():
            return
        below = step.into(name, ())
        try:
            found = view.volume.tree.find(name, at=step.where, start=folder)
            os.close(found.descriptor)
            if stat.S_ISDIR(found.status.st_mode):
                yield replace(below, where=found.where)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except NotFollowedError as error:
            view.refused[below.written] = str(error)
        except OSError as error:
            view.failed[below.written] = str(error.strerror)
