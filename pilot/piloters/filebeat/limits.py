"""What Filebeat cannot do for a log, and what becomes of it: by feature, and by value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilot.model import Code, Framing, Rejection, shorten
from pilot.piloters.filebeat.encodings import encoding
from pilot.piloters.filebeat.layouts import LayoutError, dated_layouts
from pilot.piloters.filebeat.options import forbidden
from pilot.piloters.filebeat.steps import unnamed, written_format
from pilot.treatment import Feature, Format

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pilot.model import Log

AS_IT_IS = "Filebeat takes no {} lines apart; their text is collected as it is."
CANNOT: Mapping[Feature, str] = {
    Feature.REGEXP: "Filebeat finds no fields by a pattern; the text is collected as it is.",
    Feature.NGINX: AS_IT_IS.format("nginx"),
    Feature.APACHE2: AS_IT_IS.format("apache2"),
    Feature.APACHE_ERROR: AS_IT_IS.format("apache_error"),
}


def beyond(log: Log) -> Iterator[Rejection]:
    """Notices that depend on values."""
    asked = log.treatment
    for key, reason in forbidden(asked.raw).items():
        yield _notice(log, Code.OPTION_FORBIDDEN, key, reason)
    files = any(each.framing is Framing.LINES for each in log.file_sets)
    if asked.encoding and files and not encoding(asked.encoding):
        reason = "Filebeat does not know this encoding; the text is collected as if it was UTF-8."
        yield _notice(log, Code.ENCODING_UNKNOWN, asked.encoding, reason)
    if asked.format not in {Format.JSON, Format.CSV}:
        return
    if written_format(asked, log.tags) is Format.NONE:
        reason = "this field is not the log's to fill; the text is collected as it is."
        yield _notice(log, Code.FORMAT_INVALID, asked.target, reason)
        return
    if asked.format is Format.CSV:
        for key in unnamed(asked, log.tags):
            reason = "this field is not the log's to fill; the column is left out."
            yield _notice(log, Code.FORMAT_INVALID, key, reason)
    if asked.time_key:
        try:
            dated_layouts(asked.time_format)
        except LayoutError as error:
            reason = (
                f"{str(error).removesuffix('.')}; events keep the time at which they were read."
            )
            yield _notice(log, Code.TIME_FORMAT_INVALID, asked.time_format, reason)


def _notice(log: Log, code: Code, value: str, reason: str) -> Rejection:
    return Rejection(
        code=code, key=log.key, value=shorten(value), reason=reason, log=log.name, notice=True
    )
