"""What `crictl inspect` prints of a container (CRI's ContainerStatus, verbose) → the container."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilot.manifests.found import Found, Manifest
from pilot.manifests.shapes import Path, absolute, at, mapping, sequence, text, texts
from pilot.manifests.volumes import mount_of_runtime
from pilot.model import Container, Framing, Origin, Pod, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pilot.manifests.documents import Document
    from pilot.model import Mount

STATES = {
    "CONTAINER_CREATED": State.CREATED,
    "CONTAINER_EXITED": State.ENDED,
    "CONTAINER_RUNNING": State.RUNNING,
}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
# The kubelet names a pod's folder in the path of its log: <namespace>_<name>_<uid>.
_LOG = re.compile(r"/pods/[^/_]+_[^/_]+_(?P<uid>[^/_]+)/[^/]+/[0-9]+\.log\Z")


def is_inspected(data: object) -> bool:
    """Whether a document is `crictl inspect`'s of a container."""
    status = mapping(at(data, "status"))
    return "id" in status and ("mounts" in status or "logPath" in status)


def manifest(document: Document) -> Manifest:
    """The container of one document. Raises ValueError for one without a usable id.

    The pod's annotations and labels are not in it: only its API object has them.
    """
    data = document.data
    status, info = mapping(at(data, "status")), mapping(at(data, "info"))
    container_id = text(status.get("id"))
    if not _ID.fullmatch(container_id):
        raise ValueError("status.id is no container's id")
    labels = texts(status.get("labels"))
    env, where = _env(info)
    for key in labels:
        where[Origin.LABEL, key] = ("status", "labels", key)
    container = Container(
        id=container_id,
        name=text(at(status, "metadata", "name")),
        state=STATES.get(text(status.get("state")), State.RUNNING),
        created=text(status.get("createdAt")),
        image=text(at(status, "image", "userSpecifiedImage")) or text(at(status, "image", "image")),
        env=env,
        labels=labels,
        mounts=tuple(_mounts(status)),
        log_path=text(status.get("logPath")),
        log_framing=Framing.CRI,
        pod=_pod(labels, status),
    )
    return Manifest((Found(container=container, document=document, where=where),))


def _env(info: Mapping[str, object]) -> tuple[dict[str, str], dict[tuple[Origin, str], Path]]:
    """The process' environment, the image's part of it too; else what the kubelet asked for."""
    env: dict[str, str] = {}
    where: dict[tuple[Origin, str], Path] = {}
    path: Path = ("info", "runtimeSpec", "process", "env")
    for number, entry in enumerate(sequence(at(info, "runtimeSpec", "process", "env"))):
        key, equals, value = text(entry).partition("=")
        if equals:
            env[key] = value
            where[Origin.ENV, key] = (*path, number)
    if not env:
        for number, entry in enumerate(sequence(at(info, "config", "envs"))):
            if key := text(at(entry, "key")):
                env[key] = text(at(entry, "value"))
                where[Origin.ENV, key] = ("info", "config", "envs", number)
    return env, where


def _mounts(status: Mapping[str, object]) -> Iterator[Mount]:
    for entry in sequence(status.get("mounts")):
        if destination := absolute("/" + text(at(entry, "containerPath")).removeprefix("/")):
            source = absolute(text(at(entry, "hostPath")))
            yield mount_of_runtime(
                destination, source, image=bool(text(at(entry, "image", "image")))
            )


def _pod(labels: Mapping[str, str], status: Mapping[str, object]) -> Pod | None:
    name = labels.get("io.kubernetes.pod.name", "")
    if not name:
        return None
    uid = labels.get("io.kubernetes.pod.uid", "")
    if not uid and (found := _LOG.search(text(status.get("logPath")))):
        uid = found["uid"]
    container = labels.get("io.kubernetes.container.name", "")
    return Pod(labels.get("io.kubernetes.pod.namespace", ""), name, uid, container)
