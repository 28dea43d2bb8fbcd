"""Figures and formulas of a report in all of its languages, drawn beside one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from labreport.language.catalogue import Language
from labreport.language.words import Words, names_of
from labreport.processes import side_by_side
from labreport.render.draw import how
from labreport.render.drawing_cache import DrawingCache
from labreport.render.numbering import Numbering, blocks_of
from labreport.render.typeset_formulas import typeset
from labreport.report.tree import Figure, Formula, Report

Call = tuple[Any, ...]
"""A function, and what it is given."""


def drawn_beforehand(report: Report, languages: Sequence[Language], jobs: int) -> DrawingCache:
    """All pictures and formulas of a report, drawn in so many processes at a time."""
    drawn = DrawingCache()
    if jobs > 1:
        calls = list({drawn.name(*call): call for call in _calls(report, languages)}.values())
        parts = [calls[part::jobs] for part in range(jobs)]
        made = side_by_side([partial(_called, part) for part in parts], jobs)
        for part, results in zip(parts, made, strict=True):
            for call, result in zip(part, results, strict=True):
                drawn.keep(result, *call)
    return drawn


def _calls(report: Report, languages: Sequence[Language]) -> Iterator[Call]:
    blocks, names = list(blocks_of(report.sections)), names_of(report)
    for language in languages:
        words = Words(language, names, Numbering(blocks, language).by_key)
        for block in blocks:
            if isinstance(block, Figure):
                yield how(block.drawing, words)
            elif isinstance(block, Formula):
                yield typeset, block.latex


def _called(calls: Sequence[Call]) -> list[Any]:
    return [function(*given) for function, *given in calls]
