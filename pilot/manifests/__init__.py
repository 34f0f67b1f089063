"""What people write and what tools print of containers, as containers of the model. No daemon.

Kubernetes manifests, compose files, the output of `docker inspect` and `crictl inspect`, and files
of the static source; each key of a declaration with the line that it stands on. Pure but for the
reading of a file, which is the caller's.
"""

from __future__ import annotations

from pilot.manifests.documents import Document, OtherFileError, UnusableError
from pilot.manifests.found import Found, Manifest, Stray
from pilot.manifests.read import Surroundings, read

__all__ = [
    "Document",
    "Found",
    "Manifest",
    "OtherFileError",
    "Stray",
    "Surroundings",
    "UnusableError",
    "read",
]
