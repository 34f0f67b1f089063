"""The Docker source: containers of a Docker engine, by its events and by inspecting one at a time.

Events only mark. They may be lost without a sign (a slow reader, an engine that restarts, a ring
of 256 entries), their attributes can be overridden by a container's labels, and an outage of the
engine swallows deaths for good; so of an event the id is believed and nothing else, the stream is
opened before the list is asked for, and what is true is what an inspect says.

The stream is opened and read on a thread of its own, which `watch` only waits for: an engine that
hangs in the middle of anything cannot hold up `close`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import re
import threading
import time
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pilot.model import shorten
from pilot.sources import SourceError
from pilot.sources.docker_details import Details
from pilot.sources.inspect import container_from_inspect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from docker import APIClient
    from docker.types.daemon import CancellableStream

    from pilot.hints import Hints
    from pilot.model import Container
    from pilot.settings import Settings

TIMEOUT = 10  # seconds that one answer of the engine may take
EVENTS = ("start", "die", "destroy")
CONTAINER_ID = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
UNIX = "unix://"

log = logging.getLogger(__name__)


def create(settings: Settings) -> DockerSource:
    """Make the source for the engine that DOCKER_HOST names; it need not run yet.

    DOCKER_TLS_VERIFY, DOCKER_CERT_PATH and DOCKER_API_VERSION mean what they mean to the docker
    command line. Raises SourceError without the docker package and for unusable variables.
    """
    try:
        from docker import utils
        from docker.errors import DockerException
    except ImportError as error:
        raise SourceError(
            f"source 'docker' needs the docker package ({error}): pip install docker"
        ) from error
    environment = settings.environment
    version = environment.get("DOCKER_API_VERSION", "").removeprefix("v")
    if version and not re.fullmatch(r"\d+\.\d+", version, re.ASCII):
        raise SourceError(f"DOCKER_API_VERSION is {version!r}; right would be a version like 1.41")
    host = environment.get("DOCKER_HOST", "")
    try:
        # Given no variable at all, the function would read the process's own.
        arguments = utils.kwargs_from_env({"DOCKER_HOST": host, **environment})
        address = str(utils.parse_host(arguments.get("base_url"), tls=bool(arguments.get("tls"))))
    except (DockerException, OSError, ValueError) as error:
        raise SourceError(
            f"DOCKER_HOST {host!r}, with DOCKER_CERT_PATH "
            f"{environment.get('DOCKER_CERT_PATH', '')!r}, is not usable: {_said(error)}"
        ) from error
    local = address.startswith("http+unix://")
    host, details = host or UNIX + "/var/run/docker.sock", Details(settings)
    return DockerSource(arguments, version=version, host=host, local=local, details=details)


class DockerSource:
    """A Docker engine's containers; `create` makes it."""

    name = "docker"
    declares_once = True

    def __init__(
        self,
        arguments: Mapping[str, Any],
        *,
        version: str,
        host: str,
        local: bool,
        details: Details,
    ) -> None:
        self._arguments = arguments
        self._details = details
        self._version = version
        self._host = host
        self._local = local  # by a Unix socket
        self._lock = threading.Lock()
        self._client: APIClient | None = None  # connected lazily: the engine may be down
        self._stream: CancellableStream[bytes] | None = None
        self._outcome: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        self._closed = False

    def watch(self, hints: Hints) -> None:
        """Mark containers that started, died or were destroyed, until `close`.

        Raises SourceError when the stream ends, breaks or carries nonsense.
        """
        outcome: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        with self._lock:
            if self._closed:
                return
            self._outcome = outcome
        reader = threading.Thread(
            target=self._follow, args=(hints, outcome), name="docker-events", daemon=True
        )
        reader.start()
        error = outcome.get()
        if not self._closed:
            raise self._failure("the event stream ended", error) from error

    def list(self) -> Mapping[str, str]:
        """Every container's state, names and network endpoints, by one request.

        An endpoint's id is new at each start, which shows a restart between two lists; the
        Status text, which an engine also gives, changes with every minute.
        """
        try:
            entries = self._connected().containers(all=True)
            return {
                _checked_id(entry): _stamp(entry.get("State"), entry.get("Names") or [], entry)
                for entry in entries
            }
        except Exception as error:
            self._client = None
            raise self._failure("containers could not be listed", error) from error

    def look(self, container_id: str) -> Container | None:
        """Inspect one container, by one request; a setting may need one more for a new image."""
        from docker.errors import NotFound

        if not CONTAINER_ID.match(container_id):
            return None  # never given by an engine, which might take it for a name
        try:
            client = self._connected()
            data = client.inspect_container(container_id)
            container = container_from_inspect(data)
            if container.id != container_id:
                raise ValueError(f"it answered about {shorten(container.id)!r}")  # noqa: TRY301
            container = self._details.added(container, data, client.inspect_image)
            stamp = _stamp((data.get("State") or {}).get("Status"), [data.get("Name")], data)
        except NotFound as error:
            # A proxy or another API may answer 404 for reasons of its own.
            if "no such container" in (error.explanation or "").lower():
                return None
            raise self._failure(f"container {container_id} unknown", error) from error
        except Exception as error:
            # An engine that was replaced may want another API version: negotiate again.
            self._client = None
            raise self._failure(f"container {container_id} not inspected", error) from error
        return replace(container, stamp=stamp)

    def close(self) -> None:
        """End `watch` at once, whatever it waits for."""
        with self._lock:
            self._closed = True
            stream, client = self._stream, self._client
        self._outcome.put(None)
        if stream:
            _close(stream)
        if client:
            client.close()

    def _follow(self, hints: Hints, outcome: queue.SimpleQueue[Exception | None]) -> None:
        """Read one stream to its end, on its own thread; how it ended goes to `outcome`."""
        try:
            self._read(hints)
            outcome.put(None)
        except Exception as error:  # noqa: BLE001 - watch raises it
            outcome.put(error)

    def _read(self, hints: Hints) -> None:
        from docker.types import CancellableStream

        client = self._connect()
        # The engine answers before it subscribes; what happens between is replayed by `since`.
        wanted = {"type": ["container"], "event": list(EVENTS)}
        query = {"since": str(int(time.time())), "filters": json.dumps(wanted)}
        # The package's own `events` ends in silence whatever happens, so it is not called here.
        url = f"{client.base_url}/v{client.api_version}/events"
        with client.get(url, params=query, stream=True, timeout=(TIMEOUT, None)) as response:
            if response.status_code != HTTPStatus.OK:
                raise ValueError(f"{response.status_code} {shorten(response.text.strip(), 200)}")
            lines = _lines(response.iter_content(None))
            stream = CancellableStream(lines, response)
            with self._lock:
                if self._closed:
                    return
                self._stream, self._client = stream, client
            hints.mark_all()
            for line in lines:
                if container_id := _event_id(json.loads(line)):
                    hints.mark(container_id)

    def _connected(self) -> APIClient:
        """The client for look-ups; several threads may make one at first, the last is kept."""
        client = self._client
        if client is None:
            client = self._client = self._connect()
        return client

    def _connect(self) -> APIClient:
        """A client that agreed on an API version with the engine: one request, if none is set."""
        from docker.constants import DEFAULT_DOCKER_API_VERSION

        version = self._version
        if not version:
            with self._new_client(DEFAULT_DOCKER_API_VERSION) as client:
                version = client.version(api_version=False)["ApiVersion"]
        return self._new_client(version)

    def _new_client(self, version: str) -> APIClient:
        from docker import APIClient

        client = APIClient(**self._arguments, version=version, timeout=TIMEOUT)
        if self._local:
            # Proxies and .netrc mean nothing here, and looking for them takes a third of a look.
            client.trust_env = False
            # The package keeps idle connections by URL, that is by container: never used again.
            client.headers["Connection"] = "close"
        return client

    def _failure(self, what: str, error: Exception | None) -> SourceError:
        return SourceError(
            f"Docker at {self._host}: {what}" + (f": {_said(error)}" if error else "")
        )


def _checked_id(entry: Mapping[str, Any]) -> str:
    container_id = entry["Id"]
    if not (isinstance(container_id, str) and CONTAINER_ID.match(container_id)):
        raise ValueError(f"{shorten(str(container_id))!r} is no container's id")
    return container_id


def _stamp(state: object, names: Iterable[object], entry: Mapping[str, Any]) -> str:
    """The same for an entry of the list and for the answer to an inspect, at one moment."""
    networks = (entry.get("NetworkSettings") or {}).get("Networks") or {}
    endpoints = [str((network or {}).get("EndpointID", "")) for network in networks.values()]
    return " ".join([str(state or ""), *sorted(map(str, names)), *sorted(endpoints)])


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines, each as soon as it is there: an engine ends every event with a newline."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if rest:
        raise ValueError(f"it broke off in {shorten(rest.decode('utf-8', 'replace'))!r}")


def _event_id(event: object) -> str:
    """The container that an event is about; "" for what was not asked for."""
    if not isinstance(event, dict):
        raise ValueError(f"{shorten(str(event))!r} is no event")  # noqa: TRY004 - data, not a bug
    # Fields of the same meaning beside these are gone since API 1.52.
    if event.get("Type") != "container" or event.get("Action") not in EVENTS:
        return ""
    actor = event.get("Actor")
    container_id = actor.get("ID") if isinstance(actor, dict) else None
    if isinstance(container_id, str) and CONTAINER_ID.match(container_id):
        return container_id
    log.warning("Docker sent an event without a container's id: %r", shorten(str(event), 200))
    return ""


def _close(stream: CancellableStream[bytes]) -> None:
    # The package closes a stream that has already ended, or breaks just now, with any of these.
    with contextlib.suppress(OSError, AttributeError, UnboundLocalError):
        stream.close()


def _said(error: BaseException) -> str:
    """The innermost of wrapped errors, in one line: that is the one that says what happened."""
    explanation = getattr(error, "explanation", None)
    if explanation:
        status = getattr(getattr(error, "response", None), "status_code", "")
        return f"{status} {shorten(str(explanation), 200)}".strip()
    wrapped = [item for item in error.args if isinstance(item, BaseException)]
    inner = wrapped[0] if wrapped else getattr(error, "reason", None) or error.__cause__
    if isinstance(inner, BaseException):
        return _said(inner)
    return shorten(" ".join(str(error).split()), 200) or type(error).__name__
