"""Words of the glossary lead to it, once a section, and nothing else of a sentence changes."""

from __future__ import annotations

import re

import pytest
from markupsafe import Markup

from labreport.formats.glossary_links import Explained
from labreport.formats.page import typeset
from labreport.language.catalogue import language
from labreport.render.printed import (
    PrintedCell,
    PrintedSection,
    PrintedSentences,
    PrintedStatement,
    PrintedTable,
)
from labreport.render.used_words import with_used_words
from labreport.report.chapters.glossary import LINKED, TERMS


@pytest.mark.parametrize("code", ["zh", "en"])
@pytest.mark.parametrize("term", LINKED)
def test_each_word_of_a_term_leads_to_the_glossary(code: str, term: str) -> None:
    own = language(code)
    for word in re.split("、|, ", own.text(f"glossary.{term}.words")):
        sentence = f"见{word}。" if code == "zh" else f"A {word}."
        linked = Explained(own, "words")(Markup(sentence))
        assert f'<a class="word" href="#words">{word}</a>' in linked
        assert re.sub("<[^>]*>", "", linked) == sentence


def test_only_the_first_use_in_a_section_is_a_link() -> None:
    explained = Explained(language("en"), "words")
    first, second = explained(Markup("the floor, the floors")), explained(Markup("floor"))
    assert (first.count("<a"), second) == (1, "floor")
    assert explained.begin() == ""
    assert explained(Markup("floor")).count("<a") == 1


def test_parts_of_words_and_markup_stay_as_they_are() -> None:
    explained = Explained(language("en"), "words")
    text = typeset("a flooring & a seeding <floors> 10⁻³")
    assert explained(text) == str(text).replace(
        "floors", '<a class="word" href="#words">floors</a>'
    )


def test_the_glossary_has_the_words_that_are_used() -> None:
    rows = tuple((PrintedCell(term), PrintedCell("…")) for term in TERMS)
    table = PrintedTable("t", "Table 1", "Words.", rows[0], rows)
    said = PrintedSentences("", (PrintedStatement("It is stuck far from the floor."),))
    inner = PrintedSection("inner", "1.1", "", (said,))
    sections = [
        PrintedSection("one", "1", "", (), (inner,)),
        PrintedSection("glossary", "2", "", (table,)),
    ]
    one, glossary = with_used_words(sections, language("en"))
    assert one == sections[0]
    (shown,) = glossary.blocks
    assert isinstance(shown, PrintedTable)
    assert [row[0].text for row in shown.rows] == ["floor", "round", "stuck", "level"]
