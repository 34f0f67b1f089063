"""What its documentation, examples and tests declare."""

from __future__ import annotations

from pilot.model import Mount
from pilot.treatment import Format
from tests.declarations.origin_cases.case import (
    ACCESS,
    ACCESS_LOG,
    DISK,
    STDOUT,
    TOMCAT,
    TOMCAT_LABELS,
    Case,
    Expected,
    on,
)

DOCUMENTED = (
    *(
        Case(origin=origin, about="run tomcat", labels=TOMCAT_LABELS, logs=(ACCESS_LOG, STDOUT))
        for origin in ("README.md", "docs/filebeat/docs.md", "docs/fluentd/docs.md")
    ),
    *(
        Case(
            origin=origin,
            about="tags are appended",
            labels={"aliyun.logs.a": "stdout", "aliyun.logs.a.tags": "k1=v1,k2=v2"},
            logs=(Expected(name="a", tags={"k1": "v1", "k2": "v2"}),),
        )
        for origin in ("docs/filebeat/docs.md", "docs/fluentd/docs.md")
    ),
    *(
        Case(
            origin=origin,
            about="target is the index",
            labels={"aliyun.logs.a": "stdout", "aliyun.logs.a.target": "shop"},
            logs=(Expected(name="a", target="shop", index="shop"),),
        )
        for origin in ("docs/filebeat/docs.md", "docs/fluentd/docs.md")
    ),
    *(
        Case(
            origin="docs/fluentd/docs.md",
            about=f"format {text}",
            labels={"aliyun.logs.a": "stdout", "aliyun.logs.a.format": text},
            logs=(Expected(name="a", format=Format(text)),),
        )
        for text in ("none", "json", "nginx", "apache2")
    ),
    Case(
        origin="docs/fluentd/docs.md",
        about="format csv, with the keys that it needs",
        labels={
            "aliyun.logs.a": "stdout",
            "aliyun.logs.a.format": "csv",
            "aliyun.logs.a.format.keys": "time,level,text",
        },
        logs=(Expected(name="a", format=Format.CSV, asks={"keys": ("time", "level", "text")}),),
    ),
    Case(
        origin="docs/fluentd/docs.md",
        about="format csv alone says nothing of its columns",
        labels={"aliyun.logs.a": "stdout", "aliyun.logs.a.format": "csv"},
        said=(("format-invalid", "aliyun.logs.a.format"),),
    ),
    Case(
        origin="docs/fluentd/docs.md",
        about="format regexp with its pattern",
        labels={
            "aliyun.logs.a": "stdout",
            "aliyun.logs.a.format": "regexp",
            "aliyun.logs.a.format.pattern": r"^(?<level>[A-Z]+) (?<text>.*)$",
        },
        logs=(
            Expected(
                name="a",
                format=Format.REGEXP,
                asks={"pattern": r"^(?<level>[A-Z]+) (?<text>.*)$"},
            ),
        ),
    ),
    Case(
        origin="docs/fluentd/docs.md",
        about="names have digits, letters, _ and -",
        labels={"aliyun.logs.0a-Z_b": "stdout"},
        logs=(Expected(name="0a-Z_b"),),
    ),
    Case(
        origin="docs/fluentd/output/aliyun_sls.md",
        about="run tomcat for a log store",
        labels={"aliyun.logs.store-stdout": "stdout", "aliyun.logs.store-access": ACCESS},
        logs=(
            Expected(name="store-access", files=(f"{DISK}/localhost_access_log.*.txt",)),
            Expected(name="store-stdout"),
        ),
    ),
    Case(
        origin="examples/app.yml",
        about="a pod that writes JSON",
        env={"aliyun_logs_mylog": "stdout", "aliyun_logs_mylog_format": "json"},
        logs=(Expected(name="mylog", format=Format.JSON),),
    ),
    Case(
        origin="examples/tomcat.yml",
        about="a pod with an emptyDir",
        env={"aliyun_logs_catalina": "stdout", "aliyun_logs_access": f"{TOMCAT}/catalina.*.log"},
        logs=(Expected(name="access", files=(f"{DISK}/catalina.*.log",)), STDOUT),
    ),
    Case(
        origin="quickstart/tomcat.yml",
        about="a compose file",
        labels={
            "aliyun.logs.catalina": "stdout",
            "aliyun.logs.catalina.tags": "app=tomcat,stage=test",
            "aliyun.logs.access": f"{TOMCAT}/catalina.*.log",
            "aliyun.logs.access.tags": "app=tomcat,stage=test",
        },
        logs=(
            Expected(
                name="access",
                files=(f"{DISK}/catalina.*.log",),
                tags={"app": "tomcat", "stage": "test"},
            ),
            Expected(name="catalina", tags={"app": "tomcat", "stage": "test"}),
        ),
    ),
    Case(
        origin="quickstart/filebeat/busybox.yml",
        about="a compose file",
        labels={
            "aliyun.logs.busybox": "stdout",
            "aliyun.logs.busybox.tags": "app=busybox,stage=test",
        },
        logs=(Expected(name="busybox", tags={"app": "busybox", "stage": "test"}),),
    ),
    Case(
        origin="quickstart/kubernetes/runpod.sh",
        about="kubectl run",
        env={"aliyun_logs_fluentd": "stdout"},
        logs=(Expected(name="fluentd"),),
    ),
    Case(
        origin="quickstart/kubernetes/README.md",
        about="kubectl run",
        env={"aliyun_logs_logpilot": "stdout"},
        logs=(Expected(name="logpilot"),),
    ),
    Case(
        origin="pilot/pilot_test.go",
        about="a path on no mount",
        labels={
            "aliyun.logs.hello": "/var/log/hello.log",
            "aliyun.logs.hello.format": "json",
            "aliyun.logs.hello.tags": "name=hello,stage=test",
        },
        mounts=(),
        said=(("path-not-mounted", "aliyun.logs.hello"),),
    ),
    Case(
        origin="pilot/pilot_test.go",
        about="a path on a mount",
        labels={
            "aliyun.logs.hello": "/var/log/hello.log",
            "aliyun.logs.hello.format": "json",
            "aliyun.logs.hello.tags": "name=hello,stage=test",
            "aliyun.logs.hello.format.time_key": "at",
            "aliyun.logs.hello.format.time_format": "%Y-%m-%d",
        },
        mounts=(Mount("/var/log", "/host", "bind"),),
        logs=(
            Expected(
                name="hello",
                files=("/host/hello.log",),
                format=Format.JSON,
                tags={"name": "hello", "stage": "test"},
                asks={"time_key": "at", "time_format": "%Y-%m-%d"},
            ),
        ),
    ),
    Case(
        origin="pilot/pilot_test.go",
        about="a pattern that looks ahead",
        labels={
            "aliyun.logs.hello": "/var/log/hello.log",
            "aliyun.logs.hello.format": "regexp",
            "aliyun.logs.hello.format.pattern": "(?=name:hello).*",
        },
        mounts=on("/var/log"),
        said=(("regexp-invalid", "aliyun.logs.hello.format.pattern"),),
    ),
)
