"""What Filebeat's main file is made of: log-pilot's environment variables, checked.

The variables and their names are the ancestor's. What it let through to Filebeat unread (a word
for a number, an unknown output that became the console) is an error here, before anything starts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilot.model import shorten
from pilot.piloters import PiloterError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OUTPUTS = ("console", "file")
ANCESTORS_OUTPUTS = ("elasticsearch", "logstash", "kafka", "redis", "count")
LEVELS = {
    "debug": "debug",
    "info": "info",
    "warn": "warning",
    "warning": "warning",
    "error": "error",
}
TRUE_OR_FALSE = {"true": True, "false": False}
DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s|m)?\Z", re.ASCII)
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}
LONGEST_SOCKET_PATH = 107  # bytes; unix(7), sun_path without the final NUL
SHUTDOWN_TIMEOUT = "0"


def main_config(
    environment: Mapping[str, str], *, config_dir: Path, data_dir: Path
) -> dict[str, object]:
    """The context of the template `filebeat.yml`. Raises PiloterError for an unusable variable."""
    variables = {name: text.strip() for name, text in environment.items()}
    socket = data_dir / "filebeat.sock"
    reachable = len(str(socket).encode("utf-8", "surrogateescape")) <= LONGEST_SOCKET_PATH
    output = _output(variables)
    return {
        "config_dir": str(config_dir),
        "data_dir": str(data_dir),
        "socket": str(socket) if reachable else "",
        "log_level": _choice(variables, "FILEBEAT_LOG_LEVEL", "info", LEVELS),
        "metrics": _choice(variables, "FILEBEAT_METRICS_ENABLED", "false", TRUE_OR_FALSE),
        "max_procs": _number(variables, "FILEBEAT_MAX_PROCS", 1, 1024) or 0,
        "shutdown_timeout": f"{shutdown_timeout(variables):.3f}s",
        "output": output,
        "file_output": _file_output(variables) if output == "file" else {},
        "pretty": _choice(variables, "CONSOLE_PRETTY", "false", TRUE_OR_FALSE),
    }


def shutdown_timeout(environment: Mapping[str, str]) -> float:
    """Seconds that a stopping Filebeat waits for acknowledgements (FILEBEAT_SHUTDOWN_TIMEOUT).

    None by default: what was not acknowledged is read again after the next start, so waiting saves
    no line, only repetitions; and 7.17.29, stopped while it was busy, never ended once the time was
    up. Raises PiloterError.
    """
    name = "FILEBEAT_SHUTDOWN_TIMEOUT"
    text = environment.get(name, "").strip() or SHUTDOWN_TIMEOUT
    match = DURATION.match(text)
    if match is None:
        raise _unusable(name, text, "give seconds, like 5 or 5s")
    return float(match["number"]) * SECONDS[match["unit"]]


def _output(environment: Mapping[str, str]) -> str:
    name = "FILEBEAT_OUTPUT" if environment.get("FILEBEAT_OUTPUT") else "LOGGING_OUTPUT"
    text = environment.get(name) or "console"
    if text in OUTPUTS:
        return text
    known = f"outputs that work today are {' and '.join(OUTPUTS)}"
    if text in ANCESTORS_OUTPUTS:
        raise _unusable(name, text, f"not supported yet; {known}")
    raise _unusable(name, text, f"unknown; {known}")


def _file_output(environment: Mapping[str, str]) -> dict[str, object]:
    path = environment.get("FILE_PATH")
    if not path:
        raise PiloterError("FILE_PATH is missing: the output file needs a folder to write to")
    permissions = environment.get("FILE_PERMISSIONS") or "0600"
    if not re.fullmatch(r"0?[0-7]{3}", permissions):
        raise _unusable("FILE_PERMISSIONS", permissions, "give octal permissions, like 0600")
    options = {
        "path": path,
        "filename": environment.get("FILE_NAME") or None,
        "rotate_every_kb": _number(environment, "FILE_ROTATE_SIZE", 1, 2**31),
        "number_of_files": _number(environment, "FILE_NUMBER_OF_FILES", 2, 1024),
        "permissions": int(permissions, 8),
    }
    return {name: value for name, value in options.items() if value is not None}


def _number(environment: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    text = environment.get(name)
    if not text:
        return None
    if re.fullmatch(r"[0-9]{1,10}", text) and least <= int(text) <= most:
        return int(text)
    raise _unusable(name, text, f"give a whole number from {least} to {most}")


def _choice(
    environment: Mapping[str, str], name: str, default: str, choices: Mapping[str, object]
) -> object:
    text = environment.get(name) or default
    if text.lower() in choices:
        return choices[text.lower()]
    raise _unusable(name, text, f"give one of {', '.join(choices)}")


def _unusable(name: str, value: str, reason: str) -> PiloterError:
    return PiloterError(f"{name} = {shorten(value)!r}: {reason}")
