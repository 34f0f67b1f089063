"""A private dockerd with its own containerd, folders and socket, that leaves nothing behind."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.real.processes import descendants, end, mentioning, unmount_below
from tests.real.programs import UnavailableError, filebeats
from tests.real.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["IMAGE", "Dockerd", "UnavailableError", "busybox", "filebeats"]

IMAGE = "local/busybox"
APPLETS = [
    "cat",
    "date",
    "echo",
    "kill",
    "ln",
    "ls",
    "mkdir",
    "mv",
    "printf",
    "rm",
    "seq",
    "sh",
    "sleep",
    "sync",
    "test",
    "true",
    "usleep",
    "wc",
]
CONTAINERD_CONFIG = """\
version = 2
root = {root}
state = {state}
oom_score = 0
disabled_plugins = [
  "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
]
[grpc]
  address = {address}
"""


class Dockerd:
    """A Docker daemon of our own below `folder`, which should have a short path (sockets' limit).

    Entering starts it and makes the image `local/busybox`; leaving removes its containers, ends
    every process that it started and unmounts what it mounted.
    """

    def __init__(
        self, folder: Path, program: str | Path = "dockerd", *, live_restore: bool = False
    ) -> None:
        found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin")
        if not found:
            raise UnavailableError(f"no program {program}")
        self.program = Path(found)
        self.folder = folder
        self.root = folder / "docker"
        self.log = folder / "dockerd.log"
        self.host = f"unix://{folder}/docker.sock"
        self._live_restore = live_restore
        self._daemon: subprocess.Popen[bytes] | None = None
        self._containerd: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._start_containerd()
            self.start()
            self.docker("import", "-", IMAGE, stdin=busybox())
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The daemon's process id."""
        assert self._daemon, "dockerd is not running"
        return self._daemon.pid

    def start(self) -> None:
        """Start the daemon and wait until it answers."""
        assert not self._daemon, "dockerd is running"
        arguments = [
            *(f"--data-root={self.root}", f"--exec-root={self.folder}/exec"),
            *(f"--pidfile={self.folder}/docker.pid", f"--host={self.host}"),
            *(f"--containerd={self._address}", f"--config-file={self.folder}/daemon.json"),
            *("--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"),
            *("--bridge=none", "--exec-opt=native.cgroupdriver=cgroupfs"),
            *(["--live-restore"] if self._live_restore else []),
        ]
        # Debian's runc 1.1 does not know time namespaces, which Docker 29 asks for.
        features = {"features": {"time-namespaces": False}}
        (self.folder / "daemon.json").write_text(json.dumps(features))
        self._daemon = self._spawn(self.program, *arguments, log=self.log)
        until(self._answers, 60, "dockerd answers")

    def stop(self) -> None:
        """End the daemon with SIGTERM; without live-restore its containers end too."""
        assert self._daemon, "dockerd is not running"
        end(self._daemon, grace=30)
        self._daemon = None

    def kill(self) -> None:
        """End the daemon with SIGKILL; its containers go on."""
        assert self._daemon, "dockerd is not running"
        self._daemon.kill()
        self._daemon.wait()
        self._daemon = None
        # Left behind, it would block the next start once the number belongs to somebody else.
        (self.folder / "docker.pid").unlink(missing_ok=True)

    def pause(self) -> None:
        """Hang the daemon: its socket accepts, nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a hung daemon go on."""
        os.kill(self.pid, signal.SIGCONT)

    def docker(
        self, *arguments: str | bytes | Path, check: bool = True, stdin: bytes | None = None
    ) -> str:
        """What the docker command line prints; AssertionError with its complaint if it fails."""
        done = subprocess.run(
            ["docker", *arguments],
            input=stdin or b"",
            capture_output=True,
            timeout=120,
            env={**os.environ, "DOCKER_HOST": self.host, "DOCKER_CONFIG": str(self.folder)},
        )
        complaint = done.stderr.decode(errors="replace")
        assert not check or not done.returncode, f"docker {arguments}: {complaint}"
        return done.stdout.decode(errors="replace").strip()

    def run(self, name: str, script: str, *options: str | bytes | Path) -> str:
        """Start a container that runs a shell script; its id."""
        return self.docker(
            *("run", "--detach", "--network=none", "--name", name, *options),
            *(IMAGE, "/bin/sh", "-c", script),
        )

    def close(self) -> None:
        """Remove all containers, end all processes, unmount everything."""
        if self._daemon and self._daemon.poll() is None:
            self.resume()
            with suppress(AssertionError, subprocess.TimeoutExpired):
                if containers := self.docker("ps", "--all", "--quiet").split():
                    self.docker("rm", "--force", "--volumes", *containers)
            end(self._daemon, grace=30)
        if self._containerd:
            end(self._containerd, grace=10)
        self._daemon = self._containerd = None
        for shim in mentioning(self._address):
            for pid in [*descendants(shim), shim]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        until(lambda: not mentioning(self._address), 10, "shims are gone")
        unmount_below(self.folder)

    @property
    def _address(self) -> str:
        return f"{self.folder}/containerd.sock"

    def _start_containerd(self) -> None:
        # Its own, always: without being told, dockerd would take the machine's.
        config = self.folder / "containerd.toml"
        config.write_text(
            CONTAINERD_CONFIG.format(
                root=json.dumps(str(self.folder / "containerd")),
                state=json.dumps(str(self.folder / "containerd-run")),
                address=json.dumps(self._address),
            )
        )
        self._containerd = self._spawn(
            "containerd", "--config", config, log=self.folder / "containerd.log"
        )
        until(lambda: Path(self._address).exists(), 30, "containerd listens")

    def _spawn(
        self, program: str | Path, *arguments: str | Path, log: Path
    ) -> subprocess.Popen[bytes]:
        # A containerd beside the dockerd is the one that it was built with.
        path = f"{self.program.parent}:{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin"
        environment = {**os.environ, "PATH": path, **self._old_client()}
        command: Sequence[str | Path] = [shutil.which(program, path=path) or program, *arguments]
        with log.open("ab") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )

    def _old_client(self) -> dict[str, str]:
        # Docker 29 refuses API versions before 1.44; Debian's client speaks 1.41.
        asked = subprocess.run(
            ["docker", "version", "--format", "{{.Client.APIVersion}}"],
            capture_output=True,
            text=True,
            env={**os.environ, "DOCKER_HOST": f"unix://{self.folder}/none"},
        )
        client = tuple(int(part) for part in asked.stdout.strip().split(".") if part.isdigit())
        return {"DOCKER_MIN_API_VERSION": "1.41"} if client < (1, 44) else {}

    def _answers(self) -> bool:
        assert self._daemon
        if self._daemon.poll() is not None:
            raise AssertionError(f"dockerd ended: {self.log.read_text()[-2000:]}")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            try:
                connection.connect(self.host.removeprefix("unix://"))
                connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                return b" 200 " in connection.recv(100)
            except OSError:
                return False


def busybox() -> bytes:
    """A root filesystem as a tar archive: busybox and its applets."""
    program = shutil.which("busybox")
    if not program:
        raise UnavailableError("no busybox; Debian's package is busybox-static")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for folder in ("bin", "dev", "etc", "logs", "proc", "sys", "tmp"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        archive.add(Path(program).resolve(), "bin/busybox")
        for applet in APPLETS:
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(entry)
    return packed.getvalue()
