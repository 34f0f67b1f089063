"""Files with containers, as `render` and `lint` take them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilot import kubelet
from pilot.cli.options import flag, together
from pilot.manifests import Surroundings, UnusableError, read

if TYPE_CHECKING:
    from pilot.manifests import Manifest

STDIN = "-"

surrounding = together(
    flag(
        "--kubelet-root",
        default=kubelet.ROOT,
        metavar="DIR",
        help="The kubelet's folder on the nodes, for pods in manifests.",
    ),
    flag(
        "--namespace",
        default="default",
        metavar="NAME",
        help="The namespace of Kubernetes objects that name none.",
    ),
)


def surroundings_from(chosen: dict[str, Any]) -> Surroundings:
    """What manifests leave open, taken out of the flags of a command."""
    return Surroundings(kubelet_root=chosen.pop("kubelet_root"), namespace=chosen.pop("namespace"))


def title(name: str) -> str:
    """What messages call a file."""
    return "standard input" if name == STDIN else name


def read_input(name: str, surroundings: Surroundings) -> Manifest:
    """What a file holds, "-" for stdin.

    Raises UnusableError with the line, ValueError with a sentence, or OSError.
    """
    if name == STDIN:
        raw, folder = sys.stdin.buffer.read(), Path.cwd()
    else:
        path = Path(name)
        folder = path.absolute().parent
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise UnusableError(name, 1, f"it cannot be read: {error.strerror}") from error
    return read(
        raw.decode("utf-8", "replace"),
        title(name),
        Surroundings(
            kubelet_root=surroundings.kubelet_root,
            namespace=surroundings.namespace,
            folder=str(folder),
        ),
    )
