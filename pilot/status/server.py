"""Serves the snapshot over HTTP on a Unix socket, from threads of its own.

It answers also when the loop does not: then with 503 and how long the loop has been silent.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from typing import TYPE_CHECKING, Any

from waitress.server import create_server

from pilot.files import short_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIEnvironment

PATIENCE = 3.0  # seconds that the loop may take to answer

log = logging.getLogger(__name__)


class StatusServer:
    """The endpoint `/status`."""

    def __init__(
        self,
        path: Path,
        snapshot: Callable[[], dict[str, Any]],
        post: Callable[[Callable[[], None]], None],
    ) -> None:
        """Serve on this socket. `post` has the loop run something. Raises OSError."""
        self._snapshot, self._post = snapshot, post
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
        if environ["PATH_INFO"] != "/status":
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"there is /status\n"]
        answer: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._post(lambda: answer.put(json.dumps(self._snapshot()).encode()))
        try:
            body = answer.get(timeout=PATIENCE)
        except queue.Empty:
            start("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [f"the loop has not answered for {PATIENCE:g} s\n".encode()]
        start("200 OK", [("Content-Type", "application/json")])
        return [body]
