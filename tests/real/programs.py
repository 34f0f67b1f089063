"""Where the real programs come from: named by the environment, kept from an earlier run, or built.

`PILOT_TEST_FILEBEATS`, `PILOT_TEST_DOCKERDS` and `PILOT_TEST_KUBELETS` (paths, separated by colons)
settle the question.
Otherwise a program lies in `$XDG_CACHE_HOME/kube-log-pilot-tests`, or is on PATH in the right
version, or is built there by `tests/real/build`, which needs `go`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

BUILD = Path(__file__).with_name("build")


class UnavailableError(Exception):
    """A program cannot be had here; says what would help."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program in one major version, and the version that `tests/real/build` makes of it."""

    name: str
    major: int
    package: str
    version: str
    variable: str


FILEBEAT_9 = Program("filebeat", 9, "filebeat", "9.0.0", "PILOT_TEST_FILEBEATS")
FILEBEAT_7 = Program("filebeat", 7, "filebeat", "7.17.29", "PILOT_TEST_FILEBEATS")
# The version of Moby's module; its daemon is Docker 29. A containerd lies beside it.
DOCKER_29 = Program("dockerd", 29, "docker", "2.0.0-beta.24", "PILOT_TEST_DOCKERDS")

# kube-apiserver and its like, kubelet and kubectl lie beside each other.
KUBERNETES = Program("kubelet", 1, "kubernetes", "1.34.4", "PILOT_TEST_KUBELETS")


def filebeats() -> list[Path]:
    """Each Filebeat to test with, the newest first. Raises UnavailableError."""
    if named := _named("PILOT_TEST_FILEBEATS"):
        return named
    return [find(FILEBEAT_9), find(FILEBEAT_7)]


def dockerd() -> Path:
    """The Docker daemon of this machine, whatever its version. Raises UnavailableError."""
    if named := _named("PILOT_TEST_DOCKERDS"):
        return named[0]
    if found := _on_path("dockerd"):
        return found
    return find(DOCKER_29)


def find(program: Program) -> Path:
    """A program in its major version. Raises UnavailableError."""
    if named := _named(program.variable):
        for path in named:
            if major(path) == program.major:
                return path
        raise UnavailableError(f"{program.variable} names no {program.name} {program.major}")
    kept = cache() / f"{program.package}-{program.version}"
    if (kept / program.name).is_file():
        return kept / program.name
    installed = _on_path(program.name)
    if installed and major(installed) == program.major:
        return installed
    if shutil.which("go"):
        _build(program, kept)
        return kept / program.name
    raise UnavailableError(
        f"no {program.name} {program.major}: set {program.variable}, or install it or Go"
    )


def cache() -> Path:
    """Where built programs are kept, outside the clone."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "kube-log-pilot-tests"


def major(path: Path) -> int:
    """A program's major version by its own word.

    A dockerd that was built without a version number (as ours is) counts as 29.
    """
    flag = "version" if path.name.startswith("filebeat") else "--version"
    answer = subprocess.run([path, flag], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(?:version |Kubernetes v)(\d+)\.\d", answer)
    return int(found[1]) if found else DOCKER_29.major


def _build(program: Program, folder: Path) -> None:
    what = f"{program.package}-{program.major}"
    done = subprocess.run(
        [BUILD, what, folder], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        raise UnavailableError(f"building {what} failed: {done.stderr[-2000:]}")


def _named(variable: str) -> list[Path]:
    named = [Path(part) for part in os.environ.get(variable, "").split(":") if part]
    for path in named:
        if not os.access(path, os.X_OK):
            raise UnavailableError(f"{variable} names {path}, which cannot be run")
    return named


def _on_path(name: str) -> Path | None:
    # Debian keeps daemons in /usr/sbin, which is not on every PATH.
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin")
    return Path(found) if found else None
