"""Streams, joined lines and sifted ones."""

from __future__ import annotations

from pilot.model import Framing
from pilot.treatment import Format, Match, Multiline, Stream, Treatment
from tests.piloters.filebeat.cases import Case, Event, cri_lines, docker_lines, plain, texts
from tests.piloters.filebeat.endings import cri, docker

TRACE = ("start", "  at a", "", "  at b", "next")


def of_streams() -> list[Case]:
    made = []
    for framing, line in ((Framing.DOCKER, docker_lines), (Framing.CRI, cri_lines)):
        out, err = line("a", "b"), line("E", stream="stderr")
        two = out + err + line("c") + line("F", stream="stderr") * 3
        made += [
            Case(
                name=f"{framing}-stdout",
                content=two,
                framing=framing,
                stream=Stream.STDOUT,
                events=texts("a", "b", "c", stream="stdout"),
                beyond=len(line("F", stream="stderr") * 3),
            ),
            Case(
                name=f"{framing}-stderr",
                content=two + line("d") * 2000,
                framing=framing,
                stream=Stream.STDERR,
                events=texts("E", "F", "F", "F", stream="stderr"),
                beyond=len(line("d") * 2000),
            ),
            Case(
                name=f"{framing}-none-of-it",
                content=out,
                framing=framing,
                stream=Stream.STDERR,
                events=(),
                beyond=len(out),
            ),
        ]
    made += of_pieces()
    pieces = cri("P", "a") + cri("F", "b").replace(b"stdout", b"stderr") + cri("F", "c")
    made += [
        Case(
            name="cri-pieces-of-two",
            content=pieces,
            framing=Framing.CRI,
            stream=Stream.STDERR,
            events=(),  # what Filebeat joins of both is of the first
            beyond=len(cri("F", "c")),
        ),
        Case(
            name="cri-word",
            content=cri("F", "a") + cri("F", "b stderr F c"),
            framing=Framing.CRI,
            stream=Stream.STDERR,
            events=(),
            beyond=len(cri("F", "a") + cri("F", "b stderr F c")),
        ),
    ]
    return made


def of_pieces() -> list[Case]:
    """Long lines come in pieces, which Filebeat joins with what follows, whosever that is.

    Its parser takes all of it for the last one's; `stream` of the event says the first one's.
    """
    joined = Treatment(multiline=Multiline(pattern="^ ", timeout=0.5))
    made = []
    for framing, piece, line in (
        (Framing.DOCKER, docker("p"), docker_lines),
        (Framing.CRI, cri("P", "p"), cri_lines),
    ):
        ours = line("E", stream="stderr") + piece * 2 + line("F", stream="stderr")
        others = line("q")
        made += [
            Case(
                name=f"{framing}-pieces-of-another-joined",
                content=ours + others,
                framing=framing,
                stream=Stream.STDERR,
                treatment=joined,
                events=(*texts("E", stream="stderr"), *texts("ppF", stream="stdout")),
                end=len(ours),
            ),
            Case(
                name=f"{framing}-pieces-of-another",
                content=ours + others,
                framing=framing,
                stream=Stream.STDERR,
                events=texts("E", stream="stderr"),
                beyond=len(others),
            ),
        ]
    return made


def of_multiline() -> list[Case]:
    after = Multiline(pattern="^[^ ]", negate=True, timeout=0.5)
    before = Multiline(pattern=r"\\$", match=Match.BEFORE, timeout=0.5)
    short = Multiline(pattern="^ ", max_lines=2, timeout=0.5)
    whole = "start\n  at a\n\n  at b"
    made = []
    for framing, lines in (
        (Framing.LINES, plain),
        (Framing.DOCKER, docker_lines),
        (Framing.CRI, cri_lines),
    ):
        more: Event = {} if framing is Framing.LINES else {"stream": "stdout"}
        stream = Stream.ALL if framing is Framing.LINES else Stream.STDOUT
        flags = {"flags": ["multiline"]}
        made += [
            Case(
                name=f"{framing}-multiline",
                content=lines(*TRACE),
                framing=framing,
                stream=stream,
                treatment=Treatment(multiline=after),
                events=(*texts(whole, **flags, **more), *texts("next", **more)),
            ),
            Case(
                name=f"{framing}-multiline-tail",
                content=lines("a", " b", " c"),
                framing=framing,
                stream=stream,
                treatment=Treatment(multiline=after),
                events=texts("a\n b\n c", **flags, **more),
            ),
            Case(
                name=f"{framing}-before",
                content=lines("a\\", "b\\", "c", "d\\"),
                framing=framing,
                stream=stream,
                treatment=Treatment(multiline=before),
                events=(*texts("a\\\nb\\\nc", **flags, **more), *texts("d\\", **more)),
            ),
            Case(
                name=f"{framing}-max-lines",
                content=lines("a", " b", " c", " d"),
                framing=framing,
                stream=stream,
                treatment=Treatment(multiline=short),
                events=texts("a\n b", flags=["truncated", "multiline"], **more),
            ),
            Case(
                name=f"{framing}-multiline-sifted",
                content=lines("a", " b", "c", "d", " b"),
                framing=framing,
                stream=stream,
                treatment=Treatment(multiline=after, exclude=r"^d\n b$", include=r"^a\n b$|^d"),
                events=texts("a\n b", **flags, **more),
            ),
            Case(
                name=f"{framing}-multiline-json",
                content=lines("{", ' "a": 1,', ' "message": "m"}', "{", " oops"),
                framing=framing,
                stream=stream,
                treatment=Treatment(
                    multiline=after, format=Format.JSON, exclude="never", time_key="t"
                ),
                events=(
                    {"a": 1, "message": "m", **flags, **more},
                    {"message": "{\n oops", "error": "json", **flags, **more},
                ),
            ),
        ]
    made.append(
        Case(
            name="multiline-blank-tail",
            content=plain("a", " b", "", ""),
            treatment=Treatment(multiline=after),
            events=texts("a\n b\n\n", flags=["multiline"]),
            beyond=2,
        )
    )
    trace, noise = docker_lines("a", stream="stderr"), docker_lines("x")
    made.append(
        Case(
            name="docker-multiline-one-stream",
            content=trace + noise + docker_lines(" b", stream="stderr") + noise,
            framing=Framing.DOCKER,
            stream=Stream.STDERR,
            treatment=Treatment(multiline=after),
            events=texts("a\n b", stream="stderr", flags=["multiline"]),
            end=len(trace + noise + docker_lines(" b", stream="stderr")),
        )
    )
    made.append(
        Case(
            name="docker-windows-multiline",
            content=docker_lines("a", " b", ending="\r\n"),
            framing=Framing.DOCKER,
            treatment=Treatment(multiline=Multiline(pattern=" b$", timeout=0.5)),
            events=texts("a\n b", stream="stdout", flags=["multiline"]),
        )
    )
    return made


def of_sifting() -> list[Case]:
    lines = ("DEBUG a", "INFO b", "INFO secret", "DEBUG c", "")
    made = []
    for framing, write in (
        (Framing.LINES, plain),
        (Framing.DOCKER, docker_lines),
        (Framing.CRI, cri_lines),
    ):
        more: Event = {} if framing is Framing.LINES else {"stream": "stdout"}
        blank = 1 if framing is Framing.LINES else 0
        made += [
            Case(
                name=f"{framing}-include",
                content=write(*lines),
                framing=framing,
                treatment=Treatment(include="^INFO"),
                events=texts("INFO b", "INFO secret", **more),
                end=len(write(*lines)) - blank,
            ),
            Case(
                name=f"{framing}-exclude",
                content=write(*lines[:-1]),
                framing=framing,
                treatment=Treatment(exclude="secret$|^DEBUG [a-c]$"),
                events=texts("INFO b", **more),
            ),
            Case(
                name=f"{framing}-nothing-kept",
                content=write(*lines[:-1]),
                framing=framing,
                treatment=Treatment(include="^$", exclude="$"),
                events=(),
            ),
            Case(
                name=f"{framing}-blank-excluded",
                content=write("a", "", "b"),
                framing=framing,
                treatment=Treatment(exclude="^$"),
                events=texts("a", "b", **more),
            ),
        ]
    return made
