"""Serves the snapshot over HTTP on a Unix socket, from threads of its own.

It answers also when the loop does not: then with 503 and how long the loop has been silent.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs

from waitress.server import create_server

from pilot.files import short_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIEnvironment

PATIENCE = 3.0  # seconds that the loop may take to answer
FRESH = 2 / 3  # part of them for an explanation with what workers find

Data = dict[str, Any]
Making = Callable[[], Data]  # makes an answer of what the loop gathered, on whatever thread

log = logging.getLogger(__name__)


class Explain(Protocol):
    """Asked on the loop: `reply` is called there with what makes the answer, at once or later."""

    def __call__(
        self, asked: str, log: str, reply: Callable[[Making], None], *, fresh: bool = True
    ) -> None:
        """Explain a container by any of its names; without `fresh` at once."""


class StatusServer:
    """The endpoints `/status` and `/explain`."""

    def __init__(
        self,
        path: Path,
        snapshot: Callable[[], dict[str, Any]],
        post: Callable[[Callable[[], None]], None],
        explain: Explain | None = None,
        *,
        patience: float = PATIENCE,
    ) -> None:
        """Serve on this socket. `post` has the loop run something. Raises OSError.

        `patience` is how many seconds the loop may take to answer.
        """
        self._patience = patience
        self._snapshot, self._post, self._explain = snapshot, post, explain
        path.unlink(missing_ok=True)
        with short_name(path) as name:
            self._server = create_server(
                self._answer, unix_socket=name, unix_socket_perms="600", threads=2
            )
        self._path = path
        self._thread = threading.Thread(target=self._run, name="status", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Serve no more."""
        self._server.close()
        self._path.unlink(missing_ok=True)

    def _run(self) -> None:
        try:
            self._server.run()
        except OSError as error:
            if error.errno != 9:
                log.exception("status server ended")

    def _answer(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/status":
            return self._send(start, self._ask(self._snapshotted, self._patience))
        if path == "/explain" and self._explain:
            return self._explained(environ.get("QUERY_STRING", ""), start)
        start("404 Not Found", [("Content-Type", "text/plain")])
        return [b"there are /status and /explain?container=NAME\n"]

    def _explained(self, query: str, start: StartResponse) -> Iterable[bytes]:
        """Fresh, or as far as it is known where disks or the source do not come back in time."""
        given = {name: values[-1] for name, values in parse_qs(query).items()}
        asked, log_name = given.get("container", ""), given.get("log", "")
        if not asked or not self._explain:
            start("400 Bad Request", [("Content-Type", "text/plain")])
            return [b"name the container: /explain?container=NAME\n"]
        explain, fresh = self._explain, self._patience * FRESH
        found = self._ask(lambda put: explain(asked, log_name, put), fresh)
        if found is None:
            left = self._patience - fresh
            found = self._ask(lambda put: explain(asked, log_name, put, fresh=False), left)
        return self._send(start, found)

    def _snapshotted(self, put: Callable[[Making], None]) -> None:
        found = self._snapshot()
        put(lambda: found)

    def _ask(
        self, question: Callable[[Callable[[Making], None]], None], patience: float
    ) -> Data | None:
        """What the loop says to a question, which it may do later; None if it does not in time."""
        answers: queue.SimpleQueue[Making] = queue.SimpleQueue()
        self._post(lambda: question(answers.put))
        try:
            making = answers.get(timeout=patience)
        except queue.Empty:
            return None
        return making()

    def _send(self, start: StartResponse, found: Data | None) -> Iterable[bytes]:
        if found is None:
            start("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [f"the loop has not answered for {self._patience:g} s\n".encode()]
        there = found.get("found", True)
        start("200 OK" if there else "404 Not Found", [("Content-Type", "application/json")])
        return [json.dumps(found).encode()]
