"""What a collector cannot do, as rejections and notices for the logs that ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilot.model import Code, Rejection
from pilot.treatment import WITHHOLDING, Feature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilot.model import Log

# What `include` and `exclude` look at: other text, and they let other lines through.
TEXT = frozenset({Feature.ENCODING, Feature.MULTILINE})


def missing(log: Log, cannot: Mapping[Feature, str]) -> list[Rejection]:
    """One for each feature that a log asks for and its collector does not have.

    A notice, but where doing without would ship what was to be held back: then the log is refused.
    """
    asked = log.treatment.features
    withholding = WITHHOLDING | TEXT if asked & WITHHOLDING else WITHHOLDING
    return [
        Rejection(
            code=Code.OPTION_UNSUPPORTED,
            key=log.key,
            value=feature.value,
            log=log.name,
            reason=cannot[feature],
            notice=feature not in withholding,
        )
        for feature in sorted(asked & cannot.keys())
    ]
