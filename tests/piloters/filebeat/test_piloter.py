from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pilot.fields import fields
from pilot.model import Container, Framing, Log, State
from pilot.piloters import PiloterError, create
from pilot.piloters.filebeat.piloter import FilebeatPiloter, file_name
from pilot.piloters.filebeat.steps import DOTTED, RESERVED, steps
from pilot.treatment import Format, Multiline, Stream, Treatment
from tests.piloters.filebeat import making

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilot.handover import Input

NASTY = st.text(st.characters())


def rendered(*inputs: Input, identifier: str = "c" * 64, name: str = "web") -> bytes:
    piloter = FilebeatPiloter(making.settings(Path("/x")))
    return piloter.render(making.container(identifier, name), inputs).content


def parsed(*inputs: Input) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = yaml.safe_load(rendered(*inputs))
    return items


def processors(item: dict[str, Any], kind: str) -> Sequence[dict[str, Any]]:
    return [step[kind] for step in item["processors"] if kind in step]


def test_a_pinned_file_set_is_one_filestream_by_path() -> None:
    (item,) = parsed(making.pinned(making.file_set(), fields={"k8s_pod": "web", "index": "i"}))
    path = processors(item, "replace")
    assert item == {
        "type": "filestream",
        "id": "app-log-0123",
        "paths": ["/pins/app/*"],
        "file_identity.path": None,
        "prospector.scanner": {
            "check_interval": "1s",
            "fingerprint.enabled": False,
            "symlinks": False,
        },
        "close.on_state_change.removed": True,
        "close.on_state_change.renamed": False,
        "clean_removed": True,
        "backoff": {"init": "1s", "max": "2s"},
        "fields_under_root": True,
        "fields": {"index": "i", "k8s_pod": "web"},
        "processors": [{"replace": path[0]}],
    }
    assert path[0]["fields"] == [
        {
            "field": "log.file.path",
            "pattern": "^/pins/app/(.*)~[0-9]+~[0-9]+$$",
            "replacement": "/logs/$${1}",
        }
    ]


def test_a_direct_file_set_is_read_by_inode_with_its_rotated_names() -> None:
    files = making.file_set(pattern="a[!b].log")
    (item,) = parsed(making.direct(files, "/host/v[1]"))
    assert item["paths"] == [
        "/host/v\\[1]/a[^\\b].log",
        "/host/v\\[1]/a[^\\b].log.[0-9]*",
        "/host/v\\[1]/a[^\\b].log-[0-9]*",
    ]
    assert item["file_identity.native"] is None
    assert item["close.on_state_change.removed"] is False
    assert item["prospector.scanner"]["exclude_files"] == ["\\.(gz|bz2|xz|zst|zip|tmp)$$"]
    assert processors(item, "replace")[0]["fields"][0] == {
        "field": "log.file.path",
        "pattern": "^/host/v\\[1\\]/(.*)$$",
        "replacement": "/logs/$${1}",
    }
    (alone,) = parsed(making.direct(making.file_set(rotated=False, pattern="0.log")))
    assert alone["paths"] == ["/var/lib/docker/volumes/v/_data/0.log"]


@pytest.mark.parametrize("framing", [Framing.DOCKER, Framing.CRI])
def test_a_runtimes_framing_is_undone_for_both_streams(framing: Framing) -> None:
    files = making.file_set(framing=framing, inside="", root="/var/log/pods/p/c")
    (item,) = parsed(making.pinned(files))
    assert item["parsers"] == [{"container": {"stream": "all", "format": framing.value}}]
    changes = [step["fields"][0] for step in processors(item, "replace")]
    newline = {"field": "message", "pattern": "\\r?\\n$$", "replacement": ""}
    assert (newline in changes) is (framing is Framing.DOCKER)
    assert changes[-1]["replacement"] == "/var/log/pods/p/c/$${1}"


def test_json_goes_to_the_top_but_not_over_what_is_ours() -> None:
    files = making.file_set(framing=Framing.DOCKER)
    (item,) = parsed(
        making.pinned(files, treatment=Treatment(format=Format.JSON), fields={"k8s_pod": "web"})
    )
    assert [next(iter(parser)) for parser in item["parsers"]] == ["container"]
    (decode,) = processors(item, "decode_json_fields")
    assert decode["target"] == ""
    assert decode["overwrite_keys"] is False
    aside = {
        field["from"]
        for step in processors(item, "rename")
        for field in step["fields"]
        if field["to"].startswith("@metadata.")
    }
    assert aside == {"k8s_pod", "input", "log", "stream"}
    dropped = {field for step in processors(item, "drop_fields") for field in step["fields"]}
    assert dropped >= {*RESERVED, *DOTTED, "agent", "ecs", "host"}


def test_json_below_a_field_needs_no_more_care() -> None:
    treatment = Treatment(format=Format.JSON, target="app")
    (item,) = parsed(making.pinned(making.file_set(), treatment=treatment))
    (decode,) = processors(item, "decode_json_fields")
    assert decode["target"] == "app"
    assert b"k8s_pod" not in rendered(making.pinned(making.file_set(), treatment=treatment))


def test_one_stream_goes_on_where_both_were_read() -> None:
    files = making.file_set("stdout-0123", framing=Framing.CRI, inside="")
    (both,) = parsed(making.pinned(files))
    (out,) = parsed(making.pinned(files, stream=Stream.STDOUT))
    (err,) = parsed(making.pinned(files, stream=Stream.STDERR))
    assert out["parsers"] == both["parsers"] == err["parsers"]
    assert out["id"] == both["id"] != err["id"]
    assert processors(out, "drop_event") == [{"when": {"not": {"equals": {"stream": "stdout"}}}}]
    assert processors(err, "drop_event") == [{"when": {"not": {"equals": {"stream": "stderr"}}}}]


def test_lines_that_are_joined_are_of_one_stream_before() -> None:
    treatment = Treatment(multiline=Multiline(pattern="^ "))
    files = making.file_set(framing=Framing.CRI, inside="")
    (item,) = parsed(making.pinned(files, stream=Stream.STDERR, treatment=treatment))
    assert item["parsers"][0] == {"container": {"stream": "stderr", "format": "cri"}}
    assert processors(item, "drop_event") == []


def test_json_may_name_nothing_that_is_ours_to_say() -> None:
    compose = (f"com.docker.compose.{name}" for name in ("project", "service"))
    kubernetes = (
        f"io.kubernetes.{name}"
        for name in ("container.name", "pod.name", "pod.namespace", "pod.uid")
    )
    labels = dict.fromkeys((*compose, *kubernetes), "x")
    container = Container(id="a", name="b", image="c", state=State.RUNNING, labels=labels)
    log = Log(name="web", key="aliyun_logs_web", file_sets=())
    names = set(fields(container, log, "node"))
    assert len(names) == 13
    assert names | {"_id", "data_stream"} == set(RESERVED)
    assert {f"data_stream.{part}" for part in ("dataset", "namespace", "type")} <= set(DOTTED)


def test_characters_with_a_meaning_in_globs_and_regexps_are_literal() -> None:
    files = making.file_set(inside="/in$1/{a}/")
    (item,) = parsed(making.pinned(files, "/p*(1)"))
    assert item["paths"] == ["/p\\*(1)/*"]
    assert processors(item, "replace")[0]["fields"][0] == {
        "field": "log.file.path",
        "pattern": "^/p\\*\\(1\\)/(.*)~[0-9]+~[0-9]+$$",
        "replacement": "/in$$$$1/{a}/$${1}",
    }


@given(NASTY, NASTY, NASTY)
def test_no_text_gets_out_of_its_value(value: str, place: str, identifier: str) -> None:
    files = making.file_set(inside=f"/{place}")
    entry = making.pinned(files, f"/{place}", fields={"index": value})
    everything = making.pinned(
        files,
        fields={"index": value},
        treatment=Treatment(
            format=Format.JSON,
            target=value,
            time_key=value,
            time_format=value,
            encoding=value,
            keys=(value,),
            raw={value: value, "x": value},
        ),
    )
    csv = replace(
        everything,
        treatment=replace(everything.treatment, format=Format.CSV, target="", keys=(value, "a")),
    )
    content = rendered(entry, everything, csv, identifier=identifier, name=value)
    assert re.fullmatch(rb"[ -~\n]*", content)
    items = yaml.safe_load(content)
    clean = re.sub("[\ud800-\udfff]", "\ufffd", value)
    assert [item["fields"] for item in items] == [{"index": clean.replace("$", "$$")}] * 3
    assert b"$" not in content.replace(b"$$", b"")


@pytest.mark.parametrize("name", ["-1", "a.b", "0", "${X}"])
def test_a_field_name_that_filebeat_would_interpret_is_refused(name: str) -> None:
    with pytest.raises(PiloterError, match=r"fragment\.yml:.*cannot be a field's name"):
        rendered(making.pinned(making.file_set(), fields={name: "x"}))


def test_the_same_input_gives_the_same_bytes_whatever_the_order_of_fields() -> None:
    one = rendered(making.pinned(making.file_set(), fields={"a": "1", "b": "2"}))
    other = rendered(making.pinned(making.file_set(), fields={"b": "2", "a": "1"}))
    assert one == other
    assert one.startswith(b"# Written by log-pilot")


def test_a_container_without_inputs_is_an_empty_list() -> None:
    assert yaml.safe_load(rendered()) == []


def test_each_container_has_one_file_and_a_gone_one_none() -> None:
    piloter = FilebeatPiloter(making.settings(Path("/x")))
    fragment = piloter.render(making.container("a"), [])
    assert piloter.directory == Path("/x/etc/prospectors.d")
    assert piloter.files(["a", "b"], {"a": fragment, "other": fragment}) == {
        "a.yml": fragment.content,
        "b.yml": None,
    }


@given(st.lists(NASTY, unique=True, max_size=5))
def test_file_names_are_safe_and_unique(identifiers: list[str]) -> None:
    names = [file_name(identifier) for identifier in identifiers]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[0-9A-Za-z_~-][0-9A-Za-z_.-]{0,127}\.yml", name) for name in names)


@pytest.mark.parametrize(
    "identifier", ["", ".", "..", ".a", "a/b", "a\n", "a" * 129, "\udcff", "ä"]
)
def test_an_unsafe_id_is_replaced(identifier: str) -> None:
    assert re.fullmatch(r"~[0-9a-f]{64}\.yml", file_name(identifier))
    assert file_name("a" * 128) == "a" * 128 + ".yml"


def test_a_users_broken_template_is_said_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "filebeat").mkdir()
    (tmp_path / "filebeat" / "fragment.yml").write_text("\n{{ inputs }}\n")
    settings = making.settings(tmp_path, templates=tmp_path)
    with pytest.raises(PiloterError, match=r"filebeat/fragment\.yml:2: a list cannot be written"):
        FilebeatPiloter(settings).render(making.container(), [])


def test_the_entry_point_makes_the_piloter() -> None:
    assert create("filebeat", making.settings(Path("/x"))).name == "filebeat"


@pytest.mark.parametrize(("asked", "cut"), [(0, 1 << 20), (4096, 4096), (10 << 20, 1 << 20)])
def test_a_text_of_columns_is_cut_before_each_of_its_commas_costs_memory(
    asked: int, cut: int
) -> None:
    treatment = Treatment(format=Format.CSV, keys=("a",), max_bytes=asked)
    assert steps(making.pinned(making.file_set(), treatment=treatment)).max_bytes == cut
    plain = Treatment(max_bytes=asked)
    assert steps(making.pinned(making.file_set(), treatment=plain)).max_bytes == asked
