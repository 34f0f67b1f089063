"""The demo's containers, as the static source is told of them. Paths are the pretend node's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from pilot.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

NAMESPACE = "demo"


@dataclass(frozen=True, slots=True)
class DemoContainer:
    """One container: `program` is the file that its program writes, "" for one without."""

    name: str
    program: str
    facts: dict[str, object]

    def write(self, folder: Path, state: str) -> None:
        """Write the static source's file for it, in this state. Raises OSError."""
        content = {**self.facts, "name": self.name, "state": state}
        write_atomically(
            folder / f"{self.name}.yaml", yaml.safe_dump(content).encode("ascii"), mode=0o644
        )

    def remove(self, folder: Path) -> None:
        """Take its file away: the container was removed."""
        (folder / f"{self.name}.yaml").unlink(missing_ok=True)


def demo_containers(run: str, created: str) -> tuple[DemoContainer, ...]:
    """Three with programs, and one that declares something that cannot be done."""
    web, api, batch, mistaken = (_id(run, name) for name in ("web", "api", "batch", "mistaken"))
    output = f"/var/lib/docker/containers/{web}/{web}-json.log"
    uid = f"{api[:8]}-{api[8:12]}-{api[12:16]}-{api[16:20]}-{api[20:32]}"
    pod_log = f"/var/log/pods/{NAMESPACE}_api-0_{uid}/api/0.log"
    volume = {
        "destination": "/var/log/batch",
        "source": "/var/lib/docker/volumes/batch/_data",
        "kind": "volume",
    }
    common: dict[str, object] = {"created": created}
    return (
        DemoContainer(
            "web",
            output,
            {
                **common,
                "id": web,
                "image": "demo/web:1.0",
                "env": {
                    "aliyun_logs_web": "stdout",
                    "aliyun_logs_web_tags": "team=shop,tier=front",
                },
                "log": {"path": output, "format": "docker"},
                "pod": {"namespace": NAMESPACE, "name": "web-0", "container": "web"},
            },
        ),
        DemoContainer(
            "api",
            pod_log,
            {
                **common,
                "id": api,
                "image": "demo/api:2.1",
                "env": {"aliyun_logs_api": "stdout", "aliyun_logs_api_target": "api-lines"},
                "log": {"path": pod_log, "format": "cri"},
                "pod": {"namespace": NAMESPACE, "name": "api-0", "uid": uid, "container": "api"},
            },
        ),
        DemoContainer(
            "batch",
            f"{volume['source']}/batch.log",
            {
                **common,
                "id": batch,
                "image": "demo/batch:0.3",
                "env": {"aliyun_logs_batch": "/var/log/batch/*.log"},
                "mounts": [volume],
                "pod": {"namespace": NAMESPACE, "name": "batch-0", "container": "batch"},
            },
        ),
        DemoContainer(
            "mistaken",
            "",
            {
                **common,
                "id": mistaken,
                "image": "demo/mistaken:0.1",
                "env": {"aliyun_logs_orders": "/srv/orders/orders.log"},  # on no mount
                "pod": {"namespace": NAMESPACE, "name": "mistaken-0", "container": "mistaken"},
            },
        ),
    )


def _id(run: str, name: str) -> str:
    """A container id as Docker makes them: 64 hexadecimal digits, its own in each run."""
    return hashlib.sha256(f"{run} {name}".encode()).hexdigest()
