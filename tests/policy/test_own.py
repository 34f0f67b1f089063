"""Which container a process runs in, by what its kernel says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilot.model import Pod
from pilot.policy.own import Own, find_own
from tests.declarations.making import container

if TYPE_CHECKING:
    from pathlib import Path

ID, SANDBOX = "a" * 64, "b" * 64
UID = "0f5a6cb7-13d3-4b49-a5c2-6b1f3f9f1f2e"
DOCKER = f"""\
620 542 0:52 / / rw - overlay overlay rw,upperdir=/var/lib/docker/overlay2/{SANDBOX}/diff
640 620 8:1 /var/lib/docker/containers/{ID}/resolv.conf /etc/resolv.conf rw - ext4 /dev/sda1 rw
641 620 8:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4 /dev/sda1 rw
642 620 8:1 /var/lib/docker/containers/{SANDBOX}/hostname /host/etc/hostname rw - ext4 /dev/sda1 rw
"""
KUBELET = f"""\
700 620 8:1 /var/lib/kubelet/pods/{UID}/etc-hosts /etc/hosts rw - ext4 /dev/sda1 rw
701 620 8:1 /var/lib/kubelet/pods/{UID}/containers/web/1a2b /dev/termination-log rw - ext4 /d rw
702 620 0:60 / /var/lib/kubelet/pods/{UID.replace("0f", "ff")}/volumes/x rw - tmpfs tmpfs rw
"""


SLICE = f"kubepods.slice/kubepods-pod{UID.replace('-', '_')}.slice"
SYSTEMD = f"1:cpu:/{SLICE}/cri-containerd-{ID}.scope\n"


@pytest.mark.parametrize(
    ("mounts", "groups", "own"),
    [
        ("", "0::/\n", Own()),
        ("x\n\n", "", Own()),
        (DOCKER, "0::/\n", Own(frozenset({ID}))),
        (KUBELET, "0::/\n", Own(pods=frozenset({UID}))),
        ("", f"4:memory:/docker/{ID}\n", Own(frozenset({ID}))),
        ("", f"0::/system.slice/docker-{ID}.scope\n", Own(frozenset({ID}))),
        (
            "",
            SYSTEMD,
            Own(frozenset({ID}), frozenset({UID})),
        ),
        (
            "",
            f"4:memory:/kubepods/burstable/pod{UID}/{ID}\n",
            Own(frozenset({ID}), frozenset({UID})),
        ),
        ("", "4:memory:/process_api/40ff0bb0343289aeb825251fb1233891\n", Own()),
    ],
)
def test_mounts_and_groups_tell_container_and_pod(
    mounts: str, groups: str, own: Own, tmp_path: Path
) -> None:
    (tmp_path / "mountinfo").write_text(mounts)
    (tmp_path / "cgroup").write_text(groups)
    assert find_own(tmp_path) == own


def test_nothing_is_known_where_the_kernel_says_nothing(tmp_path: Path) -> None:
    assert find_own(tmp_path) == Own()


def test_containers_of_the_own_pod_are_its_own() -> None:
    own = Own(frozenset({ID}), frozenset({UID}))
    assert own.is_own(container(identifier=ID))
    assert own.is_own(container(identifier=SANDBOX, pod=Pod("n", "p", UID)))
    assert not own.is_own(container(identifier=SANDBOX, pod=Pod("n", "p")))
    assert not own.is_own(container(identifier=SANDBOX))
