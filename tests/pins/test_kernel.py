from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pilot.pins import kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATH = os.O_PATH | os.O_CLOEXEC
STRICT = kernel.BENEATH | kernel.NO_SYMLINKS | kernel.NO_MAGICLINKS

# A seccomp filter (classic BPF) that answers openat2 and statx with an errno: seccomp(2).
DENIED = """
import ctypes, struct, sys
number = int(sys.argv[1])
steps = [(0x20, 0, 0, 0)]  # the number of the call
for call in (437, *({"x86_64": [332]}.get(__import__("platform").machine(), [291]))):
    steps += [(0x15, 0, 1, call), (0x06, 0, 0, 0x00050000 | number)]
steps.append((0x06, 0, 0, 0x7FFF0000))
code = b"".join(struct.pack("=HBBI", *step) for step in steps)
held = ctypes.create_string_buffer(code)
program = struct.pack("=HxxxxxxQ", len(steps), ctypes.addressof(held))
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)
assert libc.prctl(38, 1, 0, 0, 0) == 0
filled = ctypes.create_string_buffer(program)
if libc.prctl(22, 2, ctypes.addressof(filled), 0, 0):
    sys.exit(77)
import os
from pilot.model import FileSet, Framing
from pilot.pins import kernel
from pilot.pins.expand import look_into
from pathlib import Path
node = Path(sys.argv[2])
folder = os.open(node, os.O_PATH)
try:
    kernel.openat2(".", os.O_PATH, resolve=kernel.BENEATH, dir_fd=folder)
except kernel.NotOfferedError:
    pass
else:
    sys.exit("openat2 was offered")
assert kernel.born(folder) == 0
told = [line for line in Path(f"/proc/self/fdinfo/{folder}").read_text().splitlines()]
assert f"mnt_id:\\t{kernel.mount_id(folder)}" in told
wanted = FileSet(
    name="s", root="/v/w", folder="x", pattern="*.log", framing=Framing.LINES, inside="/logs/x"
)
with look_into(wanted, lambda path: node / path.lstrip("/"), lambda _: None) as view:
    print([match.name for folder in view.folders() for match in view.matches(folder)])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a")
    descriptor = os.open(tmp_path, PATH)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def test_a_folder_below_is_opened(folder: int, tmp_path: Path) -> None:
    opened = kernel.openat2("a/b", PATH, resolve=STRICT, dir_fd=folder)
    try:
        assert os.path.samestat(os.fstat(opened), (tmp_path / "a" / "b").stat())
        assert not os.get_inheritable(opened)
    finally:
        os.close(opened)


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("..", errno.EXDEV),
        ("a/../..", errno.EXDEV),
        ("/etc", errno.EXDEV),
        ("link/b", errno.ELOOP),
        ("link", errno.ELOOP),
        ("none", errno.ENOENT),
    ],
)
def test_what_leads_out_or_through_a_link_is_an_error(folder: int, path: str, number: int) -> None:
    with pytest.raises(OSError, match=r".") as caught:
        os.close(kernel.openat2(path, PATH, resolve=STRICT, dir_fd=folder))
    assert caught.value.errno == number


def test_a_name_with_a_null_is_no_other_name(folder: int) -> None:
    with pytest.raises(ValueError, match="null"):
        kernel.openat2("a\0b", PATH, resolve=STRICT, dir_fd=folder)


def test_the_birth_of_a_file_is_told_and_stays(tmp_path: Path) -> None:
    before = time.time_ns()
    (tmp_path / "file").write_text("x")
    descriptor = os.open(tmp_path / "file", PATH)
    try:
        told = kernel.born(descriptor)
        if not told:
            pytest.skip("this filesystem tells no birth")
        assert abs(told - before) < 60 * 10**9
        os.utime(tmp_path / "file", (1, 1))
        (tmp_path / "file").write_text("more")
        assert kernel.born(descriptor) == told
    finally:
        os.close(descriptor)


def test_a_mount_is_told_as_proc_tells_it(folder: int) -> None:
    with open(f"/proc/self/fdinfo/{folder}") as told:
        assert f"mnt_id:\t{kernel.mount_id(folder)}\n" in told.readlines()


def test_a_closed_descriptor_is_an_error() -> None:
    with pytest.raises(OSError, match=r"descriptor"):
        kernel.born(1_000_000)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EPERM])
def test_where_a_seccomp_profile_refuses_the_calls_the_walk_does_it(
    tmp_path: Path, number: int
) -> None:
    (tmp_path / "v" / "w" / "x").mkdir(parents=True)
    (tmp_path / "v" / "w" / "x" / "app.log").touch()
    done = subprocess.run(
        [sys.executable, "-c", DENIED, str(number), str(tmp_path)],
        capture_output=True,
        text=True,
    )
    if done.returncode == 77:
        pytest.skip("no seccomp filters here")
    assert (done.stdout.strip(), done.stderr) == ("['app.log']", "")
