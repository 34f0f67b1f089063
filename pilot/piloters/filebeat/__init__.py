"""Filebeat: filestream inputs in `prospectors.d`, progress from the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilot.piloters.filebeat.piloter import FilebeatPiloter

if TYPE_CHECKING:
    from pilot.piloters import Piloter
    from pilot.settings import Settings


def create(settings: Settings) -> Piloter:
    """Make the piloter; the entry point `filebeat` names this."""
    return FilebeatPiloter(settings)
