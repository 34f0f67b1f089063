"""From an item to a place on the node."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.locate import locate, mount_of
from pilot.model import FileSet, Framing, Mount, Rejection
from pilot.names import output_set_name, volume_set_name
from tests.declarations.making import ID, LOG_PATH, any_text, bind, container, values, volume

MOUNTS = (
    bind("/logs", "/srv/logs"),
    bind("/logs/deep", "/srv/elsewhere"),
    volume("/v", "data"),
    bind("/one.log", "/srv/files/one[1].log"),
    Mount("/tmp", "", "tmpfs"),
    bind("/relative", "srv/logs"),
    bind("/up", "/srv/../etc"),
)


def code(item: str, mounts: tuple[Mount, ...] = MOUNTS) -> str:
    place = locate(container(mounts=mounts), "key", item)
    assert isinstance(place, Rejection)
    assert place.key == "key"
    return place.code.value


def found(item: str, mounts: tuple[Mount, ...] = MOUNTS) -> FileSet:
    place = locate(container(mounts=mounts), "key", item)
    assert isinstance(place, FileSet), place
    return place


def test_stdout_is_the_runtimes_own_file_and_what_rotation_makes_of_it() -> None:
    assert found("stdout") == FileSet(
        name=output_set_name(ID),
        root=f"/var/lib/docker/containers/{ID}",
        folder="",
        pattern=f"{ID}-json.log",
        framing=Framing.DOCKER,
        inside="",
        rotated=True,
    )


def test_the_name_of_the_runtimes_file_is_no_pattern() -> None:
    place = locate(container(log_path="/x/a[1]*.log"), "key", "stdout")
    assert isinstance(place, FileSet)
    assert place.pattern == "a[[]1][*].log"


@pytest.mark.parametrize("driver", ["journald", "syslog", "none", ""])
def test_a_driver_without_a_file_is_named(driver: str) -> None:
    place = locate(container(log_path="", log_driver=driver), "key", "stdout")
    assert isinstance(place, Rejection)
    assert place.code == "stdout-no-file"
    assert driver in place.reason
    assert "json-file" in place.reason


@pytest.mark.parametrize("path", ["a.log", "/x/../a.log", "/", "/x/\ud800", "/x/a\n"])
def test_a_runtimes_file_at_no_usable_path_is_refused(path: str) -> None:
    place = locate(container(log_path=path), "key", "stdout")
    assert isinstance(place, Rejection)
    assert place.code == "stdout-no-file"


def test_a_container_whose_id_is_no_text_is_refused() -> None:
    place = locate(container(identifier="\ud800"), "key", "stdout")
    assert isinstance(place, Rejection)


@pytest.mark.parametrize(
    ("item", "root", "folder", "pattern", "inside"),
    [
        ("/logs/a.log", "/srv/logs", "", "a.log", "/logs"),
        ("/logs/*.log", "/srv/logs", "", "*.log", "/logs"),
        ("/logs/x/y/a?[0-9].log", "/srv/logs", "x/y", "a?[0-9].log", "/logs/x/y"),
        ("//logs/./x///a.log", "/srv/logs", "x", "a.log", "/logs/x"),
        ("/logs/deep/a.log", "/srv/elsewhere", "", "a.log", "/logs/deep"),
        ("/logs/deeper/a.log", "/srv/logs", "deeper", "a.log", "/logs/deeper"),
        ("/v/a.log", "/var/lib/docker/volumes/data/_data", "", "a.log", "/v"),
        ("/logs/{a}.log", "/srv/logs", "", "{a}.log", "/logs"),
        ("/logs/...", "/srv/logs", "", "...", "/logs"),
        ("/logs/${X} %d", "/srv/logs", "", "${X} %d", "/logs"),
    ],
)
def test_the_nearest_mount_decides(
    item: str, root: str, folder: str, pattern: str, inside: str
) -> None:
    assert found(item) == FileSet(
        name=volume_set_name(root, folder, pattern),
        root=root,
        folder=folder,
        pattern=pattern,
        framing=Framing.LINES,
        inside=inside,
    )


@pytest.mark.parametrize(
    ("item", "root", "folder", "pattern"),
    [
        ("/logs/*/a.log", "/srv/logs", "", "*/a.log"),
        ("/logs/x/[ab]/y/*.log", "/srv/logs", "x", "[ab]/y/*.log"),
        ("/logs/x//y?/./z/a.log", "/srv/logs", "x", "y?/z/a.log"),
        ("/logs/**", "/srv/logs", "", "**"),
        ("/logs/x/**/a.log", "/srv/logs", "x", "**/a.log"),
        ("/logs/deep/*/a.log", "/srv/elsewhere", "", "*/a.log"),
        ("/logs/dee*/a.log", "/srv/logs", "", "dee*/a.log"),
    ],
)
def test_folders_may_be_patterns_below_the_literal_part(
    item: str, root: str, folder: str, pattern: str
) -> None:
    place = locate(container(mounts=MOUNTS), "key", item, recursive=True)
    assert isinstance(place, FileSet)
    assert (place.root, place.folder, place.pattern) == (root, folder, pattern)
    assert place.name == volume_set_name(root, folder, pattern)
    assert place.inside == item.split(pattern.split("/")[0])[0].replace("//", "/").rstrip("/")
    assert place.mounted_at == ("/logs/deep" if root == "/srv/elsewhere" else "/logs")


def test_names_of_file_sets_stay_what_they_were() -> None:
    """They are saved, and name the collector's inputs."""
    assert found("/logs/x/y/a?[0-9].log").name == "a-0-9-log-2342d1078ec6e64d94339261"


def test_two_stars_need_leave_and_who_gives_it_is_said() -> None:
    place = locate(container(mounts=MOUNTS), "key", "/logs/**/a.log")
    assert isinstance(place, Rejection)
    assert "--recursive" in place.reason
    assert "PILOT_RECURSIVE" in place.reason
    place = locate(container(mounts=MOUNTS), "key", "/logs/a**/a.log", recursive=True)
    assert isinstance(place, Rejection)
    assert "by itself" in place.reason


def test_one_place_has_one_name_whichever_container_it_is_in() -> None:
    here = found("/logs/sub/a.log", (bind("/logs", "/srv/logs"),))
    there = found("/other/sub/a.log", (bind("/other/", "/srv//logs/"),))
    assert here.name == there.name
    assert here.inside != there.inside


def test_a_file_mounted_by_itself_is_found_beside_its_source() -> None:
    place = found("/one.log")
    assert (place.root, place.folder, place.pattern) == ("/srv/files", "", "one[[]1].log")
    assert (place.inside, place.rotated) == ("/", False)


def test_a_pattern_is_never_the_place_of_a_mount() -> None:
    mounts = (bind("/logs", "/srv/logs"), bind("/logs/a*", "/srv/secret"))
    assert found("/logs/a*", mounts).root == "/srv/logs"


def test_a_mount_at_the_root_is_above_everything() -> None:
    place = found("/a/b.log", (bind("/", "/srv/all"),))
    assert (place.directory, place.inside) == ("/srv/all/a", "/a")


def test_of_two_mounts_at_one_place_the_later_counts() -> None:
    assert found("/a/b", (bind("/a", "/srv/1"), bind("/a", "/srv/2"))).root == "/srv/2"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("/logs2/a.log", "path-not-mounted"),
        ("/lo/a.log", "path-not-mounted"),
        ("/a.log", "path-not-mounted"),
        ("/*.log", "path-not-mounted"),
        ("/tmp/a.log", "mount-unsupported"),
        ("/relative/a.log", "mount-unsupported"),
        ("/up/a.log", "mount-unsupported"),
        ("/logs/../etc/passwd", "path-invalid"),
        ("/logs/..", "path-invalid"),
        ("/logs/a\x00", "path-invalid"),
        ("/logs/a\nb", "path-invalid"),
        ("/logs/a\x9bb", "path-invalid"),
        ("/logs/a\u2028b", "path-invalid"),
        ("/logs/gol\u202e.exe", "path-invalid"),
        ("/logs/\ud800", "path-invalid"),
        ("/logs/" + "a" * 256, "path-invalid"),
        ("/logs/" + "é" * 128, "path-invalid"),
        ("/logs" + "/a" * 2100, "path-invalid"),
        ("logs/a.log", "path-invalid"),
        ("", "path-invalid"),
        ("/logs/", "path-folder"),
        ("/logs/.", "path-folder"),
        ("/", "path-folder"),
        ("/v", "path-folder"),
        ("/logs/**", "path-glob"),
        ("/logs/**/a.log", "path-glob"),
        ("/logs/*/**/a.log", "path-glob"),
        ("/logs/a**/a.log", "path-glob"),
        ("/logs/***/a.log", "path-glob"),
        ("/logs/a**.log", "path-glob"),
        ("/*/a.log", "path-not-mounted"),
        ("/lo*/a.log", "path-not-mounted"),
        ("/tmp/*/a.log", "mount-unsupported"),
    ],
)
def test_what_is_refused(item: str, expected: str) -> None:
    assert code(item) == expected


@pytest.mark.parametrize(
    ("item", "hint"),
    [("/logs/", "/logs/*.log"), ("//logs/x/./", "/logs/x/*.log"), ("/v", "/v/*.log")],
)
def test_a_folder_is_refused_with_the_pattern_that_was_meant(item: str, hint: str) -> None:
    place = locate(container(mounts=MOUNTS), "key", item)
    assert isinstance(place, Rejection)
    assert place.hint == hint


@pytest.mark.parametrize("source", ["/", "/srv/x"])
def test_a_mount_of_the_whole_node_is_no_single_file(source: str) -> None:
    place = locate(container(mounts=(bind("/x", source),)), "key", "/x")
    assert isinstance(place, FileSet) == (source != "/")


def test_the_mount_of_an_item_is_the_one_that_places_it() -> None:
    here = container(mounts=MOUNTS)
    assert mount_of(here, "/logs/deep/a") == MOUNTS[1]
    assert mount_of(here, "/one.log") == MOUNTS[3]
    assert mount_of(here, "stdout") is None
    assert mount_of(here, "/nowhere/a") is None
    assert mount_of(here, "/logs/../x") is None


def test_stderr_lies_where_stdout_does() -> None:
    assert found("stderr") == found("stdout")
    assert mount_of(container(mounts=MOUNTS), "stderr") is None


paths = st.one_of(values, any_text, values.map(lambda text: f"/logs/{text}"))
mounts = st.lists(
    st.builds(
        Mount,
        st.one_of(paths, st.just("/logs")),
        paths,
        st.sampled_from(["bind", "volume", "tmpfs", "secret", "emptyDir", ""]),
    ),
    max_size=4,
).map(tuple)


@given(paths, mounts, st.one_of(st.just(LOG_PATH), paths), st.one_of(st.just(ID), any_text))
def test_whatever_is_asked_no_place_lies_outside_its_root(
    item: str, mounts: tuple[Mount, ...], log_path: str, identifier: str
) -> None:
    here = container(mounts=mounts, log_path=log_path, identifier=identifier)
    for asked in (item, "stdout"):
        place = locate(here, "key", asked)
        if isinstance(place, Rejection):
            assert place.key == "key"
            assert str(place).isprintable()
            continue
        assert re.fullmatch(r"[0-9A-Za-z._-]{1,100}", place.name)
        assert place.root.startswith("/")
        assert not {"..", "."} & {*place.root.split("/"), *place.folder.split("/")}
        assert f"{place.directory}/".startswith(f"{place.root.rstrip('/')}/")
        assert not place.folder.startswith("/")
        parts = place.pattern.split("/")
        assert not {"", ".", ".."} & set(parts)
        assert len(parts) == 1 or re.search(r"[*?[]", parts[0])
        assert "**" not in place.pattern
        place.directory.encode()
