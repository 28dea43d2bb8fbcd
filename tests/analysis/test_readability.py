"""No sentence is too long, or has more numbers than a reader can hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cases import made, observed
from concluded_labs import LABS, conclude
from readability import MOST_NUMBERS, MOST_WORDS, unreadable
from test_rules import BUILDS

from labreport.analysis.observation import Observation
from labreport.lab.plan import Plan
from labreport.language.catalogue import language
from labreport.render.printed import (
    PrintedFigure,
    PrintedParagraph,
    PrintedReport,
    PrintedSection,
    PrintedSentences,
    PrintedTable,
)

LANGUAGES = ("zh", "en")


def observations() -> Iterator[tuple[Observation, Plan]]:
    """Everything that is observed in the labs of the suite."""
    for build in BUILDS:
        yield from ((observation, made(build).plan) for observation in observed(build))
    for build in LABS:
        yield from ((observation, plan) for plan, observation in conclude(build()))


@pytest.mark.parametrize("code", LANGUAGES)
def test_observations_are_readable(code: str) -> None:
    words = language(code)
    told = {words.sentence(observation, plan) for observation, plan in observations()}
    assert len(told) > 300
    assert [found for text in sorted(told) for found in unreadable(text, code)] == []


def texts(sections: tuple[PrintedSection, ...]) -> Iterator[str]:
    """The sentences, paragraphs and captions of sections."""
    for section in sections:
        for block in (*section.blocks, *section.closing):
            match block:
                case PrintedParagraph(text=text, kind=kind):
                    yield from [text] if kind != "command" else []
                case PrintedSentences():
                    yield from (item.text for item in block.items)
                case PrintedTable() | PrintedFigure():
                    yield block.caption
        yield from texts(section.sections)


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_report_of_the_shipped_lab_is_readable(shipped_build: Any, code: str) -> None:
    report: PrintedReport = shipped_build.reports[code]
    said = list(texts(report.sections))
    said += [s.text for a in report.answers for column in a.columns for s in column]
    assert len(said) > 150
    assert [found for text in said for found in unreadable(text, code)] == []


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "The losses are 1, 2, 3, 4 and 5."),
        ("zh", "损失为 1、2、3、4 和 5。"),
        ("en", " ".join(["word"] * (MOST_WORDS["en"] + 1)) + "."),
        ("zh", "字" * MOST_WORDS["zh"] + "。"),
    ],
)
def test_what_is_too_long_or_has_too_many_numbers_is_found(code: str, text: str) -> None:
    (found,) = unreadable(text, code)
    assert found.words > MOST_WORDS[code] or found.numbers > MOST_NUMBERS


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (
            "en",
            "The losses are 1, 2, 3 and 4. Those of “w 5 and 6” are 7 and 8 at learning rate 9.",
        ),
        ("zh", "损失为 1、2、3 和 4。另外两个为 5/6 和 7×10⁻⁸。"),
        ("en", "See Figure 1, Figure 2, Figure 3, Table 4 and Table 5; ∂L/∂w1 = 6."),
        ("zh", "Sigmoid–Sigmoid" * 10 + "。"),
    ],
)
def test_names_references_and_symbols_are_no_numbers(code: str, text: str) -> None:
    assert list(unreadable(text, code)) == []
