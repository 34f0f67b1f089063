from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import pilot.sources
from pilot.model import Container, Framing, Mount, Pod, State
from pilot.sources.static_file import parse_static

SCHEMA = json.loads((Path(pilot.sources.__file__).parent / "static.schema.json").read_text())
PAGE = Path(__file__).parents[2] / "docs" / "static-source.md"
WHOLE = """\
id: web-1
name: web
state: ended
image: shop/web:3
created: "2026-01-31T12:00:00Z"
env:
  aliyun_logs_access: /var/log/web/*.log
  PORT: "8080"
labels: {aliyun.logs.out: stdout}
image_env: {PORT: "8080"}
image_labels: {from: image}
log: {path: /var/log//runtime/web.log, format: cri}
log_driver: runtime
mounts:
  - {destination: /var/log/web/, source: /srv/web/./logs}
  - {destination: /scratch}
  - {destination: /data, source: /srv/data, kind: volume, name: data}
rootfs: /run/web/rootfs
pod:
  namespace: shop
  name: web-0
  uid: u
  container: web
  annotations: {aliyun.logs/out: stdout}
  labels: {app: web}
"""


def valid(text: str) -> bool:
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(yaml.safe_load(text)))


def test_every_key_means_what_it_says() -> None:
    assert parse_static(WHOLE, "x.yaml") == [
        Container(
            id="web-1",
            name="web",
            state=State.ENDED,
            created="2026-01-31T12:00:00Z",
            image="shop/web:3",
            env={"aliyun_logs_access": "/var/log/web/*.log", "PORT": "8080"},
            labels={"aliyun.logs.out": "stdout"},
            image_env={"PORT": "8080"},
            image_labels={"from": "image"},
            mounts=(
                Mount("/var/log/web", "/srv/web/logs", "bind"),
                Mount("/scratch", "", "tmpfs"),
                Mount("/data", "/srv/data", "volume", "data"),
            ),
            log_path="/var/log/runtime/web.log",
            log_framing=Framing.CRI,
            log_driver="runtime",
            rootfs="/run/web/rootfs",
            pod=Pod(
                "shop",
                "web-0",
                "u",
                "web",
                annotations={"aliyun.logs/out": "stdout"},
                labels={"app": "web"},
            ),
        )
    ]
    assert valid(WHOLE)


@pytest.mark.parametrize(
    "text",
    ["id: a", "id: a\nenv:\nlabels:\nlog:\nmounts:\npod:\nrootfs:\nname:\nimage: null\n"],
)
def test_an_id_is_enough(text: str) -> None:
    assert parse_static(text, "x.yaml") == [Container(id="a", name="a", state=State.RUNNING)]
    assert valid(text)


def test_a_list_holds_several_and_may_hold_none() -> None:
    text = "- id: a\n- {id: b, state: created, log: {path: /b.log}}\n"
    first, second = parse_static(text, "x.yaml")
    assert (first.id, second.id, second.state) == ("a", "b", State.CREATED)
    assert (second.log_path, second.log_framing) == ("/b.log", Framing.DOCKER)
    assert parse_static("[]", "x.yaml") == []
    assert valid(text)
    assert valid("[]")


def test_the_pages_example_is_right() -> None:
    example = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(example) == 1
    (container,) = parse_static(example[0], "page")
    assert container.pod
    assert valid(example[0])
    shown = set(yaml.safe_load(example[0]))
    assert shown == set(SCHEMA["$defs"]["container"]["properties"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "the container is 'hello'; it must be a mapping"),
        ("[3]", "x.yaml: [0]: the container is 3; it must be a mapping"),
        ("{}", "id is missing or empty"),
        ("id: 7", "id is 7; it must be text; put it in quotes"),
        ("id: ''", "id is missing or empty"),
        ("id: a/b", "id is 'a/b'; it must be 1 to 128 letters"),
        ("id: ..", "id is '..'; it must be 1 to 128 letters"),
        ("id: " + "a" * 129, "it must be 1 to 128 letters"),
        ("id: a\nlable: {}", "unknown key 'lable'; did you mean 'labels'?"),
        ("id: a\nzzzzz: {}", "unknown key 'zzzzz'; known are id, name"),
        ("id: a\n7: {}", "unknown key 7; known are id, name"),
        ("id: a\nstate: up", "state is 'up'; it must be one of running, created, ended"),
        ("id: a\nstate: [up]", "state is ['up']; it must be one of running, created, ended"),
        ("id: a\nenv: [A=1]", "env is ['A=1']; it must be a mapping"),
        ("id: a\nenv: {PORT: 80}", "env.PORT is 80; it must be text; put it in quotes"),
        ("id: a\nenv: {DEBUG: yes}", "env.DEBUG is True; it must be text; put it in quotes"),
        ("id: a\nenv: {A: null}", "env.A is None; it must be text"),
        ("id: a\ncreated: 2026-01-31", "created is datetime.date(2026, 1, 31); it must be text"),
        ("id: a\nlog: /x.log", "log is '/x.log'; it must be a mapping"),
        ("id: a\nlog: {}", "log.path is missing or empty"),
        ("id: a\nlog: {path: x.log}", "log.path is 'x.log'; it must be an absolute path"),
        ("id: a\nlog: {path: /a/../x}", "log.path is '/a/../x'; it must be an absolute path"),
        (
            "id: a\nlog: {path: /x, format: xml}",
            "log.format is 'xml'; it must be one of docker, cri",
        ),
        ("id: a\nlog: {path: /x, formt: cri}", "unknown key log.'formt'; did you mean 'format'?"),
        ("id: a\nmounts: {}", "mounts is {}; it must be a list"),
        ("id: a\nmounts: [x]", "mounts[0] is 'x'; it must be a mapping"),
        ("id: a\nmounts: [null]", "mounts[0].destination is missing or empty"),
        ("id: a\nmounts: [{source: /x}]", "mounts[0].destination is missing or empty"),
        (
            "id: a\nmounts: [{destination: x}]",
            "mounts[0].destination is 'x'; it must be an absolute",
        ),
        ("id: a\nmounts: [{destination: /, kind: 3}]", "mounts[0].kind is 3; it must be text"),
        ("id: a\nrootfs: x", "rootfs is 'x'; it must be an absolute path"),
        ("id: a\npod: {name: p}", "pod.namespace is missing or empty"),
        ("id: a\npod: {namespace: n}", "pod.name is missing or empty"),
    ],
)
def test_a_slip_is_named_with_file_key_value_and_what_would_be_right(
    text: str, message: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        parse_static(text, "x.yaml")
    assert str(caught.value).startswith("x.yaml: ")
    assert "\n" not in str(caught.value)
    assert not valid(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "nothing in it; write []"),
        ("# only a comment\n", "nothing in it"),
        ("id: [a\nb: c", "line 2: "),
        ("id: a\nenv: {1: a}", "env.1 is 'a'; it must be below a key in quotes"),
        ("id: a\n\tname: b", "line 2: "),
        ("id: a\n---\nid: b\n", "line 2: expected a single document"),
        (
            "id: !!python/object:os.system a",
            "line 1: the tag 'tag:yaml.org,2002:python/object:os.system' is not",
        ),
        ("id: *nowhere", "line 1: the alias *nowhere is not allowed"),
        ("id: a\ncreated: 2026-13-41", "not usable as YAML: month must be in 1..12"),
        ("id: a\x00b", "not usable as YAML"),
        ("- id: a\n- id: a\n", "[1]: id 'a' is in this file twice"),
        ("- id: a\n- id: b\n  nam: x\n", "[1]: unknown key 'nam'; did you mean 'name'?"),
        ("[" * 20_000 + "]" * 20_000, "line 1: nested deeper than 20 levels"),
        ("[" * 60_000, "line 1: nested deeper than 20 levels"),
        ("\n" + "- " * 60_000, "line 2: nested deeper than 20 levels"),
        ("? " * 60_000, "line 1: nested deeper than 20 levels"),
        ("{a: " * 60_000, "line 1: nested deeper than 20 levels"),
        ("id: a\nenv: &e {A: b}\nlabels: *e\n", "line 3: the alias *e is not allowed"),
        ("id: a\nname: !!bool x", "line 2: the tag 'tag:yaml.org,2002:bool' is not allowed"),
        ("id: a\nenv: !!map {}", "line 2: the tag 'tag:yaml.org,2002:map' is not allowed"),
        ("- id: a\n- !mine {id: b}", "line 2: the tag '!mine' is not allowed"),
        ("id: ! a", "line 1: the tag '!' is not allowed"),
        ("id: 0x" + "f" * 6000, "id is a very long number; it must be text"),
        ("? 0x" + "f" * 6000 + "\n: 1", "unknown key a very long number"),
        ("id: 1_" + "9" * 5000, "not usable as YAML: Exceeds the limit"),
    ],
)
def test_a_file_that_is_no_good_is_said_to_be_so(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        parse_static(text, "x.yaml")
    assert str(caught.value).startswith("x.yaml: ")


@given(st.dictionaries(st.text(), st.text(), max_size=5))
def test_any_text_in_env_comes_through_exactly(env: dict[str, str]) -> None:
    text = yaml.safe_dump({"id": "a", "env": env, "labels": dict(env)})
    (container,) = parse_static(text, "x.yaml")
    assert container.env == env
    assert container.labels == env


@given(st.text())
def test_any_text_is_containers_or_a_clear_refusal(text: str) -> None:
    try:
        found = parse_static(text, "x.yaml")
    except ValueError as error:
        found, said = [], str(error)
    else:
        said = "x.yaml: "
    assert said.startswith("x.yaml: ")
    assert all(isinstance(container, Container) for container in found)
