"""Regular expressions of tenants: a subset that means the same to every collector."""

from __future__ import annotations

from pilot.regexps.regexp import MAX_LENGTH, Regexp, RegexpError, parse

__all__ = ["MAX_LENGTH", "Regexp", "RegexpError", "parse"]
