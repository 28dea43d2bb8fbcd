"""Lists of figures and tables: on paper, where there are more than 25, with their pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from test_pdf import links, text_of

from labreport.formats.page import paper
from labreport.formats.paper import figure_lists
from labreport.formats.paper.figure_lists import MOST_UNLISTED, first_sentence, listings
from labreport.formats.pdf import render
from labreport.language.catalogue import language
from labreport.render.printed import PrintedFigure, PrintedReport, PrintedSection

CODES = ("zh", "en")


@pytest.mark.parametrize(
    ("caption", "first"),
    [
        ("损失曲线。虚线是下限。", "损失曲线"),
        ("与基准配置的差别（“—”表示与基准相同）", "与基准配置的差别"),
        ("取值 0.5 的损失", "取值 0.5 的损失"),
        ("The variants compared. “Loss@n” is the loss.", "The variants compared"),
        ("Loss at 0.5 and 1. The floor is dashed.", "Loss at 0.5 and 1"),
        ("Loss at each value, ★ marks the best of a column", "Loss at each value"),
        ("What differs (— means as the base)", "What differs"),
        ("", ""),
    ],
)
def test_an_entry_is_the_first_sentence_of_its_caption(caption: str, first: str) -> None:
    assert first_sentence(caption) == first


def report_with(figures: int) -> PrintedReport:
    blocks = tuple(
        PrintedFigure(f"f{k}", f"Figure {k}", "Loss.", b"<svg/>", "") for k in range(figures)
    )
    inner = PrintedSection("inner", "1.1", "Inner", blocks)
    return PrintedReport(
        "en", "en", "T", "", (), "", (), (PrintedSection("s", "1", "S", (), (inner,)),)
    )


def test_few_figures_are_not_listed() -> None:
    assert listings(report_with(MOST_UNLISTED), language("en")) == ()
    # Of tables there are none, and no list.
    (listing,) = listings(report_with(MOST_UNLISTED + 1), language("en"))
    assert [entry.anchor for entry in listing.entries] == [f"f{k}" for k in range(26)]
    assert (listing.entries[0].words, listing.entries[0].where) == ("Loss", "(1.1)")
    assert 'class="listings"' not in paper(report_with(MOST_UNLISTED), language("en"))
    assert 'class="listings"' in paper(report_with(MOST_UNLISTED + 1), language("en"))


def test_each_kind_is_counted_for_itself(shipped_build: Any) -> None:
    """More than 25 of both together, and fewer of each: a reader finds them in the contents."""
    for code in CODES:
        assert listings(shipped_build.reports[code], language(code)) == ()


@pytest.mark.parametrize("code", CODES)
def test_every_figure_and_table_is_listed_with_a_link_and_its_page(
    any_build: Any, code: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(figure_lists, "MOST_UNLISTED", 3)
    found = listings(any_build.reports[code], language(code))
    assert len(found) == 2
    written = tmp_path / "report.pdf"
    written.write_bytes(render(any_build.reports[code], language(code)))
    with pikepdf.open(written) as pdf:
        led_to = links(pdf)
        for listing in found:
            for entry in listing.entries:
                assert entry.anchor in led_to
    text = text_of(written)
    for listing in found:
        for entry in listing.entries:
            words = re.escape("".join((entry.label + entry.words + entry.where).split()))
            assert re.search(rf"{words}\.*\d+", text)


@pytest.mark.parametrize("code", CODES)
def test_a_page_on_a_screen_has_no_lists(shipped_build: Any, code: str) -> None:
    assert "listings" not in re.sub(r"(?s)<style>.*?</style>", "", shipped_build.html(code))
