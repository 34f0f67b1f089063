"""An Elasticsearch as far as Filebeat knows it: takes bulks over loopback, and can be blocked.

What it took lies in a folder that `Sink` reads, one event a line. A bulk that came while it was
blocked is never taken, however long its sender waited, so it can arrive only by being sent again.
"""

from __future__ import annotations

import gzip
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from pathlib import Path

QUEUE = 512  # events that Filebeat holds unacknowledged at most
# What somebody would write who sends to an Elasticsearch; docs/docker.md says what it must hold.
MAIN = """\
filebeat.config.inputs:
  enabled: true
  path: {config_dir}/prospectors.d/*.yml
  reload.enabled: true
  reload.period: 200ms
filebeat.registry.flush: 1s
queue.mem.events: {queue}
queue.mem.flush: {{min_events: 256, timeout: 0s}}
path.data: {data_dir}
path.logs: {data_dir}/logs
logging.to_stderr: true
logging.to_files: false
logging.json: true
logging.metrics.enabled: false
output.elasticsearch:
  hosts: ["{url}"]
  allow_older_versions: true
  index: logs
  bulk_max_size: 256
  backoff: {{init: 500ms, max: 2s}}
setup.template.enabled: false
setup.ilm.enabled: false
"""

How = Literal["hang", "refuse"]


def main_config(url: str, *, config_dir: Path, data_dir: Path) -> str:
    """A main file of Filebeat that sends to `url`, as its user would write it."""
    return MAIN.format(url=url, config_dir=config_dir, data_dir=data_dir, queue=QUEUE)


class Elastic:
    """Answers on a port of its own while it is entered; its clients must have ended before it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.turned_away = 0  # bulks that came while it was blocked
        self._lock = threading.Lock()
        self._blocked: How | None = None
        self._opened = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._file = (folder / "events").open("ab", buffering=0)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.unblock()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._file.close()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def block(self, how: How) -> None:
        """Take nothing any more: let every bulk wait for an answer, or refuse it at once."""
        with self._lock:
            self._opened.clear()
            self._blocked = how

    def unblock(self) -> None:
        """Take bulks again."""
        with self._lock:
            self._blocked = None
            self._opened.set()

    def take(self, bulk: bytes) -> dict[str, Any] | None:
        """The answer to a bulk; None if it was not taken. Waits while the sink hangs."""
        lines = [line for line in bulk.split(b"\n") if line]  # 9.0 sends empty ones, too
        kept, items = [], []
        for action, event in zip(lines[0::2], lines[1::2], strict=False):
            kept.append(json.dumps({"message": json.loads(event).get("message")}))
            items.append({next(iter(json.loads(action))): {"status": 201}})
        with self._lock:
            how = self._blocked
            if not how:
                self._file.write("".join(f"{each}\n" for each in kept).encode())
                return {"took": 1, "errors": False, "items": items}
            self.turned_away += 1
        if how == "hang":
            self._opened.wait()
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # Their sockets are closed before a test is over.

    def __init__(self, elastic: Elastic) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.elastic = elastic

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is not worth a traceback; all else is a fault of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        version = {"number": "7.17.29", "build_flavor": "default"}
        licence = {"uid": "test", "type": "basic", "mode": "basic", "status": "active"}
        self._answer(
            200,
            {
                "name": "test",
                "cluster_name": "test",
                "version": version,
                "tagline": "You Know, for Search",
                "license": licence,
            },
        )

    def do_HEAD(self) -> None:
        self._answer(200, {})

    def do_POST(self) -> None:
        content = self._content()
        if self.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        if answer := self.server.elastic.take(content):
            self._answer(200, answer)
        else:
            self.close_connection = True
            self._answer(503, {"error": "blocked", "status": 503})

    def _content(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers["Content-Length"]))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
