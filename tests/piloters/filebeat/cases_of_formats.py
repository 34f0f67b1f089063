"""Text, and what is taken apart."""

from __future__ import annotations

from pilot.model import Framing
from pilot.treatment import Format, Multiline, Treatment
from tests.piloters.filebeat.cases import Case, Event, cri_lines, docker_lines, plain, texts
from tests.piloters.filebeat.endings import TIME


def of_text() -> list[Case]:
    chinese = "中文日志"
    return [
        Case(
            name="gbk",
            content=f"{chinese}\n".encode("gbk") * 2,
            treatment=Treatment(encoding="gbk"),
            events=texts(chinese, chinese),
        ),
        Case(
            name="gb18030",
            content=f"{chinese}\n".encode("gb18030") + "tail".encode("gb18030"),
            treatment=Treatment(encoding="gb18030", exclude="^$"),
            events=texts(chinese),
            end=9,
        ),
        Case(
            name="latin1",
            content="häß\n".encode("latin1"),
            treatment=Treatment(encoding="iso8859-1"),
            events=texts("häß"),
        ),
        Case(
            name="docker-encoding",
            content=docker_lines("hä"),
            framing=Framing.DOCKER,
            treatment=Treatment(encoding="gbk"),
            events=texts("hä", stream="stdout"),
        ),
        Case(
            name="max-bytes",
            content=plain("a" * 1024, "b" * 1025, "c" * 100_000, "d"),
            treatment=Treatment(max_bytes=1024),
            events=(
                *texts("a" * 1024),
                *texts("b" * 1024, "c" * 1024, flags=["truncated"]),
                *texts("d"),
            ),
        ),
        Case(
            name="max-bytes-of-many-lines",
            content=plain("a", " " + "b" * 600, " " + "c" * 600, "d"),
            treatment=Treatment(max_bytes=1024, multiline=Multiline(pattern="^ ", timeout=0.5)),
            events=(
                *texts(f"a\n {'b' * 600}\n {'c' * 600}"[:1024], flags=["multiline", "truncated"]),
                *texts("d"),
            ),
        ),
        Case(
            name="max-bytes-of-json",
            content=plain('{"a":"%s"}' % ("x" * 1024), '{"a":"y"}'),
            treatment=Treatment(max_bytes=1024, format=Format.JSON),
            events=(
                {
                    "message": '{"a":"%s' % ("x" * 1018),
                    "error": "json",
                    "flags": ["truncated"],
                },
                {"a": "y"},
            ),
        ),
        Case(
            name="raw",
            content=plain("a"),
            treatment=Treatment(
                raw={
                    "harvester_limit": "5",
                    "buffer_size": "16384",
                    "ignore_older": "8h",
                    "id": "evil",
                    "no.such_option": "${HOME}",
                }
            ),
            events=texts("a"),
        ),
    ]


def of_json() -> list[Case]:
    lines = ('{"a":1,"message":"m"}', '{"b":{"c":[1]}}', "text", "[1]", '{"half', "null", "", "5")
    kept: tuple[Event, ...] = (
        *({"message": text, "error": "json"} for text in ("text", "[1]", '{"half', "null", "5")),
    )
    top: tuple[Event, ...] = ({"a": 1, "message": "m"}, {"b": {"c": [1]}}, *kept)
    below: tuple[Event, ...] = (
        {"app": {"a": 1, "message": "m"}},
        {"app": {"b": {"c": [1]}}},
        *kept,
    )
    made = []
    for framing, write in (
        (Framing.LINES, plain),
        (Framing.DOCKER, docker_lines),
        (Framing.CRI, cri_lines),
    ):
        more: Event = {} if framing is Framing.LINES else {"stream": "stdout"}
        made += [
            Case(
                name=f"{framing}-json-sifted",
                content=write(*lines, '{"drop":1}'),
                framing=framing,
                treatment=Treatment(format=Format.JSON, exclude='"drop"'),
                events=tuple({**each, **more} for each in top),
            ),
            Case(
                name=f"{framing}-json-below",
                content=write(*lines),
                framing=framing,
                treatment=Treatment(format=Format.JSON, target="app"),
                events=tuple({**each, **more} for each in below),
            ),
        ]
    made.append(
        Case(
            name="json-own-error",
            content=plain('{"error":{"field":"x","data":1}}', '{"error":"e","log_pilot_text":"t"}'),
            treatment=Treatment(format=Format.JSON, include="."),
            events=({"error": {"field": "x", "data": 1}}, {"error": "e"}),
        )
    )
    made.append(
        Case(
            name="json-target-taken",
            content=plain('{"a":1}'),
            treatment=Treatment(format=Format.JSON, target="mine"),
            fields={"mine": "ours"},
            events=({"message": '{"a":1}', "mine": "ours"},),
        )
    )
    return made


def of_times() -> list[Case]:
    iso = ("2020-01-02T03:04:05.678Z", "2020-01-02T03:04:05+0100", "2020-01-02 03:04:05,5")
    at = ("2020-01-02T03:04:05.678Z", "2020-01-02T02:04:05.000Z", "2020-01-02T03:04:05.500Z")
    nginx = "02/Jan/2020:03:04:05 +0100"

    def lines(*values: str) -> bytes:
        return plain(*(f'{{"t":{value}}}' for value in values))

    return [
        Case(
            name="time-iso",
            content=lines(*(f'"{text}"' for text in iso)),
            treatment=Treatment(format=Format.JSON, time_key="t"),
            events=tuple({"t": text} for text in iso),
            times=at,
        ),
        Case(
            name="time-format",
            content=lines(f'"{nginx}"', '"nonsense"'),
            treatment=Treatment(
                format=Format.JSON, time_key="t", time_format="%d/%b/%Y:%H:%M:%S %z", target="app"
            ),
            events=({"app": {"t": nginx}}, {"app": {"t": "nonsense"}}),
            times=("2020-01-02T02:04:05.000Z", ""),
        ),
        Case(
            name="time-of-logstash",
            content=plain('{"@timestamp":"2020-01-02T03:04:05.678Z","a":1}', "text", '{"a":2}'),
            treatment=Treatment(format=Format.JSON, time_key="@timestamp"),
            events=({"a": 1}, {"message": "text", "error": "json"}, {"a": 2}),
            times=("2020-01-02T03:04:05.678Z", "", ""),
        ),
        Case(
            name="time-of-logstash-below",
            content=plain('{"@timestamp":"2020-01-02T03:04:05.678Z"}'),
            treatment=Treatment(format=Format.JSON, time_key="@timestamp", target="app"),
            events=({"app": {"@timestamp": "2020-01-02T03:04:05.678Z"}},),
            times=("2020-01-02T03:04:05.678Z",),
        ),
        Case(
            name="time-unix",
            content=lines("1577934245", '"1577934245"', "1577934245.5"),
            treatment=Treatment(format=Format.JSON, time_key="t", time_format="%s"),
            events=({"t": 1577934245}, {"t": "1577934245"}, {"t": 1577934245.5}),
            times=(
                "2020-01-02T03:04:05.000Z",
                "2020-01-02T03:04:05.000Z",
                "2020-01-02T03:04:05.500Z",
            ),
        ),
        Case(
            name="time-unix-ms",
            content=lines("1577934245678"),
            treatment=Treatment(format=Format.JSON, time_key="t", time_format="%s%L"),
            events=({"t": 1577934245678},),
            times=("2020-01-02T03:04:05.678Z",),
        ),
        Case(
            name="time-untranslatable",
            content=lines('"2020"'),
            treatment=Treatment(format=Format.JSON, time_key="t", time_format="%G"),
            events=({"t": "2020"},),
            times=("",),
        ),
        Case(
            name="time-docker",
            content=docker_lines('{"a":1}'),
            framing=Framing.DOCKER,
            treatment=Treatment(format=Format.JSON, time_key="t"),
            events=({"a": 1, "stream": "stdout"},),
            times=(f"{TIME[:23]}Z",),
        ),
    ]


def of_csv() -> list[Case]:
    keys = ("when", "message", "level")
    when = "2020-01-02T03:04:05Z"
    return [
        Case(
            name="csv",
            content=plain(f'{when},"a, b",info', "x,y", "x,y,z,more", "", 'x,"y'),
            treatment=Treatment(format=Format.CSV, keys=keys, time_key="when"),
            events=(
                {"when": when, "message": "a, b", "level": "info"},
                {"when": "x", "message": "y"},
                {
                    "when": "x",
                    "message": "y",
                    "level": "z",
                    "event": {"original": "x,y,z,more"},
                },
                {"when": "x", "message": "y"},
            ),
            times=(when.replace("Z", ".000Z"), "", "", ""),
        ),
        Case(
            name="csv-below",
            content=cri_lines(f"{when},m,info"),
            framing=Framing.CRI,
            treatment=Treatment(
                format=Format.CSV, keys=("when", "index", "host"), time_key="when", target="app"
            ),
            events=({"app": {"when": when, "index": "m", "host": "info"}, "stream": "stdout"},),
            times=(when.replace("Z", ".000Z"),),
        ),
        Case(
            name="csv-of-names-that-are-taken",
            content=docker_lines("1,2,3,4,5"),
            framing=Framing.DOCKER,
            treatment=Treatment(
                format=Format.CSV, keys=("index", "k8s_pod", "agent", "ok", "mine"), exclude="^0"
            ),
            fields={"mine": "ours"},
            events=({"ok": "4", "mine": "ours", "stream": "stdout"},),
        ),
    ]
