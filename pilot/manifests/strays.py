"""Texts of Kubernetes objects that no container gets, or not from there, or that are no text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilot.manifests.found import Stray
from pilot.manifests.shapes import Path, at, mapping, sequence, text
from pilot.model import Code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pilot.manifests.documents import Document
    from pilot.manifests.environment import Environment


def misplaced(
    document: Document,
    owner: Mapping[str, object],
    owner_path: Path,
    pod: Mapping[str, object],
    pod_path: Path,
) -> Iterator[Stray]:
    """Annotations of a workload instead of its pods, and labels of either."""
    kind = text(owner.get("kind")) or "object"
    right = ".".join(map(str, (*pod_path[len(owner_path) :], "metadata.annotations")))
    places = [(pod, pod_path, "labels")]
    if owner is not pod:
        places += [(owner, owner_path, "annotations"), (owner, owner_path, "labels")]
    for where, path, which in places:
        if found := mapping(at(where, "metadata", which)):
            whose = "a pod" if where is pod else f"a {kind}"
            yield Stray(
                document=document,
                path=(*path, "metadata", which),
                texts=found,
                code=Code.ANNOTATION_ELSEWHERE,
                reason=f"{which} of {whose} declare no logs, only annotations of the pod do.",
                hint=right,
            )
    # Only texts are annotations; the API refuses the object.
    annotations = mapping(at(pod, "metadata", "annotations"))
    if wrong := {key: each for key, each in annotations.items() if not isinstance(each, str)}:
        yield _untyped(document, (*pod_path, "metadata", "annotations"), wrong)


def of_environment(
    document: Document, path: Path, container: Mapping[str, object], variables: Environment
) -> Iterator[Stray]:
    """Variables that are no text, and those that `envFrom` gives a prefix."""
    for name, value in variables.untyped.items():
        yield _untyped(document, variables.where[name], {name: value})
    for number, each in enumerate(sequence(container.get("envFrom"))):
        if prefix := text(mapping(each).get("prefix")):
            yield Stray(
                document=document,
                path=(*path, "envFrom", number),
                texts={prefix: ""},
                code=Code.ENV_UNKNOWN,
                reason="the variables that envFrom brings are known to the cluster only;"
                " nothing is said about what they declare.",
            )


def configuration(document: Document, data: Mapping[str, object], path: Path) -> Iterator[Stray]:
    """What a ConfigMap or a Secret holds; which containers get it is not said there."""
    kind = text(data.get("kind"))
    for which in ("data", "stringData"):
        if found := mapping(data.get(which)):
            yield Stray(
                document=document,
                path=(*path, which),
                # Their values may be secret, and no message needs them.
                texts=dict.fromkeys(found, ""),
                code=Code.ENV_UNKNOWN,
                reason=f"which containers get the variables of this {kind} is known to the cluster"
                " only; nothing is said about what they declare.",
            )


def _untyped(document: Document, path: Path, found: Mapping[str, object]) -> Stray:
    return Stray(
        document=document,
        path=path,
        texts=found,
        code=Code.VALUE_INVALID,
        reason="Kubernetes takes only text here; put the value in quotes.",
        notice=False,
    )
