"""What the node's mounts say about a container's upper directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.settings import Settings
from pilot.sources.docker import create
from pilot.sources.upper import upper_of
from tests.fakes.docker_engine import DockerEngine
from tests.sources.recordings import inspected

if TYPE_CHECKING:
    from pathlib import Path

ID, OTHER = "a" * 64, "b" * 64
UPPER = "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/3/fs"
PLACE = f"/var/lib/docker/rootfs/overlayfs/{ID}"
ROOT = (
    f"46 42 0:39 / {PLACE} rw,relatime shared:2 - overlay overlay"
    f" rw,lowerdir=/l/1:/l/2,upperdir={UPPER},workdir=/w\n"
)
REST = "73 72 0:42 / /proc rw,nosuid - proc proc rw\n"


def told(folder: Path, *tables: str, container_id: str = ID) -> str:
    paths = [folder / "missing"]
    for number, text in enumerate(tables):
        paths.append(folder / str(number))
        paths[-1].write_text(text)
    return upper_of(paths, container_id)


@pytest.mark.parametrize(
    "place",
    [
        PLACE,
        f"/host/data/docker/rootfs/overlayfs/{ID}",
        f"/run/containerd/io.containerd.runtime.v2.task/moby/{ID}/rootfs",
    ],
)
def test_the_upper_directory_of_the_containers_mount_is_told(tmp_path: Path, place: str) -> None:
    other = ROOT.replace(ID, OTHER).replace(UPPER, "/other")
    table = REST + other + ROOT.replace(PLACE, place)
    assert told(tmp_path, table) == UPPER
    assert told(tmp_path, table, container_id=OTHER) == "/other"
    assert told(tmp_path, REST, table) == UPPER
    assert told(tmp_path, table, container_id="c" * 64) == ""


@pytest.mark.parametrize(
    "place",
    [
        "/",
        f"/var/lib/docker/volumes/{ID}/_data",
        f"/var/lib/docker/volumes/{ID}",
        f"/var/lib/docker/rootfs/overlayfs/{ID}/mnt",
        f"/rootfs/{ID}",
        f"/run/{ID}/rootfs",
    ],
)
def test_a_mount_elsewhere_is_not_believed(tmp_path: Path, place: str) -> None:
    assert told(tmp_path, ROOT.replace(PLACE, place)) == ""


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("", ""),
        (ROOT.replace("overlay overlay", "ext4 /dev/sda1"), ""),
        (ROOT.replace("upperdir=/", "upperdir=relative/"), ""),
        (ROOT.replace("workdir=", "metacopy=on,workdir="), ""),
        (ROOT.replace("workdir=", "upperdir=/x,workdir="), ""),
        (ROOT.replace("0:39 / ", "0:39 /sub "), ""),
        (ROOT.replace("upperdir=", "other="), ""),
        (ROOT.replace(UPPER, r"/a\040b\054c\134d"), r"/a b,c\d"),
        (ROOT.replace("/var/lib/docker", r"/my\040docker"), UPPER),
    ],
)
def test_only_a_whole_overlay_has_one(tmp_path: Path, table: str, expected: str) -> None:
    assert told(tmp_path, table) == expected


@given(st.binary(max_size=200) | st.text(" -/=,\\0overlayupdir\n").map(str.encode))
def test_any_bytes_are_borne(tmp_path_factory: pytest.TempPathFactory, table: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "table"
    path.write_bytes(table)
    assert upper_of([path], ID) == ""


@pytest.mark.filterwarnings("ignore:unclosed <socket.socket:ResourceWarning")
def test_it_is_remembered_when_the_container_ended(tmp_path: Path) -> None:
    running, exited = inspected("29", "bind"), inspected("29", "exited")
    table = tmp_path / "proc" / "1" / "mountinfo"
    table.parent.mkdir(parents=True)
    table.write_text(ROOT.replace(ID, running["Id"]))
    with DockerEngine(tmp_path) as engine:
        environment = {"DOCKER_HOST": engine.host}
        source = create(Settings(environment=environment, node_root=tmp_path, rootfs=True))
        assert (found := source.look(engine.put(running)))
        assert found.rootfs == UPPER
        table.write_text(REST)
        assert (found := source.look(engine.put({**running, "State": exited["State"]})))
        assert found.rootfs == UPPER
        assert (found := source.look(engine.put(exited)))
        assert found.rootfs == ""
        source.close()
        table.write_text(ROOT.replace(ID, running["Id"]))
        unasked = create(Settings(environment=environment, node_root=tmp_path))
        assert (found := unasked.look(engine.put(running)))
        assert found.rootfs == ""
        unasked.close()
