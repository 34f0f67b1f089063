"""A small Docker Engine API on a Unix socket: real HTTP, a chunked event stream, scripted faults.

Containers are inspect objects as a real engine gave them; lists are made from those. The API is
unversioned as far as the fake cares: any `/v<version>` prefix is accepted and noted.
"""

from __future__ import annotations

import json
import queue
import re
import socket
import socketserver
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CUT = b""  # among an event stream's chunks: the connection breaks without a last chunk
END = None  # the stream ends as HTTP wants it


class DockerEngine:
    """The engine: listens on `<folder>/engine.sock` while its context lasts."""

    def __init__(self, folder: Path, api_version: str = "1.41") -> None:
        self.api_version = api_version
        self.path = folder / "engine.sock"
        self.host = f"unix://{self.path}"
        self.containers: dict[str, dict[str, Any]] = {}  # by id
        self.answers: dict[str, tuple[int, bytes]] = {}  # instead of the truth, by path
        self.requests: list[tuple[str, Mapping[str, list[str]]]] = []  # path with version, query
        self.streams = 0  # event streams opened so far
        self._resumed = threading.Event()
        self._resumed.set()
        self._stopping = False
        self._lock = threading.Lock()
        self._subscribers: list[queue.SimpleQueue[bytes | None]] = []
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen."""
        self._stopping = False
        self._server = _Server(str(self.path), _Handler)
        self._server.engine = self
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Break all connections and remove the socket."""
        self._stopping = True
        self.resume()
        self.send_raw(CUT)
        if self._server:
            self._server.shutdown()
            self._server.break_connections()
            self._server.server_close()
            self._server = None
        self.path.unlink(missing_ok=True)

    def hang(self) -> None:
        """Accept, read requests, and answer none until `resume`."""
        self._resumed.clear()

    def resume(self) -> None:
        """Answer what was asked meanwhile, and from now on."""
        self._resumed.set()

    def wait_while_hung(self) -> None:
        """For the handler: hold an answer back."""
        self._resumed.wait(60)

    def put(self, container: Mapping[str, Any], **state: object) -> str:
        """Add or replace a container; `state` overrides keys of its State. Gives its id."""
        changed = {**container, "State": {**container["State"], **state}}
        self.containers[changed["Id"]] = changed
        return str(changed["Id"])

    def emit(self, action: str, container_id: str, **event: object) -> None:
        """Send an event in today's shape; `event` adds or overrides its top keys."""
        actor = {"ID": container_id, "Attributes": {"image": "busy:1", "name": "x"}}
        body = {"Type": "container", "Action": action, "Actor": actor, "scope": "local", **event}
        self.send_raw(json.dumps(body).encode() + b"\n")

    def send_raw(self, chunk: bytes | None) -> None:
        """Send bytes as one chunk of every open event stream; CUT and END end them."""
        with self._lock:
            for subscriber in self._subscribers:
                subscriber.put(chunk)

    def subscribe(self) -> queue.SimpleQueue[bytes | None]:
        """For the handler: the chunks of a new event stream."""
        subscriber: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        with self._lock:
            self._subscribers.append(subscriber)
            self.streams += 1
            if self._stopping:
                subscriber.put(CUT)
        return subscriber

    def unsubscribe(self, subscriber: queue.SimpleQueue[bytes | None]) -> None:
        """For the handler: that stream has ended."""
        with self._lock:
            self._subscribers.remove(subscriber)

    def summary(self) -> list[dict[str, Any]]:
        """What a list says of the containers."""
        return [
            {
                "Id": container["Id"],
                "Names": [container["Name"]],
                "State": container["State"]["Status"],
                "Status": "Up 3 minutes",
                "NetworkSettings": {"Networks": container["NetworkSettings"]["Networks"]},
            }
            for container in self.containers.values()
        ]


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = False  # server_close joins them: no test leaves one behind
    request_queue_size = 64
    engine: DockerEngine

    def __init__(self, *arguments: Any) -> None:
        self._connections: set[socket.socket] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def break_connections(self) -> None:
        """End what waits for a next request on a connection that was kept."""
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        engine = cast("_Server", self.server).engine
        url = urlsplit(self.path)
        engine.requests.append((url.path, parse_qs(url.query)))
        engine.wait_while_hung()
        path = re.sub(r"\A/v[0-9.]+", "", url.path)
        with suppress(BrokenPipeError, ConnectionResetError):
            if path in engine.answers:
                self._answer(*engine.answers[path])
            elif path == "/version":
                self._answer_json(200, {"ApiVersion": engine.api_version})
            elif path == "/containers/json":
                self._answer_json(200, engine.summary())
            elif path == "/events":
                self._stream(engine)
            elif match := re.fullmatch(r"/containers/([^/]+)/json", path):
                self._inspect(engine, match[1])
            else:
                self._answer_json(404, {"message": "page not found"})

    def _inspect(self, engine: DockerEngine, name: str) -> None:
        if container := engine.containers.get(name):
            self._answer_json(200, container)
        else:
            self._answer_json(404, {"message": f"No such container: {name}"})

    def _stream(self, engine: DockerEngine) -> None:
        subscriber = engine.subscribe()
        try:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while chunk := subscriber.get():
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            if chunk is END:
                self.wfile.write(b"0\r\n\r\n")
            self.close_connection = True
        finally:
            engine.unsubscribe(subscriber)

    def _answer_json(self, status: int, body: object) -> None:
        self._answer(status, json.dumps(body).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:  # as Go's server does, if it was asked to
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
