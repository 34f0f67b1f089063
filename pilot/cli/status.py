"""`log-pilot status`: what the running daemon says of itself."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from pilot.cli.options import state_dir
from pilot.files import short_name
from pilot.model import printable
from pilot.state import SOCKET

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT = 5.0  # seconds


@click.command()
@state_dir
@click.option("--json", "as_json", is_flag=True, help="Print the whole status as JSON.")
def status(state_dir: Path, *, as_json: bool) -> None:
    """Ask the running daemon: containers, logs, files, pins, rejections, collector, draining.

    Exit code 0, or 2 if no daemon answers.
    """
    found = ask(state_dir / SOCKET)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for line in lines(found):
        click.echo(line)


def ask(socket: Path) -> dict[str, Any]:
    """The daemon's answer; a sentence and exit code 2 where there is none."""
    import httpx

    if not socket.is_socket():
        _fail(f"no daemon here: there is no socket {socket} (--state-dir)")
    if not os.access(socket, os.W_OK):
        _fail(f"may not ask the daemon on {socket}: run as its user")
    try:
        with (
            short_name(socket) as name,
            httpx.Client(transport=httpx.HTTPTransport(uds=name), timeout=TIMEOUT) as client,
        ):
            answer = client.get("http://log-pilot/status")
    except (httpx.HTTPError, OSError) as error:
        _fail(f"the daemon does not answer on {socket}: {error}")
    if answer.status_code != httpx.codes.OK:
        _fail(answer.text.strip())
    found: dict[str, Any] = answer.json()
    return found


def _fail(sentence: str) -> NoReturn:
    click.echo(printable(f"log-pilot: {sentence}"), err=True)
    sys.exit(2)


def lines(found: dict[str, Any]) -> list[str]:
    """The status for a person: a few lines for the node, then each container with its logs.

    Names, labels and paths are tenants' text: none of it makes a line or reaches the terminal raw.
    """
    source, collector, config = found["source"], found["collector"], found["config"]
    listed = "never" if source["listed_ago"] is None else f"{source['listed_ago']:.1f} s ago"
    made = [
        f"source     {source['problem'] or 'ok'}; listed {listed}",
        f"collector  {found['type']}, {_collector(collector)}",
        f"config     {config['problem'] or 'ok'}; last pass {found['last_pass_ago']:.1f} s ago",
    ]
    if found["state"]["problem"]:
        made.append(f"state      {found['state']['problem']}")
    for one in found["containers"]:
        where = f" pod {one['pod']}" if one["pod"] else ""
        gone = ", gone" if one["gone"] else ""
        made.append(f"{one['name']} ({one['id'][:12]}){where}: {one['phase']}{gone}")
        if one["lost"]["bytes"]:
            made.append(f"  LOST at the deadline: {one['lost']['bytes']} bytes")
        for declared in one["logs"]:
            sets = (_file_set(each, one["id"]) for each in declared["file_sets"])
            made += [f"  {declared['name']}: {each}" for each in sets]
        for no in one["rejections"]:
            word = "notice" if no["notice"] else "REJECTED"
            hint = f" Did you mean {no['hint']!r}?" if no["hint"] else ""
            made.append(f"  {word} {no['code']} {no['key']!r}: {no['reason']}{hint}")
    return [printable(line) for line in made]


def _collector(collector: dict[str, Any]) -> str:
    if not collector["supervised"]:
        return "external"
    return f"{collector['state']}, pid {collector['pid']}, started {collector['starts']} times"


def _file_set(file_set: dict[str, Any], container_id: str) -> str:
    place = f"{file_set['folder']}/{file_set['pattern']}"
    if file_set["direct"]:
        return f"{place} direct"
    if file_set["owner"] != container_id:
        return f"{place} collected for {str(file_set['owner'])[:12]}"
    if file_set.get("problem"):
        return f"{place}: {file_set['problem']}"
    kinds = [each["kind"] for each in file_set.get("files", ())]
    unread = sum(each["unread"] or 0 for each in file_set.get("files", ()))
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))) or "no files"
    return f"{place}: {counts}" + (f", {unread} bytes unread" if unread else "")
