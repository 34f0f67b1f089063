"""Kubernetes objects → the containers of their pods.

Pods themselves, lists, the workloads that make pods of a template, and whatever else has one in
`spec.template`. What the cluster adds (a pod's uid, its node) has a stand-in where it is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from pilot.manifests.environment import environment
from pilot.manifests.found import Found, Manifest
from pilot.manifests.shapes import Path, at, mapping, sequence, text, texts
from pilot.manifests.strays import configuration, misplaced, of_environment
from pilot.manifests.volumes import PodFolder, mounts
from pilot.model import Container, Framing, Origin, Pod, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pilot.manifests.documents import Document
    from pilot.manifests.found import Stray
    from pilot.model import Mount

LOGS = "/var/log/pods"
LONGEST_ID = 128  # characters: an id becomes a file name
TEMPLATES: Mapping[str, Path] = MappingProxyType(
    {
        "CronJob": ("spec", "jobTemplate", "spec", "template"),
        "Pod": (),
        "PodTemplate": ("template",),
    }
)
USUAL_TEMPLATE: Path = ("spec", "template")  # Deployment, StatefulSet, DaemonSet, Job, …
# A pod's lists of containers, with those of their statuses.
LISTS = (
    ("initContainers", "initContainerStatuses"),
    ("containers", "containerStatuses"),
    ("ephemeralContainers", "ephemeralContainerStatuses"),
)
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]")
_UID = re.compile(r"[A-Za-z0-9-]{1,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Template:
    """A pod, or what pods are made of: its mapping, its place, the object that has it."""

    document: Document
    path: Path
    pod: Mapping[str, object]
    owner: Mapping[str, object]
    owner_path: Path


def is_object(data: object) -> bool:
    """Whether a document is one of Kubernetes' objects."""
    return bool(text(at(data, "kind")) and text(at(data, "apiVersion")))


def manifest(document: Document, *, kubelet_root: str, namespace: str) -> Manifest:
    """The containers of an object, or of all that a list holds.

    `namespace` is that of objects that name none.
    """
    containers: list[Found] = []
    strays: list[Stray] = []
    for data, path in _objects(document.data):
        kind = text(data.get("kind"))
        if kind in ("ConfigMap", "Secret"):
            strays += configuration(document, data, path)
            continue
        below = TEMPLATES.get(kind, USUAL_TEMPLATE)
        pod = mapping(at(data, *(str(step) for step in below)))
        if sequence(at(pod, "spec", "containers")):
            template = _Template(
                document=document, path=(*path, *below), pod=pod, owner=data, owner_path=path
            )
            found, more = _containers(template, kubelet_root, namespace)
            containers += found
            strays += more
    return Manifest(tuple(containers), tuple(strays))


def _objects(data: object) -> Iterator[tuple[Mapping[str, object], Path]]:
    """An object, or those of a list (`List`, `PodList`, …), whose items may have no kind."""
    kind, items = text(at(data, "kind")), at(data, "items")
    if not (kind.endswith("List") and isinstance(items, list)):
        yield mapping(data), ()
        return
    for number, item in enumerate(items):
        given = mapping(item)
        yield ({"kind": kind[:-4], **given} if "kind" not in given else given), ("items", number)


def _containers(
    template: _Template, kubelet_root: str, namespace: str
) -> tuple[list[Found], list[Stray]]:
    pod, document = template.pod, template.document
    belongs = _pod(template, namespace)
    fields = _fields(template, belongs)
    folder = PodFolder(kubelet_root=kubelet_root, uid=belongs.uid)
    annotated = (*template.path, "metadata", "annotations")
    annotations = {(Origin.ANNOTATION, key): (*annotated, key) for key in belongs.annotations}
    spec = _with_claims(mapping(pod.get("spec")), template.owner)
    found: list[Found] = []
    strays = list(misplaced(document, template.owner, template.owner_path, pod, template.path))
    for kind, status_kind in LISTS:
        statuses = {
            text(mapping(each).get("name")): mapping(each)
            for each in sequence(at(pod, "status", status_kind))
        }
        for number, each in enumerate(sequence(spec.get(kind))):
            given, path = mapping(each), (*template.path, "spec", kind, number)
            variables = environment(given, path, fields, pod)
            status = statuses.get(text(given.get("name")), {})
            placed = tuple(one.mount for one in mounts(spec, given, folder, variables))
            where = {(Origin.ENV, key): place for key, place in variables.where.items()}
            found.append(
                Found(
                    container=_container(given, belongs, status, variables.values, placed),
                    document=document,
                    where=annotations | where,
                    unknown=variables.unknown,
                    pod=template.path,
                )
            )
            strays += of_environment(document, path, given, variables)
    return found, strays


def _with_claims(spec: Mapping[str, object], owner: Mapping[str, object]) -> Mapping[str, object]:
    """A pod's spec with the volumes that a StatefulSet adds: one for each of its claims."""
    added = [
        {"name": text(at(each, "metadata", "name")), "persistentVolumeClaim": {}}
        for each in sequence(at(owner, "spec", "volumeClaimTemplates"))
    ]
    return {**spec, "volumes": [*sequence(spec.get("volumes")), *added]} if added else spec


def _pod(template: _Template, namespace: str) -> Pod:
    """The pod as its containers know it; what the cluster gives has a stand-in."""
    metadata, owner = mapping(template.pod.get("metadata")), mapping(template.owner.get("metadata"))
    namespace = text(owner.get("namespace")) or namespace
    if template.pod is template.owner:
        name = text(metadata.get("name")) or f"{text(metadata.get('generateName'))}<pod>"
    else:
        name = f"{text(owner.get('name'))}-<pod>"
    annotations = texts(metadata.get("annotations"))
    uid = text(metadata.get("uid"))
    if any(at(each, "kind") == "Node" for each in sequence(metadata.get("ownerReferences"))):
        # The API's copy of a static pod: the kubelet knows that pod by another uid.
        uid = annotations.get("kubernetes.io/config.mirror", uid)
    if not uid or not _UID.fullmatch(uid):
        uid = f"<uid-of-{_UNFIT.sub('-', f'{namespace}.{name}')}>"
    return Pod(namespace, name, uid, annotations=annotations, labels=texts(metadata.get("labels")))


def _fields(template: _Template, belongs: Pod) -> dict[str, str]:
    """What is known of a pod, by `fieldPath`."""
    spec, metadata = mapping(template.pod.get("spec")), mapping(template.pod.get("metadata"))
    known = {
        "metadata.namespace": belongs.namespace,
        "spec.nodeName": text(spec.get("nodeName")),
        "spec.serviceAccountName": text(spec.get("serviceAccountName")),
    }
    if template.pod is template.owner:
        known |= {
            "metadata.name": text(metadata.get("name")),
            "metadata.uid": text(metadata.get("uid")),
        }
    return {path: value for path, value in known.items() if value}


def _container(
    given: Mapping[str, object],
    pod: Pod,
    status: Mapping[str, object],
    env: Mapping[str, str],
    placed: tuple[Mount, ...],
) -> Container:
    name = text(given.get("name"))
    labels = {
        "io.kubernetes.container.name": name,
        "io.kubernetes.pod.name": pod.name,
        "io.kubernetes.pod.namespace": pod.namespace,
        "io.kubernetes.pod.uid": pod.uid,
    }
    restarts = status.get("restartCount")
    number = restarts if isinstance(restarts, int) else 0
    folder = f"{LOGS}/{pod.namespace}_{pod.name}_{pod.uid}"
    running_as = text(status.get("containerID")).rpartition("://")[2]
    stand_in = f"{pod.namespace}_{pod.name}_{name}".replace("<pod>", "x")
    return Container(
        id=_UNFIT.sub("-", running_as or stand_in).lstrip("_.-")[:LONGEST_ID] or "x",
        name=name,
        state=_state(status, bool(running_as)),
        image=text(given.get("image")),
        env=env,
        labels=labels,
        mounts=placed,
        log_path=f"{folder}/{name}/{number}.log",
        log_framing=Framing.CRI,
        pod=replace(pod, container=name),
    )


def _state(status: Mapping[str, object], known: bool) -> State:
    """What a container does; one without a status counts as running, for that is what it is for."""
    state = mapping(status.get("state"))
    if "terminated" in state:
        return State.ENDED
    if "waiting" in state:
        return State.ENDED if known else State.CREATED
    return State.RUNNING
