from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pilot.model import VOLUME, FileSet, Framing
from pilot.pins.confine import FolderMissingError, RefusedError, open_volume
from pilot.pins.expand import look_into
from pilot.pins.kernel import NotOfferedError, mount_id
from pilot.pins.tree import beneath
from pilot.policy import Policy
from tests.fakes.disks import needs_root, tmpfs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

POD = "/var/lib/kubelet/pods/0b1c"


def not_offered(_: str, __: int) -> int:
    raise NotOfferedError


@pytest.fixture(params=[beneath, not_offered], ids=["openat2", "walk"])
def opener(request: pytest.FixtureRequest) -> Callable[[str, int], int]:
    opener: Callable[[str, int], int] = request.param
    return opener


def wanted(root: str, pattern: str = "*.log", **changes: object) -> FileSet:
    made = FileSet(
        name="s", root=root, folder="", pattern=pattern, framing=Framing.LINES, inside="/logs"
    )
    return replace(made, **changes)  # type: ignore[arg-type]


class Node:
    """`base` is the node's /; `asked` are the paths that were judged, as the node knows them."""

    def __init__(self, base: Path, opener: Callable[[str, int], int] = beneath) -> None:
        self.base, self.opener = base, opener
        self.asked: list[str] = []
        self.policy = Policy()

    def at(self, path: str) -> Path:
        return self.base / path.lstrip("/")

    def forbids(self, really: str) -> str | None:
        path = "/" + really.removeprefix(str(self.base)).lstrip("/")
        self.asked.append(path)
        return self.policy.forbids(path, VOLUME)

    def put(self, path: str, text: str = "x") -> None:
        self.at(path).parent.mkdir(parents=True, exist_ok=True)
        self.at(path).write_text(text)

    def look(self, file_set: FileSet) -> dict[str, int]:
        found = {}
        with look_into(file_set, self.at, self.forbids, beneath=self.opener) as view:
            for folder in view.folders():
                for match in view.matches(folder):
                    found[match.name] = mount_id(match.descriptor)
        self.mounted, self.refused = view.mounted, view.refused
        return found


@pytest.fixture
def node(tmp_path: Path, opener: Callable[[str, int], int]) -> Node:
    return Node(tmp_path, opener)


@contextmanager
def bound(source: Path, target: Path) -> Iterator[None]:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    done = subprocess.run(["mount", "--bind", source, target], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"this root may not mount: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", target], check=True)  # Fails while anything is held open.


def test_what_was_opened_is_judged_by_where_it_really_is(node: Node) -> None:
    node.put("/srv/app/1.log")
    assert list(node.look(wanted("/srv/app"))) == ["1.log"]
    assert node.asked == ["/srv/app"]
    assert not node.mounted
    node.put("/etc/app/1.log")
    with pytest.raises(RefusedError, match="/etc"):
        node.look(wanted("/etc/app"))


def test_an_administrators_link_on_the_way_is_followed_and_judged(node: Node) -> None:
    node.put("/data/docker/volumes/v/_data/1.log")
    node.put("/etc/app/1.log")
    node.at("/var/lib").mkdir(parents=True)
    node.at("/var/lib/docker").symlink_to("/data/docker")
    node.at("/logs").symlink_to("var/../data/docker/volumes")
    node.at("/var/bad").symlink_to("../etc")
    assert list(node.look(wanted("/var/lib/docker/volumes/v/_data"))) == ["1.log"]
    assert list(node.look(wanted("/logs/v/_data"))) == ["1.log"]
    assert node.asked == ["/data/docker/volumes/v/_data"] * 2
    with pytest.raises(RefusedError, match="/etc"):
        node.look(wanted("/var/bad/app"))
    node.at("/loop").symlink_to("loop")
    with pytest.raises(RefusedError, match="too many"):
        node.look(wanted("/loop/x"))


def test_a_look_through_an_administrators_link_gives_stamps_of_the_real_folder(node: Node) -> None:
    node.put("/data/v/1.log")
    node.at("/srv").symlink_to("data")
    with look_into(wanted("/srv/v"), node.at, node.forbids) as view:
        list(view.folders())
    assert list(view.stamps) == [str(node.at("/data/v"))]


@pytest.mark.parametrize("place", ["/srv/link", "/var/log/link", "/var/lib/x/link"])
def test_nobody_elses_link_on_the_way_is_followed(node: Node, place: str) -> None:
    node.put("/data/v/1.log")
    node.at(place).parent.mkdir(parents=True)
    node.at(place).symlink_to("/data")
    for root in (f"{place}/v", place):
        with pytest.raises(
            RefusedError, match=rf"{root} is, or is reached through, a symlink.*not"
        ):
            node.look(wanted(root))
    assert node.asked == []


def test_a_link_behind_an_administrators_is_not_followed(node: Node) -> None:
    node.put("/data/v/1.log")
    node.at("/data/link").symlink_to("v")
    node.at("/srv").symlink_to("/data")
    with pytest.raises(RefusedError, match="not followed"):
        node.look(wanted("/srv/link"))


def test_no_glob_and_no_link_leads_to_what_docker_keeps_for_one_container(node: Node) -> None:
    victim = f"docker/containers/{'d' * 64}"
    node.put(f"/data/{victim}/secret.log")
    node.put("/data/mine/1.log")
    node.at("/data/mine/2.log").symlink_to(f"../{victim}/secret.log")
    node.at("/data/mine/folder").symlink_to(f"../{victim}")
    for pattern in ("*/*/*/*.log", "**/*.log", "mine/*/*.log", "mine/*.log"):
        assert not [name for name in node.look(wanted("/data", pattern)) if "1.log" not in name]
        assert all("one container" in why for why in node.refused.values())
        assert node.refused
    with pytest.raises(RefusedError, match="one container"):
        node.look(wanted("/data", folder="mine/folder", inside="/logs/mine/folder"))


def test_a_missing_root_is_said_as_such_and_errors_of_the_user_pass_through(node: Node) -> None:
    with pytest.raises(FolderMissingError, match="/srv/none"):
        node.look(wanted("/srv/none"))
    node.put("/srv/app/1.log")
    with (
        pytest.raises(FileNotFoundError, match="mine"),
        open_volume(wanted("/srv/app"), node.at, node.forbids, node.opener),
    ):
        raise FileNotFoundError("mine")


@needs_root
def test_a_volume_that_is_a_bind_mount_is_judged_and_opened_by_what_it_shows(node: Node) -> None:
    node.put("/srv/app/1.log")
    volume = "/var/lib/docker/volumes/v/_data"
    with bound(node.at("/srv/app"), node.at(volume)):
        assert node.look(wanted(volume)) == {"1.log": mount_of(node.base)}
        assert node.asked == [volume, "/srv/app"]
        assert node.mounted


@needs_root
@pytest.mark.parametrize("shown", ["/etc", "/etc/deep", "/var/lib/docker/containers", "/"])
def test_a_volume_that_shows_the_nodes_own_is_refused(node: Node, shown: str) -> None:
    node.put(f"{shown}/secret.log")
    volume = "/var/lib/docker/volumes/v/_data"
    with bound(node.at(shown), node.at(volume)), pytest.raises(RefusedError):
        node.look(wanted(volume))


@needs_root
def test_a_filesystem_mounted_whole_a_second_time_is_judged_by_its_first_place(node: Node) -> None:
    with tmpfs(node.at("/etc"), "size=1m"):
        node.put("/etc/app/1.log")
        volume = "/var/lib/docker/volumes/v/_data"
        with bound(node.at("/etc"), node.at(volume)):
            for folder in ("", "app"):
                with pytest.raises(RefusedError, match="/etc"):
                    node.look(wanted(volume, folder=folder, inside=f"/logs/{folder}".rstrip("/")))


@needs_root
def test_a_filesystem_of_its_own_is_read_where_it_is(node: Node) -> None:
    volume = f"{POD}/volumes/kubernetes.io~empty-dir/mem"
    with tmpfs(node.at(volume), "size=1m"):
        node.put(f"{volume}/1.log")
        assert node.look(wanted(volume)) == {"1.log": mount_of(node.at(volume))}
        assert node.mounted
        assert node.asked == [volume]


@needs_root
def test_a_folder_within_a_mount_is_no_mount_of_its_own(node: Node) -> None:
    with tmpfs(node.at("/disk"), "size=1m"):
        node.put("/disk/app/1.log")
        assert list(node.look(wanted("/disk/app"))) == ["1.log"]
        assert not node.mounted


@needs_root
def test_a_sub_path_is_read_in_the_volume_that_it_is_of(node: Node) -> None:
    node.put(f"{POD}/volumes/kubernetes.io~empty-dir/ed/sub/1.log")
    sub_path = f"{POD}/volume-subpaths/ed/app/2"
    with bound(node.at(f"{POD}/volumes/kubernetes.io~empty-dir/ed/sub"), node.at(sub_path)):
        assert node.look(wanted(sub_path)) == {"1.log": mount_of(node.base)}
        assert node.mounted
        with look_into(wanted(sub_path), node.at, node.forbids, beneath=node.opener) as view:
            folders = view.folders()
            (match,) = view.matches(next(folders))
            assert match.name == "1.log"
            assert list(view.stamps) == [str(node.at(sub_path))]
            # Nothing that is open now holds up the unmount that the kubelet would try.
            subprocess.run(["umount", node.at(sub_path)], check=True)
            subprocess.run(
                ["mount", "--bind", node.at(f"{POD}/volumes"), node.at(sub_path)], check=True
            )


@needs_root
@pytest.mark.parametrize("plugin", ["secret", "configmap", "projected", "downward-api"])
def test_a_sub_path_of_a_secret_is_refused(node: Node, plugin: str) -> None:
    node.put(f"{POD}/volumes/kubernetes.io~{plugin}/s/sub/1.log")
    sub_path = f"{POD}/volume-subpaths/s/app/0"
    with (
        bound(node.at(f"{POD}/volumes/kubernetes.io~{plugin}/s/sub"), node.at(sub_path)),
        pytest.raises(RefusedError, match="kubelet"),
    ):
        node.look(wanted(sub_path))


@needs_root
def test_a_single_file_that_is_a_mount_is_judged_and_read_by_its_filesystem(node: Node) -> None:
    node.put(f"{POD}/volumes/kubernetes.io~empty-dir/ed/app.log")
    node.put("/etc/shadow")
    good, bad = f"{POD}/volume-subpaths/ed/app/4", f"{POD}/volume-subpaths/hp/app/5"
    file = wanted(f"{POD}/volume-subpaths/ed/app", "4", rotated=False)
    with bound(node.at(f"{POD}/volumes/kubernetes.io~empty-dir/ed/app.log"), node.at(good)):
        # The folder above holds no volume itself; the file was allowed by its own name.
        with look_into(file, node.at, lambda _: None, beneath=node.opener) as view:
            found = [mount_id(m.descriptor) for f in view.folders() for m in view.matches(f)]
        assert found == [mount_of(node.base)]
        assert view.mounted
    file = wanted(f"{POD}/volume-subpaths/hp/app", "5", rotated=False)
    with bound(node.at("/etc/shadow"), node.at(bad)):

        def forbids(really: str) -> str | None:
            return None if really.endswith("/volume-subpaths/hp/app") else node.forbids(really)

        with look_into(file, node.at, forbids, beneath=node.opener) as view:
            assert [list(view.matches(each)) for each in view.folders()] == [[]]
        assert "/etc" in view.refused["5"]


@needs_root
def test_a_mount_within_a_volume_is_judged_by_itself(node: Node) -> None:
    node.put("/srv/app/good/1.log")
    node.put("/etc/1.log")
    node.put("/opt/1.log")
    with (
        bound(node.at("/etc"), node.at("/srv/app/bad")),
        bound(node.at("/opt"), node.at("/srv/app/fine")),
    ):
        node.at("/srv/app/good/2.log").symlink_to("../bad/1.log")
        node.at("/srv/app/good/3.log").symlink_to("../fine/1.log")
        assert list(node.look(wanted("/srv/app", "*/*.log"))) == [
            "fine/1.log",
            "good/1.log",
            "good/3.log",
        ]
        assert set(node.refused) == {"bad", "good/2.log"}
        with pytest.raises(RefusedError, match="/etc"):
            node.look(wanted("/srv/app", folder="bad", inside="/logs/bad"))


def mount_of(path: Path) -> int:
    descriptor = os.open(path, os.O_PATH)
    try:
        return mount_id(descriptor)
    finally:
        os.close(descriptor)
