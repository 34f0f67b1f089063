"""Containers for the tests of what a tenant may declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from pilot.model import Container, Mount, Pod, State

if TYPE_CHECKING:
    from collections.abc import Mapping

ID = "c" * 64
LOG_PATH = f"/var/lib/docker/containers/{ID}/{ID}-json.log"
PREFIXES = ("aliyun", "pilot")


def container(
    env: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    *,
    mounts: tuple[Mount, ...] = (),
    log_path: str = LOG_PATH,
    log_driver: str = "json-file",
    identifier: str = ID,
    pod: Pod | None = None,
    image_env: Mapping[str, str] | None = None,
    image_labels: Mapping[str, str] | None = None,
) -> Container:
    return Container(
        id=identifier,
        name="/web-1",
        state=State.RUNNING,
        image="nginx:1",
        env=env or {},
        labels=labels or {},
        image_env=image_env or {},
        image_labels=image_labels or {},
        mounts=mounts,
        log_path=log_path,
        log_driver=log_driver,
        pod=pod,
    )


def pod(annotations: Mapping[str, str] | None = None, name: str = "app") -> Pod:
    """The pod of a container of that name."""
    return Pod("shop", "web-0", uid="u-1", container=name, annotations=annotations or {})


def bind(destination: str, source: str) -> Mount:
    return Mount(destination, source, "bind")


def volume(destination: str, name: str) -> Mount:
    return Mount(destination, f"/var/lib/docker/volumes/{name}/_data", "volume")


# Whatever a runtime may hand over, lone surrogates included.
any_text = st.text(st.characters(codec=None), max_size=60)

# Pieces that mean something, so that random texts reach the rules behind the first one.
keys = st.lists(
    st.sampled_from(
        [
            "aliyun",
            "pilot",
            "_logs_",
            ".logs.",
            "web",
            "b",
            "_",
            ".",
            "-",
            "tags",
            "target",
            "format",
            "tagz",
            "exclude",
            "time_key",
            "custom_config",
            "\n",
            "\ud800",
            "é",
            "",
        ]
    ),
    max_size=7,
).map("".join)
declared_keys = st.builds(
    "{}{}{}".format,
    st.sampled_from(["aliyun_logs_", "pilot_logs_", "aliyun.logs.", "pilot.logs."]),
    st.sampled_from(["web", "b", "web_b", "W.x", "ü", "", "web\n"]),
    st.sampled_from(
        [
            "",
            "_tags",
            ".tags",
            "_target",
            ".target",
            "_format",
            ".format.time_key",
            "_tagz",
            "_exclude",
            "_target_target",
            "_index",
        ]
    ),
)
values = st.lists(
    st.sampled_from(
        [
            "stdout",
            "stderr",
            "/logs",
            "/logs/",
            "/",
            "/v/*.log",
            "*",
            "[a-",
            "?",
            "..",
            "//",
            "/./",
            ",",
            "=",
            '"',
            "\\",
            "a",
            "index",
            "json",
            "csv",
            "${X}",
            "%{[x]}",
            "@metadata",
            "\x00",
            "\n",
            "\u2028",
            "\u202e",
            "\udcff",
            "\ud800",
            " ",
            "{a,b}",
            "/etc",
            "/one",
            "x" * 300,
        ]
    ),
    max_size=8,
).map("".join)
texts = st.dictionaries(
    st.one_of(declared_keys, keys, any_text), st.one_of(values, any_text), max_size=8
)
