"""The front of a report: its title, its cover and how it looks, before anything is measured."""

from __future__ import annotations

from labreport.lab.lab import Cover
from labreport.lab.plan import Lab
from labreport.report.language import Language
from labreport.report.theme import Theme
from labreport.report.tree import CoverLine, Report

KEYS = (*("school", "college", "student", "number", "class_", "major", "place", "date", "teacher"),)
"""Lines of the cover, in their order; title and course stand apart."""


def title_page(lab: Lab, theme: Theme, language: Language) -> Report:
    """A report with its cover, and nothing in it yet."""
    cover, code = lab.cover, language.code
    title = cover.title.within(code) if cover.title else ""
    return Report(
        language=code,
        html_language=language.html_name,
        title=title or language.text("report.default-title"),
        course=cover.course.within(code) if cover.course else "",
        cover=_lines(cover, language),
        check_fonts=lab.file.check_fonts,
        theme=theme,
    )


def _lines(cover: Cover, language: Language) -> tuple[CoverLine, ...]:
    lines = []
    for key in KEYS:
        value = getattr(cover, key)
        if value is not None and value.within(language.code):
            name = key.rstrip("_")
            label = language.text(f"cover.{name}")
            lines.append(CoverLine(name, label, value.within(language.code)))
    own = (
        CoverLine("", field.label.within(language.code), field.value.within(language.code))
        for field in cover.field
    )
    return (*lines, *own)
