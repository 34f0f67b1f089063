"""What is accepted of the containers of one pod together."""

from __future__ import annotations

from dataclasses import replace

from pilot.acceptance import Rooms
from pilot.model import Pod, State
from tests.declarations.making import container

POD = Pod("team-a", "web-1", "uid-1", "web", labels={"app": "web"})


def test_a_pod_has_room_for_whoever_came_first_and_an_ended_one_gives_it_back() -> None:
    rooms = Rooms()
    one, two = (replace(container(pod=POD), id=each) for each in ("one", "two"))
    assert rooms.left(one, None) is None
    assert rooms.left(container(), 3) is None
    assert rooms.left(one, 3) == 3
    rooms.note(one, 2)
    assert (rooms.left(one, 3), rooms.left(two, 3), rooms.left(two, 1)) == (3, 1, 0)
    rooms.note(replace(one, state=State.ENDED), 2)
    assert rooms.left(two, 3) == 3
    rooms.note(two, 3)
    rooms.forget(two)
    assert rooms.left(one, 3) == 3
