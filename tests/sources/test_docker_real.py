"""The Docker source on real engines."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pilot.model import State
from pilot.settings import Settings
from pilot.sources import SourceError
from pilot.sources.docker import create
from tests.real.conftest import dockerd_program
from tests.real.daemons import IMAGE, Dockerd
from tests.sources.watching import Watch, until, watching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilot.model import Container
    from pilot.sources.docker import DockerSource

pytestmark = [
    pytest.mark.real,
    # The docker package forgets a socket that could not connect.
    pytest.mark.filterwarnings("ignore:unclosed <socket.socket:ResourceWarning"),
]


@pytest.fixture(scope="module", params=["docker", "docker-29"])
def engine(request: pytest.FixtureRequest) -> Iterator[Dockerd]:
    program = dockerd_program(request.param)
    with (
        tempfile.TemporaryDirectory(prefix="pilot-") as folder,
        Dockerd(Path(folder), program) as engine,
    ):
        yield engine


@pytest.fixture
def source(engine: Dockerd) -> Iterator[DockerSource]:
    source = create(Settings(environment={"DOCKER_HOST": engine.host}))
    yield source
    source.close()


def found(source: DockerSource, container_id: str) -> Container:
    container = source.look(container_id)
    assert container
    return container


def test_a_containers_life_is_seen(engine: Dockerd, source: DockerSource) -> None:
    with watching(source) as watch:
        watch.marked_all()
        container_id = engine.run("life", "exec sleep 1000", "--volume=/logs")
        assert watch.marked() == [container_id]
        container = found(source, container_id)
        assert (container.state, container.name) == (State.RUNNING, "life")
        assert Path(container.log_path).exists()
        assert Path(container.mounts[0].source).is_dir()
        stamp = source.list()[container_id]

        engine.docker("restart", "--time=0", "life")
        assert watch.marked() == [container_id]
        assert source.list()[container_id] != stamp
        engine.docker("rm", "--force", "--volumes", "life")
        until(lambda: watch.hints.take() and source.look(container_id) is None, "it is gone")


def test_a_look_at_its_death_finds_it_dead(engine: Dockerd, source: DockerSource) -> None:
    with watching(source) as watch:
        watch.marked_all()
        for number in range(20):
            container_id = engine.run(f"brief-{number}", "true")
            seen = []
            while State.ENDED not in seen:
                watch.marked()
                seen.append(found(source, container_id).state)
            engine.docker("rm", container_id)
            until(lambda: watch.hints.take() or True, "the destruction may be marked")
            while source.look(container_id):
                watch.marked()


def test_what_ended_before_is_listed(engine: Dockerd, source: DockerSource) -> None:
    container_id = engine.run("before", "true")
    engine.docker("wait", container_id)
    created = engine.docker("create", "--network=none", "local/busybox", "/bin/true")
    stamps = source.list()
    assert {container_id, created} <= stamps.keys()
    assert found(source, container_id).state is State.ENDED
    assert found(source, created).state is State.CREATED
    engine.docker("rm", container_id, created)


def test_what_an_image_brings_is_told_apart_where_it_is_asked_for(engine: Dockerd) -> None:
    made = engine.docker("create", "--network=none", IMAGE, "true")
    change = ("--change", "ENV aliyun_logs_a=/a", "--change", "LABEL aliyun.logs.b=/b")
    engine.docker("commit", *change, made, "local/declares")
    container_id = engine.docker(
        *(
            "run",
            "--detach",
            "--network=none",
            "--env=aliyun_logs_c=/c",
            "--label=aliyun.logs.d=/d",
        ),
        *("local/declares", "sleep", "1000"),
    )
    environment = {"DOCKER_HOST": engine.host}
    source = create(Settings(environment=environment, image_declarations=False))
    container = found(source, container_id)
    assert {"aliyun_logs_a", "aliyun_logs_c"} <= container.env.keys()
    assert {"aliyun.logs.b", "aliyun.logs.d"} <= container.labels.keys()
    assert container.image_env == {"aliyun_logs_a": "/a"}
    assert container.image_labels == {"aliyun.logs.b": "/b"}
    source.close()
    engine.docker("rm", "--force", made, container_id)


def test_the_own_filesystem_is_told_through_restart_and_end(engine: Dockerd) -> None:
    source = create(Settings(environment={"DOCKER_HOST": engine.host}, rootfs=True))
    container_id = engine.run("own", "echo x > /file; exec sleep 1000")
    upper = found(source, container_id).rootfs
    until(lambda: Path(upper, "file").exists(), "what it wrote is there")
    engine.docker("restart", "--time=0", "own")
    assert found(source, container_id).rootfs == upper
    fresh = create(Settings(environment={"DOCKER_HOST": engine.host}, rootfs=True))
    assert found(fresh, container_id).rootfs == upper
    engine.docker("kill", "own")
    assert found(source, container_id).rootfs == upper
    engine.docker("rm", container_id)
    source.close()
    fresh.close()


def test_a_killed_engine_is_an_error_and_watched_again(
    engine: Dockerd, source: DockerSource
) -> None:
    container_id = engine.run("killed", "exec sleep 1000")
    watch = Watch(source)
    watch.marked_all()
    engine.kill()
    assert "event stream ended" in str(watch.ended())
    with pytest.raises(SourceError):
        source.list()
    with pytest.raises(SourceError):
        source.look(container_id)
    engine.start()
    with watching(source) as again:
        again.marked_all()
        assert container_id in source.list()
        assert found(source, container_id).name == "killed"
    engine.docker("rm", "--force", container_id)


def test_a_hung_engine_holds_up_no_close(engine: Dockerd, source: DockerSource) -> None:
    engine.pause()
    try:
        watch = Watch(source)
        source.close()
        assert watch.ended() is None
    finally:
        engine.resume()
