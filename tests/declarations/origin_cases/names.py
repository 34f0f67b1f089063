"""Names, prefixes, and keys that are not ours."""

from __future__ import annotations

from tests.declarations.origin_cases.case import ACCESS, DISK, STDOUT, TOMCAT, Case, Expected, on

NAMES = (
    *(
        Case(
            origin="#161",
            about=f"the name {name}",
            env={f"xxx_logs_{name}": "stdout"},
            prefixes=("xxx",),
            logs=(Expected(name=name),),
        )
        for name in ("java", "java_11", "java_1", "java_", "javae", "javazzzzzzzzzzzzz", "java11")
    ),
    Case(
        origin="#161",
        about="an underscore in a label",
        labels={
            "aliyun.logs.catalina": "stdout",
            "aliyun.logs.es_access": "/opt/conpot/logs/localhost_access_log.*.txt",
        },
        mounts=on("/opt/conpot/logs"),
        logs=(
            STDOUT,
            Expected(name="es_access", files=(f"{DISK}/localhost_access_log.*.txt",)),
        ),
    ),
    Case(
        origin="#309",
        about="an underscore in the environment",
        env={"aliyun_logs_business_log": f"{TOMCAT}/business.log"},
        logs=(Expected(name="business_log", files=(f"{DISK}/business.log",)),),
    ),
    Case(
        origin="#109",
        about="options without their log hurt no other",
        labels={"aliyun.logs.daotian.tags": "a=b", "aliyun.logs.catalina": "stdout"},
        logs=(STDOUT,),
        said=(("value-invalid", "aliyun.logs.daotian.tags"),),
    ),
    Case(
        origin="#331",
        about="another agent's tags",
        env={
            "aliyun_logs_armsappid_tags": "armsAppId=1",
            "aliyun_logs_catalina": "stdout",
        },
        logs=(STDOUT,),
        said=(("value-invalid", "aliyun_logs_armsappid_tags"),),
    ),
    Case(
        origin="#287",
        about="tags without their log",
        env={
            "xmly_logs_svc_tags": "k1=v1",
            "xmly_logs_log": "/logs/api-manager-backend.log",
            "xmly_logs_stdout": "stdout",
        },
        prefixes=("xmly",),
        mounts=on("/logs"),
        logs=(
            Expected(name="log", files=(f"{DISK}/api-manager-backend.log",)),
            Expected(name="stdout"),
        ),
        said=(("value-invalid", "xmly_logs_svc_tags"),),
    ),
    Case(
        origin="#285",
        about="two names with digits and dashes for one folder",
        labels={
            "aliyun.logs.123-error2020": f"{TOMCAT}/localhost_error_log.*.txt",
            "aliyun.logs.123-access2020": ACCESS,
        },
        logs=(
            Expected(name="123-access2020", files=(f"{DISK}/localhost_access_log.*.txt",)),
            Expected(name="123-error2020", files=(f"{DISK}/localhost_error_log.*.txt",)),
        ),
    ),
    Case(
        origin="pilot/pilot.go",
        about="one name under two prefixes",
        labels={
            "aliyun.logs.a": "stdout",
            "aliyun.logs.a.tags": "k=first",
            "pilot.logs.a": f"{TOMCAT}/a.log",
        },
        logs=(Expected(name="a", tags={"k": "first"}),),
        said=(("name-shadowed", "pilot.logs.a"),),
    ),
    Case(
        origin="pilot/pilot.go",
        about="the environment overrides a label",
        env={"aliyun_logs_a": f"{TOMCAT}/env.log"},
        labels={"aliyun.logs.a": f"{TOMCAT}/label.log", "aliyun.logs.a.tags": "k=v"},
        logs=(Expected(name="a", files=(f"{DISK}/env.log",), tags={"k": "v"}),),
    ),
    Case(
        origin="pilot/pilot.go",
        about="keys are case sensitive",
        env={"ALIYUN_LOGS_a": "stdout", "aliyun_logs_A": "stdout"},
        logs=(Expected(name="A"),),
    ),
    Case(
        origin="#280",
        about="a name with a digit behind it is a name of its own",
        env={
            "aliyun_logs_stg": "/wls/applogs/test/*.log",
            "aliyun_logs_stg1": "/wls/applogs/abc/aa/*.log",
        },
        mounts=on("/wls/applogs"),
        logs=(
            Expected(name="stg", files=(f"{DISK}/test/*.log",)),
            Expected(name="stg1", files=(f"{DISK}/abc/aa/*.log",)),
        ),
    ),
)
