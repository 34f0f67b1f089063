"""A small built-in collector that prints events as JSON lines, and the piloter that configures it.

For laptops, demos and tests, not for production: one process, one thread, no output but stdout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilot.piloters import Piloter
    from pilot.settings import Settings


def create(settings: Settings) -> Piloter:
    """Make the piloter of the console collector."""
    # Imported here, because the collector's own process starts through this package.
    from pilot.piloters.console.piloter import ConsolePiloter

    return ConsolePiloter(settings)
