"""What of a treatment this collector cannot honour, because of the values in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilot import regexps
from pilot.model import Framing
from pilot.piloters.console.encodings import known
from pilot.piloters.console.framing import LONGEST
from pilot.piloters.console.times import TimeFormat, TimeFormatError
from pilot.treatment import Feature, Format, Treatment

if TYPE_CHECKING:
    from collections.abc import Mapping


def beyond(treatment: Treatment) -> Mapping[Feature, str]:
    """What cannot be honoured and why not, one sentence each."""
    found = {
        feature: f"the console collector cannot search for this pattern: {regexps.parse(text).slow}"
        for feature, text in _patterns(treatment).items()
        if regexps.parse(text).slow
    }
    if not known(treatment.encoding):
        found[Feature.ENCODING] = "the console collector does not know this encoding."
    if treatment.max_bytes > LONGEST:
        found[Feature.MAX_BYTES] = f"the console collector cuts events at {LONGEST} bytes."
    try:
        TimeFormat(treatment.time_format)
    except TimeFormatError as error:
        found[Feature.TIME_FORMAT] = f"the console collector cannot read this format: {error}"
    return found


def honoured(treatment: Treatment, framing: Framing) -> Treatment:
    """The treatment without what cannot be honoured for a file framed like this.

    Patterns of `include` and `exclude` stay: without them the log must not be collected at all.
    """
    lacks = beyond(treatment)
    # Runtimes write UTF-8, whatever the files of the same log are.
    if framing is not Framing.LINES or Feature.ENCODING in lacks:
        treatment = replace(treatment, encoding="")
    if Feature.MULTILINE in lacks:
        treatment = replace(treatment, multiline=None)
    if Feature.REGEXP in lacks:
        treatment = replace(treatment, format=Format.NONE)
    if treatment.format is Format.NONE:
        treatment = replace(treatment, pattern="", keys=(), time_key="", time_format="", target="")
    if Feature.TIME_FORMAT in lacks:
        treatment = replace(treatment, time_key="", time_format="")
    return replace(treatment, raw={})


def _patterns(treatment: Treatment) -> dict[Feature, str]:
    patterns = {
        Feature.INCLUDE: treatment.include,
        Feature.EXCLUDE: treatment.exclude,
        Feature.MULTILINE: treatment.multiline.pattern if treatment.multiline else "",
        Feature.REGEXP: treatment.pattern if treatment.format is Format.REGEXP else "",
    }
    return {feature: text for feature, text in patterns.items() if text}
