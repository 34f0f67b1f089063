"""Threads that note when something appeared, on the monotonic clock: names by rename, lines."""

from __future__ import annotations

import os
import re
import threading
import time
from typing import TYPE_CHECKING, Self

from inotify_simple import INotify, flags

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from pathlib import Path

TOKEN = re.compile(rb"line-[0-9a-z]+(?:-[0-9a-z]+)*")
POLL = 200  # milliseconds until a thread notices that it should end


class Appearances:
    """When each name was first seen since it was last forgotten; fed by one thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._at: dict[str, float] = {}

    def add(self, name: str, at: float) -> None:
        """Note a name, unless it is there."""
        with self._changed:
            self._at.setdefault(name, at)
            self._changed.notify_all()

    def forget(self, name: str) -> None:
        """Wait for its next appearance."""
        with self._changed:
            self._at.pop(name, None)

    def wait(self, names: Collection[str], seconds: float) -> list[float]:
        """The times of these names. AssertionError if one is not there within `seconds`."""

        def there() -> bool:
            return all(name in self._at for name in names)

        with self._changed:
            if not self._changed.wait_for(there, seconds):
                missing = [name for name in names if name not in self._at]
                raise AssertionError(
                    f"not within {seconds:g} s: {len(missing)} of {len(names)}, first {missing[0]}"
                )
            return [self._at[name] for name in names]


class _Watch:
    """One thread that reads one inotify instance while it is entered."""

    def __init__(
        self, folders: Iterable[Path], mask: int, then: Callable[[list[str]], None]
    ) -> None:
        self._inotify = INotify()
        for folder in folders:
            self._inotify.add_watch(str(folder), mask)
        self._then = then
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._inotify.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            if events := self._inotify.read(timeout=POLL):
                self._then([event.name for event in events])


class Renames:
    """Notes when files are renamed into a folder, while it is entered."""

    def __init__(self, folder: Path) -> None:
        self.seen = Appearances()
        folder.mkdir(parents=True, exist_ok=True)
        self._watch = _Watch([folder], flags.MOVED_TO, self._note)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.close()

    def _note(self, names: list[str]) -> None:
        now = time.monotonic()
        for name in names:
            self.seen.add(name, now)


class Pins:
    """Notes when a file is pinned, by its own name, while it is entered."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.seen = Appearances()
        self._watch = _Watch(folders, flags.CREATE | flags.MOVED_TO, self._note)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.close()

    def _note(self, names: list[str]) -> None:
        now = time.monotonic()
        for name in names:
            self.seen.add(name.partition("~")[0], now)  # `<name>~<inode>~<number>`


class Arrivals:
    """Notes when a token (`line-…`) reaches the files of a sink, while it is entered."""

    def __init__(self, folder: Path) -> None:
        self.seen = Appearances()
        self._folder = folder
        self._offsets: dict[str, int] = {}
        folder.mkdir(parents=True, exist_ok=True)
        mask = flags.MODIFY | flags.CREATE | flags.MOVED_TO
        self._watch = _Watch([folder], mask, lambda _: self._read())

    def __enter__(self) -> Self:
        self._read()
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.close()

    def _read(self) -> None:
        with os.scandir(self._folder) as entries:
            names = [entry.name for entry in entries if entry.is_file()]
        for name in names:
            with open(self._folder / name, "rb") as file:
                file.seek(self._offsets.get(name, 0))
                content = file.read()
            now = time.monotonic()
            whole = content[: content.rfind(b"\n") + 1]
            self._offsets[name] = self._offsets.get(name, 0) + len(whole)
            for token in TOKEN.findall(whole):
                self.seen.add(token.decode(), now)
