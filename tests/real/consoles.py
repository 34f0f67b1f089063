"""The console collector beside an agent, as Filebeat would run: its events go into a file."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.real.pipeline import Agent


def start_console(agent: Agent) -> subprocess.Popen[bytes]:
    """Start it; below the agent's folder are its log and the sink that `Sink` reads."""
    with (
        (agent.folder / "sink" / "events.ndjson").open("ab") as events,
        (agent.folder / "filebeat.log").open("ab") as output,
    ):
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "pilot.piloters.console"),
                *("--config", agent.config_dir, "--data", agent.data_dir),
            ],
            stdin=subprocess.DEVNULL,
            stdout=events,
            stderr=output,
            start_new_session=True,
        )
