"""Chinese punctuation on paper: one blank where marks meet, and no mark where none may stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ctypes import c_double
from itertools import pairwise
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from labreport.formats.chinese import CLOSING, OPENING, set_in_chinese
from labreport.formats.page import paper
from labreport.language.catalogue import language


def marked(html: str) -> str:
    """The document with [ ] around each narrow mark."""
    return re.sub(r'<span class="narrow">(.)</span>', r"[\1]", set_in_chinese(html))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("“甲”、“乙”。", "“甲[”][、]“乙[”]。"),
        ("（“甲”）", "（[“]甲[”]）"),
        ("甲（1）；乙", "甲（1[）]；乙"),
        ("<b>甲：</b>“乙”", "<b>甲：</b>“乙”"),
        ("<span>甲：</span> “乙”", "<span>甲[：]</span>“乙”"),
        ("<span>甲：</span> 乙", "<span>甲：</span>乙"),
        ("甲。<a>6</a>", "甲。<a>6</a>"),
        ("<p>甲。</p><p>“乙”</p>", "<p>甲。</p><p>“乙”</p>"),
        ("<p>甲。\n</p> <p>乙", "<p>甲。\n</p> <p>乙"),
        ('<img alt="“甲”、“乙”">', '<img alt="“甲”、“乙”">'),
        ("<code>（“甲”）； </code>（“乙", "<code>（“甲”）； </code>（[“]乙"),
        ("<pre>”、\n</pre>", "<pre>”、\n</pre>"),
        ("a, b (c); d", "a, b (c); d"),
        ("", ""),
    ],
)
def test_where_marks_meet_one_is_narrow(written: str, expected: str) -> None:
    assert marked(written) == expected


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """The last and the next first character at every end of a line, page by page."""
    document = pypdfium2.PdfDocument(path)
    try:
        for page in document:
            text = page.get_textpage()
            characters = [
                (character, *text.get_charbox(place, loose=True))
                for place in range(text.count_chars())
                if (character := text.get_text_range(place, 1)).strip()
            ]
            for last, first in pairwise(characters):
                # Further to the left and below: the text has begun a new line.
                if first[1] <= last[1] and first[4] < last[2] + 1.5:
                    yield last[0], first[0]
    finally:
        document.close()


def misplaced(path: Path) -> list[tuple[str, str]]:
    return [(a, b) for a, b in lines(path) if a in OPENING or b in CLOSING]


def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one(shipped_build: Any) -> None:
    assert len(list(lines(shipped_build.pdf("zh")))) > 500
    assert misplaced(shipped_build.pdf("zh")) == []


def test_a_mark_out_of_its_place_would_be_found(tmp_path: Path) -> None:
    import weasyprint

    path = tmp_path / "wrong.pdf"
    weasyprint.HTML(string="<p>实验（<br>甲<br>。乙").write_pdf(path)
    assert misplaced(path) == [("（", "甲"), ("甲", "。")]


def test_narrow_marks_are_half_as_wide(shipped_build: Any) -> None:
    """In the PDF, not only in the document: between “）” and “；” is one blank."""
    document = pypdfium2.PdfDocument(shipped_build.pdf("zh"))
    steps: dict[str, set[float]] = {"；": set(), "": set()}
    for page in document:
        text = page.get_textpage()
        for place in range(text.count_chars() - 1):
            mark, following = text.get_text_range(place, 1), text.get_text_range(place + 1, 1)
            is_word = "\u4e00" <= following <= "\u9fff"
            if mark == "）" and (following == "；" or is_word):
                step = round(origin(text, place + 1) - origin(text, place), 1)
                steps["" if is_word else following].add(step)
    document.close()
    # In the size of the text half a character against a whole one.
    assert all(steps.values())
    assert max(steps["；"]) < 5.5 < 9.9 < max(steps[""])


def origin(text: pypdfium2.PdfTextPage, place: int) -> float:
    x, y = c_double(), c_double()
    assert pypdfium2.raw.FPDFText_GetCharOrigin(text, place, x, y)
    return x.value


def test_only_a_report_in_chinese_is_set_so(shipped_build: Any) -> None:
    documents = {c: paper(shipped_build.reports[c], language(c)) for c in ("zh", "en")}
    assert documents["zh"].count('<span class="narrow">') > 150
    assert '<span class="narrow">' not in documents["en"]
