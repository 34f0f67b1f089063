"""Labels and environment of a container → its declarations, and what each asks for. Pure."""

from __future__ import annotations

from pilot.declarations.dialects import declares
from pilot.declarations.find import Found, find
from pilot.declarations.read import Reading, read

__all__ = ["Found", "Reading", "declares", "find", "read"]
