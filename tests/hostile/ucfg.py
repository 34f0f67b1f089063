r"""Filebeat's way of reading a fragment, by rules of its own: an oracle for the encoder.

A strict part of YAML 1.1 in block style: a comment has a line of its own, texts are double-quoted
in printable ASCII, what is plain is one of few words. Then go-ucfg's rules: keys are split at dots
and merged, a key is never a number, in texts `$$` is a dollar and nothing else may begin with one.
"""

from __future__ import annotations

import re
from typing import Any

PLAIN = re.compile(r"[A-Za-z@_~][A-Za-z0-9_.-]*|-?[0-9]+(?:\.[0-9]+)?(?:ms|s)?")
KEY = re.compile(r'(?:"((?:[^"\\]|\\.)*)"|([A-Za-z_@][A-Za-z0-9_.@-]*)):(?: (.*))?')
QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\]|\\x[0-9A-F]{2}|\\u[0-9A-F]{4}|\\U[0-9A-F]{8})*)"')
ESCAPE = re.compile(r'\\(?:(["\\])|x(..)|u(....)|U(........))')
DOLLARS = re.compile(r"\$+")
FLOW = re.compile(r'\{(?:[a-z]+: (?:"(?:[^"\\]|\\.)*"|[A-Za-z@_.0-9]+)(?:, )?)+\}')
FLOW_PAIR = re.compile(r'([a-z]+): ("(?:[^"\\]|\\.)*"|[A-Za-z@_.0-9]+)')
SIMPLE = {"true": True, "false": False, "~": None}
LIMIT = 10_000_000


class NotOursError(AssertionError):
    """The fragment holds what none of ours holds."""


def read(content: bytes) -> Any:
    """The value of a fragment. Raises NotOursError."""
    if re.search(rb"[^ -~\n]", content):
        raise NotOursError("a character that is neither printable ASCII nor a newline")
    lines = []
    for line in content.decode().split("\n"):
        text = line.lstrip(" ")
        if text and not text.startswith("#"):
            lines.append((len(line) - len(text), text))
    value, end = _block(lines, 0, 0)
    if end != len(lines):
        raise NotOursError(f"indented as nothing of ours: {lines[end][1]!r}")
    return value


def _block(lines: list[tuple[int, str]], at: int, depth: int) -> tuple[Any, int]:
    if lines[at][0] != depth:
        raise NotOursError(f"indented as nothing of ours: {lines[at][1]!r}")
    if lines[at][1].startswith("- "):
        return _sequence(lines, at, depth)
    if _is_key(lines[at][1]):
        return _mapping(lines, at, depth)
    return _scalar(lines[at][1]), at + 1


def _sequence(lines: list[tuple[int, str]], at: int, depth: int) -> tuple[list[Any], int]:
    made = []
    while at < len(lines) and lines[at][0] == depth and lines[at][1].startswith("- "):
        item = lines[at][1][2:]
        if _is_key(item):
            lines[at] = (depth + 2, item)
            value, at = _mapping(lines, at, depth + 2)
        else:
            value, at = _scalar(item), at + 1
        made.append(value)
    return made, at


def _mapping(lines: list[tuple[int, str]], at: int, depth: int) -> tuple[dict[str, Any], int]:
    made: dict[str, Any] = {}
    while at < len(lines) and lines[at][0] == depth:
        found = KEY.fullmatch(lines[at][1])
        if not found:
            raise NotOursError(f"no key: {lines[at][1]!r}")
        name = _text(found[1]) if found[1] is not None else found[2]
        at += 1
        if found[3]:
            value = _scalar(found[3])
        elif at < len(lines) and lines[at][0] > depth:
            value, at = _block(lines, at, lines[at][0])
        else:
            raise NotOursError(f"{name!r} has no value")
        _put(made, name, value)
    return made, at


def _is_key(text: str) -> bool:
    return KEY.fullmatch(text) is not None


def _put(made: dict[str, Any], name: str, value: Any) -> None:
    *folders, last = name.split(".")
    for each in (*folders, last):
        if not each or re.fullmatch(r"-?[0-9]+", each):
            raise NotOursError(f"a key that go-ucfg reads as something else: {name!r}")
    for each in folders:
        made = made.setdefault(each, {})
        if not isinstance(made, dict):
            raise NotOursError(f"{name!r} is below a value")
    if last in made:
        raise NotOursError(f"the key {name!r} twice")
    made[last] = value


def _scalar(text: str) -> Any:
    if text == "{}":
        return {}
    if text == "[]":
        return []
    if FLOW.fullmatch(text):
        return {name: _scalar(value) for name, value in FLOW_PAIR.findall(text)}
    if text.startswith('"'):
        found = QUOTED.fullmatch(text)
        if not found:
            raise NotOursError(f"no text: {text!r}")
        return _text(found[1])
    if not PLAIN.fullmatch(text):
        raise NotOursError(f"nothing of ours: {text!r}")
    if text in SIMPLE:
        return SIMPLE[text]
    if re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?[0-9]+\.[0-9]+", text) else text


def _text(inner: str) -> str:
    def character(found: re.Match[str]) -> str:
        return found[1] or chr(int(found[2] or found[3] or found[4], 16))

    text = ESCAPE.sub(character, inner)
    if any(len(found[0]) % 2 for found in DOLLARS.finditer(text)):
        raise NotOursError(f"a variable: {text!r}")
    return text.replace("$$", "$")
