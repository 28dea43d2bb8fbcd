"""report.html: one file that works with no network, and with no script."""

from __future__ import annotations

from collections.abc import Sequence

from labreport.formats.page import page
from labreport.language.catalogue import Language
from labreport.render.printed import PrintedReport


def render(reports: Sequence[tuple[PrintedReport, Language]]) -> bytes:
    """The page, with the report in these languages, the first in front."""
    return page(reports).encode("utf-8")
