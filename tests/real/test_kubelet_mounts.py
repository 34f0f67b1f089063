"""Every kind of volume on a real kubelet: where a declared log lies, by the pod and by the runtime.

One pod mounts each kind, writes a line into each place that takes one, and declares a log there by
annotation. The file sets computed from the API's pod and those from what the runtime says of the
container must lead to these lines; kinds without logs must be refused with their code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pilot import piloters
from pilot.accept import accept
from pilot.manifests.read import Surroundings, read
from pilot.model import Code
from pilot.names import matcher
from pilot.settings import Settings
from pilot.wiring import policy_for
from tests.real import programs
from tests.real.cluster import IMAGE, Cluster
from tests.real.conftest import available
from tests.real.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pilot.accept import Accepted
    from pilot.model import Container

pytestmark = pytest.mark.proof
REFUSED, UNKNOWN = Code.MOUNT_UNSUPPORTED, Code.PATH_NOT_MOUNTED


@dataclass(frozen=True)
class Row:
    """One mount: what is declared there and what becomes of it."""

    kind: str
    file: str  # as the container knows it; it is the log's name, too, with `-` for `/`
    pod: Code | None = None  # why it is refused by the pod alone; None: its line is found
    runtime: Code | None = None  # the same by what the runtime says
    written: bool = True  # by the container itself

    @property
    def name(self) -> str:
        return self.file.strip("/").replace("/", "-")


ROWS = (
    Row("emptyDir", "/a/app.log"),
    Row("emptyDir of two containers", "/other/path/side.log"),
    Row("emptyDir in memory, nested", "/a/b/app.log"),
    Row("emptyDir, subPath", "/sub/app.log"),
    Row("emptyDir, subPathExpr", "/subx/app.log"),
    Row("emptyDir, subPath of one file", "/one.log"),
    Row("hostPath", "/hd/app.log"),
    Row("hostPath, subPath", "/hdsub/app.log"),
    Row("hostPath, one file", "/hf.log"),
    Row("persistentVolumeClaim (hostPath)", "/pvc/app.log", pod=REFUSED),
    Row("persistentVolumeClaim (local)", "/local/app.log", pod=REFUSED),
    Row("configMap", "/cm/app.log", REFUSED, REFUSED, written=False),
    Row("secret", "/secret/app.log", REFUSED, REFUSED, written=False),
    Row("projected", "/projected/app.log", REFUSED, REFUSED, written=False),
    Row("downwardAPI", "/down/app.log", REFUSED, REFUSED, written=False),
    Row("no volume", "/tmp/app.log", UNKNOWN, UNKNOWN),
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A real node."""
    with available():
        kubelet = programs.find(programs.KUBERNETES)
        made = Cluster(Path(f"/tmp/pilot-{tmp_path_factory.getbasetemp().name[-8:]}"), kubelet)
    with made:
        yield made


def objects(host: Path) -> list[dict[str, object]]:
    """What the pod needs, and the pod."""
    (host / "deep/er").mkdir(parents=True)
    for each in ("claim", "local"):
        (host / each).mkdir()
    (host / "one.log").touch()
    volumes: dict[str, dict[str, object]] = {
        "ed": {"emptyDir": {}},
        "mem": {"emptyDir": {"medium": "Memory"}},
        "hd": {"hostPath": {"path": str(host)}},
        "hf": {"hostPath": {"path": f"{host}/one.log"}},
        "claim": {"persistentVolumeClaim": {"claimName": "claim"}},
        "local": {"persistentVolumeClaim": {"claimName": "local"}},
        "cm": {"configMap": {"name": "cm"}},
        "secret": {"secret": {"secretName": "secret"}},
        "pj": {"projected": {"sources": [{"configMap": {"name": "cm"}}]}},
        "dw": {"downwardAPI": {"items": [{"path": "app.log", "fieldRef": {"fieldPath": NAME}}]}},
    }
    mounts = [
        {"name": "ed", "mountPath": "/a"},
        {"name": "mem", "mountPath": "/a/b"},
        {"name": "ed", "mountPath": "/sub", "subPath": "sub"},
        {"name": "ed", "mountPath": "/subx", "subPathExpr": "$(POD)-x"},
        {"name": "ed", "mountPath": "/one.log", "subPath": "made/one.log"},
        {"name": "hd", "mountPath": "/hd"},
        {"name": "hd", "mountPath": "/hdsub", "subPath": "deep/er"},
        {"name": "hf", "mountPath": "/hf.log"},
        {"name": "claim", "mountPath": "/pvc"},
        {"name": "local", "mountPath": "/local"},
        {"name": "cm", "mountPath": "/cm"},
        {"name": "secret", "mountPath": "/secret"},
        {"name": "pj", "mountPath": "/projected"},
        {"name": "dw", "mountPath": "/down"},
    ]
    writes = "; ".join(f"echo {row.name} > {row.file}" for row in ROWS if row.written)
    env = [
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": NAME}}},
        {"name": "aliyun_logs_out", "value": "stdout"},
    ]
    shell = {"image": IMAGE, "imagePullPolicy": "Never"}
    pod: dict[str, object] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "kinds",
            "annotations": {
                f"aliyun.logs/{row.name}{option}": value
                for row in ROWS
                for option, value in (("", row.file), (".container", "app"))
            },
        },
        "spec": {
            "volumes": [{"name": name, **volume} for name, volume in volumes.items()],
            "initContainers": [
                {
                    **shell,
                    "name": "make",
                    "command": ["/bin/sh", "-c", "mkdir -p /v/made; > /v/made/one.log"],
                    "volumeMounts": [{"name": "ed", "mountPath": "/v"}],
                }
            ],
            "containers": [
                {
                    **shell,
                    "name": "app",
                    "env": env,
                    "volumeMounts": [*mounts, {"name": "ed", "mountPath": "/other/path"}],
                    "command": ["/bin/sh", "-c", f"{writes}; echo out; exec sleep 100000"],
                }
            ],
            "terminationGracePeriodSeconds": 1,
        },
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "cm"},
            "data": {"app.log": "x"},
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "secret"},
            "stringData": {"app.log": "x"},
        },
        *_claim("claim", {"hostPath": {"path": f"{host}/claim"}}),
        *_claim("local", {"local": {"path": f"{host}/local"}, "nodeAffinity": ON_THE_NODE}),
        pod,
    ]


NAME = "metadata.name"
ON_THE_NODE = {
    "required": {
        "nodeSelectorTerms": [
            {
                "matchExpressions": [
                    {"key": "kubernetes.io/hostname", "operator": "In", "values": ["node1"]}
                ]
            }
        ]
    }
}


def _claim(name: str, volume: Mapping[str, object]) -> list[dict[str, object]]:
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": name}
    size = {"storage": "1Mi"}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"volume-{name}"},
            "spec": {**spec, **volume, "capacity": size},
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name},
            "spec": {**spec, "resources": {"requests": size}},
        },
    ]


def accepted(container: Container) -> Accepted:
    """What the pilot makes of a container on this node."""
    settings = Settings(type="console", environment={})
    piloter = piloters.create("console", settings)
    return accept(
        container,
        settings=settings,
        policy=policy_for(settings, piloter),
        refuse=piloter.refuse,
    )


def outcome(found: Accepted, row: Row) -> Code | str:
    """The lines that lie where a row's log was located, or the code of its refusal."""
    for log in found.logs:
        if log.name == row.name:
            (files,) = log.file_sets
            takes = matcher(files.pattern, rotated=files.rotated)
            folder = Path(files.directory)
            return "".join(each.read_text() for each in folder.iterdir() if takes(each.name))
    (code,) = {each.code for each in found.rejections if each.log == row.name}
    return code


def test_the_mount_table_on_a_real_kubelet(cluster: Cluster, folder: Path) -> None:
    host = folder / "host"
    for each in objects(host):
        cluster.kubectl("apply", "--filename=-", stdin=json.dumps(each))
    cluster.kubectl("wait", "--for=condition=Ready", "pod/kinds", "--timeout=90s")
    surroundings = Surroundings(kubelet_root=str(cluster.kubelet_root))

    def containers(text: str, origin: str) -> dict[str, Container]:
        found = [each.container for each in read(text, origin, surroundings).containers]
        return {each.pod.container: each for each in found if each.pod}

    pod = json.dumps(cluster.get("pod", "kinds"))
    computed = containers(pod, "pod")["app"]
    told = containers(cluster.inspect(computed.id), "crictl")["app"]
    # The runtime does not know a pod's annotations: they come from the API.
    joined = told_with(told, computed)
    by_pod, by_runtime = accepted(computed), accepted(joined)
    until(lambda: Path(told.log_path).read_text().endswith("out\n"), 30, "it wrote everything")

    def expected(code: Code | None, row: Row) -> Code | str:
        return code or f"{row.name}\n"

    print("\n| kind | by the pod | by the runtime |\n|---|---|---|")
    wrong = []
    for row in ROWS:
        found = outcome(by_pod, row), outcome(by_runtime, row)
        print(f"| {row.kind} | {found[0].strip()} | {found[1].strip()} |")
        if found != (expected(row.pod, row), expected(row.runtime, row)):
            wrong.append((row.kind, *found))
    assert not wrong
    assert computed.log_path == told.log_path
    assert told.id == computed.id


def told_with(told: Container, computed: Container) -> Container:
    """A container of the runtime with its pod as the API has it."""
    assert told.pod
    assert computed.pod
    assert (told.pod.uid, told.pod.name) == (computed.pod.uid, computed.pod.name)
    return replace(told, pod=computed.pod)
