"""What Docker's inspect says, as a container of the model. Pure; needs no client library.

The shape is that of `GET /containers/{id}/json` in the Docker Engine API, 1.24 to 1.5x. Engines
leave out and null fields freely (a containerd image store has no GraphDriver, for example), so
nothing but the id is taken for granted.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pilot.model import TMPFS, Container, Mount, Pod, State

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDED = frozenset({"exited", "dead", "removing"})
RUNNING = frozenset({"running", "paused", "restarting"})
# The labels that the kubelet gives its containers (dockershim, cri-dockerd).
POD_NAMESPACE = "io.kubernetes.pod.namespace"
POD_NAME = "io.kubernetes.pod.name"
POD_UID = "io.kubernetes.pod.uid"
POD_CONTAINER = "io.kubernetes.container.name"


def container_from_inspect(data: object) -> Container:
    """One container from one element of `docker inspect`'s list.

    Raises ValueError, saying what is wrong, for what is not about a container.
    """
    if not isinstance(data, Mapping):
        found = type(data).__name__
        raise ValueError(f"expected one container's inspect object, got {found}")  # noqa: TRY004
    container_id = _text(data.get("Id"))
    if not container_id:
        raise ValueError("the inspect object has no Id; is it about a container?")
    config, host_config = _mapping(data.get("Config")), _mapping(data.get("HostConfig"))
    labels = _texts(config.get("Labels"))
    driver = _text(_mapping(host_config.get("LogConfig")).get("Type"))
    graph = _mapping(_mapping(data.get("GraphDriver")).get("Data"))
    return Container(
        id=container_id,
        name=_text(data.get("Name")).removeprefix("/"),
        state=_state(_mapping(data.get("State"))),
        created=_text(data.get("Created")),
        image=_text(config.get("Image")),
        env=_env(config.get("Env")),
        labels=labels,
        mounts=_mounts(data.get("Mounts"), host_config.get("Tmpfs")),
        # Only json-file's log is text that may be read beside the engine.
        log_path=_text(data.get("LogPath")) if driver == "json-file" else "",
        log_driver=driver,
        # Of overlay only, which is what `pilot.locate.rootfs` knows; it outlives the process.
        rootfs=_text(graph.get("UpperDir")),
        pod=_pod(labels),
    )


def image_of(data: object) -> str:
    """The id of the image that a container was made of; "" where the engine does not tell."""
    return _text(_mapping(data).get("Image"))


def declared_by_image(data: object) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Environment and labels that an image brings: `GET /images/{id}/json`.

    Raises ValueError for what is not about an image.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("Id"), str):
        raise ValueError("it does not say what the image brings")  # noqa: TRY004 - data, not a bug
    config = _mapping(data.get("Config"))
    return _env(config.get("Env")), _texts(config.get("Labels"))


def _state(state: Mapping[object, object]) -> State:
    """A state that nobody knows counts as running: reading on does no harm, stopping would."""
    status = _text(state.get("Status")).lower()
    if status == "created":
        return State.CREATED
    if status in ENDED:
        return State.ENDED
    alive = status in RUNNING or state.get("Running") is not False or state.get("Restarting")
    return State.RUNNING if alive else State.ENDED


def _env(entries: object) -> Mapping[str, str]:
    pairs = [entry.partition("=") for entry in _list(entries) if isinstance(entry, str)]
    return {key: value for key, equals, value in pairs if equals}


def _mounts(mounts: object, tmpfs: object) -> tuple[Mount, ...]:
    """Every mount once, by destination: an engine's own order is not stable."""
    found = {mount.destination: mount for mount in _tmpfs(tmpfs)}
    for entry in _list(mounts):
        mount = _mapping(entry)
        if destination := _absolute(mount.get("Destination")):
            source, kind = _text(mount.get("Source")), _text(mount.get("Type"))
            found[destination] = Mount(destination, source, kind, _text(mount.get("Name")))
    return tuple(found[destination] for destination in sorted(found))


def _tmpfs(tmpfs: object) -> Iterator[Mount]:
    """What `--tmpfs` made: those are in HostConfig.Tmpfs and not among Mounts."""
    for path in _mapping(tmpfs):
        if destination := _absolute(path):
            yield Mount(destination, "", TMPFS)


def _pod(labels: Mapping[str, str]) -> Pod | None:
    name = labels.get(POD_NAME, "")
    if not name:
        return None
    namespace, uid = labels.get(POD_NAMESPACE, ""), labels.get(POD_UID, "")
    return Pod(namespace, name, uid, labels.get(POD_CONTAINER, ""))


def _absolute(path: object) -> str:
    """An absolute path without `.`, `..`, `//` or a last `/`; "" for anything else."""
    text = _text(path)
    return "/" + posixpath.normpath(text).lstrip("/") if text.startswith("/") else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[object, object]:
    return value if isinstance(value, Mapping) else {}


def _texts(value: object) -> Mapping[str, str]:
    entries = _mapping(value).items()
    return {key: text for key, text in entries if isinstance(key, str) and isinstance(text, str)}
