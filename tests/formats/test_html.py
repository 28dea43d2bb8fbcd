"""report.html: one whole file, well formed, that fetches nothing and runs nothing."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from hostile_texts import HOSTILE_FORMULA

from labreport.report.language import language

CODES = ("zh", "en")
VOID = {"meta", "br", "hr", "img", "link", "input"}
ALLOWED = {
    "html", "head", "body", "meta", "title", "style", "header", "nav", "main", "section", "div",
    "h1", "h2", "h3", "h4", "h5", "h6", "p", "span", "a", "ol", "ul", "li", "dl", "dt", "dd",
    "table", "caption", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "img", "pre",
    "br", "hr", "sup", "em", "strong", "code", "blockquote", "details", "summary",
}  # fmt: skip


class Page(HTMLParser):
    """A page whose every element is closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.words: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == [], "elements that were never closed"

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attributes]
        assert len(set(names)) == len(names), f"an attribute twice in <{tag}>"
        self.elements.append((tag, {name: value or "" for name, value in attributes}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append((self.open[-1] if self.open else "", data))

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return "".join(data for tag, data in self.words if tag != "style")


@pytest.fixture(params=CODES)
def code(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def page(shipped_build: Any, code: str) -> Page:
    return Page(shipped_build.html(code))


def check_closed_off(page: Page) -> None:
    """Nothing runs, nothing is fetched, nothing leads away."""
    assert {tag for tag, _ in page.elements} <= ALLOWED
    for tag, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes), tag
        for name, value in attributes.items():
            if name in ("src", "href", "srcset", "action", "data", "poster", "background"):
                start = "#" if tag == "a" else "data:image/svg+xml;base64,"
                assert value.startswith(start), (tag, name)
    styles = [data for tag, data in page.words if tag == "style"]
    for style in (*styles, *(a.get("style", "") for _, a in page.elements)):
        assert not re.search(r"url\(|@import|expression|<", style)
    (policy,) = (m["content"] for m in page.of("meta") if "http-equiv" in m)
    assert policy.startswith("default-src 'none';")
    assert "script" not in policy


def test_page_is_closed_off(page: Page) -> None:
    check_closed_off(page)


def test_page_begins_and_ends_as_a_page(shipped_build: Any, code: str) -> None:
    text = shipped_build.html(code)
    assert text.startswith("<!DOCTYPE html>\n<html lang=")
    assert text.rstrip().endswith("</html>")
    assert "\r" not in text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text)


def test_language_encoding_and_title(page: Page, code: str, shipped_build: Any) -> None:
    assert page.of("html") == [{"lang": {"zh": "zh-CN", "en": "en"}[code]}]
    assert page.elements[2] == ("meta", {"charset": "utf-8"})
    titles = [data for tag, data in page.words if tag in ("title", "h1")]
    assert titles == [shipped_build.reports[code].title] * 2


def test_identifiers_are_unique_and_links_lead_to_them(page: Page) -> None:
    identifiers = [a["id"] for _, a in page.elements if "id" in a]
    assert len(set(identifiers)) == len(identifiers)
    links = [a["href"] for a in page.of("a")]
    assert len(links) > 15
    assert {link.removeprefix("#") for link in links} <= set(identifiers)


def test_every_picture_is_whole_and_has_words(page: Page) -> None:
    pictures = page.of("img")
    assert len(pictures) > 20
    for picture in pictures:
        assert len(picture["alt"]) > 8
        svg = base64.b64decode(picture["src"].partition(",")[2], validate=True)
        assert ElementTree.fromstring(svg).tag.endswith("}svg")


def test_headings_go_down_one_level_at_a_time(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_have_captions_and_scoped_heads(page: Page) -> None:
    assert len(page.of("caption")) == len(page.of("table")) > 10
    assert all(a.get("scope") in ("row", "col") for a in page.of("th"))


def test_all_that_is_composed_is_on_the_page(page: Page, code: str, shipped_build: Any) -> None:
    words = " ".join(page.text.split())

    def plain(text: str) -> str:
        return " ".join(text.translate(_NO_SUPERSCRIPTS).split())

    def check(section: Any) -> None:
        assert plain(section.title) in words
        for block in section.blocks:
            texts = [getattr(block, name, "") for name in ("text", "heading", "caption", "label")]
            texts += [item.text for item in getattr(block, "items", ())]
            for row in getattr(block, "rows", ()):
                texts += [cell.text for cell in row]
            for text in texts:
                assert plain(text) in words
        for inner in section.sections:
            check(inner)

    report = shipped_build.reports[code]
    for section in report.sections:
        check(section)
    for finding in report.findings:
        assert plain(finding.statement.text) in words
    for name, value in report.cover:
        assert plain(name) in words
        assert plain(value) in words


_NO_SUPERSCRIPTS = str.maketrans("⁻⁽⁾⁰¹²³⁴⁵⁶⁷⁸⁹", "−()0123456789")


def test_numbers_of_the_exercise_are_on_the_page(page: Page) -> None:
    words = page.text
    for number in ("0.2097", "0.02346", "0.006605", "0.02890", "0.002450", "−445.3"):
        assert number in words, number
    assert "RuntimeError: all elements of target should be between 0 and 1" in words


def test_every_character_is_in_the_font_that_ships(page: Page) -> None:
    from fontTools.ttLib import TTFont

    from labreport.report.figures.style import font_path

    known = TTFont(font_path()).getBestCmap()
    unknown = {c for c in page.text if c.isprintable() and not c.isspace() and ord(c) not in known}
    assert unknown == set()


# --- evidence ----------------------------------------------------------------------------------


def test_evidence_stands_beside_each_sentence(page: Page, code: str, shipped_build: Any) -> None:
    numbers = [c.number for c in shipped_build.measured.claims if c.number]
    claims = [a["id"] for tag, a in page.elements if tag == "li" and "id" in a]
    assert claims == [f"claim-{number}" for number in numbers]
    details = [a for tag, a in page.elements if tag == "details"]
    assert details == [{"class": "evidence"}] * len(numbers)
    words = {"zh": "依据", "en": "evidence"}[code]
    marks = [data for tag, data in page.words if tag == "summary"]
    assert marks == [f"{words} {number}" for number in numbers]


def test_what_is_quoted_leads_to_its_evidence(page: Page, shipped_build: Any, code: str) -> None:
    links = [a["href"] for a in page.of("a") if a.get("class") == "evidence"]
    findings = shipped_build.reports[code].findings
    assert links[: len(findings)] == [f"#{f.statement.evidence.anchor}" for f in findings]
    assert len(links) == len(findings)


def test_paper_alone_has_the_appendix_of_notes(page: Page, code: str, shipped_build: Any) -> None:
    assert "evidence" not in [a["id"] for _, a in page.elements if "id" in a]
    assert shipped_build.reports[code].notes.title not in page.text


@pytest.mark.usefixtures("made_up")
@pytest.mark.parametrize("code", CODES)
def test_evidence_has_values_formulas_runs_and_thresholds(
    build_pages: Callable[..., Any], base_text: str, code: str
) -> None:
    label = '</code><b onclick="x">'
    built = build_pages(
        base_text
        + '[experiment.a]\ntitle = "A"\nchange.initial.scheme = "pytorch"\nseeds = 5\n'
        + f'[[experiment.a.variant]]\nname = "one"\nlabel = {toml(label)}\n'
    )
    text = built.html(code)
    page = Page(text)
    check_closed_off(page)
    results = built.measured.experiments[0].results
    runs = [result.run.name for result in results]
    shown = " ".join(page.text.split())
    assert f"{float(results[0].losses[10])!r}" in shown
    assert f"r1 = {runs[0][:12]}" in shown
    assert f"r3 = {runs[2][:12]}" in shown
    assert runs[3][:12] not in shown
    code_words = [data for tag, data in page.words if tag == "code"]
    # Once for the answer, once for the finding after it.
    assert code_words.count("losses[10]") == code_words.count("argmin(losses)") == 2
    assert code_words.count(f"OVERSHOOT < 2 and not {HOSTILE_FORMULA}") == 2
    assert re.search(r"OVERSHOOT = 1\.5", shown)
    assert language(code).text("rule.overshoot") in shown
    assert "<script" not in text


# --- hostile input -----------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; alert(1); '",
    "</style><script>x()</script>",
    "</title></head><body onload=x()>",
    "{{ report.title }}{% include 'x' %}",
    "{0} {subject} %s $HOME `id`",
    "&lt;b&gt; &amp; &#60;i&#62;",
    "<!-- x --> <![CDATA[x]]>",
    "javascript:alert(1)",
    "]]></svg>",
    "\\0 \\u0041 C:\\new\\table",
    "W" * 900,
    "شارع العربية reversed עברית",
    "ﷺ 𝒜 ½ ™ 👩‍🔬 e\u0301",
    "tab\tand\nline",
]


def toml(text: str) -> str:
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
    return '"' + "".join(escapes.get(c, c) for c in text) + '"'


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_of_the_author_stays_text(
    text: str, build_pages: Callable[..., Any], base_text: str
) -> None:
    written = toml(text)
    lab = f"check_fonts = false\n{base_text}[cover]\ntitle = {written}\ncourse = {written}\n"
    lab += f"student = {written}\n[purpose]\nzh = {written}\nen = {written}\n"
    lab += f"[experiment.a]\ntitle = {written}\nquestion = {written}\n"
    lab += f'[[experiment.a.variant]]\nname = "one"\nlabel = {written}\n'
    lab += '[[experiment.a.variant]]\nname = "two"\nchange.optimizer.learning_rate = 2.0\n'
    lab += f"[appendix.b]\ntitle = {written}\nchange.rounds = 5\n"
    built = build_pages(lab, {"a.md": text, "reflection.md": text})
    for code in CODES:
        page = Page(built.html(code))
        check_closed_off(page)
        # Title, heading, cover, purpose, question, … and in the alternative text of pictures.
        shown = " ".join(page.text.split())
        assert shown.count(" ".join(text.split())) >= 8
        assert any(" ".join(text.split()) in " ".join(a["alt"].split()) for a in page.of("img"))
