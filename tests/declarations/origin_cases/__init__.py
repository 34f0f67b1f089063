"""What log-pilot's documentation, examples and users declared, and what has to become of it."""

from __future__ import annotations

from tests.declarations.origin_cases.case import OUTPUT, Case, Expected
from tests.declarations.origin_cases.custom import CUSTOM
from tests.declarations.origin_cases.documented import DOCUMENTED
from tests.declarations.origin_cases.formats import FORMATS
from tests.declarations.origin_cases.names import NAMES
from tests.declarations.origin_cases.tags import TAGS
from tests.declarations.origin_cases.values import VALUES

CASES = DOCUMENTED + NAMES + VALUES + TAGS + FORMATS + CUSTOM

__all__ = ["CASES", "OUTPUT", "Case", "Expected"]
