"""The custom config, and what was asked for instead of it."""

from __future__ import annotations

from pilot.treatment import Match, Multiline
from tests.declarations.origin_cases.case import DISK, TOMCAT, Case, Expected

DATED = r"^\[|\{|([0-9]{4}-[0-9]{2}-[0-9]{2})|([0-9]{1,2}-[A-Za-z]{3}-[0-9]{4})"
JOINED = Multiline(pattern=r"^\[", negate=True, match=Match.AFTER)
CUSTOM = (
    Case(
        origin="PR 244",
        about="fields and multiline of the example",
        env={
            "aliyun_logs_catalina": "stdout",
            "aliyun_logs_access": f"{TOMCAT}/catalina.*.log",
            "aliyun_logs_custom_config": "catalina.fields.service=nginx-log\n"
            "catalina.multiline.pattern='^\\['\ncatalina.multiline.negate=true\n"
            "catalina.multiline.match=after\n",
        },
        logs=(
            Expected(name="access", files=(f"{DISK}/catalina.*.log",)),
            Expected(name="catalina", tags={"service": "nginx-log"}, asks={"multiline": JOINED}),
        ),
    ),
    Case(
        origin="PR 244",
        about="a log whose name begins as another's keeps its own lines",
        env={
            "aliyun_logs_a": "stdout",
            "aliyun_logs_ab": f"{TOMCAT}/ab.log",
            "aliyun_logs_custom_config": "ab.encoding=gbk",
        },
        logs=(
            Expected(name="a"),
            Expected(name="ab", files=(f"{DISK}/ab.log",), asks={"encoding": "gbk"}),
        ),
    ),
    Case(
        origin="PR 244",
        about="a line without = rejects itself only",
        env={
            "aliyun_logs_catalina": "stdout",
            "aliyun_logs_custom_config": "catalina\ncatalina.fields.a=b",
        },
        logs=(Expected(name="catalina", tags={"a": "b"}),),
        said=(("value-invalid", "aliyun_logs_custom_config"),),
    ),
    Case(
        origin="PR 244",
        about="as a label under the key of the environment",
        labels={
            "aliyun.logs.catalina": "stdout",
            "aliyun_logs_custom_config": "catalina.fields.a=b",
        },
        logs=(Expected(name="catalina", tags={"a": "b"}),),
    ),
    Case(
        origin="pilot/pilot.go",
        about="as a label under the key that was meant",
        labels={
            "aliyun.logs.catalina": "stdout",
            "aliyun.logs.custom.config": "catalina.fields.a=b",
        },
        logs=(Expected(name="catalina", tags={"a": "b"}),),
    ),
    Case(
        origin="PR 244",
        about="other options are the administrator's to allow",
        env={
            "aliyun_logs_catalina": "stdout",
            "aliyun_logs_custom_config": "catalina.fields_under_root=false",
        },
        logs=(Expected(name="catalina"),),
        said=(("option-forbidden", "aliyun_logs_custom_config"),),
    ),
    Case(
        origin="#276",
        about="close_timeout, too",
        env={
            "aliyun_logs_catalina": "stdout",
            "aliyun_logs_custom_config": "catalina.close_timeout=5m",
        },
        logs=(Expected(name="catalina"),),
        said=(("option-forbidden", "aliyun_logs_custom_config"),),
    ),
    Case(
        origin="PR 264",
        about="many options in one",
        env={
            "aliyun_logs_catalina": "stdout",
            "aliyun_logs_catalina_configs": "multiline.negate=true,multiline.match=after",
        },
        logs=(Expected(name="catalina"),),
        said=(("option-unknown", "aliyun_logs_catalina_configs"),),
    ),
    Case(
        origin="#273",
        about="tags are stronger than fields",
        env={
            "aliyun_logs_catalina": "stdout",
            "aliyun_logs_catalina_tags": "env=prod",
            "aliyun_logs_custom_config": "catalina.fields.env=dev\ncatalina.fields.x=y",
        },
        logs=(Expected(name="catalina", tags={"env": "prod", "x": "y"}),),
    ),
    Case(
        origin="#279",
        about="exclude_lines as a list",
        env={
            "aliyun_logs_catalina": "stdout",
            "aliyun_logs_custom_config": "catalina.exclude_lines=['^DEBUG', '^TRACE']",
        },
        logs=(Expected(name="catalina", asks={"exclude": "(?:^DEBUG)|(?:^TRACE)"}),),
    ),
    *(
        Case(
            origin=origin,
            about="stack traces, by a preset of the container's own",
            env={"aliyun_logs_catalina": "stdout", "aliyun_logs_catalina_multiline": preset},
            logs=(Expected(name="catalina", asks={"multiline.match": Match.AFTER}),),
        )
        for origin, preset in (("#25", "java"), ("#99", "java"), ("#239", "python"))
    ),
    Case(
        origin="#121",
        about="stack traces, by a pattern",
        labels={
            "aliyun.logs.catalina": "stdout",
            "aliyun.logs.catalina.multiline.pattern": DATED,
            "aliyun.logs.catalina.multiline.negate": "true",
            "aliyun.logs.catalina.multiline.match": "after",
            "aliyun.logs.catalina.multiline.max_lines": "10000",
        },
        logs=(
            Expected(
                name="catalina",
                asks={"multiline": Multiline(pattern=DATED, negate=True, max_lines=10000)},
            ),
        ),
    ),
    Case(
        origin="#234",
        about="include_lines is not the option's name",
        labels={"aliyun.logs.app": "stdout", "aliyun.logs.app.include_lines": "FATAL"},
        logs=(),
        said=(
            ("option-unknown", "aliyun.logs.app"),
            ("option-unknown", "aliyun.logs.app.include_lines"),
        ),
    ),
    Case(
        origin="#234",
        about="include is",
        labels={"aliyun.logs.app": "stdout", "aliyun.logs.app.include": "FATAL"},
        logs=(Expected(name="app", asks={"include": "FATAL"}),),
    ),
    *(
        Case(
            origin=origin,
            about="an encoding",
            env={
                "aliyun_logs_a": f"{TOMCAT}/a.log",
                "aliyun_logs_a_encoding": "gbk",
            },
            logs=(Expected(name="a", files=(f"{DISK}/a.log",), asks={"encoding": "gbk"}),),
        )
        for origin in ("#133", "#289")
    ),
    Case(
        origin="#335",
        about="a container that opts out of what is collected unasked",
        env={"aliyun_logs": "none"},
    ),
)
