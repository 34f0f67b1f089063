"""An application whose links turn to another file, or folder, while it writes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import yaml

TURNING = {  # folder of the volume → the link in it, what it leads to, what to declare
    "files": ("current.log", "app-{}.log", "current.log"),
    "folders": ("current", "v{}", "current/*.log"),
    "absolute-files": ("current.log", "/logs/absolute-files/app-{}.log", "current.log"),
    "absolute-folders": ("current", "/logs/absolute-folders/v{}", "current/*.log"),
}


@dataclass(slots=True)
class Turning:
    """An application with links to its newest log, which it writes without a pause."""

    volume: Path
    written: list[str] = field(default_factory=list)
    _turns: int = 0
    _files: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Self:
        for name in TURNING:
            (self.volume / name).mkdir(parents=True)
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._files.values():
            os.close(each)

    def declare(self, static: Path) -> None:
        """As a container, at once."""
        logs = {
            f"aliyun_logs_{name}": f"/logs/{name}/{declared}"
            for name, (_, _, declared) in TURNING.items()
        }
        mount = {"source": str(self.volume), "destination": "/logs", "kind": "bind"}
        container = {"id": "turning", "env": logs, "mounts": [mount]}
        (static / ".turning").write_text(yaml.safe_dump(container))
        (static / ".turning").rename(static / "turning.yaml")

    def turn(self) -> None:
        """Let each link lead to a new file, or to a folder with one; what was written stays."""
        self._turns += 1
        for name, (link, target, _) in TURNING.items():
            folder = self.volume / name
            leads_to = target.format(self._turns)
            path = folder / Path(leads_to).name
            if link == "current":
                path.mkdir()
                path /= "app.log"
            if name in self._files:
                os.close(self._files[name])
            self._files[name] = os.open(path, os.O_WRONLY | os.O_CREAT, 0o640)
            (folder / ".new").symlink_to(leads_to)
            (folder / ".new").rename(folder / link)

    def write(self) -> None:
        """A line behind each link."""
        for name, file in self._files.items():
            text = f"{name} {self._turns} {len(self.written)}"
            os.write(file, f"{text}\n".encode())
            self.written.append(text)
