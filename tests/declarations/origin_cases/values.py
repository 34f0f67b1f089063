"""Streams and paths."""

from __future__ import annotations

from pilot.model import Mount
from pilot.treatment import Stream
from tests.declarations.origin_cases.case import (
    ACCESS,
    ACCESS_LOG,
    DISK,
    OUTPUT,
    STDOUT,
    TOMCAT,
    TOMCAT_LABELS,
    VOLUME,
    Case,
    Expected,
    on,
)

EMPTY_DIR = "/var/lib/kubelet/pods/7a6286a3/volumes/kubernetes.io~empty-dir/log"

VALUES = (
    Case(
        origin="#131",
        about="two paths in one value",
        env={"aliyun_logs_logstash": f"{TOMCAT}/catalina.*.log,/var/log/*.log"},
        mounts=(*VOLUME, Mount("/var/log", "/srv/log", "bind")),
        logs=(Expected(name="logstash", files=(f"{DISK}/catalina.*.log", "/srv/log/*.log")),),
    ),
    *(
        Case(
            origin=origin,
            about="stdout and files in one index",
            env={"aliyun_logs_tomcat-test": f"stdout, {TOMCAT}/catalina.*.log"},
            logs=(Expected(name="tomcat-test", files=(OUTPUT, f"{DISK}/catalina.*.log")),),
        )
        for origin in ("#202", "#203")
    ),
    Case(
        origin="#203",
        about="two names, one index by tag",
        env={
            "aliyun_logs_one": "stdout",
            "aliyun_logs_one_tags": "index=yyy",
            "aliyun_logs_two": f"{TOMCAT}/catalina.*.log",
            "aliyun_logs_two_tags": "index=yyy",
        },
        logs=(
            Expected(name="one", tags={"index": "yyy"}, index="yyy"),
            Expected(
                name="two",
                files=(f"{DISK}/catalina.*.log",),
                tags={"index": "yyy"},
                index="yyy",
            ),
        ),
    ),
    Case(
        origin="#280",
        about="two folders, one topic",
        env={"aliyun_logs_stg": "/wls/applogs/test/*.log,/wls/applogs/abc/aa/*.log"},
        mounts=on("/wls/applogs"),
        logs=(Expected(name="stg", files=(f"{DISK}/test/*.log", f"{DISK}/abc/aa/*.log")),),
    ),
    Case(
        origin="#106",
        about="a glob of folders",
        env={"aliyun_logs_a": "/root/logs/*/*.log"},
        mounts=on("/root/logs"),
        logs=(Expected(name="a", files=(f"{DISK}/*/*.log",)),),
    ),
    Case(
        origin="#195",
        about="a glob of folders and a dotted tag",
        env={
            "aliyun_logs_catalina": "/applog/logs/*/*.log",
            "aliyun.logs.catalina.tags": "env=ceshi",
        },
        mounts=(Mount("/applog/logs", "/applog/logs", "bind"),),
        logs=(Expected(name="catalina", files=("/applog/logs/*/*.log",), tags={"env": "ceshi"}),),
    ),
    Case(
        origin="#173",
        about="with an emptyDir",
        env={"aliyun_logs_a": "/home/logs/*.log"},
        mounts=on("/home/logs"),
        logs=(Expected(name="a", files=(f"{DISK}/*.log",)),),
    ),
    *(
        Case(
            origin=origin,
            about="on no mount; the other log is collected",
            env={"aliyun_logs_a": "/home/logs/*.log", "aliyun_logs_catalina": "stdout"},
            mounts=(),
            logs=(STDOUT,),
            said=(("path-not-mounted", "aliyun_logs_a"),),
        )
        for origin in ("#173", "#303", "#156", "#87")
    ),
    Case(
        origin="#3",
        about="a declared volume",
        labels={"aliyun.logs.nginx": "/var/log/access.log"},
        mounts=on("/var/log"),
        logs=(Expected(name="nginx", files=(f"{DISK}/access.log",)),),
    ),
    Case(
        origin="PR 44",
        about="the nearest mount above, at any depth",
        labels={
            "aliyun.logs.bls-wfe-stdout": "stdout",
            "aliyun.logs.bls-wfe-heartbeat": "/var/log/grandcanal/grandcanal_heartbeat*.log",
            "aliyun.logs.bls-wfe-bls": "/var/log/bls/wfe/*.log",
        },
        mounts=(
            Mount("/var/log", "/home/volumes/8cec/_data", "volume"),
            Mount("/var/log/grandcanal", "/alidata/wfe/grandcanal/logs", "bind"),
        ),
        logs=(
            Expected(name="bls-wfe-bls", files=("/home/volumes/8cec/_data/bls/wfe/*.log",)),
            Expected(
                name="bls-wfe-heartbeat",
                files=("/alidata/wfe/grandcanal/logs/grandcanal_heartbeat*.log",),
            ),
            Expected(name="bls-wfe-stdout"),
        ),
    ),
    Case(
        origin="#291",
        about="a folder of the pod's own, which the kubelet wrote into the value",
        env={"aliyun_logs_a": "/nas/web-0/*.log"},
        mounts=on("/nas"),
        logs=(Expected(name="a", files=(f"{DISK}/web-0/*.log",)),),
    ),
    Case(
        origin="#352",
        about="the node's own logs",
        env={"aliyun_logs_a": "/node/messages"},
        mounts=(Mount("/node", "/var/log", "bind"),),
        said=(("mount-forbidden", "aliyun_logs_a"),),
    ),
    *(
        Case(
            origin=origin,
            about="stdout where the runtime keeps no file; files are collected",
            labels=TOMCAT_LABELS,
            log_driver="journald",
            logs=(ACCESS_LOG,),
            said=(("stdout-no-file", "aliyun.logs.catalina"),),
        )
        for origin in ("#97", "#125", "#128", "#130")
    ),
    Case(
        origin="#132",
        about="an image of one's own",
        env={"aliyun_logs_nginxtest": "stdout"},
        logs=(Expected(name="nginxtest"),),
    ),
    *(
        Case(
            origin=origin,
            about="kubectl run",
            env={"aliyun_logs_test": "stdout"},
            logs=(Expected(name="test"),),
        )
        for origin in ("#13", "#27", "PR 29", "PR 30")
    ),
    Case(
        origin="#88",
        about="annotations",
        annotations={
            "aliyun.logs/catalina": "stdout",
            "aliyun.logs/access": ACCESS,
            "aliyun.logs/access.tags": "stage=test",
        },
        logs=(
            Expected(
                name="access",
                files=(f"{DISK}/localhost_access_log.*.txt",),
                tags={"stage": "test"},
            ),
            STDOUT,
        ),
    ),
    Case(
        origin="#28",
        about="an annotation for a container that does not mount its path, and one for another",
        annotations={
            "aliyun.logs/access": ACCESS,
            "aliyun.logs/catalina": "stdout",
            "aliyun.logs/other": "stdout",
            "aliyun.logs/other.container": "sidecar",
        },
        mounts=(),
        logs=(STDOUT,),
        said=(("annotation-elsewhere", "aliyun.logs/access"),),
    ),
    Case(
        origin="#200",
        about="an emptyDir by its place on the node",
        env={"aliyun_logs_a": "/test/*.log"},
        mounts=(Mount("/test", EMPTY_DIR, "volume"),),
        logs=(Expected(name="a", files=(f"{EMPTY_DIR}/*.log",)),),
    ),
    Case(
        origin="docs/filebeat/docs.md",
        about="stderr is a value too",
        labels={"aliyun.logs.errors": "stderr"},
        logs=(Expected(name="errors", stream=Stream.STDERR),),
    ),
    Case(
        origin="docs/filebeat/docs.md",
        about="stdout beside stderr is one stream",
        labels={"aliyun.logs.errors": "stderr", "aliyun.logs.catalina": "stdout"},
        logs=(
            Expected(name="catalina", stream=Stream.STDOUT),
            Expected(name="errors", stream=Stream.STDERR),
        ),
    ),
    Case(
        origin="pilot/pilot.go",
        about="an empty and a relative path reject themselves only",
        env={
            "aliyun_logs_empty": "",
            "aliyun_logs_relative": "logs/a.log",
            "aliyun_logs_catalina": "stdout",
        },
        logs=(STDOUT,),
        said=(("value-empty", "aliyun_logs_empty"), ("value-invalid", "aliyun_logs_relative")),
    ),
    Case(
        origin="pilot/pilot.go",
        about="a path that names a folder",
        env={"aliyun_logs_a": f"{TOMCAT}/"},
        said=(("path-folder", "aliyun_logs_a"),),
    ),
    Case(
        origin="pilot/pilot.go",
        about="a single file that is mounted",
        env={"aliyun_logs_a": "/var/log/app.log"},
        mounts=(Mount("/var/log/app.log", "/srv/app.log", "bind"),),
        logs=(Expected(name="a", files=("/srv/app.log",)),),
    ),
    Case(
        origin="pilot/pilot.go",
        about="a path that climbs out of its mount",
        env={"aliyun_logs_a": f"{TOMCAT}/../../../../etc/passwd", "aliyun_logs_catalina": "stdout"},
        logs=(STDOUT,),
        said=(("path-invalid", "aliyun_logs_a"),),
    ),
    Case(
        origin="#91",
        about="the same files by two names are collected once",
        env={"aliyun_logs_access": ACCESS, "aliyun_logs_again": ACCESS},
        logs=(ACCESS_LOG,),
        said=(("claimed", "aliyun_logs_again"),),
    ),
    Case(
        origin="pilot/pilot.go",
        about="blanks around stdout",
        env={"aliyun_logs_catalina": " stdout "},
        logs=(STDOUT,),
    ),
)
