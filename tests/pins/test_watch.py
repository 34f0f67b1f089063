from __future__ import annotations

import contextlib
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from pilot.pins.watch import SPACING, FolderWatch
from tests.fakes.programs import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEADLINE = 10.0  # seconds; only a defect waits so long


class Heard:
    """What the watch called back with."""

    def __init__(self) -> None:
        self.names: queue.SimpleQueue[str] = queue.SimpleQueue()

    def __call__(self, name: str) -> None:
        self.names.put(name)

    def next(self) -> str:
        return self.names.get(timeout=DEADLINE)

    def none(self, folder: Path) -> bool:
        """Whether nothing was heard; a marker that is heard afterwards proves the order."""
        return not self.until_marker(folder)

    def until_marker(self, folder: Path) -> list[str]:
        """What was heard before a marker that is set now."""
        (folder / f"probe-{uuid.uuid4()}").touch()
        return list(iter(self.next, "marker"))


@contextlib.contextmanager
def descriptor(folder: Path) -> Iterator[int]:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield opened
    finally:
        os.close(opened)


def watch(watching: FolderWatch, name: str, pattern: str, folder: Path) -> None:
    with descriptor(folder) as opened:
        watching.add(name, pattern, opened)


def test_create_rename_and_delete_are_heard(tmp_path: Path) -> None:
    heard = Heard()
    watching = FolderWatch(heard)
    watch(watching, "web", "*.log", tmp_path)
    watch(watching, "marker", "probe-*", tmp_path)
    (tmp_path / "app.log").touch()
    assert heard.next() == "web"
    (tmp_path / "app.log").rename(tmp_path / "app.log.1")
    assert set(heard.until_marker(tmp_path)) == {"web"}  # from and to: together or apart
    (tmp_path / "app.log.1").unlink()
    assert heard.next() == "web"


def test_a_flood_is_folded_and_hides_nobody_else(tmp_path: Path) -> None:
    loud, quiet = tmp_path / "loud", tmp_path / "quiet"
    loud.mkdir()
    quiet.mkdir()
    heard = Heard()
    watching = FolderWatch(heard)
    watch(watching, "loud", "*.log", loud)
    watch(watching, "other", "*.other", loud)
    watch(watching, "marker", "probe-*", loud)
    watch(watching, "quiet", "*.log", quiet)
    began = time.monotonic()
    for number in range(5000):
        (loud / "app.log").symlink_to("x")
        (loud / "app.log").unlink()
        if number == 2500:
            (quiet / "app.log").touch()
    names = heard.until_marker(loud)
    # Reads are at least so far apart, however slow the machine; there were 10 000 events.
    assert 1 <= names.count("loud") <= (time.monotonic() - began) / SPACING + 2
    assert names.count("quiet") == 1
    assert set(names) == {"loud", "quiet"}


def test_a_file_that_is_moved_in_or_out_is_heard(tmp_path: Path) -> None:
    folder, other = tmp_path / "a", tmp_path / "b"
    folder.mkdir()
    other.mkdir()
    heard = Heard()
    watching = FolderWatch(heard)
    watch(watching, "web", "*.log", folder)
    (other / "app.log").touch()
    (other / "app.log").rename(folder / "app.log")
    assert heard.next() == "web"
    (folder / "app.log").rename(other / "app.log")
    assert heard.next() == "web"


def test_only_the_right_set_hears_and_other_names_are_not_heard(tmp_path: Path) -> None:
    heard = Heard()
    watching = FolderWatch(heard)
    watch(watching, "web", "web*.log", tmp_path)
    watch(watching, "db", "db.log", tmp_path)
    watch(watching, "marker", "probe-*", tmp_path)
    assert watching.count == 1
    (tmp_path / "unrelated").touch()
    assert heard.none(tmp_path)
    (tmp_path / "db.log.1").touch()
    assert heard.next() == "db"
    (tmp_path / "web\n%.log").touch()
    assert heard.next() == "web"
    open(os.path.join(os.fsencode(tmp_path), b"web\xff.log"), "w").close()
    assert heard.next() == "web"


def test_growth_is_not_heard(tmp_path: Path) -> None:
    (tmp_path / "app.log").touch()
    heard = Heard()
    watching = FolderWatch(heard)
    watch(watching, "web", "*.log", tmp_path)
    watch(watching, "marker", "probe-*", tmp_path)
    with (tmp_path / "app.log").open("a") as file:
        for _ in range(100):
            file.write("line\n")
            file.flush()
    assert heard.none(tmp_path)


def test_a_dropped_set_is_not_called_and_its_folder_is_let_go(tmp_path: Path) -> None:
    heard = Heard()
    watching = FolderWatch(heard)
    watch(watching, "web", "*.log", tmp_path)
    watch(watching, "marker", "probe-*", tmp_path)
    watching.drop("web")
    watching.drop("never there")
    (tmp_path / "app.log").touch()
    assert heard.none(tmp_path)
    watching.drop("marker")
    assert watching.count == 0
    watch(watching, "web", "*.log", tmp_path)
    (tmp_path / "app2.log").touch()
    assert heard.next() == "web"


def test_a_set_that_moves_to_another_folder_leaves_the_first(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    heard = Heard()
    watching = FolderWatch(heard)
    watch(watching, "web", "*.log", first)
    watch(watching, "marker", "probe-*", first)
    for _ in range(2):
        watching.renew("web")
        watch(watching, "web", "*.log", second)
    assert watching.count == 2
    (first / "app.log").touch()
    assert heard.none(first)
    (second / "app.log").touch()
    assert heard.next() == "web"


def test_a_set_has_several_folders_while_looks_add_them(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abc"]
    heard = Heard()
    watching = FolderWatch(heard)
    for folder in folders:
        folder.mkdir()
        watch(watching, "web", "*.log", folder)
    for folder in folders:
        (folder / "app.log").touch()
        assert heard.next() == "web"
    for _ in range(5):  # Whoever makes folders in a loop holds no more than a look finds.
        watching.renew("web")
        watch(watching, "web", "*.log", folders[0])
    assert watching.count == 1
    watching.drop("web")
    assert watching.count == 0


def test_a_deleted_folder_is_heard_and_its_successor_can_be_watched(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    heard = Heard()
    watching = FolderWatch(heard)
    watch(watching, "web", "*.log", folder)
    shutil.rmtree(folder)
    assert heard.next() == "web"
    wait_for(lambda: watching.count == 0)
    folder.mkdir()
    watch(watching, "web", "*.log", folder)
    watching.drop("other")
    # The old folder's last event may still be on its way; this one is heard in any case.
    (folder / "app.log").touch()
    assert heard.next() == "web"


def test_what_cannot_be_watched_is_said_once_and_the_rest_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard()
    watching = FolderWatch(heard)
    (tmp_path / "file").touch()
    file = os.open(tmp_path / "file", os.O_RDONLY)
    try:
        for _ in range(3):
            watching.add("bad", "*", file)  # no folder: inotify says ENOTDIR
    finally:
        os.close(file)
    assert len([line for line in caplog.messages if "no more folders" in line]) == 1
    watch(watching, "web", "*.log", tmp_path)
    (tmp_path / "app.log").touch()
    assert heard.next() == "web"


def test_a_thousand_folders_cost_one_descriptor_and_one_thread(tmp_path: Path) -> None:
    before, threads = instances(), watching_threads()
    heard = Heard()
    watching = FolderWatch(heard)
    for number in range(1000):
        (tmp_path / str(number)).mkdir()
        watch(watching, f"set-{number}", "*", tmp_path / str(number))
    assert watching.count == 1000
    assert instances() == before + 1
    assert watching_threads() == threads + 1
    (tmp_path / "777" / "x").touch()
    assert heard.next() == "set-777"


def instances() -> int:
    links = []
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the listing's own
            links.append(os.readlink(f"/proc/self/fd/{number}"))
    return links.count("anon_inode:inotify")


def watching_threads() -> int:
    return [each.name for each in threading.enumerate()].count("inotify")


LIMITED = """
import os, pathlib, queue, sys
from pilot.pins.watch import FolderWatch
heard = queue.SimpleQueue()
watching = FolderWatch(heard.put)
for number in range(6):
    folder = pathlib.Path(sys.argv[1], str(number))
    folder.mkdir()
    opened = os.open(folder, os.O_RDONLY)
    watching.add(str(number), "*", opened)
    os.close(opened)
print(watching.count)
if watching.count:
    (pathlib.Path(sys.argv[1]) / "1" / "x").touch()
    print(heard.get(timeout=10))
    watching.drop("0")
    opened = os.open(pathlib.Path(sys.argv[1]) / "5", os.O_RDONLY)
    watching.add("5", "*", opened)
    (pathlib.Path(sys.argv[1]) / "5" / "x").touch()
    print(heard.get(timeout=10))
"""


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("max_inotify_watches=3", ["3", "1", "5"]), ("max_inotify_instances=0", ["0"])],
)
def test_the_kernel_s_limits_are_survived(tmp_path: Path, limit: str, expected: list[str]) -> None:
    name, value = limit.split("=")
    shell = f'echo {value} > /proc/sys/user/{name} && exec "$0" -c "$1" "$2"'
    inner = ["sh", "-c", shell, sys.executable, LIMITED, str(tmp_path)]
    # The limits belong to a user namespace: the machine's own stay as they are.
    try:
        ran = subprocess.run(
            ["unshare", "--user", "--map-root-user", *inner], capture_output=True, text=True
        )
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if ran.returncode and not ran.stdout and "Traceback" not in ran.stderr:
        pytest.skip(f"no user namespace to set a limit in: {ran.stderr.strip()}")
    assert ran.stdout.split() == expected, ran.stderr
    assert "each second" in ran.stderr
