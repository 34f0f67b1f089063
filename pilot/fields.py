"""The fields that go on every event of a log: log-pilot's names, and those that tell where from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilot.model import encodable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilot.model import Container, Log

MAX_FIELD = 1024  # characters of one value
MAX_ACCESS_LABELS = 20
MAX_ACCESS = 2048  # characters of those labels' names and values together
ACCESS = "com.aliyun.access."
_ACCESS_KEY = re.compile(r"com\.aliyun\.access\.[A-Za-z0-9_.-]{1,64}")

# Where two labels say it, the later is the stronger.
_FROM_LABELS = (
    ("docker_app", "com.docker.compose.project"),
    ("docker_app", "com.docker.stack.namespace"),
    ("docker_service", "com.docker.compose.service"),
    ("docker_service", "com.docker.swarm.service.name"),
    ("k8s_container_name", "io.kubernetes.container.name"),
    ("k8s_pod", "io.kubernetes.pod.name"),
    ("k8s_pod_namespace", "io.kubernetes.pod.namespace"),
    ("k8s_pod_uid", "io.kubernetes.pod.uid"),
)


def fields(container: Container, log: Log, node_name: str) -> dict[str, str]:
    """Name → value, sorted by name, none empty; what the pilot says wins over tags.

    `index` and `topic` are the tag of that name, else the target, else the log's name. Of the
    labels `com.aliyun.access.*` the first MAX_ACCESS_LABELS by name count, and of these, in that
    order, those whose names and values fit into MAX_ACCESS characters together: every file set
    repeats them in the fragment.
    """
    default = log.target or log.name
    every: dict[str, str] = {"index": default, "topic": default}
    every.update((tag, value) for tag, value in log.tags.items() if value)
    own = {
        **_of_labels(container.labels),
        **_of_pod(container),
        "container_id": container.id,
        "container_image": container.image,
        "docker_container": container.name.removeprefix("/"),
        "k8s_node_name": node_name,
        "log_name": log.name,
    }
    every.update((name, value) for name, value in own.items() if value)
    return {name: _clean(every[name]) for name in sorted(every)}


def _of_labels(labels: Mapping[str, str]) -> dict[str, str]:
    found = {name: labels[label] for name, label in _FROM_LABELS if labels.get(label)}
    # The rest of such a key is a tenant's text: only what is safe as a name becomes one.
    keys = (key for key in labels if key.startswith(ACCESS) and _ACCESS_KEY.fullmatch(key))
    room = MAX_ACCESS
    for key in sorted(keys)[:MAX_ACCESS_LABELS]:
        size = len(key) + len(labels[key][:MAX_FIELD])
        if size <= room:
            room -= size
            found[key.replace(".", "_")] = labels[key]
    return found


def _of_pod(container: Container) -> dict[str, str]:
    if (pod := container.pod) is None:
        return {}
    named = {
        "k8s_container_name": pod.container,
        "k8s_pod": pod.name,
        "k8s_pod_namespace": pod.namespace,
        "k8s_pod_uid": pod.uid,
    }
    return {name: value for name, value in named.items() if value}


def _clean(text: str) -> str:
    """Text that is UTF-8 and no longer than a field needs."""
    return encodable(text[:MAX_FIELD])
