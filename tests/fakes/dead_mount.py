"""A mount that can hang: a real FUSE filesystem that shows a folder, and answers only when told to.

The protocol is that of <linux/fuse.h>, version 7.31. It is served by a process of its own, which
this file is, too: a process that serves a mount must never touch it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import stat
import struct
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MS_NOSUID, MS_NODEV, MNT_DETACH = 2, 4, 2  # mount(2), umount2(2)
ROOT = 1  # FUSE_ROOT_ID
VERSION = (7, 31)
LARGEST = 1 << 20  # bytes of a request; more than the largest that is announced
DIRECT = 1  # FOPEN_DIRECT_IO: nothing is kept in the page cache, every read asks
HEADER = struct.Struct("=IIQQIIIHH")  # fuse_in_header
REPLY = struct.Struct("=IiQ")  # fuse_out_header
LOOKUP, FORGET, GETATTR, READLINK, OPEN, READ, STATFS = 1, 2, 3, 5, 14, 15, 17
RELEASE, INIT, OPENDIR, READDIR, RELEASEDIR, INTERRUPT, BATCH_FORGET = 18, 26, 27, 28, 29, 36, 42
UNANSWERED = (FORGET, INTERRUPT, BATCH_FORGET)


class DeadMount:
    """A mount of `shown` at `path`. Changes in `shown` are seen at once, and no inotify tells."""

    def __init__(self, path: Path, shown: Path, server: subprocess.Popen[str]) -> None:
        self.path, self.shown, self._server = path, shown, server

    def hang(self) -> None:
        """Take no further request: whoever asks waits, and SIGKILL ends the waiting."""
        self._tell("hang")

    def swallow(self) -> None:
        """Take every request and answer none: whoever asks waits, and not even SIGKILL helps."""
        self._tell("swallow")

    def answer(self) -> None:
        """Answer again, what was asked meanwhile first."""
        self._tell("answer")

    @property
    def asked(self) -> bool:
        """Whether a request waits for its answer."""
        return self._tell("asked") == "yes"

    def die(self) -> None:
        """End the server: whoever waits or asks gets ENOTCONN or ECONNABORTED."""
        self._server.kill()
        self._server.communicate()

    def _tell(self, order: str) -> str:
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(f"{order}\n")
        self._server.stdin.flush()
        said = self._server.stdout.readline().strip()
        assert said, "the mount's server died"
        return said


@contextmanager
def dead_mount(path: Path, shown: Path) -> Iterator[DeadMount]:
    """Mount `shown` at `path`, both made if they are missing; gone at the end, whatever hangs.

    Raises OSError where there is no FUSE, or this user may not mount.
    """
    path.mkdir(parents=True, exist_ok=True)
    shown.mkdir(parents=True, exist_ok=True)
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    try:
        _mount(path, f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other")
        server = subprocess.Popen(
            [sys.executable, __file__, str(device), str(shown)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[device],
            start_new_session=True,
        )
    except BaseException:
        _unmount(path)
        raise
    finally:
        os.close(device)  # With the server's own the last goes, which ends all waiting.
    mount = DeadMount(path, shown, server)
    try:
        mount.answer()
        yield mount
    finally:
        mount.die()
        _unmount(path)


def _mount(path: Path, options: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    flags = ctypes.c_ulong(MS_NOSUID | MS_NODEV)
    if libc.mount(b"dead", os.fsencode(path), b"fuse", flags, options.encode()):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(path))


def _unmount(path: Path) -> None:
    """By the system call: the program `umount` asks the mount first."""
    ctypes.CDLL(None).umount2(os.fsencode(path), MNT_DETACH)


class Server:
    """What answers the kernel: read-only, one request after the other."""

    def __init__(self, device: int, shown: str) -> None:
        self._device = device
        self._paths = {ROOT: shown}  # node → path; nodes are the inodes of what is shown
        self._answers: dict[int, Callable[[int, bytes], bytes]] = {
            INIT: self._init,
            LOOKUP: self._lookup,
            GETATTR: lambda node, _: struct.pack("=QII", 0, 0, 0) + self._attributes(node),
            READLINK: lambda node, _: os.fsencode(Path(self._paths[node]).readlink()),
            OPENDIR: lambda _, __: struct.pack("=QII", 0, 0, 0),
            READDIR: self._readdir,
            RELEASEDIR: lambda _, __: b"",
            OPEN: lambda node, _: struct.pack("=QII", self._open(node), DIRECT, 0),
            READ: self._read,
            RELEASE: self._release,
            STATFS: lambda _, __: struct.pack(
                "=5Q4I24x", 1000, 500, 500, 1000, 500, 4096, 255, 4096, 0
            ),
        }

    def serve(self) -> None:
        """Until stdin ends or the mount is gone."""
        state, taken = "answer", list[bytes]()
        while True:
            wanted = [sys.stdin.fileno(), *([self._device] if state != "hang" else [])]
            ready, _, _ = select.select(wanted, [], [])
            if sys.stdin.fileno() in ready:
                order = os.read(sys.stdin.fileno(), 100).decode().strip()
                if not order:
                    return
                if order == "asked":
                    print("yes" if taken or self._pending() else "no", flush=True)
                    continue
                while state == "answer" and self._pending():
                    self._serve_one()  # What came before the order is answered as before.
                state = order
                print("done", flush=True)
            elif state == "answer":
                self._serve_one()
            elif request := self._take():
                taken.append(request)
            if state == "answer":
                for request in taken:
                    self._answer(request)
                taken.clear()

    def _pending(self) -> bool:
        return bool(select.select([self._device], [], [], 0)[0])

    def _serve_one(self) -> None:
        if request := self._take():
            self._answer(request)

    def _take(self) -> bytes | None:
        try:
            request = os.read(self._device, LARGEST)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):  # Who asked is gone.
                return None
            raise
        return None if HEADER.unpack_from(request)[1] in UNANSWERED else request

    def _answer(self, request: bytes) -> None:
        _, opcode, unique, node, *_ = HEADER.unpack_from(request)
        body, error = b"", 0
        try:
            body = self._answers[opcode](node, request[HEADER.size :])
        except KeyError:
            error = errno.ENOSYS if opcode not in self._answers else errno.ESTALE
        except OSError as problem:
            error = problem.errno or errno.EIO
        try:
            os.write(self._device, REPLY.pack(REPLY.size + len(body), -error, unique) + body)
        except FileNotFoundError:  # Who asked is gone.
            return

    def _init(self, _: int, __: bytes) -> bytes:
        return struct.pack("=4I2H2I2H8I", *VERSION, 0, 0, 16, 12, 1 << 16, 1, 0, 0, *[0] * 8)

    def _lookup(self, node: int, body: bytes) -> bytes:
        path = f"{self._paths[node]}/{os.fsdecode(body.rstrip(bytes(1)))}"
        found = os.lstat(path).st_ino
        self._paths[found] = path
        return struct.pack("=4Q2I", found, 0, 0, 0, 0, 0) + self._attributes(found)

    def _attributes(self, node: int) -> bytes:
        """`struct fuse_attr` of what is at a node's path now."""
        status = os.lstat(self._paths[node])
        times = (status.st_atime_ns, status.st_mtime_ns, status.st_ctime_ns)
        return struct.pack(
            "=6Q10I",
            *(status.st_ino, status.st_size, status.st_blocks),
            *(each // 10**9 for each in times),
            *(each % 10**9 for each in times),
            *(status.st_mode, status.st_nlink, status.st_uid, status.st_gid, 0, 4096, 0),
        )

    def _readdir(self, node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("=QQI", body)
        found = b""
        for number, name in enumerate(sorted(os.listdir(self._paths[node])), start=1):
            if number <= offset:
                continue
            status = os.lstat(f"{self._paths[node]}/{name}")
            raw = os.fsencode(name)
            entry = struct.pack(
                "=QQII", status.st_ino, number, len(raw), stat.S_IFMT(status.st_mode) >> 12
            )
            entry += raw + bytes(-len(raw) % 8)
            if len(found) + len(entry) > size:
                break
            found += entry
        return found

    def _open(self, node: int) -> int:
        return os.open(self._paths[node], os.O_RDONLY | os.O_CLOEXEC)

    @staticmethod
    def _read(_: int, body: bytes) -> bytes:
        handle, offset, size = struct.unpack_from("=QQI", body)
        return os.pread(handle, size, offset)

    @staticmethod
    def _release(_: int, body: bytes) -> bytes:
        os.close(struct.unpack_from("=Q", body)[0])
        return b""


if __name__ == "__main__":
    Server(int(sys.argv[1]), sys.argv[2]).serve()
