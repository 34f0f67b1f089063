"""Logs with all that a treatment may ask for."""

from __future__ import annotations

from pilot.piloters.filebeat.encodings import ENCODINGS
from pilot.treatment import Format, Treatment
from tests.piloters.filebeat.cases import Case, plain, texts
from tests.piloters.filebeat.cases_of_formats import of_csv, of_json, of_text, of_times
from tests.piloters.filebeat.cases_of_lines import of_multiline, of_sifting, of_streams

__all__ = ["CASES", "Case"]

CASES = (
    *of_streams(),
    *of_multiline(),
    *of_sifting(),
    *of_text(),
    *of_json(),
    *of_times(),
    *of_csv(),
    *(
        Case(
            name=f"encoding-{name}",
            content=plain("a"),
            treatment=Treatment(encoding=name),
            events=texts("a"),
        )
        for name in ENCODINGS
    ),
    *(
        Case(
            name=f"format-{form}",
            content=plain("a b"),
            treatment=Treatment(format=form, pattern="(?P<x>a)", time_key="x"),
            events=texts("a b"),
        )
        for form in (Format.REGEXP, Format.NGINX, Format.APACHE2, Format.APACHE_ERROR)
    ),
)
