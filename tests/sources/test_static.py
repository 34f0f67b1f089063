from __future__ import annotations

import logging
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pilot.model import State
from pilot.settings import Settings
from pilot.sources import SourceError
from pilot.sources.static import StaticSource, create
from tests.sources.watching import Watch, until, watching

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "containers"
    folder.mkdir()
    return folder


@pytest.fixture
def source(folder: Path) -> Iterator[StaticSource]:
    source = create(Settings(static_path=folder))
    yield source
    source.close()


def write(path: Path, *containers: str) -> None:
    """Write a new version beside and rename it, as the page advises."""
    new = path.with_name(f".{path.name}.new")
    new.write_text("[" + ", ".join(containers) + "]")
    new.rename(path)


def image(source: StaticSource, container_id: str) -> str:
    container = source.look(container_id)
    assert container
    return container.image


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


# ---- list and look


def test_all_files_of_the_folder_count_and_nothing_else(folder: Path, source: StaticSource) -> None:
    write(folder / "one.yaml", "{id: a}", "{id: b, state: ended}")
    write(folder / "two.yml", "{id: c}")
    for name in (".x.yaml.swp", ".hidden.yaml", "one.yaml~", "#one.yaml#", "notes.txt"):
        (folder / name).write_text("id: wrong")
    (folder / "folder.yaml").mkdir()
    os.mkfifo(folder / "pipe.yaml")

    assert source.list().keys() == {"a", "b", "c"}
    found = source.look("b")
    assert found
    assert found.state is State.ENDED
    assert source.look("wrong") is None


def test_one_file_may_be_all_there_is(folder: Path) -> None:
    write(folder / "one.conf", "{id: a}")
    write(folder / "two.yaml", "{id: b}")
    source = StaticSource(folder / "one.conf")
    assert source.list().keys() == {"a"}
    assert source.look("b") is None
    with watching(source) as watch:
        watch.marked_all()
        write(folder / "two.yaml", "{id: b, image: new}")
        write(folder / "one.conf", "{id: a, image: new}")
        assert watch.marked() == ["a"]


def test_stamps_change_with_what_is_said_and_not_with_the_file(
    folder: Path, source: StaticSource
) -> None:
    write(folder / "one.yaml", "{id: a}", "{id: b}")
    before = source.list()
    write(folder / "one.yaml", "{id: a}", "{id: b, image: new}")
    after = source.list()
    assert after["a"] == before["a"]
    assert after["b"] != before["b"]


def test_an_unchanged_file_is_not_read_again(folder: Path, source: StaticSource) -> None:
    path = folder / "one.yaml"
    write(path, "{id: a, image: old}")
    source.list()
    status = path.stat()
    path.write_text(path.read_text().replace("old", "new"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # same inode, size and time
    source.list()
    assert image(source, "a") == "old"
    os.utime(path)
    assert image(source, "a") == "new"


def test_look_needs_no_list_before_it(folder: Path, source: StaticSource) -> None:
    write(folder / "one.yaml", "{id: a}")
    assert image(source, "a") == ""
    assert source.look("b") is None


def test_a_deleted_file_ends_its_containers(folder: Path, source: StaticSource) -> None:
    write(folder / "one.yaml", "{id: a}")
    write(folder / "two.yaml", "{id: b}")
    source.list()
    (folder / "one.yaml").unlink()
    assert source.look("a") is None
    assert source.list().keys() == {"b"}


def test_a_renamed_file_ends_nothing(folder: Path, source: StaticSource) -> None:
    write(folder / "one.yaml", "{id: a, image: x}")
    source.list()
    (folder / "one.yaml").rename(folder / "two.yaml")
    assert image(source, "a") == "x"


def test_a_missing_folder_is_an_error_and_never_no_containers(
    folder: Path, source: StaticSource
) -> None:
    write(folder / "one.yaml", "{id: a}")
    source.list()
    shutil.rmtree(folder)
    with pytest.raises(SourceError, match="No such file or directory; it must be a folder"):
        source.list()
    for container_id in ("a", "never-seen"):
        with pytest.raises(SourceError, match="No such file or directory"):
            source.look(container_id)

    folder.mkdir()
    write(folder / "one.yaml", "{id: a}")
    assert source.list().keys() == {"a"}


def test_a_path_through_a_file_is_an_error(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(SourceError, match="Not a directory"):
        StaticSource(folder / "file" / "below").list()


# ---- broken files


@pytest.mark.parametrize(
    "content",
    [
        *(b"id: [", b"", b"id: \xff\xfe", b"id: b\nnam: x"),
        *(b"[" * 60_000, b"id: !!bool x", b"id: b\nenv: &e {}\nlabels: *e"),
    ],
    ids=["open", "empty", "no text", "unknown key", "deep", "tag", "alias"],
)
def test_a_broken_file_keeps_its_last_good_state_and_says_so_once(
    folder: Path, source: StaticSource, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    path = folder / "one.yaml"
    write(path, "{id: a, image: x}")
    before = source.list()
    path.write_bytes(content)
    for _ in range(3):
        assert source.list() == before
        assert image(source, "a") == "x"
    (said,) = warnings(caplog)
    assert str(path) in said
    assert "its last good containers stay" in said

    path.write_bytes(b"id: [another]")
    assert source.list() == before
    assert len(warnings(caplog)) == 2
    write(path, "{id: a, image: y}")
    assert image(source, "a") == "y"


def test_a_file_that_was_never_good_hides_no_other(
    folder: Path, source: StaticSource, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "bad.yaml").write_text("id: a\nnam: x")
    write(folder / "good.yaml", "{id: b}")
    assert source.list().keys() == {"b"}
    assert "did you mean 'name'?" in warnings(caplog)[0]


def test_a_container_that_a_broken_file_mentions_is_not_said_to_be_gone(
    folder: Path, source: StaticSource
) -> None:
    (folder / "bad.yaml").write_text("id: web-1\nnam: x")
    with pytest.raises(SourceError, match=r"'web-1' may be in 'bad\.yaml'"):
        source.look("web-1")
    assert source.look("web-2") is None


def test_a_file_that_cannot_be_read_is_broken_too(
    folder: Path, source: StaticSource, caplog: pytest.LogCaptureFixture
) -> None:
    path = folder / "loop.yaml"
    write(path, "{id: a, image: x}")
    source.list()
    path.unlink()
    path.symlink_to("loop.yaml")
    assert source.list().keys() == {"a"}
    assert image(source, "a") == "x"
    assert len(warnings(caplog)) == 1
    with pytest.raises(SourceError, match=r"may be in 'loop\.yaml'"):
        source.look("other")


def test_a_huge_file_is_refused(
    folder: Path, source: StaticSource, caplog: pytest.LogCaptureFixture
) -> None:
    with (folder / "huge.yaml").open("wb") as file:
        file.truncate(17 << 20)
    assert source.list() == {}
    assert "larger than 16 MiB" in warnings(caplog)[0]


# ---- one id in two files


def test_of_two_files_with_one_id_the_first_by_name_counts(
    folder: Path, source: StaticSource, caplog: pytest.LogCaptureFixture
) -> None:
    write(folder / "b.yaml", "{id: a, image: second}")
    assert image(source, "a") == "second"
    write(folder / "a.yaml", "{id: a, image: first}")
    first = source.list()["a"]
    assert image(source, "a") == "first"
    assert "'a' is taken from 'a.yaml', not from 'b.yaml'" in warnings(caplog)[0]

    (folder / "a.yaml").unlink()
    assert image(source, "a") == "second"
    assert source.list()["a"] != first


# ---- watch


def test_watch_marks_what_changed_and_only_that(folder: Path, source: StaticSource) -> None:
    write(folder / "one.yaml", "{id: a}", "{id: b}")
    write(folder / "two.yaml", "{id: c}")
    with watching(source) as watch:
        watch.marked_all()
        source.list()

        write(folder / "one.yaml", "{id: a}", "{id: b, image: new}")
        assert watch.marked() == ["b"]
        (folder / "two.yaml").write_text("id: d")
        assert sorted(both(watch)) == ["c", "d"]
        (folder / "one.yaml").unlink()
        assert sorted(both(watch)) == ["a", "b"]
        (folder / "two.yaml").rename(folder / "three.yaml")
        assert watch.marked() == ["d"]
        write(folder / "new.yaml", "{id: e}")
        until(lambda: "e" in watch.hints.take(), "the new one is marked")


def both(watch: Watch) -> set[str]:
    marked: set[str] = set()
    while len(marked) < 2:
        marked.update(watch.marked())
    return marked


def test_a_write_in_the_same_tick_of_the_clock_is_seen(folder: Path, source: StaticSource) -> None:
    path = folder / "one.yaml"
    write(path, "{id: a, image: old}")
    with watching(source) as watch:
        watch.marked_all()
        source.list()
        status = path.stat()
        descriptor = os.open(path, os.O_RDWR)
        os.pwrite(descriptor, path.read_bytes().replace(b"old", b"new"), 0)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        os.close(descriptor)
        assert watch.marked() == ["a"]
        assert image(source, "a") == "new"


def test_a_broken_change_marks_nothing(
    folder: Path, source: StaticSource, caplog: pytest.LogCaptureFixture
) -> None:
    write(folder / "one.yaml", "{id: a}")
    write(folder / "two.yaml", "{id: b}")
    with watching(source) as watch:
        watch.marked_all()
        source.list()
        (folder / "one.yaml").write_text("id: [")
        write(folder / "two.yaml", "{id: b, image: x}")
        assert watch.marked() == ["b"]
        assert len(warnings(caplog)) == 1


def test_a_new_file_is_not_called_broken_before_it_is_written(
    folder: Path, source: StaticSource, caplog: pytest.LogCaptureFixture
) -> None:
    with watching(source) as watch:
        watch.marked_all()
        with (folder / "one.yaml").open("w") as file:
            write(folder / "two.yaml", "{id: b}")
            assert watch.marked() == ["b"]  # the creation of the first was handled before
            file.write("id: a")
        assert watch.marked() == ["a"]
    assert warnings(caplog) == []


def test_a_config_maps_folder_is_swapped_at_once(folder: Path, source: StaticSource) -> None:
    for version in ("old", "new"):
        (folder / f"..{version}").mkdir()
        write(folder / f"..{version}" / "one.yaml", f"{{id: a, image: {version}}}")
    (folder / "..data").symlink_to("..old")
    (folder / "one.yaml").symlink_to("..data/one.yaml")
    with watching(source) as watch:
        watch.marked_all()
        before = source.list()
        (folder / "..data_tmp").symlink_to("..new")
        (folder / "..data_tmp").rename(folder / "..data")
        watch.marked_all()
        assert source.list()["a"] != before["a"]
        assert image(source, "a") == "new"


def test_watching_a_folder_that_is_missing_is_an_error_until_it_is_there(tmp_path: Path) -> None:
    source = StaticSource(tmp_path / "later")
    assert "No such file or directory" in str(Watch(source).ended())
    (tmp_path / "later").mkdir()
    with watching(source) as watch:
        watch.marked_all()
        write(tmp_path / "later" / "one.yaml", "{id: a}")
        assert watch.marked() == ["a"]


def test_a_watched_folder_that_is_deleted_is_an_error(folder: Path, source: StaticSource) -> None:
    with watching(source) as watch:
        watch.marked_all()
        folder.rmdir()
        assert "deleted" in str(watch.ended())


def test_a_linked_folder_is_watched(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    with watching(StaticSource(tmp_path / "link")) as watch:
        watch.marked_all()
        write(folder / "one.yaml", "{id: a}")
        assert watch.marked() == ["a"]


def test_close_ends_watch(source: StaticSource) -> None:
    watch = Watch(source)
    watch.marked_all()
    source.close()
    assert watch.ended() is None
    assert Watch(source).ended() is None


# ---- work is proportional to what changed


def test_one_change_among_many_reads_one_file(folder: Path, source: StaticSource) -> None:
    for number in range(300):
        write(folder / f"{number}.yaml", f"{{id: c{number}}}")
    source.list()
    opened = Opened()
    with watching(source) as watch:
        watch.marked_all()
        source.list()
        opened.start(folder)
        write(folder / "7.yaml", "{id: c7, image: new}")
        assert watch.marked() == ["c7"]
        assert image(source, "c7") == "new"
        source.list()
        opened.stop()
    assert opened.names == ["7.yaml"]


class Opened:
    """The files that this process opens for reading in a folder, by the interpreter's own audit."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._folder = ""

    def start(self, folder: Path) -> None:
        self._folder = str(folder)
        sys.addaudithook(self._hook)

    def stop(self) -> None:
        self._folder = ""

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._folder and event == "open" and str(arguments[0]).startswith(self._folder):
            name = Path(str(arguments[0])).name
            if not name.startswith("."):
                self.names.append(name)
