"""One file of whatever kind → the containers in it. Which kind it is its content says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilot import kubelet
from pilot.manifests import compose, crictl, kubernetes
from pilot.manifests.documents import Document, OtherFileError, UnusableError, documents
from pilot.manifests.found import Found, Manifest, Stray
from pilot.manifests.shapes import Path, at, mapping, sequence, text
from pilot.model import Origin
from pilot.sources.inspect import container_from_inspect
from pilot.sources.static import parse_static

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilot.model import Container

OTHER = (
    "this is no Kubernetes manifest, no compose file, no output of `docker inspect` or"
    " `crictl inspect`, and no file of the static source"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a manifest leaves to its surroundings."""

    kubelet_root: str = kubelet.ROOT
    namespace: str = "default"  # of objects that name none
    folder: str = "/"  # of a compose file, for its relative paths


def read(text_: str, origin: str, surroundings: Surroundings) -> Manifest:
    """Everything that a file holds. Raises UnusableError with the line, or ValueError.

    Of a file that holds no containers it is an OtherFileError.

    `origin` is the file's name, for messages.
    """
    found = documents(text_, origin)
    if not found:
        raise OtherFileError(origin, 1, "there is nothing in it")
    containers: list[Found] = []
    strays: list[Stray] = []
    for document in found:
        made = _one(document, text_, surroundings, alone=len(found) == 1)
        containers += made.containers
        strays += made.strays
    return Manifest(tuple(containers), tuple(strays))


def _one(document: Document, text_: str, surroundings: Surroundings, *, alone: bool) -> Manifest:
    data = document.data
    try:
        if kubernetes.is_object(data):
            return kubernetes.manifest(
                document,
                kubelet_root=surroundings.kubelet_root,
                namespace=surroundings.namespace,
            )
        if compose.is_compose(data):
            return compose.manifest(document, folder=surroundings.folder)
        if crictl.is_inspected(data):
            return crictl.manifest(document)
        if _is_inspect(data):
            return _inspected(document)
    except UnusableError:
        raise
    except ValueError as error:
        raise UnusableError(document.origin, document.line(()), str(error)) from error
    if alone and _is_static(data):
        return _static(document, parse_static(text_, document.origin))
    raise OtherFileError(document.origin, document.line(()), OTHER)


def _is_inspect(data: object) -> bool:
    if isinstance(data, list):
        return bool(data) and "Id" in mapping(data[0])
    return "Id" in mapping(data)


def _inspected(document: Document) -> Manifest:
    """What `docker inspect` prints: a list of containers, or one of them."""
    data = document.data
    many = isinstance(data, list)
    return Manifest(
        tuple(
            Found(
                container=container_from_inspect(each),
                document=document,
                where=_inspected_where(each, (number,) if many else ()),
                pod=(number,) if many else (),
            )
            for number, each in enumerate(data if many else [data])
        )
    )


def _inspected_where(data: object, path: Path) -> Mapping[tuple[Origin, str], Path]:
    config = mapping(at(data, "Config"))
    where: dict[tuple[Origin, str], Path] = {
        (Origin.LABEL, key): (*path, "Config", "Labels", key)
        for key in mapping(config.get("Labels"))
    }
    for number, entry in enumerate(sequence(config.get("Env"))):
        where[Origin.ENV, text(entry).partition("=")[0]] = (*path, "Config", "Env", number)
    return where


def _is_static(data: object) -> bool:
    if isinstance(data, list):
        return all("id" in mapping(each) for each in data)
    return "id" in mapping(data)


def _static(document: Document, containers: list[Container]) -> Manifest:
    many = isinstance(document.data, list)
    made = []
    for number, container in enumerate(containers):
        path: Path = (number,) if many else ()
        where: dict[tuple[Origin, str], Path] = {
            (Origin.ENV, key): (*path, "env", key) for key in container.env
        }
        where |= {(Origin.LABEL, key): (*path, "labels", key) for key in container.labels}
        made.append(Found(container=container, document=document, where=where, pod=path))
    return Manifest(tuple(made))
