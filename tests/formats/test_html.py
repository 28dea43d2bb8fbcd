"""report.html: one whole file, well formed, that fetches nothing and runs one script of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hostile_texts import HOSTILE_FORMULA
from pages import Page, check_closed_off, edition

from labreport.formats.html import render
from labreport.language.catalogue import language
from labreport.render.drawing_cache import DrawingCache
from labreport.render.printing import print_report

CODES = ("zh", "en")


@pytest.fixture(params=CODES)
def code(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def page(shipped_build: Any, code: str) -> Page:
    return Page(edition(shipped_build.html(code), code))


@pytest.fixture
def whole(shipped_build: Any, code: str) -> Page:
    return Page(shipped_build.html(code))


def test_page_is_closed_off(shipped_build: Any, code: str) -> None:
    check_closed_off(shipped_build.html(code))


def test_page_with_both_languages_is_small_enough_to_send(shipped_build: Any, code: str) -> None:
    assert len(shipped_build.html(code).encode()) < 2_000_000


def test_page_begins_and_ends_as_a_page(shipped_build: Any, code: str) -> None:
    text = shipped_build.html(code)
    assert text.startswith("<!DOCTYPE html>\n<html lang=")
    assert text.rstrip().endswith("</html>")
    assert "\r" not in text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text)


LANGUAGES = {"zh": "zh-CN", "en": "en"}


def test_language_encoding_and_title(whole: Page, code: str, shipped_build: Any) -> None:
    assert whole.of("html") == [{"lang": LANGUAGES[code]}]
    assert whole.elements[2] == ("meta", {"charset": "utf-8"})
    titles = [data for tag, data in whole.words if tag in ("title", "h1")]
    others = [other for other in CODES if other != code]
    assert titles == [shipped_build.reports[c].title for c in (code, code, *others)]


def test_every_page_has_all_languages_its_own_in_front(whole: Page, code: str) -> None:
    others = [other for other in CODES if other != code]
    assert [a["lang"] for a in whole.of("article")] == [LANGUAGES[c] for c in (code, *others)]
    switches = [a for a in whole.of("a") if a.get("class") == "language-switch"]
    assert [a["href"] for a in switches] == [f"#{c}" for c in (*others, code)]


def test_identifiers_are_unique_and_links_lead_to_them(whole: Page, page: Page, code: str) -> None:
    identifiers = [a["id"] for _, a in whole.elements if "id" in a]
    assert len(set(identifiers)) == len(identifiers)
    links = [a["href"] for tag, a in whole.elements if "href" in a and tag != "image"]
    assert len(links) > 15
    # Links stay in their language, but for those that lead to another one.
    own = {a["id"] for _, a in page.elements if "id" in a}
    inside = [a for a in page.of("a") if a.get("class") != "language-switch"]
    assert {a["href"].removeprefix("#") for a in inside} <= own
    assert {link.removeprefix("#") for link in links} <= set(identifiers)


def test_every_picture_has_words_and_its_parts(whole: Page, page: Page, code: str) -> None:
    pictures = page.of("svg")
    assert len(pictures) == len(page.of("figure")) > 11
    assert all(picture["role"] == "img" for picture in pictures)
    assert all(len(picture["aria-label"]) > 8 for picture in pictures)
    names = {a["id"] for _, a in whole.elements if "id" in a}
    referred = re.findall(
        r"url\(#([^)]+)\)", " ".join(v for _, a in page.elements for v in a.values())
    )
    assert set(referred) <= names


def test_every_figure_table_formula_and_claim_has_a_link_to_itself(page: Page) -> None:
    links = [a for a in page.of("a") if a.get("class") == "here"]
    assert all(a["aria-label"] for a in links)
    places = [a["id"] for tag, a in page.elements if "id" in a and tag != "article"]
    wanted = {*places} - {"text", "contents", "key-answers"}
    assert {a["href"].removeprefix("#") for a in links} == wanted


def test_formulas_are_mathml(page: Page) -> None:
    assert (
        len(page.of("math")) == sum(1 for a in page.of("div") if a.get("class") == "formula") > 15
    )
    assert all(a == {"display": "block"} for a in page.of("math"))


def test_curves_are_on_the_page_as_numbers(shipped_build: Any, code: str) -> None:
    page = edition(shipped_build.html(code), code)
    plots = [json.loads(text) for text in re.findall(r'class="plot">([^<]*)<', page)]
    assert len(plots) > 7
    for plot in plots:
        assert plot["places"] == sorted(plot["places"])
        for line in plot["lines"]:
            assert len(line["values"]) == len(plot["places"]) <= 200
    # The first experiment's last losses, as its table has them.
    assert [f"{line['values'][-1]:.4g}" for line in plots[0]["lines"]][:2] == ["0.0289", "0.003184"]


def test_course_of_the_base_run_is_on_the_page(shipped_build: Any, code: str) -> None:
    page = edition(shipped_build.html(code), code)
    (course,) = [json.loads(text) for text in re.findall(r'class="run">([^<]*)<', page)]
    trace = shipped_build.measured.base.trace
    assert course["rounds"][0] == 0
    assert course["rounds"][-1] == trace.rounds
    assert course["names"] == [f"w{k}" for k in range(1, 9)]
    assert course["weights"][0] == [0.2, -0.4, 0.5, 0.6, 0.1, -0.5, -0.3, 0.8]
    assert course["units"][0][0] == [0.5, 0.3]
    assert course["losses"][-1] == pytest.approx(float(trace.losses[-1]), rel=1e-3)
    edges = [tuple(edge[k] for k in ("layer", "source", "target")) for edge in course["edges"]]
    by_name = {
        course["names"][e["parameter"]]: p for e, p in zip(course["edges"], edges, strict=True)
    }
    assert by_name["w1"] == (0, 0, 0)
    assert by_name["w2"] == (0, 0, 1)
    assert by_name["w7"] == (1, 1, 0)
    surface = course["surface"]
    assert len(surface["losses"]) == len(surface["horizontal"]) * len(surface["vertical"])
    assert surface["path"][-1] == [0, 0]
    assert surface["share"] > 0.9


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
    for statement in (s for answer in report.answers for s in answer.statements):
        assert plain(statement.text) in words
    for field in report.cover:
        assert plain(field.name) in words
        assert plain(field.value) in words


_NO_SUPERSCRIPTS = str.maketrans("⁻⁽⁾⁰¹²³⁴⁵⁶⁷⁸⁹", "−()0123456789")


def test_numbers_of_the_exercise_are_on_the_page(page: Page) -> None:
    words = page.text
    for number in ("0.2097", "0.02346", "0.006605", "0.02890", "0.002450", "−445.8"):
        assert number in words, number
    assert "RuntimeError: all elements of target should be between 0 and 1" in words


def test_every_character_is_in_the_font_that_ships(page: Page) -> None:
    from fontTools.ttLib import TTFont

    from labreport.render.figures.style import font_path

    known = TTFont(font_path()).getBestCmap()
    unknown = {c for c in page.text if c.isprintable() and not c.isspace() and ord(c) not in known}
    assert unknown == set()


# --- evidence ----------------------------------------------------------------------------------


def test_evidence_stands_beside_each_sentence(page: Page, code: str, shipped_build: Any) -> None:
    numbers = [c.number for c in shipped_build.measured.claims if c.number]
    own = [a["id"] for tag, a in page.elements if tag in ("li", "span") and "id" in a]
    claims = [name for name in own if name.startswith("claim-")]
    assert claims == [f"claim-{number}" for number in numbers]
    details = [a for tag, a in page.elements if tag == "details"]
    assert details == [{"class": "evidence"}] * len(numbers)
    words = {"zh": "依据", "en": "evidence"}[code]
    marks = [data for tag, data in page.words if tag == "summary"]
    assert marks == [f"{words} {number}" for number in numbers]


def test_what_is_quoted_leads_to_its_evidence(page: Page, shipped_build: Any, code: str) -> None:
    links = [a["href"] for a in page.of("a") if a.get("class") == "evidence"]
    answers = shipped_build.reports[code].answers
    quoted = [s for answer in answers for s in answer.statements]
    assert links == [f"#{s.evidence.anchor}" for s in quoted]


def test_a_page_has_no_appendix_of_notes_even_where_they_are_asked_for(
    shipped_build: Any, code: str
) -> None:
    words = language(code)
    with_notes = print_report(shipped_build.tree, words, cache=DrawingCache(), with_evidence=True)
    assert with_notes.notes
    html = render([(with_notes, words)]).decode()
    assert 'id="evidence"' not in html
    assert with_notes.notes.title not in html


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
    page = Page(edition(text, code))
    check_closed_off(text)
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
        check_closed_off(built.html(code))
        page = Page(edition(built.html(code), code))
        # Title, heading, cover, purpose, question, … and in the alternative text of pictures.
        shown = " ".join(page.text.split())
        assert shown.count(" ".join(text.split())) >= 8
        assert any(
            " ".join(text.split()) in " ".join(a["aria-label"].split()) for a in page.of("svg")
        )
