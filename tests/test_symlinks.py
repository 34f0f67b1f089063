"""log-pilot's tree of links to volumes."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.model import Container, Mount, State
from pilot.settings import Settings
from pilot.symlinks import Symlinks

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE, TWO = "1" * 64, "2" * 64
PROJECT, STACK = "com.docker.compose.project", "com.docker.stack.namespace"
SERVICE, SWARM = "com.docker.compose.service", "com.docker.swarm.service.name"
LABELS = {PROJECT: "shop", SERVICE: "web"}
DATA = Mount("/data", "/var/lib/docker/volumes/data/_data", "volume", "data")
LOGS = Mount("/logs", "/var/lib/docker/volumes/logs/_data", "volume", "logs")


def container(
    *mounts: Mount, identifier: str = ONE, labels: dict[str, str] | None = None
) -> Container:
    return Container(
        id=identifier,
        name="web",
        state=State.RUNNING,
        labels=LABELS if labels is None else labels,
        mounts=mounts,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return tmp_path / "acs" / "log"


@pytest.fixture
def symlinks(tmp_path: Path) -> Symlinks:
    return made(tmp_path)


def made(node: Path) -> Symlinks:
    return Symlinks(Settings(create_symlink=True, node_root=node))


def shown(tree: Path) -> dict[str, str]:
    """Every link below a folder and where it leads, and every empty folder."""
    found = {}
    for folder, folders, files in os.walk(tree):
        for name in [*folders, *files]:
            path = Path(folder, name)
            if path.is_symlink():
                found[str(path.relative_to(tree))] = str(path.readlink())
        if not folders and not files and folder != str(tree):
            found[os.path.relpath(folder, tree)] = "empty"
    return found


def test_each_named_volume_has_a_link_where_log_pilot_had_it(
    symlinks: Symlinks, tree: Path
) -> None:
    bind = Mount("/bind", "/srv/logs", "bind")
    unknown = Mount("/plugin", "", "volume", "plugin")
    symlinks.want(container(DATA, LOGS, bind, unknown, Mount("/tmp", "", "tmpfs")))
    assert shown(tree) == {
        f"shop/web/{ONE}/data": DATA.source,
        f"shop/web/{ONE}/logs": LOGS.source,
    }


def test_without_the_setting_nothing_is_made_and_nothing_removed(
    symlinks: Symlinks, tmp_path: Path, tree: Path
) -> None:
    off = Symlinks(Settings(node_root=tmp_path))
    off.want(container(DATA))
    assert not tree.exists()
    symlinks.want(container(DATA))
    off.sweep([])
    off.drop(ONE)
    assert shown(tree)


@pytest.mark.parametrize(
    ("labels", "way"),
    [
        ({}, ""),
        ({PROJECT: "shop"}, "shop/"),
        ({SERVICE: "web"}, "web/"),
        ({**LABELS, STACK: "swarm", SWARM: "task"}, "swarm/task/"),
        ({PROJECT: "", SERVICE: "web"}, "web/"),
    ],
)
def test_an_empty_app_or_service_has_no_level_and_is_found_again(
    symlinks: Symlinks, tmp_path: Path, tree: Path, labels: dict[str, str], way: str
) -> None:
    symlinks.want(container(DATA, labels=labels))
    assert shown(tree) == {f"{way}{ONE}/data": DATA.source}
    again = made(tmp_path)
    again.sweep([ONE])
    assert shown(tree) == {f"{way}{ONE}/data": DATA.source}
    again.drop(ONE)
    assert shown(tree) == {}
    assert tree.is_dir()


def test_what_is_no_more_mounted_goes_and_what_moved_is_led_to_again(
    symlinks: Symlinks, tree: Path
) -> None:
    symlinks.want(container(DATA, LOGS))
    moved = Mount("/data", "/elsewhere", "volume", "data")
    symlinks.want(container(moved))
    assert shown(tree) == {f"shop/web/{ONE}/data": "/elsewhere"}
    symlinks.want(container())
    assert shown(tree) == {}


def test_neighbours_keep_their_links(symlinks: Symlinks, tree: Path) -> None:
    symlinks.want(container(DATA))
    symlinks.want(container(DATA, identifier=TWO))
    symlinks.drop(ONE)
    symlinks.drop(ONE)
    symlinks.drop("never heard of")
    assert shown(tree) == {f"shop/web/{TWO}/data": DATA.source}


def test_at_start_links_of_unknown_containers_go_and_other_things_stay(
    symlinks: Symlinks, tmp_path: Path, tree: Path
) -> None:
    for identifier, labels in ((ONE, LABELS), (TWO, {}), ("3" * 64, {PROJECT: "shop"})):
        symlinks.want(container(DATA, identifier=identifier, labels=labels))
    (tree / "mine").mkdir()
    (tree / "mine" / "link").symlink_to("/nowhere")
    (tree / TWO / "note").write_text("a person's")
    made(tmp_path).sweep([ONE])
    assert shown(tree) == {f"shop/web/{ONE}/data": DATA.source, "mine/link": "/nowhere"}
    assert (tree / TWO / "note").exists()


def test_a_sweep_without_a_tree_makes_none(
    symlinks: Symlinks, tree: Path, caplog: pytest.LogCaptureFixture
) -> None:
    symlinks.sweep([])
    assert not tree.exists()
    assert not caplog.records


@pytest.mark.parametrize("place", ["shop", "shop/web", f"shop/web/{ONE}"])
def test_no_link_in_the_tree_is_followed(
    symlinks: Symlinks,
    tmp_path: Path,
    tree: Path,
    place: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    outside = tmp_path / "outside"
    (outside / "web" / ONE).mkdir(parents=True)
    (outside / "web" / ONE / "kept").symlink_to("/x")
    (outside / ONE).mkdir()
    (outside / ONE / "kept").symlink_to("/x")
    before = shown(outside)
    (tree / place).parent.mkdir(parents=True)
    (tree / place).symlink_to(outside)
    symlinks.want(container(DATA))
    symlinks.want(container(DATA))
    symlinks.drop(ONE)
    made(tmp_path).sweep([])
    assert shown(outside) == before
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(said) == len(caplog.records) == 2  # once each: making and dropping
    assert all("Not a directory" in text for text in said)


def test_what_is_no_link_is_left_and_said(
    symlinks: Symlinks, tree: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tree / "shop/web" / ONE / "data").mkdir(parents=True)
    symlinks.want(container(DATA))
    assert "something else than a link" in caplog.text
    symlinks.drop(ONE)
    assert (tree / "shop/web" / ONE / "data").is_dir()


def test_a_place_that_cannot_be_written_is_said_once_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "acs").write_text("a file")
    symlinks = made(tmp_path)
    for _ in range(2):
        symlinks.want(container(DATA))
        symlinks.drop(ONE)
        symlinks.sweep([])
    assert 1 <= len(caplog.records) <= 2


def test_an_app_called_as_another_container_does_not_hide_that_one(
    symlinks: Symlinks, tmp_path: Path, tree: Path
) -> None:
    symlinks.want(container(DATA, identifier=TWO, labels={}))
    symlinks.want(container(LOGS, labels={PROJECT: TWO, SERVICE: TWO}))
    again = made(tmp_path)
    again.sweep([ONE])
    assert list(shown(tree).values()) == [LOGS.source]
    again.drop(ONE)
    assert shown(tree) == {}


NAMES = st.one_of(
    st.sampled_from(
        ["..", ".", "../..", "/", "/etc", "a/b", "", ONE, TWO, ".log-pilot~", "a" * 999]
    ),
    st.text(max_size=12),
    st.text(st.characters(), max_size=4).map(lambda text: f"../{text}"),
)


@pytest.fixture(scope="module")
def node() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@given(app=NAMES, service=NAMES, volumes=st.lists(NAMES, max_size=3))
def test_any_name_stays_in_the_tree_and_is_found_again(
    node: Path, app: str, service: str, volumes: list[str]
) -> None:
    mounts = [Mount("/x", f"/v/{number}", "volume", name) for number, name in enumerate(volumes)]
    symlinks = made(node)
    symlinks.want(container(*mounts, labels={PROJECT: app, SERVICE: service}))
    tree = node / "acs" / "log"
    if tree.exists():
        found = shown(tree)
        assert len(found) == len({each for each in volumes if each})
        for way, target in found.items():
            assert ONE in way.split("/")
            assert target.startswith("/v/")
        assert os.listdir(node) == ["acs"]
        assert os.listdir(node / "acs") == ["log"]
    again = made(node)
    again.sweep([ONE])
    again.drop(ONE)
    assert not tree.exists() or shown(tree) == {}


@pytest.mark.parametrize("what", ["label", "volume"])
def test_text_that_is_no_unicode_makes_no_link_and_stops_nothing(
    what: str, symlinks: Symlinks, tree: Path
) -> None:
    odd = Mount("/odd", "/srv/odd", "volume", "\ud800" if what == "volume" else "odd")
    labels = {PROJECT: "\ud800" if what == "label" else "shop"}
    symlinks.want(container(odd, labels=labels))
    assert shown(tree) == {}
