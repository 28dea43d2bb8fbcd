"""The pages of a report: full, with figures and tables where they are spoken of, nothing split."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import weasyprint
from layout_of import Layout, faults, fills
from whole import affordable, pairwise

from labreport.formats.paper.folds import folded, folds
from labreport.formats.paper.placed import pages_of
from labreport.formats.paper.settle import settled
from labreport.formats.pdf import laid_out
from labreport.language.catalogue import language
from labreport.render.printed import (
    PrintedCell,
    PrintedFigure,
    PrintedReport,
    PrintedSection,
    PrintedTable,
)
from labreport.shipped import shipped

CODES = ("zh", "en")

MOST_PAGES = 18
"""Of the lab that ships, with its cover."""

MOST_OF_ONE = 7
"""Of a lab with one experiment."""

MOST_WORDS = 40
"""Of a caption in English."""

ONE = """
[experiment.rate]
title.zh = "步长"
title.en = "Step size"
question.zh = "大的步长更快吗？"
question.en = "Is a larger step faster?"
change.rounds = 50
sweep.optimizer.learning_rate = { from = 0.01, to = 10, count = 16 }
"""

PAPER = """<style>
@page { size: 100mm 100mm; margin: 10mm }
body { font: 10px/10px sans-serif; margin: 0; widows: 1; orphans: 1 }
p, figure, h2, h3, ul { margin: 0 }
figure, .whole { break-inside: avoid }
.question:not(.apart) { break-after: avoid }
</style>"""


@pytest.fixture(params=CODES)
def shipped_pages(request: pytest.FixtureRequest, shipped_build: Any) -> tuple[str, Layout]:
    """The code of a language, and the pages that the build of the shipped lab made in it."""
    return request.param, shipped_build.layout(request.param)


def test_the_shipped_lab_keeps_the_rules_of_layout(shipped_pages: tuple[str, Layout]) -> None:
    _, layout = shipped_pages
    assert layout.faults == ()
    assert len(layout.chapters) <= MOST_PAGES


def test_aim_and_answers_stand_on_the_page_after_the_cover(
    shipped_pages: tuple[str, Layout], shipped_build: Any
) -> None:
    code, layout = shipped_pages
    for anchor in ("purpose", "key-answers"):
        assert [n for n, on in enumerate(layout.chapters, start=1) if anchor in on] == [2]
    assert shipped_build.reports[code].sections[0].anchor == "purpose"


STARTED = ("classes", "initialisation", "minimal", "optimizers")


@pytest.mark.parametrize(("name", "code"), pairwise(STARTED, CODES))
def test_labs_to_start_from_keep_them_too(
    pages_of: Callable[[str], Any], name: str, code: str
) -> None:
    text = (shipped("templates") / "labs" / f"{name}.toml").read_text(encoding="utf-8")
    report = pages_of(affordable(text)).reports[code]
    assert faults(laid_out(report, language(code))) == []


@pytest.mark.parametrize("code", CODES)
def test_a_lab_of_one_experiment_is_short(
    pages_of: Callable[[str], Any], base_text: str, code: str
) -> None:
    document = laid_out(pages_of(base_text + ONE).reports[code], language(code))
    assert faults(document) == []
    assert len(document.pages) <= MOST_OF_ONE


def test_captions_are_short(shipped_build: Any) -> None:
    def captions(section: PrintedSection) -> list[str]:
        own = [b.caption for b in section.blocks if isinstance(b, PrintedFigure | PrintedTable)]
        return [*own, *(caption for inner in section.sections for caption in captions(inner))]

    report: PrintedReport = shipped_build.reports["en"]
    found = [caption for section in report.sections for caption in captions(section)]
    assert len(found) > 20
    assert [caption for caption in found if len(caption.split()) > MOST_WORDS] == []


# --- the checker itself --------------------------------------------------------------------------


def document(*blocks: str) -> Any:
    """Pages of 30 lines of 10 pixels: a cover, and a chapter with these blocks."""
    return source(*blocks).render()


def source(*blocks: str) -> weasyprint.HTML:
    cover = '<header style="break-after: page"><p>cover</p></header>'
    body = f'<main><section id="one"><h2>one</h2>{"".join(blocks)}</section></main>'
    return weasyprint.HTML(string=f"<html>{PAPER}<body>{cover}{body}</body></html>")


def lines(count: int, kind: str = "text", words: str = "line") -> str:
    inside = "<br>".join([words] * count)
    return f'<p class="{kind}">{inside}</p>'


def figure(number: int, height: int) -> str:
    label = f'<span class="label">Figure {number}</span>'
    return f'<figure style="height: {height}px"><figcaption>{label} words</figcaption></figure>'


def test_a_good_page_has_no_fault() -> None:
    assert faults(document(lines(3, words="See Figure 1."), figure(1, 80), lines(60))) == []


def test_a_gap_is_found_unless_a_chapter_ends() -> None:
    gap = document(lines(15), '<p class="whole">' + "<br>".join(["line"] * 20) + "</p>")
    (fault,) = faults(gap)
    assert fault.startswith("page 2 is filled to ")
    assert fills(gap)[1] < 0.8
    ended = source(lines(15)).etree_element
    assert ended is not None
    assert (
        faults(document(lines(15), '</section><section id="two" class="whole">', lines(20))) == []
    )


@pytest.mark.parametrize(
    "split",
    [
        lines(20).replace('"text"', '"question"'),
        "<ul>" + "<li>item</li>" * 20 + "</ul>",
        '<div class="table"><table>' + "<tr><td>cell</td></tr>" * 14 + "</table></div>",
    ],
    ids=["box", "list", "table"],
)
def test_what_is_split_is_found(split: str) -> None:
    assert any("goes on on the next page" in f for f in faults(document(lines(22), split)))
    assert faults(document(split)) == []


def test_a_long_table_may_be_split() -> None:
    rows = "<tr><td>cell</td></tr>" * 30
    table = f'<div class="table"><table>{rows}</table></div>'
    assert faults(document(lines(15), table)) == []


def test_a_figure_far_from_its_words_is_found() -> None:
    early = document(figure(1, 200), lines(25), lines(1, words="See Figure 1."))
    assert [f for f in faults(early) if "is spoken of on page 3 first" in f]
    late = document(lines(1, words="See Figure 1."), lines(70), figure(1, 50))
    assert [f for f in faults(late) if "is spoken of on page 2 first" in f]


def test_a_figure_within_a_box_is_found() -> None:
    inside = document(f'<div class="sentences limits">{lines(1)}{figure(1, 50)}</div>')
    assert [f for f in faults(inside) if "is a part of another block" in f]


def test_a_caption_of_many_lines_is_found() -> None:
    long = figure(1, 80).replace("words", "many words " * 60)
    assert [f for f in faults(document(long)) if "a caption of" in f]


# --- what is moved -------------------------------------------------------------------------------


def settled_order(*blocks: str) -> list[str]:
    """The first words of each block, in the order in which they stand at last."""
    html = source(*blocks)
    after = settled(html.etree_element, html.render)
    assert len(after.pages) > 1
    (section,) = html.etree_element.iter("section")
    return [" ".join("".join(block.itertext()).split())[:8] for block in section]


def test_text_fills_a_page_above_a_figure_that_has_no_room() -> None:
    found = settled_order(lines(18), figure(1, 150), lines(20, words="after"))
    assert [words[:5] for words in found] == ["one", "linel", "after", "Figur"]


def test_figures_keep_their_order_and_stay_behind_what_points_to_them() -> None:
    pointer = lines(1, "pointer", "see")
    tall = lines(12) + pointer
    found = settled_order(tall, figure(1, 200), figure(2, 30))
    assert [words[-1] for words in found if words.startswith("Figure")] == ["1", "2"]
    box = '<div class="sentences answers whole">' + lines(20, words="box") + "</div>"
    found = settled_order(lines(12), box, pointer, figure(1, 50))
    assert found.index("see") < next(k for k, words in enumerate(found) if words.startswith("Fig"))


def test_an_introduction_moves_with_what_it_introduces() -> None:
    introduced = lines(1, "introduction", "intro") + '<div class="formula">E = 1</div>'
    found = settled_order(lines(18), figure(1, 150), introduced, lines(9, words="end"))
    assert found[2:4] == ["intro", "E = 1"]


def test_a_figure_goes_up_where_no_text_follows_it() -> None:
    found = settled_order(lines(8), lines(10, words="before"), figure(1, 150))
    assert [words[:6] for words in found] == ["one", "lineli", "Figure", "before"]


@pytest.mark.parametrize(("before", "page"), [(25, 2), (18, 1)], ids=["full", "gap"])
def test_a_question_stands_with_its_answer_unless_that_leaves_a_gap(before: int, page: int) -> None:
    asked = '<section id="inner"><h3>inner</h3>' + lines(1, "question", "asked")
    answer = (
        '<div class="sentences answers whole">' + lines(15, words="answer") + "</div></section>"
    )
    html = source(lines(before), asked + answer)
    _, *pages = pages_of(settled(html.etree_element, html.render))
    (found,) = (
        number
        for number, of in enumerate(pages, start=1)
        if any(
            line.block is not None and "asked" in "".join(line.block.itertext())
            for line in of.lines
        )
    )
    assert found == page


# --- columns of rows -----------------------------------------------------------------------------


def table_of(rows: int, *texts: str) -> PrintedTable:
    row = tuple(PrintedCell(text, numeric=True) for text in texts)
    return PrintedTable("t", "Table 1", "Words.", row, (row,) * rows)


def test_a_long_narrow_table_has_its_rows_side_by_side() -> None:
    assert folds(table_of(6, "1", "2")) == 1
    assert folds(table_of(16, "1", "2")) == 3
    assert folds(table_of(16, "x" * 20, "y" * 20)) == 2
    assert folds(table_of(16, "x" * 60, "y" * 20)) == 1
    assert folds(table_of(0, "1")) == 1


def test_sentences_take_the_whole_line() -> None:
    def explained(text: str) -> PrintedTable:
        row = (PrintedCell("word"), PrintedCell(text))
        return PrintedTable("t", "Table 1", "Words.", row, (row,) * 8)

    assert folds(explained("a value")) == 2
    assert folds(explained("A sentence that explains the word, and takes two lines at least.")) == 1


def test_rows_run_down_one_column_and_then_the_next() -> None:
    rows = [(PrintedCell(str(k)),) for k in range(5)]
    shown = [[cells and cells[0].text for cells in line] for line in folded(rows, 2)]
    assert shown == [["0", "3"], ["1", "4"], ["2", None]]
    assert folded(rows, 1) == [[row] for row in rows]
