"""Figure 13: `lint` of manifests against parsing them, and what accepting a container costs."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import yaml
from click.testing import CliRunner

from pilot.accept import accept
from pilot.cli.lint import lint
from pilot.model import Container, Mount, Pod, State
from pilot.policy import Policy
from pilot.settings import Settings
from tests.bench.figures import Figure, Scale, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.bench.node import Node

MOST = 1.5  # times the CPU time of parsing
ACCEPTED = 100  # times in one round
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop-{number}
  namespace: team-a
  labels:
    app.kubernetes.io/name: shop
    app.kubernetes.io/instance: shop-{number}
    app.kubernetes.io/version: "1.2.3"
    helm.sh/chart: shop-0.1.0
spec:
  replicas: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: shop
      app.kubernetes.io/instance: shop-{number}
  strategy:
    rollingUpdate:
      maxUnavailable: 1
  template:
    metadata:
      labels:
        app.kubernetes.io/name: shop
        app.kubernetes.io/instance: shop-{number}
      annotations:
        checksum/config: 8d6a1f{annotations}
    spec:
      serviceAccountName: shop
      securityContext:
        runAsNonRoot: true
        fsGroup: 1000
      containers:
        - name: shop
          image: registry.example/shop:1.2.3
          imagePullPolicy: IfNotPresent
          ports:
            - {{name: http, containerPort: 8080}}
          env:
            - {{name: aliyun_logs_shop, value: stdout}}
            - {{name: aliyun_logs_shop_tags, value: "team=shop,tier=front"}}
            - name: DB_PASSWORD
              valueFrom:
                secretKeyRef: {{name: db, key: password}}
          livenessProbe:
            httpGet: {{path: /healthz, port: http}}
            periodSeconds: 10
          readinessProbe:
            httpGet: {{path: /readyz, port: http}}
          resources:
            limits: {{cpu: 500m, memory: 256Mi}}
            requests: {{cpu: 100m, memory: 128Mi}}
          volumeMounts:
            - {{name: logs, mountPath: /var/log/shop}}
            - {{name: config, mountPath: /etc/shop}}{containers}
      volumes:
        - {{name: logs, emptyDir: {{}}}}
        - {{name: config, configMap: {{name: shop}}}}
---
apiVersion: v1
kind: Service
metadata:
  name: shop-{number}
spec:
  selector:
    app.kubernetes.io/name: shop
  ports:
    - {{name: http, port: 80, targetPort: http}}
"""
ANNOTATIONS = """
        aliyun.logs/access: /var/log/shop/*.log
        aliyun.logs/access.tags: team=shop"""
SECOND_CONTAINER = """
        - name: proxy
          image: registry.example/proxy:2
          args: [--listen, "8080"]"""
ONE_LOG = {"aliyun_logs_shop": "stdout", "aliyun_logs_shop_tags": "team=shop,tier=front"}
THREE_LOGS = {
    **ONE_LOG,
    "aliyun_logs_access": "/var/log/shop/access*.log",
    "aliyun_logs_access_format": "nginx",
    "aliyun_logs_error": "/var/log/shop/error.log",
    "aliyun_logs_error_multiline": "java",
}


def measure(node: Node, scale: Scale) -> Iterator[Figure]:
    """A ratio of CPU times, and milliseconds for two containers."""
    count = scale.manifests
    plain = _manifests(node.folder / "plain", count, annotations="", containers="")
    ratio, measured = _against_parsing(plain, scale.rounds)
    yield Figure(
        number=13,
        name=f"lint of {count} manifests against parsing them: CPU time",
        aim=f"≤ {MOST:g} times",
        measured=measured,
        met=ratio <= MOST,
        values={"ratio": ratio},
    )
    dense = _manifests(
        node.folder / "dense", count, annotations=ANNOTATIONS, containers=SECOND_CONTAINER
    )
    ratio, measured = _against_parsing(dense, scale.rounds)
    yield Figure(
        number=13,
        name="beside it: with an annotated log and a second container each",
        measured=measured,
        values={"ratio": ratio},
    )
    settings, policy = Settings(environment={}), Policy()
    for logs, env in (("one log", ONE_LOG), ("three logs", THREE_LOGS)):
        here = _container(env)
        (spent,) = _best(scale.rounds, partial(_accept, here, settings, policy))
        each = spent / ACCEPTED
        yield Figure(
            number=13,
            name=f"beside it: accepting a container with {logs}: CPU time",
            measured=f"{each * 1000:.3f} ms (best of {scale.rounds})",
            values={"accept": each},
        )


def _against_parsing(files: Sequence[str], rounds: int) -> tuple[float, str]:
    parsing, linting = _best(rounds, partial(_parse, files), partial(_lint, files))
    ratio = linting / parsing
    said = f"{ratio:.2f} times: {seconds(linting)} against {seconds(parsing)} (best of {rounds})"
    return ratio, said


def _manifests(folder: Path, count: int, **parts: str) -> list[str]:
    folder.mkdir()
    files = [folder / f"shop-{number}.yaml" for number in range(count)]
    for number, file in enumerate(files):
        file.write_text(MANIFEST.format(number=number, **parts))
    return [str(file) for file in files]


def _best(rounds: int, *works: Callable[[], None]) -> list[float]:
    """The least CPU time of each, taken in turns so that a busy machine is as bad for all."""
    found: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, times in zip(works, found, strict=True):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
    return [min(times) for times in found]


def _parse(files: Sequence[str]) -> None:
    for name in files:
        with open(name) as stream:
            list(yaml.load_all(stream, Loader=yaml.CSafeLoader))


def _lint(files: Sequence[str]) -> None:
    done = CliRunner().invoke(lint, files)
    assert done.exit_code == 0, done.output


def _accept(here: Container, settings: Settings, policy: Policy) -> None:
    for _ in range(ACCEPTED):
        accept(here, settings=settings, policy=policy)


def _container(env: dict[str, str]) -> Container:
    """As the container runtime of a node lists it."""
    kubelet = "/var/lib/kubelet/pods/0b1f4c4e-8f0e-4f5b-9f0e-1d2c3b4a5968/volumes"
    return Container(
        id="5" * 64,
        name="shop",
        state=State.RUNNING,
        env={"PATH": "/usr/bin:/bin", "HOME": "/", **env},
        mounts=(
            Mount("/etc/shop", f"{kubelet}/kubernetes.io~configmap/config", "bind"),
            Mount("/var/log/shop", f"{kubelet}/kubernetes.io~empty-dir/logs", "volume"),
        ),
        log_path="/var/log/pods/team-a_shop-0_0b1f4c4e/shop/0.log",
        pod=Pod("team-a", "shop-0", "0b1f4c4e", "shop"),
    )
