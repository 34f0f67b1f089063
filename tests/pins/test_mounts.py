from __future__ import annotations

import pytest

from pilot.pins.mounts import Place, other_places

TABLE = rb"""27 1 254:0 / / rw shared:1 - ext4 /dev/vda rw
30 27 8:1 / /data rw shared:2 - ext4 /dev/sda1 rw
31 27 8:1 /docker /var/lib/docker rw shared:2 - ext4 /dev/sda1 rw
40 31 254:0 /etc /var/lib/docker/volumes/etc/_data rw - ext4 /dev/vda rw
41 31 254:0 / /var/lib/docker/volumes/all/_data rw - ext4 /dev/vda rw
42 27 254:0 /srv/a\040b\134 /var/lib/kubelet/pods/1/volume-subpaths/v/app/2 rw - ext4 /dev/vda rw
50 27 0:50 / /var/lib/kubelet/pods/1/volumes/kubernetes.io~empty-dir/mem rw - tmpfs tmpfs rw
60 27 9:1 /only /srv/part rw - ext4 /dev/sdb rw
"""


def places(mount: int, path: str) -> list[tuple[int, str]]:
    return [(each.mount, each.path) for each in other_places(mount, path, TABLE)]


def test_a_bind_mount_is_seen_where_its_filesystem_is() -> None:
    assert (27, "/etc/x") in places(40, "/var/lib/docker/volumes/etc/_data/x")
    assert (27, "/srv/a b\\") in places(42, "/var/lib/kubelet/pods/1/volume-subpaths/v/app/2")
    assert places(31, "/var/lib/docker/volumes/v") == [(30, "/data/docker/volumes/v")]


def test_a_mount_of_a_whole_filesystem_that_is_mounted_elsewhere_is_seen_there() -> None:
    assert (27, "/") in places(41, "/var/lib/docker/volumes/all/_data")
    assert (27, "/etc") in places(41, "/var/lib/docker/volumes/all/_data/etc")


def test_a_part_is_no_way_to_the_whole() -> None:
    assert [place for _, place in places(30, "/data/x")] == []
    assert [place for _, place in places(27, "/srv")] == ["/var/lib/docker/volumes/all/_data/srv"]


def test_a_filesystem_of_its_own_is_nowhere_else() -> None:
    mount = "/var/lib/kubelet/pods/1/volumes/kubernetes.io~empty-dir/mem"
    assert other_places(50, f"{mount}/x", TABLE) == []


def test_a_part_that_nothing_else_shows_is_told_as_the_filesystem_names_it() -> None:
    assert other_places(60, "/srv/part/x", TABLE) == [Place(0, "/only/x")]


@pytest.mark.parametrize(("mount", "path"), [(99, "/srv"), (40, "/srv"), (60, "/srv/party")])
def test_what_the_table_does_not_show_is_not_guessed(mount: int, path: str) -> None:
    with pytest.raises(OSError, match="meanwhile"):
        other_places(mount, path, TABLE)
