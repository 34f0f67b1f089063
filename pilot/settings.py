"""The pilot's own settings: one frozen value, made once by the command line from flags and env."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PREFIXES = ("aliyun", "pilot")


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much pins may hold that would be gone without them."""

    bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class Floor:
    """What pins leave free of a filesystem: parts of its space and of its inodes, 0 to 1.

    Of space at most `most` bytes; 0 is no limit.
    """

    space: float
    inodes: float
    most: int = 0

    def space_of(self, total: int) -> int:
        """Bytes to leave free of so many."""
        part = int(total * self.space)
        return min(part, self.most) if self.most else part


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that was chosen when the pilot started. Times are seconds."""

    type: str = "filebeat"
    source: str = "auto"
    log_prefixes: tuple[str, ...] = DEFAULT_PREFIXES
    node_root: Path = Path("/")  # where the pilot sees the node's /
    collector_root: Path = Path("/")  # where the collector sees the node's /
    state_dir: Path = Path("/var/lib/log-pilot")
    config_dir: Path | None = None  # None: the collector's usual place
    data_dir: Path | None = None  # the collector's own records; None: its usual place
    static_path: Path = Path("/etc/log-pilot/containers")
    pin: bool = True
    pin_roots: tuple[str, ...] = ()  # node paths; () for the usual places
    recursive: bool = False  # whether a path may hold `**`
    rootfs: bool = False  # whether files in a container's own filesystem may be collected
    policy_file: Path | None = None  # what the administrator allows; None: only what flags say
    collect: str = "declared"  # or "stdout": also the output of containers that declare none
    image_declarations: bool = True  # whether an image's own ENV and LABELs declare logs
    create_symlink: bool = False  # log-pilot's tree of links to volumes
    symlink_root: Path = Path("/acs/log")  # where, on the node
    set_allowance: Allowance = Allowance(1 << 30, 10_000)
    namespace_allowance: Allowance = Allowance(4 << 30, 50_000)
    node_allowance: Allowance = Allowance(16 << 30, 100_000)
    floor: Floor | None = None  # None: by whether the node has a kubelet
    supervised: bool = True
    collector: str = ""  # the collector's program; "" for its usual name on PATH
    relist: float = 30.0  # between two full lists beside an event stream
    drain_limit: float = 86_400.0  # how long an ended container's unread files are kept
    max_logs: int = 100  # declared logs per container
    node_name: str = ""
    templates: Path | None = None  # the user's folder, looked at before ours
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def on_node(self, path: str) -> Path:
        """Where the pilot finds a path of the node."""
        return self.node_root / path.lstrip("/")

    def for_collector(self, path: str) -> str:
        """Where the collector finds a path of the node."""
        return str(self.collector_root / path.lstrip("/"))
