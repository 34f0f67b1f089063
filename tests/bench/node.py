"""The node that figures are measured on: one dockerd for all of them, started when first needed."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Self

from docker import APIClient

from tests.real.daemons import IMAGE, Dockerd
from tests.real.programs import dockerd

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LABELS = {"aliyun.logs.app": "stdout"}
# Writes one line at once and one more on each SIGUSR1; waits without waking up in between.
SLEEPER = """\
n=0
trap 'n=$((n+1)); echo "$0-$n"' USR1
sleep 1000000 &
echo "$0-0"
while :; do wait; done
"""
ONCE = 'echo "$0"; exec sleep 1000000'
HANDS = 8  # containers started, created or removed at once, where that is not what is measured


class Node:
    """A dockerd below a folder while it is entered; its containers declare their output."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sleepers: list[str] = []  # container ids, in the order of their numbers
        self._lines: dict[str, int] = {}  # container id → lines that it was told to write
        self._created = 0
        self._opened = ExitStack()
        self._dockerd: Dockerd | None = None
        self._version = "auto"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @property
    def dockerd(self) -> Dockerd:
        """The daemon; the first question starts it."""
        if not self._dockerd:
            self._dockerd = self._opened.enter_context(Dockerd(self.folder / "d", dockerd()))
            with closing(self.client()) as client:
                self._version = client.api_version
        return self._dockerd

    def client(self) -> APIClient:
        """A low-level client; close it."""
        return APIClient(base_url=self.dockerd.host, version=self._version, timeout=300)

    def create(self, client: APIClient, token: str, script: str = ONCE) -> str:
        """Create, not start, a container whose script has `token` as $0; its id."""
        self._created += 1
        created = client.create_container(
            IMAGE,
            ["/bin/sh", "-c", script, token],
            name=f"bench{self._created}",
            labels=LABELS,
            host_config=client.create_host_config(network_mode="none"),
        )
        return str(created["Id"])

    def start_all(self, ids: Sequence[str], hands: int = HANDS) -> float:
        """Start containers from several threads; the monotonic time when the last call returned."""

        def start(container_id: str) -> float:
            with closing(self.client()) as client:
                client.start(container_id)
                return time.monotonic()

        with ThreadPoolExecutor(hands) as pool:
            return max(pool.map(start, ids))

    def remove(self, ids: Sequence[str]) -> None:
        """Remove containers that may run."""

        def remove(container_id: str) -> None:
            with closing(self.client()) as client:
                client.remove_container(container_id, force=True, v=True)

        with ThreadPoolExecutor(HANDS) as pool:
            list(pool.map(remove, ids))

    def want_sleepers(self, count: int) -> None:
        """Have at least so many idle containers, each of which has written one line."""
        numbers = range(len(self.sleepers), count)
        with closing(self.client()) as client:
            new = [self.create(client, f"line-sleeper{number}", SLEEPER) for number in numbers]
        if new:
            self.start_all(new)
            self.sleepers.extend(new)

    def sleepers_said(self) -> list[str]:
        """What the idle containers have written last: one token of each."""
        return [
            f"line-sleeper{number}-{self._lines.get(container_id, 0)}"
            for number, container_id in enumerate(self.sleepers)
        ]

    def say(self, client: APIClient, number: int) -> str:
        """Have an idle container write one more line; its token."""
        container_id = self.sleepers[number]
        self._lines[container_id] = self._lines.get(container_id, 0) + 1
        client.kill(container_id, signal="SIGUSR1")
        return self.sleepers_said()[number]
