"""An attacker: swaps what lies in a volume for links to what does not, as fast as it can.

Each attacker is a process of its own that has what a container's process has: the volume as a mount
in a mount namespace of its own, and no privileges. Run as a program it takes its order as JSON.
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import json
import mmap
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.real.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

TENANT = 65534  # the user and group that attackers and applications run as
EXCHANGE = 2  # RENAME_EXCHANGE, renameat2(2)
NEW_MOUNTS = 0x00020000  # CLONE_NEWNS, unshare(2)
BIND, RECURSIVE, PRIVATE = 0x1000, 0x4000, 0x40000  # mount(2)
COUNTERS = struct.Struct("QQ")  # swaps so far, hard links to foreign files that the kernel allowed
READY, GO, STOP = range(COUNTERS.size, COUNTERS.size + 3)  # bytes behind the counters
SHARED = STOP + 1  # bytes that an attacker's process shares with who started it
BURST = 100  # swaps without a pause
CHAIN = 8  # links from one to the next


@dataclass(frozen=True, slots=True)
class Lure:
    """What takes a name's place: kind is link, chain, loop, fifo, socket, whiteout, folder, file.

    `target` is where a link, or the last of a chain of links, leads to.
    """

    kind: str
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """One name in a folder of a volume, and what it is swapped for, each in turn, without end.

    With `elsewhere`, another folder of the volume, the name is swapped for its namesake there.
    `foreign` are files that the attacker tries to hard-link beside the name.
    """

    volume: str
    folder: str
    name: str
    lures: tuple[Lure, ...] = ()
    elsewhere: str = ""
    foreign: tuple[str, ...] = ()
    rest: float = 0.003  # seconds: the longest pause between two bursts


@dataclass(slots=True)
class Attacker:
    """A process that is ready once this is entered, and flips from `go` until `stop` or leaving.

    After that the name is itself again.
    """

    flip: Flip
    scratch: Path  # a folder for its counter, outside of every volume
    _process: subprocess.Popen[bytes] | None = None
    _shared: mmap.mmap | None = None
    _final: tuple[int, int] = field(default=(0, 0))

    def __enter__(self) -> Self:
        handle, counter = tempfile.mkstemp(dir=self.scratch, prefix="flips-")
        os.ftruncate(handle, SHARED)
        self._shared = mmap.mmap(handle, SHARED)
        os.close(handle)
        order = json.dumps(asdict(self.flip))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.real.flips", counter, order],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        until(self._ready, 30, "an attacker is ready")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def swaps(self) -> int:
        """How often something took another's place so far."""
        return self._counts()[0]

    @property
    def hard_links(self) -> int:
        """How many foreign files got a second name in the volume."""
        return self._counts()[1]

    def go(self) -> None:
        """Begin to flip."""
        assert self._shared, "the attacker is not there"
        self._shared[GO] = 1

    def _ready(self) -> bool:
        self._counts()
        return bool(self._shared and self._shared[READY])

    def stop(self) -> None:
        """End the process. AssertionError if it failed."""
        if not self._process or not self._shared:
            return
        self._shared[STOP] = self._shared[GO] = 1
        try:
            code = self._process.wait(30)
        finally:
            self._process.kill()
            self._process.wait()
            self._final = COUNTERS.unpack_from(self._shared)
            self._shared.close()
            self._process = self._shared = None
        assert code == 0, f"an attacker ended with {code}"

    def _counts(self) -> tuple[int, int]:
        if not self._shared or not self._process:
            return self._final
        code = self._process.poll()
        assert not code, f"an attacker ended with {code}"
        swaps, links = COUNTERS.unpack_from(self._shared)
        return swaps, links


def attack(counter: Path, flip: Flip) -> None:
    """Flip until the counter file says stop. Only for a process of its own: it gives up its rights.

    Raises OSError where the flips themselves fail.
    """
    with counter.open("r+b") as file:
        shared = mmap.mmap(file.fileno(), SHARED)
    if os.geteuid() == 0:
        _become_a_container(flip.volume)
    else:
        os.chdir(flip.volume)
    here = os.open(flip.folder or ".", os.O_RDONLY | os.O_DIRECTORY)
    there = os.open(flip.elsewhere, os.O_RDONLY | os.O_DIRECTORY) if flip.elsewhere else here
    lures = [flip.name] if flip.elsewhere else list(_make(here, flip))
    links = sum(_hard_link(here, target, number) for number, target in enumerate(flip.foreign))
    _swap_without_end(shared, flip, (here, there), lures, links)


def _swap_without_end(
    shared: mmap.mmap, flip: Flip, folders: tuple[int, int], lures: list[str], links: int
) -> None:
    renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    name, encoded = os.fsencode(flip.name), [os.fsencode(lure) for lure in lures]
    chance = random.Random(0)
    here, there = folders
    swaps, burst = 0, BURST
    shared[READY] = 1
    while not shared[GO]:
        time.sleep(0.001)
    while not shared[STOP]:
        for lure in encoded:
            for _ in range(2):  # There and back: between two lures the name is itself.
                if renameat2(here, name, there, lure, EXCHANGE):
                    raise OSError(ctypes.get_errno(), "renameat2", flip.name)
                swaps += 1
                burst -= 1
                if burst <= 0:
                    COUNTERS.pack_into(shared, 0, swaps, links)
                    time.sleep(chance.random() * flip.rest)
                    burst = chance.randrange(1, 2 * BURST)
    COUNTERS.pack_into(shared, 0, swaps, links)


def _become_a_container(volume: str) -> None:
    """A mount of the volume alone, in an own namespace (no hard link leaves it), and no rights."""
    libc = ctypes.CDLL(None, use_errno=True)
    place = os.fsencode(volume)
    for failed in (
        libc.unshare(NEW_MOUNTS),
        libc.mount(None, b"/", None, PRIVATE | RECURSIVE, None),
        libc.mount(place, place, None, BIND, None),
    ):
        if failed:
            raise OSError(ctypes.get_errno(), "a mount namespace of its own")
    os.chdir(volume)
    os.setgroups([])
    os.setgid(TENANT)
    os.setuid(TENANT)


def _make(folder: int, flip: Flip) -> Iterator[str]:
    """Make the lures beside each other; no pattern takes their own names."""
    for number, lure in enumerate(flip.lures):
        name = f".lure-{number}"
        match lure.kind:
            case "link":
                os.symlink(lure.target, name, dir_fd=folder)
            case "chain":
                steps = [name, *(f"{name}-{step}" for step in range(CHAIN)), lure.target]
                for step, target in itertools.pairwise(steps):
                    os.symlink(target, step, dir_fd=folder)
            case "loop":
                os.symlink(flip.name, name, dir_fd=folder)
            case "fifo":
                os.mkfifo(name, dir_fd=folder)
            case "whiteout":  # The one device that everybody may make: mknod(2).
                os.mknod(name, 0o20666, 0, dir_fd=folder)
            case "socket":
                with socket.socket(socket.AF_UNIX) as listener:
                    listener.bind(f"/proc/self/fd/{folder}/{name}")
            case "folder":
                os.mkdir(name, dir_fd=folder)
            case _:
                os.close(os.open(name, os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=folder))
        yield name


def _hard_link(folder: int, target: str, number: int) -> bool:
    """Whether a foreign file could be given a name here that a pattern takes."""
    try:
        os.link(target, f"hard-{number}.log", dst_dir_fd=folder)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EACCES, errno.ENOENT):
            raise
        return False
    return True


def main() -> None:
    """What a process of `Attacker` does."""
    order = json.loads(sys.argv[2])
    order["lures"] = tuple(Lure(**lure) for lure in order["lures"])
    order["foreign"] = tuple(order["foreign"])
    with suppress(KeyboardInterrupt):
        attack(Path(sys.argv[1]), Flip(**order))


if __name__ == "__main__":
    main()
