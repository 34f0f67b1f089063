"""The command `log-pilot`."""

from __future__ import annotations

import click

from pilot.cli.demo import demo
from pilot.cli.render import render
from pilot.cli.run import run
from pilot.cli.status import status


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="kube-log-pilot")
def main() -> None:
    """Find every container's logs on this node and configure a log collector for them.

    An application says what to collect in an env variable or a label of its container:
    aliyun_logs_access=/var/log/nginx/*.log, or aliyun_logs_app=stdout.
    """


for _command in (run, demo, render, status):
    main.add_command(_command)
