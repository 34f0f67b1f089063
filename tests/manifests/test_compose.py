"""Compose files: services as containers."""

from __future__ import annotations

import pytest

from pilot.model import Code, Mount
from tests.manifests.making import container, manifest, only


def service(*lines: str, more: str = "") -> str:
    text = "name: shop\nservices:\n  web:\n    image: nginx\n"
    return text + "".join(f"    {line}\n" for line in lines) + more


def test_the_environment_may_be_a_mapping_or_a_list() -> None:
    mapped = only(service("environment:", "  aliyun_logs_web: stdout", "  N: 5", "  B: true"))
    listed = only(service("environment:", "- aliyun_logs_web=stdout", "- N=5", "- B=true"))
    assert mapped.container.env == listed.container.env
    assert mapped.container.env == {"aliyun_logs_web": "stdout", "N": "5", "B": "true"}
    assert mapped.line("aliyun_logs_web") == listed.line("aliyun_logs_web") == 6


def test_labels_may_be_a_mapping_or_a_list_and_compose_adds_its_own() -> None:
    mapped = only(service("labels:", "  aliyun.logs.web: stdout"))
    listed = only(service("labels:", "- aliyun.logs.web=stdout"))
    assert mapped.container.labels == listed.container.labels
    assert mapped.container.labels == {
        "aliyun.logs.web": "stdout",
        "com.docker.compose.project": "shop",
        "com.docker.compose.service": "web",
    }
    assert mapped.line("aliyun.logs.web") == 6


@pytest.mark.parametrize("value", ["${LOGS}", "$LOGS", "${LOGS:-stdout}", "/l/${A}.log"])
def test_what_the_shell_decides_is_unknown(value: str) -> None:
    found = only(service("environment:", f"- aliyun_logs_web={value}", "- aliyun_logs_bare"))
    assert found.container.env == {}
    assert set(found.unknown) == {"aliyun_logs_web", "aliyun_logs_bare"}


def test_two_dollars_are_one() -> None:
    assert container(service("environment: {A: a$$b$$}")).env == {"A": "a$b$"}


@pytest.mark.parametrize(
    ("entry", "mount"),
    [
        ("logs:/l", Mount("/l", "/var/lib/docker/volumes/shop_logs/_data", "volume", "shop_logs")),
        (
            "logs:/l:ro,z",
            Mount("/l", "/var/lib/docker/volumes/shop_logs/_data", "volume", "shop_logs"),
        ),
        ("./logs:/l", Mount("/l", "/home/me/shop/logs", "bind")),
        ("../logs:/l", Mount("/l", "/home/me/logs", "bind")),
        ("/srv/logs:/l/", Mount("/l", "/srv/logs", "bind")),
        ("~/logs:/l", Mount("/l", "/<home>/logs", "bind")),
        ("${DIR:-./logs}:/l", Mount("/l", "/home/me/shop/<DIR>", "bind")),
        ("/l", Mount("/l", "/var/lib/docker/volumes/-volume-0-/_data", "volume", "<volume-0>")),
        ("{type: bind, source: ./a, target: /l}", Mount("/l", "/home/me/shop/a", "bind")),
        (
            "{source: v, target: /l, volume: {subpath: a/b}}",
            Mount("/l", "/var/lib/docker/volumes/shop_v/_data/a/b", "volume", "shop_v"),
        ),
        ("{type: bind, target: /l}", Mount("/l", "", "bind")),
        ("{type: tmpfs, target: /l}", Mount("/l", "", "tmpfs")),
        ("{type: npipe, source: x, target: /l}", Mount("/l", "", "npipe")),
        (
            "{source: ext, target: /l}",
            Mount("/l", "/var/lib/docker/volumes/real/_data", "volume", "real"),
        ),
        (
            "{type: volume, source: named, target: /l}",
            Mount("/l", "/var/lib/docker/volumes/n/_data", "volume", "n"),
        ),
    ],
)
def test_each_way_to_mount_a_volume(entry: str, mount: Mount) -> None:
    more = "volumes:\n  ext: {external: true, name: real}\n  named: {name: n}\n"
    text = service("volumes:", f"- {entry}", more=more)
    assert container(text, folder="/home/me/shop").mounts == (mount,)


def test_tmpfs_has_no_folder() -> None:
    assert container(service("tmpfs: /a")).mounts == (Mount("/a", "", "tmpfs"),)
    assert container(service("tmpfs: ['/a:size=1m']")).mounts == (Mount("/a", "", "tmpfs"),)


def test_a_log_driver_without_files_has_no_log() -> None:
    assert container(service()).log_path.endswith("-json.log")
    made = container(service("logging: {driver: syslog}"))
    assert (made.log_path, made.log_driver) == ("", "syslog")


def test_the_first_format_has_services_only() -> None:
    text = "tomcat:\n  image: tomcat\n  volumes:\n  - /logs\n  labels:\n    aliyun.logs.a: stdout\n"
    found = only(text, folder="/home/me/Shop App")
    assert found.container.name == "shopapp-tomcat-1"
    assert found.container.labels["aliyun.logs.a"] == "stdout"
    assert found.line("aliyun.logs.a") == 6


def test_shared_parts_by_anchor_and_merge_are_read() -> None:
    text = (
        "x-base: &base\n  environment: &env\n    aliyun_logs_a: stdout\n"
        "services:\n  one:\n    <<: *base\n    image: x\n"
        "  two:\n    image: x\n    environment:\n      <<: *env\n      B: b\n"
    )
    one, two = manifest(text).containers
    assert one.container.env == {"aliyun_logs_a": "stdout"}
    assert two.container.env == {"aliyun_logs_a": "stdout", "B": "b"}
    assert one.line("aliyun_logs_a") == two.line("aliyun_logs_a") == 3


def test_labels_of_the_deployed_service_are_no_container_s() -> None:
    (stray,) = manifest(service("deploy: {labels: {aliyun.logs.a: stdout}}")).strays
    assert stray.code is Code.ANNOTATION_ELSEWHERE
    assert stray.hint == "services.web.labels"


@pytest.mark.parametrize("junk", ["5", "[]", "x", "[1, [2]]", "{a: {b: 1}}", "null", "[{}]"])
def test_services_of_no_shape_raise_nothing(junk: str) -> None:
    keys = ("environment", "labels", "volumes", "tmpfs", "logging", "deploy", "container_name")
    text = service(*(f"{key}: {junk}" for key in keys), more=f"volumes: {junk}\n")
    assert len(manifest(text).containers) == 1


@pytest.mark.parametrize(
    ("value", "right"),
    [(r"^\s$", r"^\s$$"), ("^a$|^b$", "^a$$|^b$$"), ("a$$$", "a$$"), ("${", "$${")],
)
def test_a_dollar_that_begins_no_variable_is_refused_as_compose_does(
    value: str, right: str
) -> None:
    found = manifest(service("environment:", f"- 'aliyun_logs_web_include={value}'"))
    (stray,) = found.strays
    assert (stray.code, stray.notice, stray.hint) == (Code.VALUE_INVALID, False, right)
    assert stray.line("aliyun_logs_web_include") == 6


@pytest.mark.parametrize("value", ["a$$", "$$a", "$A", "${A:-$$}", "a$A$", "plain"])
def test_dollars_that_compose_takes_or_that_a_variable_stands_beside_are_left_alone(
    value: str,
) -> None:
    assert not manifest(service("labels:", f"- 'aliyun.logs.web={value}'")).strays
