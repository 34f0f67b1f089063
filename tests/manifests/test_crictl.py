"""What `crictl inspect` prints, in the shape of crictl 1.30 with containerd."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pilot.manifests import UnusableError
from pilot.model import Framing, Mount, Pod, State
from tests.manifests.making import PODS, UID, manifest, only

ID = "4ec5e0c3e3ea3cf65a0a9a5a4c5a8c8f8cbc0f7c0fd6d6d7a2c1a0b0f0e0d0c0"


def inspected(**changes: Any) -> dict[str, Any]:
    status = {
        "id": ID,
        "metadata": {"attempt": 1, "name": "app1"},
        "state": "CONTAINER_RUNNING",
        "createdAt": "2026-11-21T12:00:00.1Z",
        "image": {"image": "docker.io/library/busybox:1.36", "userSpecifiedImage": ""},
        "labels": {
            "io.kubernetes.container.name": "app1",
            "io.kubernetes.pod.name": "kinds",
            "io.kubernetes.pod.namespace": "default",
            "io.kubernetes.pod.uid": UID,
        },
        "annotations": {"io.kubernetes.container.restartCount": "1"},
        "mounts": [
            {"containerPath": "/a", "hostPath": f"{PODS}/volumes/kubernetes.io~empty-dir/ed"},
            {"containerPath": "/cm", "hostPath": f"{PODS}/volumes/kubernetes.io~configmap/cm"},
            {"containerPath": "/hd", "hostPath": "/srv/hd"},
            {"containerPath": "/im", "hostPath": "", "image": {"image": "sha256:1"}},
        ],
        "logPath": f"/var/log/pods/default_kinds_{UID}/app1/1.log",
    }
    info = {"pid": 5, "runtimeSpec": {"process": {"env": ["PATH=/bin", "aliyun_logs_a=stdout"]}}}
    return {"status": status | changes, "info": info}


def test_a_container_with_everything_that_is_needed() -> None:
    text = json.dumps(inspected(), indent=2)
    found = only(text)
    made = found.container
    assert made.id == ID
    assert made.name == "app1"
    assert made.state is State.RUNNING
    assert made.env == {"PATH": "/bin", "aliyun_logs_a": "stdout"}
    assert made.mounts == (
        Mount("/a", f"{PODS}/volumes/kubernetes.io~empty-dir/ed", "volume"),
        Mount("/cm", "", "configMap"),
        Mount("/hd", "/srv/hd", "bind"),
        Mount("/im", "", "image"),
    )
    assert made.log_framing is Framing.CRI
    assert made.pod == Pod("default", "kinds", UID, "app1")
    assert "aliyun_logs_a" in text.splitlines()[found.line("aliyun_logs_a") - 1]


def test_several_follow_each_other() -> None:
    text = json.dumps(inspected(), indent=2) + "\n" + json.dumps(inspected(id="b1"), indent=2)
    assert [each.container.id for each in manifest(text).containers] == [ID, "b1"]


def test_without_a_runtime_s_spec_the_kubelet_s_variables_count() -> None:
    data = inspected()
    data["info"] = {"config": {"envs": [{"key": "A", "value": "a"}, {"key": "B"}]}}
    assert only(json.dumps(data)).container.env == {"A": "a", "B": ""}


@pytest.mark.parametrize(
    ("state", "expected"),
    [("CONTAINER_EXITED", State.ENDED), ("CONTAINER_CREATED", State.CREATED), (5, State.RUNNING)],
)
def test_states(state: object, expected: State) -> None:
    assert only(json.dumps(inspected(state=state))).container.state is expected


def test_an_id_that_is_none_is_a_sentence() -> None:
    with pytest.raises(UnusableError, match=r"x\.yaml:1: status\.id"):
        manifest(json.dumps(inspected(id="../x")))


@pytest.mark.parametrize("junk", [None, 5, "x", [], [1], {"a": []}, [{"hostPath": []}]])
def test_what_is_of_no_shape_raises_nothing(junk: object) -> None:
    keys = ("metadata", "labels", "image", "mounts", "state", "createdAt", "logPath")
    data = inspected(**dict.fromkeys(keys, junk))
    data["info"] = junk
    assert only(json.dumps(data)).container.id == ID
