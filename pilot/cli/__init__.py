"""The command `log-pilot`; each subcommand is a module that is imported only when it is used."""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = ("run", "demo", "render", "status", "explain", "lint")


class _Commands(click.Group):
    """Loads a subcommand on use, so that the daemon does not carry what only others need."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"pilot.cli.{cmd_name}"), cmd_name)
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="kube-log-pilot")
def main() -> None:
    """Find every container's logs on this node and configure a log collector for them.

    An application says what to collect in an env variable or a label of its container:
    aliyun_logs_access=/var/log/nginx/*.log, or aliyun_logs_app=stdout.
    """
