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


def ask(socket: Path, question: str = "status", **given: str) -> dict[str, Any]:
    """The daemon's answer; a sentence and exit code 2 where there is none.

    An answer that is JSON is one, also that nothing was found.
    """
    import httpx

    if not socket.is_socket():
        fail(f"no daemon here: there is no socket {socket} (--state-dir)")
    if not os.access(socket, os.W_OK):
        fail(f"may not ask the daemon on {socket}: run as its user")
    try:
        with (
            short_name(socket) as name,
            httpx.Client(transport=httpx.HTTPTransport(uds=name), timeout=TIMEOUT) as client,
        ):
            answer = client.get(f"http://log-pilot/{question}", params=given)
    except httpx.ConnectError:
        fail(f"no daemon answers on {socket}: is it running? (--state-dir)")
    except (httpx.HTTPError, OSError) as error:
        fail(f"the daemon does not answer on {socket}: {error}")
    if not answer.headers.get("content-type", "").startswith("application/json"):
        fail(answer.text.strip())
    found: dict[str, Any] = answer.json()
    return found


def fail(sentence: str) -> NoReturn:
    """Say it on stderr and end with exit code 2."""
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
    made += _pins(found["pins"])
    for one in found["containers"]:
        where = f" pod {one['pod']}" if one["pod"] else ""
        gone = ", gone" if one["gone"] else ""
        made.append(f"{one['name']} ({one['id'][:12]}){where}: {one['phase']}{gone}")
        if one["lost"]["files"]:
            made.append(f"  LOST at the deadline: {_loss(one['lost'])}")
        for declared in one["logs"]:
            sets = (_file_set(each, one["id"]) for each in declared["file_sets"])
            made += [f"  {declared['name']}: {each}" for each in sets]
        for no in one["rejections"]:
            word = "notice" if no["notice"] else "REJECTED"
            hint = f" Did you mean {no['hint']!r}?" if no["hint"] else ""
            value = f" = {no['value']!r}" if no["value"] else ""
            made.append(f"  {word} {no['code']} {no['key']!r}{value}: {no['reason']}{hint}")
    return [printable(line) for line in made]


def _collector(collector: dict[str, Any]) -> str:
    if not collector["supervised"]:
        return "external"
    return f"{collector['state']}, pid {collector['pid']}, started {collector['starts']} times"


def _pins(pins: dict[str, Any]) -> list[str]:
    made = [
        f"pins       {one['path']}: {one['problem'] or 'ok'}"
        for one in pins["roots"]  # none where the collector reads the original files
    ]
    if pins["held_files"]:
        made.append(f"held       {pins['held_bytes']} bytes in {pins['held_files']} files")
    if pins["lost"]["files"]:
        made.append(f"LOST       {_loss(pins['lost'])}, since the start")
    if pins["output_blocked"]:
        made.append("BLOCKED    the collector acknowledges nothing")
    if pins["problem"]:
        made.append(f"records    {pins['problem']}")
    return made


def _loss(lost: dict[str, int]) -> str:
    return f"{lost['bytes']} bytes in {lost['files']} files"


def _file_set(file_set: dict[str, Any], container_id: str) -> str:
    place = f"{file_set['folder']}/{file_set['pattern']}"
    if file_set["owner"] != container_id:
        return f"{place} collected for {str(file_set['owner'])[:12]}"
    files = file_set.get("files", ())
    kinds = [each["kind"] for each in files]
    said = [f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))] or ["no files"]
    if problem := file_set.get("problem"):
        said = [problem, *(said if files else ())]
    if draining := sum(each["phase"] == "draining" for each in files):
        said.append(f"{draining} draining")
    if reserved := sum(each["reserved"] for each in files):
        said.append(f"{reserved} kept back")
    if unread := sum(each["unread"] or 0 for each in files):
        said.append(f"{unread} bytes unread")
    if file_set.get("paused"):
        said.append("copies PAUSED")
    if (lost := file_set.get("lost")) and lost["files"]:
        said.append(f"LOST {_loss(lost)}")
    phase = file_set.get("phase", "running")
    return f"{place}: {'' if phase == 'running' else f'{phase}; '}{', '.join(said)}"
