"""Somebody else on Docker's event stream, who notes what was on the disk when each event came."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tests.real.waiting import until

if TYPE_CHECKING:
    from tests.real.daemons import Dockerd


@dataclass(slots=True)
class Life:
    """One container, by the events about it; times by the monotonic clock, 0 for none yet."""

    name: str
    log_existed: bool  # when its start event was delivered
    started: float
    died: float = 0
    destroyed: float = 0


class Observer:
    """Notes the life of every container that starts while it is entered."""

    def __init__(self, dockerd: Dockerd) -> None:
        self.lives: dict[str, Life] = {}  # by container id
        self._containers = dockerd.root / "containers"
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(dockerd.host.removeprefix("unix://"))
        self._connection = http.client.HTTPConnection("docker")
        self._connection.sock = self._socket
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        self._connection.request("GET", "/events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D")
        self._answer = self._connection.getresponse()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._answer.close()
        self._connection.close()
        self._socket.close()

    def wait_for_ends(self, count: int, seconds: float) -> None:
        """Wait until that many containers are destroyed."""
        until(
            lambda: sum(bool(life.destroyed) for life in list(self.lives.values())) >= count,
            seconds,
            f"{count} containers are gone",
            every=0.1,
        )

    def _follow(self) -> None:
        # The end of the test cuts the stream in the middle of a chunk.
        with suppress(OSError, http.client.HTTPException):
            while line := self._answer.readline():
                self._take(json.loads(line))

    def _take(self, event: dict[str, object]) -> None:
        now, container = time.monotonic(), str(event.get("id"))
        match event.get("status"):
            case "start":
                existed = (self._containers / container / f"{container}-json.log").exists()
                actor = event["Actor"]
                assert isinstance(actor, dict)
                self.lives[container] = Life(actor["Attributes"]["name"], existed, now)
            case "die" if life := self.lives.get(container):
                life.died = now
            case "destroy" if life := self.lives.get(container):
                life.destroyed = now
