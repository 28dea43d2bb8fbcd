"""report.html: one file that works with no network and no script."""

from __future__ import annotations

from labreport.formats.page import page
from labreport.report.language import Language
from labreport.report.tree import Report


def render(report: Report, language: Language) -> bytes:
    """The page."""
    return page(report, language, printed=False).encode("utf-8")
