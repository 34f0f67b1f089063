from __future__ import annotations

import gc
import json
import queue
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from pilot.model import State
from pilot.settings import Settings
from pilot.sources import SourceError
from pilot.sources.docker import create
from tests.fakes.docker_engine import CUT, END, DockerEngine
from tests.sources.recordings import ENGINES, events, inspected, listed
from tests.sources.watching import Watch, until, watching

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pilot.model import Container
    from pilot.sources.docker import DockerSource

ONE, TWO = "1" * 64, "2" * 64

# The docker package forgets a socket that could not connect; collecting it here keeps the warning
# from a test that has nothing to do with it.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket.socket:ResourceWarning")


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DockerEngine]:
    with DockerEngine(tmp_path) as engine:
        yield engine


@pytest.fixture
def source(engine: DockerEngine) -> Iterator[DockerSource]:
    source = source_for(engine.host)
    yield source
    source.close()


def reading() -> bool:
    return any(thread.name == "docker-events" for thread in threading.enumerate())


def source_for(host: str, **environment: str) -> DockerSource:
    return create(Settings(environment={"DOCKER_HOST": host, **environment}))


# ---- look


@pytest.mark.parametrize("recorded", ENGINES)
def test_look_finds_a_container_by_one_request(
    engine: DockerEngine, source: DockerSource, recorded: str
) -> None:
    container_id = engine.put(inspected(recorded, "bind"))
    source.list()
    engine.requests.clear()

    container = source.look(container_id)

    assert container
    assert (container.id, container.name, container.state) == (container_id, "bind", State.RUNNING)
    assert [path for path, _ in engine.requests] == [f"/v1.41/containers/{container_id}/json"]


def test_look_says_none_only_if_the_engine_does_not_know_the_container(
    engine: DockerEngine, source: DockerSource
) -> None:
    assert source.look(ONE) is None
    engine.answers[f"/containers/{ONE}/json"] = (404, b'{"message": "page not found"}')
    with pytest.raises(SourceError, match="page not found"):
        source.look(ONE)


def test_look_does_not_take_a_name_for_an_id(engine: DockerEngine, source: DockerSource) -> None:
    data = inspected("20.10", "bind")
    engine.containers["bind"] = data
    assert source.look("bind") is None
    assert source.look("../version") is None
    assert engine.requests == []


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (500, b'{"message": "RWLayer is unexpectedly nil"}', "500 RWLayer is unexpectedly nil"),
        (403, b"<html>Forbidden by the proxy", "Forbidden"),
        (200, b'{"Id": "', "."),
        (200, b"[[[[[" * 50_000, "."),
        (200, b"[]", "got list"),
        (200, b"{}", "no Id"),
        (200, b'{"Id": "other"}', "answered about 'other'"),
        (200, b"\xff\xfe\x00", "."),
    ],
)
def test_look_turns_every_other_answer_into_one_clear_error(
    engine: DockerEngine, source: DockerSource, status: int, body: bytes, message: str
) -> None:
    engine.answers[f"/containers/{ONE}/json"] = (status, body)
    with pytest.raises(SourceError, match=message) as caught:
        source.look(ONE)
    assert "\n" not in str(caught.value)
    assert engine.host in str(caught.value)


def test_look_works_again_after_the_engine_came_back_with_another_api(
    engine: DockerEngine, source: DockerSource
) -> None:
    container_id = engine.put(inspected("20.10", "bind"))
    assert source.look(container_id)
    engine.stop()
    with pytest.raises(SourceError, match=r"No such file or directory|Connection refused"):
        source.look(container_id)
    engine.api_version = "1.52"
    engine.start()
    engine.requests.clear()

    assert source.look(container_id)
    assert engine.requests[-1][0].startswith("/v1.52/")


def test_looks_from_several_threads_at_once(engine: DockerEngine, source: DockerSource) -> None:
    names = ["bind", "tmpfs", "exited", "created", "paused", "restarted", "pod", "local-driver"]
    ids = [engine.put(inspected("29", name)) for name in names]
    found: queue.SimpleQueue[Container | None] = queue.SimpleQueue()

    def look(container_id: str) -> None:
        for _ in range(10):
            found.put(source.look(container_id))

    threads = [threading.Thread(target=look, args=(container_id,)) for container_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    seen = [found.get() for _ in range(10 * len(ids))]
    assert sorted(container.name for container in seen if container) == sorted(names * 10)


# ---- what an image declares


def images_asked(engine: DockerEngine) -> list[str]:
    return [path.split("/", 2)[2] for path, _ in engine.requests if "/images/" in path]


@pytest.fixture
def distrustful(engine: DockerEngine) -> Iterator[DockerSource]:
    """A source that is to tell what images declare."""
    environment = {"DOCKER_HOST": engine.host}
    source = create(Settings(environment=environment, image_declarations=False))
    yield source
    source.close()


def brings(engine: DockerEngine, image: str, body: object, status: int = 200) -> None:
    engine.answers[f"/images/{image}/json"] = (status, json.dumps(body).encode())


@pytest.mark.parametrize("recorded", ENGINES)
def test_an_image_is_asked_for_once_where_it_may_not_declare_logs(
    engine: DockerEngine, distrustful: DockerSource, recorded: str
) -> None:
    data = inspected(recorded, "bind")
    image = data["Image"]
    brings(engine, image, {"Id": image, "Config": {"Env": ["A=1"], "Labels": {"b": "2"}}})
    ids = [engine.put({**data, "Id": number * 64}) for number in "123"]
    found = [distrustful.look(container_id) for container_id in ids * 2]
    assert all(
        one and (one.image_env, one.image_labels) == ({"A": "1"}, {"b": "2"}) for one in found
    )
    assert images_asked(engine) == [f"images/{image}/json"]


def test_of_an_image_that_is_gone_all_counts_as_its_own(
    engine: DockerEngine, distrustful: DockerSource
) -> None:
    data = inspected("20.10", "bind")
    brings(engine, data["Image"], {"message": "No such image"}, 404)
    container = distrustful.look(engine.put(data))
    assert container
    assert container.env
    assert (container.image_env, container.image_labels) == (container.env, container.labels)


@pytest.mark.parametrize(("status", "body"), [(500, {"message": "busy"}), (200, {}), (200, [])])
def test_an_image_that_cannot_be_had_now_is_an_error_and_asked_for_again(
    engine: DockerEngine, distrustful: DockerSource, status: int, body: object
) -> None:
    data = inspected("20.10", "bind")
    container_id = engine.put(data)
    brings(engine, data["Image"], body, status)
    with pytest.raises(SourceError, match="not inspected"):
        distrustful.look(container_id)
    brings(engine, data["Image"], {"Id": data["Image"], "Config": {"Env": ["A=1"]}})
    container = distrustful.look(container_id)
    assert container
    assert container.image_env == {"A": "1"}


# ---- list


@pytest.mark.parametrize("recorded", ENGINES)
def test_list_takes_what_a_real_engine_says(
    engine: DockerEngine, source: DockerSource, recorded: str
) -> None:
    engine.answers["/containers/json"] = (200, listed(recorded))
    stamps = source.list()

    assert len(stamps) == 11
    assert stamps[inspected(recorded, "bind")["Id"]].startswith("running /bind ")
    assert stamps[inspected(recorded, "exited")["Id"]].startswith("exited /exited ")
    assert stamps[inspected(recorded, "created")["Id"]].startswith("created /created ")
    assert engine.requests[-1][1]["all"] == ["1"]


def test_a_stamp_changes_with_state_name_and_a_restart_between_two_lists_only(
    engine: DockerEngine, source: DockerSource
) -> None:
    data = inspected("20.10", "bind")
    container_id = engine.put(data)
    stamps = [source.list()[container_id]]
    assert source.list()[container_id] == stamps[0]

    for change in (
        {"State": {**data["State"], "Status": "exited"}},
        {"Name": "/renamed"},
        {"NetworkSettings": {"Networks": {"none": {"EndpointID": "another"}}}},
    ):
        engine.put({**data, **change})
        stamps.append(source.list()[container_id])

    assert len(set(stamps)) == 4


def test_a_list_bears_null_networks_and_names(engine: DockerEngine, source: DockerSource) -> None:
    entries = [
        {"Id": ONE, "State": "running", "Names": None, "NetworkSettings": None},
        {"Id": TWO, "State": "running", "NetworkSettings": {"Networks": {"none": None}}},
    ]
    engine.answers["/containers/json"] = (200, json.dumps(entries).encode())
    assert source.list().keys() == {ONE, TWO}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b'{"message": "busy"}'),
        (200, b"[{"),
        (200, b"{}{}"),
        (200, b'{"message": "x"}'),
        (200, b"null"),
        (200, b'[{"Id": "short"}]'),
        (200, b"[3]"),
        (200, b"[{}]"),
    ],
)
def test_a_list_that_is_not_known_to_be_whole_is_an_error(
    engine: DockerEngine, source: DockerSource, status: int, body: bytes
) -> None:
    engine.answers["/containers/json"] = (status, body)
    with pytest.raises(SourceError, match="could not be listed"):
        source.list()


# ---- watch


@pytest.mark.parametrize("recorded", ENGINES)
def test_watch_marks_everything_once_live_and_then_what_a_real_engine_says(
    engine: DockerEngine, source: DockerSource, recorded: str
) -> None:
    brief = {
        event["Actor"]["ID"]
        for event in map(json.loads, events(recorded).splitlines())
        if event["Action"] in {"start", "die", "destroy"}
    }
    with watching(source) as watch:
        watch.marked_all()
        assert engine.streams == 1
        engine.send_raw(events(recorded))
        engine.emit("start", ONE)
        marked: set[str] = set()
        while ONE not in marked:
            marked.update(watch.marked())
        assert marked == brief | {ONE}


def test_watch_asks_for_three_kinds_of_events_since_now(
    engine: DockerEngine, source: DockerSource
) -> None:
    with watching(source) as watch:
        watch.marked_all()
    path, query = next(request for request in engine.requests if "/events" in request[0])
    assert path == "/v1.41/events"
    assert json.loads(query["filters"][0]) == {
        "type": ["container"],
        "event": ["start", "die", "destroy"],
    }
    assert int(query["since"][0]) > 0


def test_events_that_were_not_asked_for_are_passed_over(
    engine: DockerEngine, source: DockerSource
) -> None:
    with watching(source) as watch:
        watch.marked_all()
        engine.emit("exec_create: /bin/sh -c true", ONE)
        engine.emit("start", ONE, Type="network")
        engine.emit("start", "short")
        engine.emit("start", "A" * 64)
        engine.emit("start", ONE + "\n")
        engine.emit("start", ONE, Actor=None)
        engine.emit("start", ONE, Actor={"ID": ["x"]})
        engine.send_raw(b"{}\n")
        engine.emit("die", TWO)
        assert watch.marked() == [TWO]


def test_labels_cannot_pose_as_another_container(
    engine: DockerEngine, source: DockerSource
) -> None:
    spoofed = {"id": ONE, "ID": ONE, "Actor": ONE, "exitCode": "0", "name": ONE, "status": "die"}
    with watching(source) as watch:
        watch.marked_all()
        engine.emit("die", TWO, Actor={"ID": TWO, "Attributes": spoofed}, id=ONE, status="start")
        assert watch.marked() == [TWO]


def test_events_cut_anywhere_into_chunks_are_put_together(
    engine: DockerEngine, source: DockerSource
) -> None:
    body = json.dumps({"Type": "container", "Action": "die", "Actor": {"ID": ONE}}).encode() + b"\n"
    with watching(source) as watch:
        watch.marked_all()
        for place in range(len(body)):
            engine.send_raw(body[place : place + 1])
        assert watch.marked() == [ONE]


@pytest.mark.parametrize("last", [CUT, END])
@pytest.mark.parametrize("before", [b"", b'{"Type": "container", "Act'])
def test_a_stream_that_ends_or_breaks_is_an_error(
    engine: DockerEngine, source: DockerSource, before: bytes, last: bytes | None
) -> None:
    with watching(source) as watch:
        watch.marked_all()
        if before:
            engine.send_raw(before)
        engine.send_raw(last)
        assert "event stream ended" in str(watch.ended())
    assert watch.error


@pytest.mark.parametrize("nonsense", [b"[1]\n", b'"x"\n', b"\n", b"{} {}\n", b"\xff\n"])
def test_a_stream_of_nonsense_is_an_error(
    engine: DockerEngine, source: DockerSource, nonsense: bytes
) -> None:
    with watching(source) as watch:
        watch.marked_all()
        engine.send_raw(nonsense)
        assert str(watch.ended()).partition("event stream ended: ")[2]


def test_a_refused_stream_is_an_error_that_says_why(
    engine: DockerEngine, source: DockerSource
) -> None:
    engine.answers["/events"] = (403, b'{"message": "no events for you"}')
    with watching(source) as watch:
        assert "no events for you" in str(watch.ended())


def test_an_engine_that_is_down_is_an_error_and_watch_may_be_called_again(tmp_path: Path) -> None:
    engine = DockerEngine(tmp_path)
    source = source_for(engine.host)
    assert "No such file or directory" in str(Watch(source).ended())
    with engine:
        with watching(source) as watch:
            watch.marked_all()
            engine.emit("start", ONE)
            assert watch.marked() == [ONE]
        assert watch.error is None


def test_close_ends_a_watch_that_waits_for_events(
    engine: DockerEngine, source: DockerSource
) -> None:
    watch = Watch(source)
    watch.marked_all()
    source.close()
    assert watch.ended() is None
    assert Watch(source).ended() is None
    until(lambda: not reading(), "the thread that read events ends")


def test_close_ends_a_watch_that_waits_for_a_hung_engine(
    engine: DockerEngine, source: DockerSource
) -> None:
    engine.hang()
    watch = Watch(source)
    until(lambda: engine.requests, "the engine was asked")
    source.close()
    assert watch.ended() is None


def test_close_ends_a_watch_whose_stream_is_not_open_yet(tmp_path: Path) -> None:
    with DockerEngine(tmp_path) as engine:
        source = source_for(engine.host, DOCKER_API_VERSION="1.41")
        engine.hang()
        watch = Watch(source)
        until(lambda: engine.requests, "the stream was asked for")
        assert engine.requests[0][0] == "/v1.41/events"
        source.close()
        assert watch.ended() is None
        assert not watch.hints.take_all()


def test_a_hung_engine_that_goes_on_is_watched(engine: DockerEngine, source: DockerSource) -> None:
    engine.hang()
    with watching(source) as watch:
        until(lambda: engine.requests, "the engine was asked")
        assert not watch.hints.take_all()
        engine.resume()
        watch.marked_all()
        engine.emit("start", ONE)
        assert watch.marked() == [ONE]


# ---- create


def test_create_does_not_need_the_engine(tmp_path: Path) -> None:
    source = source_for(f"unix://{tmp_path}/none.sock")
    with pytest.raises(SourceError, match=r"none\.sock: .*No such file or directory"):
        source.list()
    with pytest.raises(SourceError, match="No such file or directory"):
        source.look(ONE)
    source.close()


def test_a_set_api_version_is_used_and_not_asked_for(tmp_path: Path) -> None:
    with DockerEngine(tmp_path, "1.52") as engine:
        source = source_for(engine.host, DOCKER_API_VERSION="1.44")
        source.list()
        assert [path for path, _ in engine.requests] == ["/v1.44/containers/json"]
        source.close()


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"DOCKER_HOST": "nonsense://x"}, "nonsense"),
        ({"DOCKER_HOST": "tcp://127.0.0.1"}, "127.0.0.1"),
        ({"DOCKER_API_VERSION": "newest"}, "DOCKER_API_VERSION is 'newest'"),
        (
            {
                "DOCKER_HOST": "tcp://127.0.0.1:2376",
                "DOCKER_TLS_VERIFY": "1",
                "DOCKER_CERT_PATH": "/nowhere",
            },
            "/nowhere",
        ),
    ],
)
def test_unusable_variables_are_said_at_once(environment: dict[str, str], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        create(Settings(environment=environment))


def test_without_a_host_it_is_dockers_usual_socket() -> None:
    source = create(Settings(environment={}))
    assert source._host == "unix:///var/run/docker.sock"
    source.close()


def test_without_the_package_it_says_what_to_install() -> None:
    program = """
import sys
sys.modules["docker"] = None
from pilot.settings import Settings
from pilot.sources import SourceError
from pilot.sources.docker import create
try:
    create(Settings(environment={}))
except SourceError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "pip install docker" in done.stdout, done.stderr
