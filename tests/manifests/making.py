"""Manifests as people write them, for tests."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

from pilot.manifests import Surroundings, read

if TYPE_CHECKING:
    from pilot.manifests import Found, Manifest
    from pilot.model import Container

UID = "0b1c2d3e-0000-4000-8000-000000000001"
PODS = f"/var/lib/kubelet/pods/{UID}"

# What log-pilot's own example of a pod declares, in the shape that people use.
TOMCAT = """\
apiVersion: v1
kind: Pod
metadata:
  name: tomcat
spec:
  containers:
  - name: tomcat
    image: "tomcat:7.0"
    env:
    - name: aliyun_logs_catalina
      value: "stdout"
    - name: aliyun_logs_access
      value: "/usr/local/tomcat/logs/catalina.*.log"
    volumeMounts:
      - name: tomcat-log
        mountPath: /usr/local/tomcat/logs
  volumes:
    - name: tomcat-log
      emptyDir: {}
"""


def manifest(text: str, **surroundings: str) -> Manifest:
    return read(dedent(text), "x.yaml", Surroundings(**surroundings))


def only(text: str, **surroundings: str) -> Found:
    (found,) = manifest(text, **surroundings).containers
    return found


def container(text: str, **surroundings: str) -> Container:
    return only(text, **surroundings).container


def pod(spec: str, metadata: str = "") -> str:
    """A pod with these lines as its spec and as further metadata."""
    lines = ["apiVersion: v1", "kind: Pod", "metadata:", "  name: web", f"  uid: {UID}"]
    lines += [f"  {line}" for line in dedent(metadata).strip().splitlines()]
    lines += ["spec:", *(f"  {line}" for line in dedent(spec).strip("\n").splitlines())]
    return "\n".join(lines) + "\n"
