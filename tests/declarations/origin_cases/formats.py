"""Formats and the time of events."""

from __future__ import annotations

from pilot.treatment import Format
from tests.declarations.origin_cases.case import (
    ACCESS,
    ACCESS_LOG,
    DISK,
    STDOUT,
    TOMCAT,
    Case,
    Expected,
    on,
)

ISSUE_22 = (
    r"(?<time>\d{4}-\d{2}-\d{2}\s\d{2}:\d{2}:\d{2}\.\d{3})\s(?<level>[A-Z]+)\s"
    r"\[(?<servicename>[\w-_]+),(?<trackid>[a-z0-9]*),(?<spanid>[a-z0-9]*),(?<key>\w*)]\s"
    r"(?<pid>\d+)\s---\s\[(?<threadname>.+)]\s(?<loggername>[\w\.]+)\s+:\s+(?<message>.*)"
)
ISSUE_114 = (
    r"/^(?<remote>[^ ]*) (?<host>[^ ]*) (?<user>[^ ]*) \[(?<time>[^\]]*)\] "
    r'"(?<method>\S+)(?: +(?<path>[^\"]*?)(?: +\S*)?)?" (?<code>[^ ]*) (?<size>[^ ]*)'
    r'(?: "(?<referer>[^\"]*)" "(?<agent>[^\"]*)"(?:\s+(?<http_x_forwarded_for>[^ ]+))?)?$/'
)
ISSUE_116 = (
    r"^\[(?<time>\d{1,4}-\d{1,2}-\d{1,2} \d{1,2}:\d{1,2}:\d{1,2},\d{1,4})\] "
    r"\[(?<thread>.*)\] \[(?<level>[^\s]+)\] (?<class>[^\s]+) (?<message>.*)$"
)

FORMATS = (
    Case(
        origin="#134",
        about="format none",
        labels={"aliyun.logs.access": ACCESS, "aliyun.logs.access.format": "none"},
        logs=(ACCESS_LOG,),
    ),
    Case(
        origin="#105",
        about="format nginx with a target",
        env={
            "aliyun_logs_access": "/var/log/nginx/access.log",
            "aliyun_logs_access_target": "nginx_access",
            "aliyun_logs_access_format": "nginx",
        },
        mounts=on("/var/log/nginx"),
        logs=(
            Expected(
                name="access",
                files=(f"{DISK}/access.log",),
                format=Format.NGINX,
                target="nginx_access",
                index="nginx_access",
            ),
        ),
    ),
    *(
        Case(
            origin=origin,
            about="JSON on stdout",
            labels={"aliyun.logs.cloudpen": "stdout", "aliyun.logs.cloudpen.format": "json"},
            logs=(Expected(name="cloudpen", format=Format.JSON),),
        )
        for origin in ("#302", "#72", "#86")
    ),
    Case(
        origin="#114",
        about="a pattern between slashes",
        labels={
            "aliyun.logs.nginx_intra": "stdout",
            "aliyun.logs.nginx_intra.format": "regexp",
            "aliyun.logs.nginx_intra.format.pattern": r"/^(?<remote>[^ ]*) (?<code>[^ ]*)$/",
        },
        logs=(
            Expected(
                name="nginx_intra",
                format=Format.REGEXP,
                asks={"pattern": r"^(?<remote>[^ ]*) (?<code>[^ ]*)$"},
            ),
        ),
    ),
    Case(
        origin="#116",
        about="a pattern by dots behind an environment key",
        env={
            "aliyun_logs_webapp-dev": "stdout",
            "aliyun_logs_webapp-dev.format": "regexp",
            "aliyun_logs_webapp-dev.format.pattern": r"^\[(?<thread>.*)\] (?<level>[^\s]+)$",
        },
        logs=(
            Expected(
                name="webapp-dev",
                format=Format.REGEXP,
                asks={"pattern": r"^\[(?<thread>.*)\] (?<level>[^\s]+)$"},
            ),
        ),
    ),
    *(
        Case(
            origin=origin,
            about="the time's key and format by environment",
            env={
                "aliyun_logs_a": "stdout",
                "aliyun_logs_a_format": "json",
                "aliyun_logs_a_format_time_key": "time",
                "aliyun_logs_a_format_time_format": "%Y-%m-%d %H:%M:%S",
            },
            logs=(
                Expected(
                    name="a",
                    format=Format.JSON,
                    asks={"time_key": "time", "time_format": "%Y-%m-%d %H:%M:%S"},
                ),
            ),
        )
        for origin in ("#153", "#220", "#330")
    ),
    Case(
        origin="PR 48",
        about="the time's key in another's spelling",
        labels={"aliyun.logs.a": "stdout", "aliyun.logs.a.time_key": "time"},
        logs=(Expected(name="a"),),
        said=(("option-unknown", "aliyun.logs.a.time_key"),),
    ),
    Case(
        origin="#114",
        about="a pattern that would set the event's own field host",
        labels={
            "aliyun.logs.nginx_intra": "stdout",
            "aliyun.logs.nginx_intra.format": "regexp",
            "aliyun.logs.nginx_intra.format.pattern": ISSUE_114,
        },
        said=(("format-invalid", "aliyun.logs.nginx_intra.format.pattern"),),
    ),
    Case(
        origin="#114",
        about="the same below a key of one's own",
        labels={
            "aliyun.logs.nginx_intra": "stdout",
            "aliyun.logs.nginx_intra.format": "regexp",
            "aliyun.logs.nginx_intra.format.pattern": ISSUE_114,
            "aliyun.logs.nginx_intra.format.target": "nginx",
        },
        logs=(
            Expected(
                name="nginx_intra",
                format=Format.REGEXP,
                asks={"pattern": ISSUE_114[1:-1], "target": "nginx"},
            ),
        ),
    ),
    *(
        Case(
            origin=origin,
            about="the pattern as it was written",
            labels={
                "aliyun.logs.svt-apps": "stdout",
                "aliyun.logs.svt-apps.format": "regexp",
                "aliyun.logs.svt-apps.format.pattern": pattern,
                "aliyun.logs.svt-apps.tags": "name=magiceye",
            },
            logs=(
                Expected(
                    name="svt-apps",
                    format=Format.REGEXP,
                    tags={"name": "magiceye"},
                    asks={"pattern": pattern},
                ),
            ),
        )
        for origin, pattern in (("#22", ISSUE_22), ("#116", ISSUE_116))
    ),
    Case(
        origin="PR 58",
        about="an option that there is not",
        labels={"aliyun.logs.a": "stdout", "aliyun.logs.a.jsonkey": "log"},
        logs=(Expected(name="a"),),
        said=(("option-unknown", "aliyun.logs.a.jsonkey"),),
    ),
    Case(
        origin="PR 48",
        about="two options more that there are not",
        labels={
            "aliyun.logs.a": "stdout",
            "aliyun.logs.a.host_key": "hostname",
            "aliyun.logs.a.format.keep_time_key": "true",
        },
        logs=(Expected(name="a"),),
        said=(
            ("option-unknown", "aliyun.logs.a.format.keep_time_key"),
            ("option-unknown", "aliyun.logs.a.host_key"),
        ),
    ),
    Case(
        origin="pilot/format.go",
        about="an option that the format does not take",
        labels={
            "aliyun.logs.a": "stdout",
            "aliyun.logs.a.format": "json",
            "aliyun.logs.a.format.keys": "x",
        },
        logs=(Expected(name="a", format=Format.JSON),),
        said=(("format-invalid", "aliyun.logs.a.format.keys"),),
    ),
    Case(
        origin="pilot/format.go",
        about="the key of the time that regexp was not to take",
        labels={
            "aliyun.logs.a": "stdout",
            "aliyun.logs.a.format": "regexp",
            "aliyun.logs.a.format.pattern": "(?<at>[^ ]+)",
            "aliyun.logs.a.format.time_key": "at",
        },
        logs=(Expected(name="a", format=Format.REGEXP, asks={"time_key": "at"}),),
    ),
    Case(
        origin="pilot/format.go",
        about="a format that nobody has rejects its log only",
        env={
            "aliyun_logs_a": f"{TOMCAT}/a.log",
            "aliyun_logs_a_format": "xml",
            "aliyun_logs_catalina": "stdout",
        },
        logs=(STDOUT,),
        said=(("format-unknown", "aliyun_logs_a_format"),),
    ),
    Case(
        origin="pilot/format.go",
        about="apache_error was there, undocumented",
        labels={"aliyun.logs.a": "stdout", "aliyun.logs.a.format": "apache_error"},
        logs=(Expected(name="a", format=Format.APACHE_ERROR),),
    ),
    Case(
        origin="pilot/format.go",
        about="regexp without its pattern",
        labels={"aliyun.logs.a": "stdout", "aliyun.logs.a.format": "regexp"},
        said=(("format-invalid", "aliyun.logs.a.format"),),
    ),
)
