"""The endpoints on the Unix socket, whatever the loop and the workers do."""

from __future__ import annotations

import http.client
import json
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pilot.status.server import StatusServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def get(path: Path, url: str) -> tuple[int, bytes]:
    with socket.socket(socket.AF_UNIX) as connected:
        connected.settimeout(30)
        connected.connect(str(path))
        connected.sendall(f"GET {url} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
        answer = http.client.HTTPResponse(connected)
        answer.begin()
        return answer.status, answer.read()


def at_once(call: Callable[[], None]) -> None:
    call()


def never(_: Callable[[], None]) -> None:
    """A loop that hangs."""


@contextmanager
def serving(
    path: Path, explain: Any = None, post: Callable[[Callable[[], None]], None] = at_once
) -> Iterator[Path]:
    server = StatusServer(path, lambda: {"version": 1}, post, explain, patience=0.06)
    try:
        yield path
    finally:
        server.close()


class Answering:
    """Explains at once, or only where nothing fresh is wanted."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.stuck = stuck
        self.asked: list[tuple[str, str, bool]] = []

    def __call__(self, asked: str, log: str, reply: Any, *, fresh: bool = True) -> None:
        self.asked.append((asked, log, fresh))
        if not (self.stuck and fresh):
            reply(lambda: {"found": asked != "nobody", "asked": asked})


def test_the_question_reaches_the_loop_as_it_was_written(tmp_path: Path) -> None:
    answering = Answering()
    with serving(tmp_path / "s", answering) as path:
        status, body = get(path, "/explain?container=shop%2Fweb%20%C3%A9&log=a%26b")
    assert (status, json.loads(body)["asked"]) == (200, "shop/web é")
    assert answering.asked == [("shop/web é", "a&b", True)]


def test_what_is_not_found_is_404_with_an_answer(tmp_path: Path) -> None:
    with serving(tmp_path / "s", Answering()) as path:
        status, body = get(path, "/explain?container=nobody")
    assert (status, json.loads(body)["found"]) == (404, False)


def test_a_question_without_a_container_is_400(tmp_path: Path) -> None:
    with serving(tmp_path / "s", Answering()) as path:
        assert get(path, "/explain")[0] == 400
        assert get(path, "/explain?log=x")[0] == 400


def test_where_workers_hang_the_loop_answers_with_what_it_knows(tmp_path: Path) -> None:
    answering = Answering(stuck=True)
    with serving(tmp_path / "s", answering) as path:
        assert get(path, "/explain?container=web")[0] == 200
    assert [fresh for _, _, fresh in answering.asked] == [True, False]


def test_a_loop_that_is_silent_is_503(tmp_path: Path) -> None:
    with serving(tmp_path / "s", Answering(), never) as path:
        status, body = get(path, "/explain?container=web")
    assert (status, b"the loop has not answered" in body) == (503, True)


def test_status_is_still_there_and_nothing_else_is(tmp_path: Path) -> None:
    with serving(tmp_path / "s") as path:
        assert get(path, "/status") == (200, b'{"version": 1}')
        assert get(path, "/explain?container=web")[0] == 404
        assert get(path, "/")[0] == 404
