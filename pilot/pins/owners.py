"""Which file set owns which file: one pin per inode, whoever's names match it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pilot.names import FileKey


class Owners:
    """Files by device and inode. Changed by the one loop only; workers ask `in` (one dict lookup).

    A set that nobody declares any more owns nothing, though it may keep pins: then its files are
    free for other sets that name them, and whoever takes one makes the old pin pointless.
    """

    def __init__(self) -> None:
        self._owners: dict[FileKey, str] = {}
        self._kept: dict[FileKey, list[str]] = {}  # pins of sets that nobody declares: file → sets
        self._wanting: dict[str, set[str]] = {}  # owner → sets that name a file of its, too

    def __contains__(self, key: object) -> bool:
        return key in self._owners

    def take(self, key: FileKey, name: str) -> bool:
        """Make a set own a file; False if another one does."""
        if self._owners.setdefault(key, name) != name:
            return False
        self._keep_no_more(key, name)
        return True

    def drop(self, key: FileKey, name: str) -> bool:
        """Nobody owns this file, if that set did; nor does it keep a pin of it."""
        if owned := self._owners.get(key) == name:
            del self._owners[key]
        self._keep_no_more(key, name)
        return owned

    def wanting(self, name: str) -> set[str]:
        """The sets that wanted files of an owner, which are to look now; once."""
        return self._wanting.pop(name, set())

    def _keep_no_more(self, key: FileKey, name: str) -> None:
        if name in (keeping := self._kept.get(key, [])):
            keeping.remove(name)
            if not keeping:
                del self._kept[key]

    def leave(self, keys: Iterable[FileKey], name: str) -> set[str]:
        """A set that is left keeps pins, owns nothing; returns the sets that wanted its files."""
        for key in keys:
            self.drop(key, name)
            self._kept.setdefault(key, []).append(name)
        return self.wanting(name)

    def kept_by(self, key: FileKey) -> list[str]:
        """The sets that keep a pin of a file without owning it."""
        return list(self._kept.get(key, ()))

    def pins_of(self, key: FileKey) -> int:
        """How many pins of ours one file has: so many of its names are not its original's."""
        return max(1, (key in self._owners) + len(self._kept.get(key, ())))

    def others(self, files: Mapping[FileKey, str], name: str) -> dict[str, str]:
        """Of the files that a set names, those that another owns: file name → owner."""
        found = {
            file: owner
            for key, file in files.items()
            if (owner := self._owners.get(key, name)) != name
        }
        for owner in found.values():
            self._wanting.setdefault(owner, set()).add(name)
        return found
