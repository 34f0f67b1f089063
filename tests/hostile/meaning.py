"""What a case's declarations mean, said without the pilot's own code: texts, or a rejection."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilot.model import Code, Framing
from tests.hostile.cases import ACCESS

if TYPE_CHECKING:
    from pilot.accept import Accepted
    from pilot.handover import Input
    from pilot.model import Log
    from tests.hostile.cases import Case

MAX_FIELD = 1024  # characters
BLANK = " \t\r\n"
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
SURROGATE = re.compile("[\ud800-\udfff]")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")
FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
SET = re.compile(r"[0-9A-Za-z._-]{1,100}")
STARTS = ("aliyun_logs_", "aliyun.logs.", "aliyun.logs/")


def clean(text: str) -> str:
    return SURROGATE.sub("\ufffd", text)


def fields_of(case: Case, each: Input, log: Log) -> dict[str, str]:
    """What must stand on each event of an input."""
    fields = {key: clean(text[:MAX_FIELD]) for key, text in case.fields.items() if text}
    for label in case.container.labels:
        if label.startswith(ACCESS) and re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", label[len(ACCESS) :]):
            text = case.container.labels[label]
            if text:
                fields[label.replace(".", "_")] = clean(text)
    default = log.target or log.name
    routes = {"index": default, "topic": default}
    return {**routes, **log.tags, **fields, "log_name": log.name}


def accounted(case: Case, accepted: Accepted) -> None:
    """Each key of ours is a log, an option of one that was told of, or a rejection."""
    container = case.container
    told = {each.key for each in accepted.rejections} | {each.key for each in accepted.logs}
    logs = {each.name for each in accepted.logs} | {each.log for each in accepted.rejections}
    if any(each.code is Code.LOGS_TOO_MANY for each in accepted.rejections):
        return  # more than are told
    assert container.pod is not None
    for place in (container.env, container.labels, container.pod.annotations):
        for key in place:
            begin = next((each for each in STARTS if key.startswith(each)), "")
            rest = key[len(begin) :]
            known = rest in logs or any(start + rest in told for start in STARTS)
            known = known or any(rest.startswith((f"{log}_", f"{log}.")) for log in logs)
            for_another = rest.startswith("elsewhere")
            assert known or not begin or for_another or "custom" in key, f"{key!r} vanished"
    for each in accepted.rejections:
        assert each.reason.endswith("."), each
        str(each).encode()
        assert len(str(each)) < 2000, each
        assert "\n" not in str(each), each


def meant(case: Case, accepted: Accepted) -> None:
    """Whatever was accepted is what was written."""
    sources = {each.source for each in case.container.mounts}
    for log in accepted.logs:
        assert NAME.fullmatch(log.name), log.name
        said = {o: t for (name, o), t in case.options.items() if name == log.name}
        _routes(log, said)
        _treatment(log, said)
        if log.name == "tagged":
            assert log.tags == tags_of(case), "tags"
        for each in log.file_sets:
            assert SET.fullmatch(each.name), each.name
            if each.framing is not Framing.LINES:
                continue
            assert _folded(each.root) in {_folded(source) for source in sources}, each
            path = f"{each.inside.rstrip('/')}/{each.pattern}"
            assert path in {_folded(item) for item in said[""].split(",")}, path
            assert ".." not in path.split("/"), path


def tags_of(case: Case) -> dict[str, str]:
    return {
        key: clean(text)
        for key, text in case.tags.items()
        if text and len(text) <= MAX_FIELD and not UNSAFE.search(text)
    }


def _routes(log: Log, said: dict[str, str]) -> None:
    assert log.target == said.get("target", "").strip(BLANK)
    for text in (log.target, log.tags.get("index", ""), log.tags.get("topic", "")):
        assert not text or TARGET.fullmatch(text), text
    for key, text in log.tags.items():
        assert FIELD.fullmatch(key), key
        assert not key.startswith(("@", "k8s_", "docker_", "container_")), key
        assert text == clean(text), text
        assert not UNSAFE.search(text), text


def _treatment(log: Log, said: dict[str, str]) -> None:
    asked = log.treatment
    if said.get("include", "").strip(BLANK) or said.get("exclude", "").strip(BLANK):
        assert asked.include == said.get("include", "").strip("\r\n")
        assert asked.exclude == said.get("exclude", "").strip("\r\n")
    if log.name == "joined" and said["multiline_pattern"].strip(BLANK):
        assert asked.multiline is not None
        assert asked.multiline.pattern == said["multiline_pattern"].strip("\r\n")
    for option, text in (
        ("format_target", asked.target),
        ("format_time_format", asked.time_format),
    ):
        assert not text or text == said[option].strip(BLANK)
    if text := asked.time_key:
        assert text == said["format_time_key"].strip(BLANK)
    if asked.keys:
        assert list(asked.keys) == [key.strip() for key in said["format_keys"].split(",")]
    for key, text in asked.raw.items():
        if log.name != "custom":
            assert text == said[f"raw_{key}"].strip(BLANK)


def _folded(path: str) -> str:
    path = path.strip(BLANK)
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))
