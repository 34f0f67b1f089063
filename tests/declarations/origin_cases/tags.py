"""Tags and targets."""

from __future__ import annotations

from pilot.treatment import Format
from tests.declarations.origin_cases.case import DISK, STDOUT, TOMCAT, Case, Expected

TAGS = (
    Case(
        origin="#75",
        about="tags by environment",
        env={"aliyun_logs_a": "stdout", "aliyun_logs_a_tags": "k=v"},
        logs=(Expected(name="a", tags={"k": "v"}),),
    ),
    *(
        Case(
            origin=origin,
            about="a target among tags is a field",
            labels={
                "aliyun.logs.access": "stdout",
                "aliyun.logs.access.tags": "target=abc,name=hello,stage=test",
            },
            logs=(
                Expected(name="access", tags={"target": "abc", "name": "hello", "stage": "test"}),
            ),
        )
        for origin in ("#32", "#226")
    ),
    Case(
        origin="#160",
        about="dotted environment keys",
        env={
            "aliyun_logs_loginsucess": f"{TOMCAT}/login_succ.json",
            "aliyun.logs.loginsucess.tags": "stage=dev",
            "aliyun.logs.loginsucess.format": "json",
        },
        logs=(
            Expected(
                name="loginsucess",
                files=(f"{DISK}/login_succ.json",),
                format=Format.JSON,
                tags={"stage": "dev"},
            ),
        ),
    ),
    Case(
        origin="#21",
        about="a tag without a value rejects itself only",
        labels={
            "aliyun.logs.svt-apps": "stdout",
            "aliyun.logs.svt-apps.tags": "configserver=,name=magiceye",
        },
        logs=(Expected(name="svt-apps", tags={"name": "magiceye"}),),
        said=(("tag-invalid", "aliyun.logs.svt-apps.tags"),),
    ),
    Case(
        origin="#270",
        about="a label spelled as environment is nobody's",
        labels={
            "aliyun.logs.catalina": "stdout",
            "aliyun_logs_catalina_tags": "app=tomcatcatalina",
        },
        logs=(STDOUT,),
    ),
    Case(
        origin="#270",
        about="the collector's own field tags is no tag",
        labels={
            "aliyun.logs.catalina": "stdout",
            "aliyun.logs.catalina.tags": "tags=tomcatcatalina,app=tomcat",
        },
        logs=(Expected(name="catalina", tags={"app": "tomcat"}),),
        said=(("tag-reserved", "aliyun.logs.catalina.tags"),),
    ),
    Case(
        origin="#101",
        about="a topic by tag",
        labels={"aliyun.logs.a": "stdout", "aliyun.logs.a.tags": "topic=xxx"},
        logs=(Expected(name="a", tags={"topic": "xxx"}),),
    ),
    Case(
        origin="#197",
        about="an index by target and its name by another",
        env={"aliyun_logs_a": "stdout", "aliyun_logs_a_target": "app-logs"},
        logs=(Expected(name="a", target="app-logs", index="app-logs"),),
    ),
    Case(
        origin="#243",
        about="an index by tag is stronger than a target",
        env={
            "aliyun_logs_a": "stdout",
            "aliyun_logs_a_target": "t",
            "aliyun_logs_a_tags": "index=i",
        },
        logs=(Expected(name="a", target="t", tags={"index": "i"}, index="i"),),
    ),
    Case(
        origin="pilot/pilot.go",
        about="values with = and ,",
        labels={"aliyun.logs.a": "stdout", "aliyun.logs.a.tags": 'q=a=b,list="x,y=z"'},
        logs=(Expected(name="a", tags={"q": "a=b", "list": "x,y=z"}),),
    ),
    Case(
        origin="assets/filebeat/filebeat.tpl",
        about="what YAML would take for a number, a truth or a mapping stays text",
        labels={
            "aliyun.logs.a": "stdout",
            "aliyun.logs.a.tags": "version=1.10,on=yes,zip=0123,none=null,map=a: b",
        },
        logs=(
            Expected(
                name="a",
                tags={"version": "1.10", "on": "yes", "zip": "0123", "none": "null", "map": "a: b"},
            ),
        ),
    ),
)
