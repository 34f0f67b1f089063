"""What became of a container's declarations, step by step: plain data and plain sentences. Pure."""

from __future__ import annotations

from pilot.explaining.answer import VERSION, answer, not_found
from pilot.explaining.explain import explain
from pilot.explaining.explanation import Explanation, LogExplanation, Outcome
from pilot.explaining.known import MOST_FILES, KnownContainer, KnownFile, KnownSet
from pilot.explaining.near import near
from pilot.explaining.words import lines

__all__ = [
    "MOST_FILES",
    "VERSION",
    "Explanation",
    "KnownContainer",
    "KnownFile",
    "KnownSet",
    "LogExplanation",
    "Outcome",
    "answer",
    "explain",
    "lines",
    "near",
    "not_found",
]
