"""What docs/ shows as examples, for `tests.docs_tables` to print as the code understands it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A log's value and options, by what the example shows.
EXAMPLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "stderr": ("stderr", {}),
    "paths": ("stdout,/logs/*.log,/logs/*/audit.log", {}),
    "tags": ("stdout", {"tags": 'team=shop,query=a=b,note="one, two"'}),
    "target": ("stdout", {"target": "shop-web"}),
    "json": (
        "stdout",
        {
            "format": "json",
            "format_time_key": "time",
            "format_time_format": "%Y-%m-%dT%H:%M:%S.%L%z",
            "format_target": "app",
        },
    ),
    "csv": ("/logs/*.csv", {"format": "csv", "format_keys": "time,level,text"}),
    "regexp": (
        "/logs/*.log",
        {"format": "regexp", "format_pattern": r"^(?P<level>[A-Z]+) (?P<text>.*)$"},
    ),
    "nginx": ("/logs/access.log", {"format": "nginx"}),
    "multiline": ("stdout", {"multiline": "java"}),
    "pattern": (
        "stdout",
        {
            "multiline_pattern": r"^\d{4}-\d{2}-\d{2}[ T]",
            "multiline_negate": "true",
            "multiline_match": "after",
            "multiline_max_lines": "200",
            "multiline_timeout": "2s",
        },
    ),
    "include": ("stdout", {"include": "ERROR|WARN"}),
    "exclude": ("stdout", {"exclude": "GET /healthz"}),
    "encoding": ("/logs/*.log", {"encoding": "gbk"}),
    "max bytes": ("stdout", {"max_bytes": "64Ki"}),
    "container": ("/logs/*.log", {"container": "web,worker"}),
    "raw": ("/logs/*.log", {"raw_harvester_limit": "10"}),
}

# Keys of a container's environment, to show what is a log and what an option.
SUFFIXES: Sequence[Mapping[str, str]] = (
    {"aliyun_logs_business_log": "stdout"},
    {"aliyun_logs_web": "stdout", "aliyun_logs_web_target": "shop"},
    {"aliyun_logs_web_target": "stdout"},
    {
        "aliyun_logs_web": "stdout",
        "aliyun_logs_web_format": "json",
        "aliyun_logs_web_format_time_key": "ts",
    },
    {"aliyun_logs_a": "/a.log", "aliyun_logs_a_b": "/b.log", "aliyun_logs_a_b_tags": "x=y"},
    {"aliyun.logs.web": "stdout", "aliyun.logs.web.tags": "a=b"},
)
TAGS = (
    "team=shop,tier=front",
    "query=a=b",
    'team="a,b",tier=front',
    r'said="a \"quote\" and a \\"',
    'dots="a.b/c",version=1.10',
    "app.name=x",
    "team = shop , tier = front",
    "team=shop,production",
    "team=",
    'team="a',
    "k8s_pod=web-0",
)
REFUSED = (
    "(?!ERROR)",
    "(?<=a)b",
    r"(a)\1",
    "(?>a+)b",
    "a++",
    r"\p{Han}",
    "(a*)*",
    "a{1001}",
    "(?P<x>a)+",
    "a(?i)b",
    "[z-a]",
    "(a",
)
CUSTOM = (
    r"web.multiline.pattern=^\[",
    "web.multiline.negate=true",
    "web.multiline.match=after",
    "web.multiline.max_lines=200",
    "web.multiline.timeout=5s",
    "web.include_lines=['ERROR', 'WARN']",
    "web.exclude_lines=['^DEBUG']",
    "web.encoding=gbk",
    "web.max_bytes=65536",
    "web.fields.team=shop",
    "web.harvester_limit=10",
)
