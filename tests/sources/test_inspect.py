from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.model import Container, Mount, Pod, State
from pilot.sources.inspect import (
    container_from_inspect,
    declared_by_image,
    image_of,
)
from tests.sources.recordings import ENGINES, inspected

STATES = {
    "bind": State.RUNNING,
    "paused": State.RUNNING,
    "restarting": State.RUNNING,
    "restarted": State.RUNNING,
    "created": State.CREATED,
    "failed": State.CREATED,
    "exited": State.ENDED,
}
KEYS = ("State", "Config", "HostConfig", "Mounts", "GraphDriver", "Name", "LogPath")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("name", STATES)
def test_a_recorded_containers_state_is_told(engine: str, name: str) -> None:
    assert container_from_inspect(inspected(engine, name)).state is STATES[name]


@pytest.mark.parametrize("status", ["dead", "removing", "exited"])
def test_a_container_on_its_way_out_has_ended(status: str) -> None:
    assert container_from_inspect({"Id": "x", "State": {"Status": status}}).state is State.ENDED


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"Running": True}, State.RUNNING),
        ({"Running": False}, State.ENDED),
        ({"Running": False, "Restarting": True}, State.RUNNING),
        ({"Status": "stopped", "Running": False}, State.ENDED),
        ({"Status": "of tomorrow"}, State.RUNNING),
        (None, State.RUNNING),
    ],
)
def test_without_a_known_status_only_a_clear_no_ends_it(state: object, expected: State) -> None:
    assert container_from_inspect({"Id": "x", "State": state}).state is expected


def test_mounts_env_and_labels_of_a_recorded_container(engine: str) -> None:
    data = inspected(engine, "bind")
    container = container_from_inspect(data)
    sources = {mount["Destination"].rstrip("/"): mount["Source"] for mount in data["Mounts"]}
    anonymous = sources["/anonymous"].split("/")[-2]

    assert container.id == data["Id"]
    assert (container.name, container.image) == ("bind", "busy:1")
    assert container.created == data["Created"]
    assert container.mounts == (
        Mount("/anonymous", sources["/anonymous"], "volume", anonymous),
        Mount("/data", sources["/data"], "volume", "named"),
        Mount("/logs", sources["/logs"], "bind"),
    )
    assert sources["/data"].endswith("/volumes/named/_data")
    assert len(anonymous) == 64
    assert container.env == {"aliyun_logs_access": "/logs/*.log", "PAIR": "a=b=c", "EMPTY": ""}
    assert container.labels["aliyun.logs.out"] == "stdout"
    assert container.log_path.endswith("-json.log")
    assert container.log_driver == "json-file"
    assert container.pod is None


def test_both_kinds_of_tmpfs_are_mounts_without_a_source(engine: str) -> None:
    container = container_from_inspect(inspected(engine, "tmpfs"))
    assert container.mounts == (Mount("/scratch", "", "tmpfs"), Mount("/shared", "", "tmpfs"))


def test_only_json_file_has_a_log_path(engine: str) -> None:
    for name, driver in (("local-driver", "local"), ("none-driver", "none")):
        container = container_from_inspect(inspected(engine, name))
        assert (container.log_driver, container.log_path) == (driver, "")
    spoken = {**inspected(engine, "local-driver"), "LogPath": "/somewhere.log"}
    assert container_from_inspect(spoken).log_path == ""


def test_rootfs_is_the_upper_directory_where_the_engine_has_a_graph_driver() -> None:
    upper = inspected("20.10", "bind")["GraphDriver"]["Data"]["UpperDir"]
    assert container_from_inspect(inspected("20.10", "bind")).rootfs == upper
    assert container_from_inspect(inspected("20.10", "exited")).rootfs.endswith("/diff")
    assert "GraphDriver" not in inspected("29", "bind")
    assert container_from_inspect(inspected("29", "bind")).rootfs == ""


def test_the_kubelets_labels_name_the_pod(engine: str) -> None:
    container = container_from_inspect(inspected(engine, "pod"))
    assert container.pod == Pod("shop", "web-0", "1-2-3", "web")


def test_env_is_split_at_the_first_sign_and_the_last_entry_wins() -> None:
    env = ["A=1", "B=x=y=", "A=2", "NONE", "=odd", None, 7]
    container = container_from_inspect({"Id": "x", "Config": {"Env": env}})
    assert container.env == {"A": "2", "B": "x=y=", "": "odd"}


@pytest.mark.parametrize(
    ("destination", "normalised"),
    [("/a//b/./c/", "/a/b/c"), ("//a", "/a"), ("/a/../b", "/b"), ("/", "/"), ("/../..", "/")],
)
def test_destinations_are_normalised(destination: str, normalised: str) -> None:
    mounts = [{"Destination": destination, "Source": "/s", "Type": "bind"}]
    container = container_from_inspect({"Id": "x", "Mounts": mounts})
    assert container.mounts == (Mount(normalised, "/s", "bind"),)


def test_a_destination_that_is_not_absolute_is_no_mount() -> None:
    data = {"Id": "x", "Mounts": [{"Destination": "a"}, {}], "HostConfig": {"Tmpfs": {"b": ""}}}
    assert container_from_inspect(data).mounts == ()


def test_nulls_everywhere_are_a_container_about_which_little_is_known() -> None:
    keys = inspected("20.10", "bind").keys()
    container = container_from_inspect({**dict.fromkeys(keys), "Id": "x"})
    assert container == Container(id="x", name="", state=State.RUNNING)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "got list"),
        (None, "got NoneType"),
        ("x", "got str"),
        ({}, "no Id"),
        ({"Id": 3}, "no Id"),
    ],
)
def test_what_is_not_about_a_container_is_refused(data: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        container_from_inspect(data)


@pytest.mark.parametrize(
    "graph",
    [
        {"Name": "vfs", "Data": None},
        {"Name": "btrfs", "Data": {"Subvolume": "/x"}},
        {"Name": "overlayfs", "Data": None},
        {"Name": "zfs", "Data": {"Dataset": "x", "Mountpoint": "/x"}},
    ],
)
def test_other_graph_drivers_have_no_rootfs(graph: object) -> None:
    assert container_from_inspect({"Id": "x", "GraphDriver": graph}).rootfs == ""


def test_the_image_is_told(engine: str) -> None:
    assert image_of(inspected(engine, "bind")).startswith("sha256:")
    for data in (None, {}, {"Image": None}, {"Image": 7}, [7]):
        assert image_of(data) == ""


def test_what_an_image_brings_is_its_environment_and_labels() -> None:
    config = {"Env": ["A=1=2", "B"], "Labels": {"x": "y", "z": None}}
    assert declared_by_image({"Id": "sha256:1", "Config": config}) == ({"A": "1=2"}, {"x": "y"})
    assert declared_by_image({"Id": "sha256:1", "Config": None}) == ({}, {})


@pytest.mark.parametrize("data", [None, [], {}, {"message": "?"}, {"Id": None}])
def test_what_is_not_about_an_image_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match="does not say what the image brings"):
        declared_by_image(data)


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("State", "Config", "HostConfig", "Mounts", "GraphDriver", "Name", "LogPath"), JSON
        ),
    ),
    st.fixed_dictionaries({}, optional=dict.fromkeys(("Env", "Labels", "Tmpfs", "Image"), JSON)),
)
def test_any_other_json_below_an_id_is_tolerated(
    data: dict[str, Any], inner: dict[str, Any]
) -> None:
    found = container_from_inspect({**data, "Id": "x"})
    assert isinstance(found, Container)
    below = json.loads(json.dumps({"Id": "x", "Config": inner, "HostConfig": inner}))
    assert container_from_inspect(below).id == "x"
