"""docs/moving-from-log-pilot.md: what it says of this side is so."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from pilot.accept import accept
from pilot.cli import main
from pilot.model import Framing
from pilot.piloters import PiloterError
from pilot.piloters.filebeat.mainconfig import ANCESTORS_OUTPUTS, main_config
from pilot.policy import Policy
from pilot.settings import Settings
from tests.declarations.making import bind, container

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/moving-from-log-pilot.md").read_text()
WEB = {"aliyun_logs_web": "stdout"}
ONE, TWO = "/srv/logs/a.log", "/srv/logs/b.log"

# What a container of the comparison declares; here its logs' files and tags, and the codes.
DIFFERENCES = {
    "`=` in a tag": (
        WEB | {"aliyun_logs_web_tags": "q=a=b"},
        {"web": (["stdout"], {"q": "a=b"})},
        [],
    ),
    "a tag without a text": (
        WEB | {"aliyun_logs_web_tags": "a="},
        {"web": (["stdout"], {})},
        ["tag-invalid"],
    ),
    "a tag without `=`": (
        WEB | {"aliyun_logs_web_tags": "abc"},
        {"web": (["stdout"], {})},
        ["tag-invalid"],
    ),
    "tags that YAML has types for": (
        WEB | {"aliyun_logs_web_tags": "version=1.10,on=yes"},
        {"web": (["stdout"], {"version": "1.10", "on": "yes"})},
        [],
    ),
    "a dot in a tag's key": (
        WEB | {"aliyun_logs_web_tags": "app.name=x"},
        {"web": (["stdout"], {"app_name": "x"})},
        [],
    ),
    "`_` in a name": (
        {"aliyun_logs_business_log": "stdout"},
        {"business_log": (["stdout"], {})},
        [],
    ),
    "the same output twice": (
        WEB | {"aliyun_logs_business_log": "stdout"},
        {"business_log": (["stdout"], {})},
        ["claimed"],
    ),
    "dots in an environment key": (
        {"aliyun.logs.web": "stdout"},
        {"web": (["stdout"], {})},
        [],
    ),
    "a list": (
        {"aliyun_logs_web": "/logs/a.log,/logs/b.log"},
        {"web": ([ONE, TWO], {})},
        [],
    ),
    "a folder": ({"aliyun_logs_web": "/logs/"}, {}, ["path-folder"]),
    "stderr": ({"aliyun_logs_web": "stderr"}, {"web": (["stderr"], {})}, []),
    "an option without its log": (
        WEB | {"aliyun_logs_other_tags": "a=b"},
        {"web": (["stdout"], {})},
        ["value-invalid"],
    ),
    "a file that is mounted": (
        {"aliyun_logs_web": "/one/a.log"},
        {"web": ([ONE], {})},
        [],
    ),
    "the second prefix": ({"pilot_logs_web": "stdout"}, {"web": (["stdout"], {})}, []),
    "tags that break YAML": (
        WEB | {"aliyun_logs_web_tags": "a=x: y,b=# c"},
        {"web": (["stdout"], {"a": "x: y", "b": "# c"})},
        [],
    ),
}


def flags() -> set[str]:
    """Every long flag of `log-pilot`."""
    context = click.Context(main)
    commands = [main.get_command(context, name) for name in main.list_commands(context)]
    return {
        flag
        for command in commands
        if command
        for each in command.params
        for flag in each.opts
        if flag.startswith("--")
    }


@pytest.mark.parametrize("about", DIFFERENCES)
def test_what_differs_from_log_pilot_is_as_the_page_says(about: str) -> None:
    env, logs, codes = DIFFERENCES[about]
    where = container(env, mounts=(bind("/logs", "/srv/logs"), bind("/one/a.log", ONE)))
    accepted = accept(where, settings=Settings(environment={}), policy=Policy())
    assert [each.code.value for each in accepted.rejections] == codes
    found = {}
    for log in accepted.logs:
        output = "stderr" if log.stream == "stderr" else "stdout"
        files = [
            f"{each.directory}/{each.pattern}" if each.framing is Framing.LINES else output
            for each in log.file_sets
        ]
        found[log.name] = (files, log.tags)
    assert found == logs


def test_the_page_lists_so_many_differences() -> None:
    table = PAGE.split("\n## Differences in what is collected\n")[1].split("\n\n")[1]
    assert len(table.splitlines()) - 2 == len(DIFFERENCES) == 15


def test_every_flag_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`(--[a-z-]+)", PAGE))
    assert named
    assert named - flags() == set()


@pytest.mark.parametrize("output", ANCESTORS_OUTPUTS)
def test_an_output_that_is_not_built_is_named_and_ends_the_start(
    output: str, tmp_path: Path
) -> None:
    assert f"`{output}`" in PAGE
    with pytest.raises(PiloterError):
        main_config({"LOGGING_OUTPUT": output}, config_dir=tmp_path, data_dir=tmp_path)
    main_config(
        {"LOGGING_OUTPUT": output, "FILEBEAT_OUTPUT": "console"},
        config_dir=tmp_path,
        data_dir=tmp_path,
    )
