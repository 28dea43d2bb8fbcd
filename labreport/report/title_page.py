"""The front of a report: its title and its cover, before anything is measured."""

from __future__ import annotations

from labreport.lab.lab import Cover
from labreport.lab.plan import Lab
from labreport.report.phrases import text, written
from labreport.report.tree import CoverLine, Report

KEYS = (*("school", "college", "student", "number", "class_", "major", "place", "date", "teacher"),)
"""Lines of the cover, in their order; title and course stand apart."""


def title_page(lab: Lab) -> Report:
    """A report with its cover, and nothing in it yet."""
    cover = lab.cover
    return Report(
        title=written(cover.title) if cover.title else None,
        course=written(cover.course) if cover.course else None,
        cover=_lines(cover),
        check_fonts=lab.file.check_fonts,
    )


def _lines(cover: Cover) -> tuple[CoverLine, ...]:
    lines = [
        CoverLine(name, text(f"cover.{name}"), written(value))
        for key in KEYS
        for name in [key.rstrip("_")]
        if (value := getattr(cover, key)) is not None and value.within("zh")
    ]
    own = (CoverLine("", written(field.label), written(field.value)) for field in cover.field)
    return (*lines, *own)
