"""The shape of a case, and what most of them share.

`origin` is a file of AliyunContainerService/log-pilot or one of its issues (#) or pull requests
(PR). Texts are as they were written there, with the names of machines left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilot.model import Mount
from pilot.treatment import Format, Stream

if TYPE_CHECKING:
    from collections.abc import Mapping

OUTPUT = "(output)"  # the runtime's own file
TOMCAT = "/usr/local/tomcat/logs"
ACCESS = f"{TOMCAT}/localhost_access_log.*.txt"
DISK = "/var/lib/docker/volumes/logs/_data"  # where the volume of most cases lies
VOLUME = (Mount(TOMCAT, DISK, "volume"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One log: `files` are paths on the node or OUTPUT, `asks` values of its treatment."""

    name: str
    files: tuple[str, ...] = (OUTPUT,)
    format: Format = Format.NONE
    tags: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    index: str = ""  # "" for the name
    stream: Stream = Stream.ALL
    asks: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A container as declared, and the logs and the (code, key) that are said of it."""

    origin: str
    about: str
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = VOLUME
    log_driver: str = "json-file"
    prefixes: tuple[str, ...] = ("aliyun", "pilot")
    logs: tuple[Expected, ...] = ()
    said: tuple[tuple[str, str], ...] = ()


def on(destination: str) -> tuple[Mount, ...]:
    """One volume there."""
    return (Mount(destination, DISK, "volume"),)


STDOUT = Expected(name="catalina")
ACCESS_LOG = Expected(name="access", files=(f"{DISK}/localhost_access_log.*.txt",))
TOMCAT_LABELS = {"aliyun.logs.catalina": "stdout", "aliyun.logs.access": ACCESS}
