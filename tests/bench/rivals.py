"""Filebeat that finds Docker's containers itself (autodiscover), to compare with."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.real.processes import end

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.real.daemons import Dockerd

GRACE = 10.0  # seconds


@contextmanager
def autodiscover(folder: Path, filebeat: Path, dockerd: Dockerd, *, best: bool) -> Iterator[Path]:
    """Run it; the folder of its sink. `best` sets what makes it fast, else defaults stay."""
    sink = folder / "sink"
    for made in (folder, sink):
        made.mkdir(parents=True, exist_ok=True)
    config = folder / "filebeat.yml"
    # JSON is YAML; strict permissions ask for a file that only its owner may write.
    config.write_text(json.dumps(_config(folder, dockerd, best=best), indent=1))
    config.chmod(0o600)
    with (folder / "filebeat.log").open("ab") as output:
        process = subprocess.Popen(
            [filebeat, "-e", "-c", config, "--path.home", folder / "home"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield sink
        assert process.poll() is None, (folder / "filebeat.log").read_text()[-2000:]
    finally:
        end(process, grace=GRACE)


def _config(folder: Path, dockerd: Dockerd, *, best: bool) -> dict[str, Any]:
    scanner: dict[str, Any] = {"fingerprint.enabled": False, "symlinks": True}
    if best:
        scanner["check_interval"] = "1s"
    source = {
        "type": "filestream",
        "id": "container-${data.container.id}",
        "paths": [f"{dockerd.root}/containers/${{data.container.id}}/*-json.log"],
        "parsers": [{"container": {"stream": "all", "format": "docker"}}],
        # By fingerprint a file of one line would never be read: it wants 1024 bytes.
        "file_identity.native": {},
        "prospector.scanner": scanner,
    }
    provider = {
        "type": "docker",
        "host": dockerd.host,
        "hints.enabled": True,
        "hints.default_config": source,
    }
    config: dict[str, Any] = {
        "filebeat.autodiscover.providers": [provider],
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
        "output.file": {"path": str(folder / "sink"), "filename": "events"},
        "setup.template.enabled": False,
    }
    if best:
        config["queue.mem.flush.timeout"] = "0s"
    return config
