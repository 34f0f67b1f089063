"""Annotations, environment and labels of a container → its declarations, and what each asks for.

Pure: nothing here reads a disk or a clock.
"""

from __future__ import annotations

from pilot.declarations.dialects import declares, heads, key_of, opted_out
from pilot.declarations.find import Found, find
from pilot.declarations.items import streams_meant
from pilot.declarations.printing import print_declarations
from pilot.declarations.read import Reading, read
from pilot.declarations.refusals import capped

__all__ = [
    "Found",
    "Reading",
    "capped",
    "declares",
    "find",
    "heads",
    "key_of",
    "opted_out",
    "print_declarations",
    "read",
    "streams_meant",
]
