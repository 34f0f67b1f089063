"""Files by how they end, and where Filebeat ends with them; `test_real` asks Filebeat itself."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pilot.model import Framing
from pilot.treatment import Format

TIME = "2026-01-01T00:00:00.000000001Z"


@dataclass(frozen=True, slots=True)
class Ending:
    """`end` is behind the last line that makes an event: the cursor ends there."""

    name: str
    framing: Framing
    content: bytes
    end: int
    format: Format = Format.NONE


def docker(text: str, *, stream: str = "stdout") -> bytes:
    return json.dumps({"log": text, "stream": stream, "time": TIME}).encode() + b"\n"


def cri(tag: str, text: str) -> bytes:
    return f"{TIME} stdout {tag} {text}\n".encode()


def endings(framing: Framing, shipped: bytes, **tails: bytes) -> list[Ending]:
    """Files that begin with what is shipped and go on with what never is."""
    return [
        Ending(f"{framing}-{name.replace('_', '-')}", framing, shipped + tail, len(shipped))
        for name, tail in tails.items()
    ]


def of_docker() -> list[Ending]:
    line = docker("a\n")
    return [
        *endings(
            Framing.DOCKER,
            line,
            complete=b"",
            partial=docker("b"),
            nothing=docker(""),
            garbage=b"garbage\n",
            partial_then_garbage=docker("b") + b"garbage\n",
            empty_line=b"\n",
            no_newline=docker("b\n")[:-1],
            half=docker("b\n")[:-9],
            no_log=json.dumps({"stream": "stdout", "time": TIME}).encode() + b"\n",
            no_time=b'{"log":"b\\n"}\n',
            bad_time=b'{"log":"b\\n","stream":"stdout","time":"x"}\n',
            number=json.dumps({"log": 5, "stream": "stdout", "time": TIME}).encode() + b"\n",
            null=b"null\n",
        ),
        *endings(Framing.DOCKER, line + docker("b") + docker("c\n"), joined=b""),
        *endings(Framing.DOCKER, line + docker("\n"), blank=b""),
        *endings(Framing.DOCKER, line + docker("\r\n"), terminal_blank=b""),
        *endings(Framing.DOCKER, line + b"garbage\n" + docker("b\n"), garbage_inside=b""),
        *endings(
            Framing.DOCKER, line + docker("b") + docker("c\n", stream="stderr"), two_streams=b""
        ),
    ]


def of_cri() -> list[Ending]:
    line = cri("F", "a")
    return [
        *endings(
            Framing.CRI,
            line,
            complete=b"",
            partial=cri("P", "b"),
            partial_with_tag=cri("P:x", "b"),
            partial_then_empty_partial=cri("P", "b") + cri("P", ""),
            partial_then_garbage=cri("P", "b") + b"garbage\n",
            garbage=b"garbage\n",
            garbage_of_four_words=b"x stdout F y\n",
            no_text=f"{TIME} stdout F\n".encode(),
            empty_line=b"\n",
            no_newline=cri("F", "b")[:-1],
        ),
        *endings(Framing.CRI, line + cri("P", "b") + cri("F", "c"), joined=b""),
        *endings(Framing.CRI, line + cri("F", ""), blank=b""),
        *endings(Framing.CRI, line + cri("P", "b") + cri("F", ""), partial_then_blank=b""),
        *endings(Framing.CRI, line + cri("F:x", "b"), tag=b""),
        *endings(Framing.CRI, line + cri("Z", "b"), unknown_tag=b""),
    ]


def of_json() -> list[Ending]:
    line = b'{"a":1}\n'
    lines, form = Framing.LINES, Format.JSON
    return [
        Ending("json", lines, line, 8, form),
        Ending("json-garbage", lines, line + b"garbage\n", 16, form),
        Ending("json-garbage-no-newline", lines, line + b"garbage", 8, form),
        Ending("json-empty-object", lines, line + b"{}\n", 11, form),
        Ending("json-null", lines, line + b"null\n", 13, form),
        Ending("json-blank", lines, line + b"\n", 8, form),
    ]


ENDINGS = (
    *endings(Framing.LINES, b"", empty=b"", no_newline_at_all=b"b", blank_only=b"\n\n"),
    *endings(Framing.LINES, b"a\nb\n", complete=b"", no_newline=b"c", carriage_return=b"c\r"),
    *endings(Framing.LINES, b"a\n", blank=b"\n\n", blank_then_no_newline=b"\n\nb"),
    *endings(Framing.LINES, b"a\r\n", windows_blank=b"\r\n\r\n"),
    *endings(Framing.LINES, b"a\n\r\r\n", two_carriage_returns=b""),
    *endings(Framing.LINES, b"a\n   \n", spaces=b""),
    *endings(Framing.LINES, b"a\n\0\n", zero=b""),
    *endings(Framing.LINES, b"a\n\xff\n", no_utf8=b""),
    *endings(Framing.LINES, b"a\n" + b"x" * 200_000 + b"\n", long=b""),
    *endings(Framing.LINES, b"a\n", long_without_newline=b"x" * 3_000_000),
    *of_docker(),
    *of_cri(),
    *of_json(),
)
