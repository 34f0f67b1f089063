"""A real Kubernetes of one node in a network namespace of its own, that leaves nothing behind.

etcd and containerd are Debian's, the rest is what `tests/real/build kubernetes-1` makes. Nothing in
it reaches any other network.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.real.daemons import busybox
from tests.real.processes import descendants, end, mentioning, unmount_below
from tests.real.programs import UnavailableError
from tests.real.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

IMAGE = "docker.io/local/busybox:1"  # imagePullPolicy: Never
PAUSE = "docker.io/local/pause:1"
NEEDED = ("etcd", "containerd", "ctr", "runc", "openssl", "ip", "nsenter")
ADDRESS = "198.51.100.1"  # of a network for documentation, RFC 5737
PODS = Path("/var/log/pods")  # the kubelet makes it, wherever its root is
API = "https://127.0.0.1:6443"
CONTAINERD = """\
version = 2
root = {root}
state = {state}
[grpc]
  address = {address}
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/local/pause:1"
  disable_tcp_service = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = {cni}
"""


class Cluster:
    """One node named `node1`; entering starts it, leaving ends every process that it started."""

    def __init__(self, folder: Path, kubelet: Path) -> None:
        """`folder` should have a short path (sockets' limit); the programs lie beside `kubelet`."""
        if missing := [each for each in NEEDED if not shutil.which(each, path=_path())]:
            raise UnavailableError(f"no {', '.join(missing)}")
        if not Path("/usr/lib/cni/bridge").exists():
            raise UnavailableError(
                "no CNI plugins; Debian's package is containernetworking-plugins"
            )
        self.folder, self._programs = folder, kubelet.parent
        self.kubelet_root = folder / "kubelet"
        self.socket = folder / "containerd.sock"
        self._namespace = f"pilot-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"
        self._had_logs = PODS.exists()
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            self._prepare()
            self._control_plane()
            self._containerd()
            self._kubelet()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """What kubectl prints; AssertionError with its complaint if it fails."""
        command = [str(self._programs / "kubectl"), "--kubeconfig", str(self._config), *arguments]
        return self.inside(command, stdin=stdin)

    def get(self, *arguments: str) -> Any:
        """Objects of the API, as kubectl's JSON has them."""
        return json.loads(self.kubectl("get", *arguments, "--output=json"))

    def inspect(self, container_id: str) -> str:
        """What `crictl inspect` prints of a container."""
        return self.inside([str(self._programs / "inspect"), str(self.socket), container_id])

    def inside(self, command: Sequence[str], *, stdin: str = "") -> str:
        """Run a command in the cluster's network; AssertionError with its complaint."""
        done = subprocess.run(
            [*self._enter, *command], input=stdin, capture_output=True, text=True, timeout=120
        )
        assert not done.returncode, f"{command}: {done.stderr}"
        return done.stdout

    def close(self) -> None:
        """Remove all pods, end all processes, unmount everything."""
        logs: list[str] = []
        if "kubelet" in self._started:
            with contextlib.suppress(AssertionError, subprocess.TimeoutExpired, ValueError):
                logs = [_log_folder(pod) for pod in self.get("pods", "--all-namespaces")["items"]]
                everything = ("--all", "--all-namespaces", "--grace-period=1", "--timeout=60s")
                self.kubectl("delete", "pods", *everything)
        for name in ("kubelet", "scheduler", "controller-manager", "apiserver"):
            self._end(name)
        for shim in mentioning(str(self.socket)):
            for pid in [*descendants(shim), shim]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for name in ("containerd", "etcd"):
            self._end(name)
        unmount_below(self.folder)
        for each in logs:
            shutil.rmtree(each, ignore_errors=True)
        if not self._had_logs:
            with contextlib.suppress(OSError):
                PODS.rmdir()
        subprocess.run(["ip", "netns", "del", self._namespace], capture_output=True)

    @property
    def _enter(self) -> list[str]:
        # Not `ip netns exec`: it mounts another /sys, which hides the cgroups from the kubelet.
        return ["nsenter", f"--net=/var/run/netns/{self._namespace}"]

    @property
    def _config(self) -> Path:
        return self.folder / "admin.conf"

    def _prepare(self) -> None:
        for part in ("pki", "cni", "static", "log"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        _run("mount", "--make-rshared", "/")  # As an init system does it.
        _run("ip", "netns", "add", self._namespace)
        ip = ("ip", "-n", self._namespace)
        _run(*ip, "link", "set", "lo", "up")
        _run(*ip, "link", "add", "up0", "type", "veth", "peer", "name", "up1")
        _run(*ip, "addr", "add", f"{ADDRESS}/24", "dev", "up0")
        for device in ("up0", "up1"):
            _run(*ip, "link", "set", device, "up")
        _run(*ip, "route", "add", "default", "via", "198.51.100.254")
        _run("openssl", "genrsa", "-out", f"{self.folder}/pki/sa.key", "2048")
        (self.folder / "pki/tokens.csv").write_text('admin,admin,admin,"system:masters"\n')
        self._config.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [
                        {"name": "c", "cluster": {"server": API, "insecure-skip-tls-verify": True}}
                    ],
                    "users": [{"name": "admin", "user": {"token": "admin"}}],
                    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "admin"}}],
                    "current-context": "c",
                }
            )
        )

    def _control_plane(self) -> None:
        etcd, pki = "http://127.0.0.1:2379", f"{self.folder}/pki"
        self._spawn(
            *("etcd", "etcd", "--data-dir", f"{self.folder}/etcd"),
            *("--listen-client-urls", etcd, "--advertise-client-urls", etcd),
            *("--listen-peer-urls", "http://127.0.0.1:2380"),
        )
        self._spawn(
            *("apiserver", f"{self._programs}/kube-apiserver", f"--etcd-servers={etcd}"),
            *("--bind-address=127.0.0.1", f"--advertise-address={ADDRESS}", "--secure-port=6443"),
            *(f"--cert-dir={pki}", f"--token-auth-file={pki}/tokens.csv"),
            *("--authorization-mode=Node,RBAC", "--allow-privileged=true"),
            *("--service-cluster-ip-range=203.0.113.0/24",),
            *("--service-account-issuer=https://kubernetes.default.svc",),
            *(f"--service-account-key-file={pki}/sa.key",),
            *(f"--service-account-signing-key-file={pki}/sa.key",),
        )
        until(lambda: self._works("get", "--raw", "/readyz"), 120, "the API answers", every=0.5)
        self._spawn(
            *("controller-manager", f"{self._programs}/kube-controller-manager"),
            *(f"--kubeconfig={self._config}", "--bind-address=127.0.0.1"),
            *("--use-service-account-credentials=true", f"--root-ca-file={pki}/apiserver.crt"),
            *(f"--service-account-private-key-file={pki}/sa.key",),
        )
        self._spawn(
            *("scheduler", f"{self._programs}/kube-scheduler"),
            *(f"--kubeconfig={self._config}", "--bind-address=127.0.0.1"),
        )

    def _containerd(self) -> None:
        network = {
            "cniVersion": "0.4.0",
            "name": "pilot",
            "plugins": [
                {
                    "type": "bridge",
                    "bridge": "cni0",
                    "isGateway": True,
                    "ipam": {"type": "host-local", "ranges": [[{"subnet": "198.18.0.0/16"}]]},
                }
            ],
        }
        (self.folder / "cni/10-pilot.conflist").write_text(json.dumps(network))
        config = self.folder / "containerd.toml"
        config.write_text(
            CONTAINERD.format(
                root=json.dumps(f"{self.folder}/containerd"),
                state=json.dumps(f"{self.folder}/containerd-run"),
                address=json.dumps(str(self.socket)),
                cni=json.dumps(f"{self.folder}/cni"),
            )
        )
        self._spawn("containerd", "containerd", "--config", str(config))
        until(self.socket.exists, 60, "containerd listens")
        for name in (PAUSE, IMAGE):
            archive = self.folder / "image.tar"
            archive.write_bytes(_image(name))
            ctr = ("ctr", "--address", str(self.socket), "--namespace", "k8s.io")
            _run(*ctr, "images", "import", str(archive))

    def _kubelet(self) -> None:
        config = self.folder / "kubelet.json"
        config.write_text(
            json.dumps(
                {
                    "apiVersion": "kubelet.config.k8s.io/v1beta1",
                    "kind": "KubeletConfiguration",
                    "address": ADDRESS,
                    "authentication": {
                        "anonymous": {"enabled": False},
                        "webhook": {"enabled": True},
                    },
                    "authorization": {"mode": "Webhook"},
                    "cgroupDriver": "cgroupfs",
                    "failCgroupV1": False,
                    "failSwapOn": False,
                    "enforceNodeAllocatable": [],
                    "localStorageCapacityIsolation": False,
                    "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%"},
                    "imageGCHighThresholdPercent": 100,
                    "containerRuntimeEndpoint": f"unix://{self.socket}",
                    "staticPodPath": f"{self.folder}/static",
                }
            )
        )
        self._spawn(
            *("kubelet", f"{self._programs}/kubelet", f"--config={config}"),
            *(f"--kubeconfig={self._config}", f"--root-dir={self.kubelet_root}"),
            *(f"--cert-dir={self.folder}/pki/kubelet", "--hostname-override=node1"),
            f"--node-ip={ADDRESS}",
        )
        ready = ("wait", "--for=condition=Ready", "node/node1", "--timeout=5s")
        until(lambda: self._works(*ready), 120, "the node is ready", every=0.5)
        account = ("get", "serviceaccount", "default")
        until(lambda: self._works(*account), 60, "pods may be created", every=0.5)

    def _works(self, *arguments: str) -> bool:
        try:
            self.kubectl(*arguments)
        except AssertionError:
            for name, process in self._started.items():
                if process.poll() is not None:
                    said = (self.folder / f"log/{name}.log").read_text()[-2000:]
                    raise AssertionError(f"{name} ended: {said}") from None
            return False
        return True

    def _spawn(self, name: str, *command: str) -> None:
        with (self.folder / f"log/{name}.log").open("ab") as output:
            self._started[name] = subprocess.Popen(
                [*self._enter, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "PATH": _path()},
                start_new_session=True,
            )

    def _end(self, name: str) -> None:
        if process := self._started.pop(name, None):
            end(process, grace=15)


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"


def _run(*command: str) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PATH": _path()}
    )
    assert not done.returncode, f"{command}: {done.stderr}"


def _log_folder(pod: Any) -> str:
    about = pod["metadata"]
    return f"/var/log/pods/{about['namespace']}_{about['name']}_{about['uid']}"


def _image(name: str) -> bytes:
    """An archive as `docker save` makes it: busybox, which sleeps where no command is given."""
    layer = busybox()
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/bin/sleep", "1000000"], "Env": ["PATH=/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_digest(layer)}"]},
            "history": [],
        }
    ).encode()
    files = {f"{_digest(config)}.json": config, "layer.tar": layer}
    manifest = [{"Config": next(iter(files)), "RepoTags": [name], "Layers": ["layer.tar"]}]
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, content in {**files, "manifest.json": json.dumps(manifest).encode()}.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
