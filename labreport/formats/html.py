"""report.html: one file that works with no network, and with no script."""

from __future__ import annotations

from collections.abc import Sequence

from labreport.formats.page import page
from labreport.report.language import Language
from labreport.report.tree import Report


def render(reports: Sequence[tuple[Report, Language]]) -> bytes:
    """The page, with the report in these languages, the first in front."""
    return page(reports).encode("utf-8")
