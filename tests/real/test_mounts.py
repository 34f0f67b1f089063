"""The mount table: what of a real Docker container's files can be read, and what is refused."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pilot.locate import locate, runtime_home
from pilot.model import Container, FileSet, Framing, Rejection, State
from pilot.pins.confine import FolderMissingError, RefusedError
from pilot.pins.expand import look_into
from pilot.policy import Policy
from pilot.settings import Settings
from pilot.sources.docker import create
from pilot.wiring import forbids
from tests.real.conftest import dockerd_program, filebeat_program
from tests.real.daemons import IMAGE, Dockerd
from tests.real.pipeline import Agent
from tests.real.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilot.sources.docker import DockerSource

pytestmark = [
    pytest.mark.real,
    # The docker package forgets a socket that could not connect.
    pytest.mark.filterwarnings("ignore:unclosed <socket.socket:ResourceWarning"),
]

WITH_VOLUME = "local/with-volume"  # an image that declares a volume of its own
SEEN = "lines"


@dataclass(frozen=True)
class Row:
    """One line of the table: a path in the container and what is to come of it."""

    name: str
    path: str
    expected: str  # SEEN or a code
    rootfs: bool = False


ROWS = (
    Row("bind of a folder", "/bind/a.log", SEEN),
    Row("bind of a folder, deeper", "/bind/deep/a.log", SEEN),
    Row("bind of a file", "/one.log", SEEN),
    Row("named volume", "/named/a.log", SEEN),
    Row("anonymous volume (-v /path)", "/anonymous/a.log", SEEN),
    Row("anonymous volume (image's VOLUME)", "/imaged/a.log", SEEN),
    Row("volume in a bind", "/bind/volume/a.log", SEEN),
    Row("bind in a volume", "/named/bind/a.log", SEEN),
    Row("tmpfs in a volume", "/named/memory/a.log", "mount-unsupported"),
    Row("--tmpfs", "/scratch/a.log", "mount-unsupported"),
    Row("--mount type=tmpfs", "/memory/a.log", "mount-unsupported"),
    Row("volume, driver local of tmpfs", "/driven-tmpfs/a.log", SEEN),
    Row("volume, driver local of a bind", "/driven-bind/a.log", SEEN),
    Row("volume, driver local of a forbidden bind", "/driven-etc/hostname", "refused"),
    Row("/dev/shm", "/dev/shm/a.log", "mount-unsupported", rootfs=True),
    Row("own filesystem, no leave", "/app/a.log", "path-not-mounted"),
    Row("own filesystem", "/app/a.log", SEEN, rootfs=True),
    Row("own filesystem, at its top", "/a.log", SEEN, rootfs=True),
    Row("own filesystem, a link in it", "/link/a.log", SEEN, rootfs=True),
    Row("own filesystem, a link upwards", "/out/passwd", "nothing", rootfs=True),
    Row("own filesystem, only in the image", "/bin/busybox", "nothing", rootfs=True),
)
DRIVERS = (
    ("json-file", SEEN),
    ("local", "stdout-no-file"),
    ("none", "stdout-no-file"),
    ("journald", "stdout-no-file"),
)


@pytest.fixture(scope="module", params=["docker", "docker-29"])
def engine(request: pytest.FixtureRequest) -> Iterator[Dockerd]:
    program = dockerd_program(request.param)
    with (
        tempfile.TemporaryDirectory(prefix="pilot-") as folder,
        Dockerd(Path(folder), program) as engine,
    ):
        saved = engine.docker("create", "--network=none", IMAGE, "true")
        tree = subprocess.run(
            ["docker", "export", saved],
            capture_output=True,
            check=True,
            env={**os.environ, "DOCKER_HOST": engine.host},
        ).stdout
        engine.docker("import", "--change", "VOLUME /imaged", "-", WITH_VOLUME, stdin=tree)
        engine.docker("rm", saved)
        yield engine


@pytest.fixture
def settings(engine: Dockerd) -> Settings:
    return Settings(environment={"DOCKER_HOST": engine.host}, rootfs=True)


@pytest.fixture
def source(settings: Settings) -> Iterator[DockerSource]:
    source = create(settings)
    yield source
    source.close()


def started(engine: Dockerd, name: str, script: str, *options: str, image: str = IMAGE) -> str:
    command = ("run", "--detach", "--network=none", "--name", name, *options, image)
    return engine.docker(*command, "/bin/sh", "-c", f"{script}; echo ready > /ready; sleep 1000")


def read(file_set: FileSet, settings: Settings) -> str:
    """What the pilot reads at a place, under its confinement; else why it does not."""
    policy, said = Policy(), []
    try:
        with look_into(
            file_set, settings.on_node, lambda really: forbids(policy, settings, file_set, really)
        ) as view:
            for folder in view.folders():
                for match in view.matches(folder):
                    said.append(Path(f"/proc/self/fd/{match.descriptor}").read_text())  # noqa: PERF401
            said += ["refused" for _ in view.refused]
    except FolderMissingError:
        pass
    except RefusedError:
        return "refused"
    return "".join(said) or "nothing"


def came_of(container: Container, row: Row, settings: Settings) -> str:
    place = locate(container, "key", row.path, rootfs=row.rootfs)
    if isinstance(place, Rejection):
        return place.code.value
    text = read(place, settings)
    return SEEN if text == f"{row.path}\n" else text


def table(engine: Dockerd, rows: list[tuple[str, str, str]]) -> None:
    version = engine.docker("version", "--format", "{{.Server.Version}}")
    for name, path, outcome in rows:
        print(f"| {version} | {name} | {path} | {outcome} |")


def test_every_kind_of_mount(engine: Dockerd, source: DockerSource, settings: Settings) -> None:
    for made in ("bind", "inner", "driven"):
        (engine.folder / made).mkdir()
    (engine.folder / "one.log").touch()
    local = ("--driver=local", "--opt=type=none", "--opt=o=bind")
    engine.docker("volume", "create", "--opt=type=tmpfs", "--opt=device=tmpfs", "driven-tmpfs")
    engine.docker("volume", "create", *local, f"--opt=device={engine.folder}/driven", "driven")
    engine.docker("volume", "create", *local, "--opt=device=/etc", "driven-etc")
    writes = [
        f"mkdir -p {os.path.dirname(row.path)}; echo {row.path} > {row.path}"
        for row in ROWS
        if row.expected not in ("refused", "nothing") and not row.path.startswith("/link/")
    ]
    links = [
        "mkdir /real; echo /link/a.log > /real/a.log; ln -s /real /link",
        "ln -s /../../../../../../etc /out",
    ]
    container_id = started(
        engine,
        "mounts",
        "; ".join([*links, *writes]),
        *("-v", f"{engine.folder}/bind:/bind", "-v", f"{engine.folder}/one.log:/one.log"),
        *("-v", "named:/named", "-v", "/anonymous", "-v", "inner:/bind/volume"),
        *("-v", f"{engine.folder}/inner:/named/bind", "--tmpfs=/named/memory"),
        *("--tmpfs=/scratch", "--mount=type=tmpfs,destination=/memory"),
        *("-v", "driven-tmpfs:/driven-tmpfs", "-v", "driven:/driven-bind"),
        *("-v", "driven-etc:/driven-etc:ro"),
        image=WITH_VOLUME,
    )
    found = source.look(container_id)
    assert found
    own = Path(found.rootfs)
    assert runtime_home(found.rootfs), "the upper directory is told"
    until((own / "ready").exists, 10, "the container wrote everything")
    outcomes = [(row, came_of(found, row, settings)) for row in ROWS]
    table(engine, [(row.name, row.path, outcome) for row, outcome in outcomes])
    wrong = [(row.name, outcome) for row, outcome in outcomes if outcome != row.expected]
    assert not wrong
    names = {mount.destination: mount.name for mount in found.mounts}
    assert names["/named"] == "named"
    assert len(names["/imaged"]) == 64
    engine.docker("rm", "--force", "--volumes", container_id)


@pytest.mark.parametrize(("driver", "expected"), DRIVERS)
def test_every_log_driver(
    engine: Dockerd, source: DockerSource, settings: Settings, driver: str, expected: str
) -> None:
    try:
        container_id = started(engine, f"driver-{driver}", "echo hello", f"--log-driver={driver}")
    except AssertionError as problem:
        if driver != "journald" or "journald is not enabled" not in str(problem):
            raise
        table(engine, [(f"log driver {driver}", "stdout", "this machine has no journald")])
        container_id = engine.docker(
            "ps", "--all", "--quiet", "--no-trunc", "--filter", "name=driver-"
        )
    found = source.look(container_id)
    assert found
    place = locate(found, "key", "stdout")
    if isinstance(place, Rejection):
        outcome = place.code.value
    else:
        assert place.framing is Framing.DOCKER
        outcome = until(
            lambda: SEEN if '"log":"hello\\n"' in read(place, settings) else "", 10, "the line"
        )
    table(engine, [(f"log driver {driver}", "stdout", outcome)])
    assert outcome == expected
    engine.docker("rm", "--force", container_id)


def test_a_link_to_a_file_of_the_own_filesystem_outlives_the_container(
    engine: Dockerd, source: DockerSource, settings: Settings
) -> None:
    script = (
        "mkdir /app; echo first > /app/a.log; echo added >> /imaged-file; "
        "(while test ! -e /go; do usleep 20000; done; echo last >> /app/a.log; echo > /done) & true"
    )
    engine.docker(
        "import",
        *("--change", "LABEL with=file", "-", "local/with-file"),
        stdin=_with_file(engine),
    )
    container_id = started(engine, "own", script, image="local/with-file")
    found = source.look(container_id)
    assert found
    own, home = Path(found.rootfs), runtime_home(found.rootfs)
    until((own / "ready").exists, 10, "the container wrote")
    # What the image brought is not there until the container writes to it, and whole then.
    assert (own / "imaged-file").read_text() == "of the image\nadded\n"
    assert not (own / "untouched-file").exists()

    place = locate(found, "key", "/app/a.log", rootfs=True)
    assert isinstance(place, FileSet)
    assert read(place, settings) == "first\n"
    pin = Path(home, "log-pilot", "pin")
    pin.parent.mkdir(exist_ok=True)
    pin.unlink(missing_ok=True)
    os.link(own / "app/a.log", pin)
    engine.docker("exec", "own", "/bin/sh", "-c", "echo > /go")
    until((own / "done").exists, 10, "the container wrote more")
    engine.docker("kill", "own")
    ended = source.look(container_id)
    assert ended
    assert (ended.state, ended.rootfs) == (State.ENDED, found.rootfs)
    assert read(place, settings) == "first\nlast\n"
    engine.docker("rm", container_id)
    assert not own.exists()
    assert pin.read_text() == "first\nlast\n"
    assert pin.stat().st_nlink == 1


def _with_file(engine: Dockerd) -> bytes:
    """The image's tree with two files of its own, packed."""
    made = engine.docker("create", "--network=none", IMAGE, "true")
    (engine.folder / "imaged-file").write_text("of the image\n")
    for name in ("imaged-file", "untouched-file"):
        engine.docker("cp", engine.folder / "imaged-file", f"{made}:/{name}")
    tree = subprocess.run(
        ["docker", "export", made],
        capture_output=True,
        check=True,
        env={**os.environ, "DOCKER_HOST": engine.host},
    ).stdout
    engine.docker("rm", made)
    return tree


def test_lines_in_the_own_filesystem_arrive_after_the_container_is_removed(
    engine: Dockerd, folder: Path
) -> None:
    # A link is made of a file that shares its mount with the pins.
    containerds = engine.docker("info", "--format", "{{.Driver}}") == "overlayfs"
    runtime = engine.folder / "containerd" if containerds else engine.root
    agent = Agent(
        folder / "agent",
        dockerd=engine,
        filebeat=filebeat_program("filebeat-9"),
        pin_root=runtime / "log-pilot",
        extra=("--rootfs",),
    )
    lines = [f"own line {number}" for number in range(100)]
    script = "mkdir /app; for n in $(seq 0 99); do echo own line $n >> /app/a.log; done"
    with agent:
        container_id = started(
            engine,
            "arrives",
            script,
            "--env=aliyun_logs_own=/app/*.log",
            "--env=aliyun_logs_out=stdout",
        )
        until(
            lambda: engine.docker("exec", "arrives", "cat", "/ready", check=False),
            20,
            "the container wrote everything",
        )
        pins = until(lambda: [*(runtime / "log-pilot").glob("*/a.log~*")], 20, "the file is pinned")
        assert [pin.stat().st_nlink for pin in pins] == [2]
        engine.docker("rm", "--force", container_id)
        until(lambda: len(agent.sink.texts()) >= len(lines), 30, "the lines arrive")
        assert sorted(agent.sink.texts()) == sorted(lines)
        assert {event["log_name"] for event in agent.sink.events()} == {"own"}
