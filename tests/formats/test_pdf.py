"""report.pdf: tagged, in its language, with an outline, its own fonts, and words to be found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from hostile_texts import HOSTILE_FORMULA
from pages import edition

from labreport.errors import BuildError
from labreport.formats.pdf import CODE_FONT_URL, FONT_URL, _fetcher, render
from labreport.formats.table import ATTACHED, AttachedFile
from labreport.language.catalogue import language
from labreport.render.drawing_cache import DrawingCache
from labreport.render.printing import print_report
from labreport.report.json_form import to_json

CODES = ("zh", "en")
NOWHERE = "\U0010fff0"
"""A private character, to which no font gives a shape."""

LAB = '[experiment.a]\ntitle.zh = "甲"\ntitle.en = "A"\n'


@pytest.fixture(params=CODES)
def code(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def pdf(shipped_build: Any, code: str) -> Iterator[pikepdf.Pdf]:
    with pikepdf.open(shipped_build.pdf(code)) as opened:
        yield opened


def text_of(path: Path) -> str:
    """All text, without the spaces and line breaks that layout puts in."""
    document = pypdfium2.PdfDocument(path)
    try:
        pages = [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()
    return squeezed("".join(pages))


def squeezed(text: str) -> str:
    text = text.translate(str.maketrans("⁻⁽⁾⁰¹²³⁴⁵⁶⁷⁸⁹", "−()0123456789"))
    return re.sub(r"[\s\u0002\ufffe\u00ad]+", "", text)


def structure(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Dictionary]:
    """Every element of the structure tree."""

    def below(item: Any) -> Iterator[pikepdf.Dictionary]:
        if isinstance(item, pikepdf.Array):
            for part in item:
                yield from below(part)
        elif isinstance(item, pikepdf.Dictionary) and "/S" in item:
            yield item
            if "/K" in item:
                yield from below(item.K)

    yield from below(pdf.Root.StructTreeRoot.K)


def outline(pdf: pikepdf.Pdf) -> list[str]:
    def titles(items: Any) -> Iterator[str]:
        for item in items:
            yield str(item.title)
            yield from titles(item.children)

    with pdf.open_outline() as opened:
        return list(titles(opened.root))


# --- the document ------------------------------------------------------------------------------


def test_document_is_tagged_titled_and_in_its_language(
    pdf: pikepdf.Pdf, code: str, shipped_build: Any
) -> None:
    assert str(pdf.Root.Lang) == {"zh": "zh-CN", "en": "en"}[code]
    assert pdf.Root.MarkInfo.Marked == True  # noqa: E712 - a PDF object, not a bool
    assert str(pdf.docinfo["/Title"]) == shipped_build.reports[code].title
    assert pdf.Root.ViewerPreferences.DisplayDocTitle == True  # noqa: E712
    with pdf.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"] == shipped_build.reports[code].title
    assert 10 < len(pdf.pages) < 60


def test_nothing_in_it_tells_when_or_where_it_was_made(pdf: pikepdf.Pdf) -> None:
    assert "/CreationDate" not in pdf.docinfo
    assert "/ModDate" not in pdf.docinfo
    for value in pdf.docinfo.values():
        assert not re.search(r"/tmp|/home|20\d\d", str(value))


def test_document_runs_and_opens_nothing(pdf: pikepdf.Pdf) -> None:
    assert "/OpenAction" not in pdf.Root
    assert "/AA" not in pdf.Root
    assert "/JavaScript" not in pdf.Root.get("/Names", pikepdf.Dictionary())
    for page in pdf.pages:
        for annotation in page.get("/Annots", pikepdf.Array()):
            action = annotation.get("/A")
            assert action is None or str(action.S) == "/GoTo"


def test_outline_is_the_table_of_contents(pdf: pikepdf.Pdf, code: str, shipped_build: Any) -> None:
    def titles(sections: Any) -> Iterator[str]:
        for section in sections:
            yield f"{section.number} {section.title}"
            yield from titles(section.sections)

    report = shipped_build.reports[code]
    found = outline(pdf)
    assert found[0] == report.title
    # Behind the aim stand the answers in short and the contents, which have no number.
    told = [" ".join(title.split()) for title in (found[1], *found[4:])]
    assert told == list(titles(report.sections))


def test_structure_has_headings_tables_lists_and_figures(
    pdf: pikepdf.Pdf, code: str, shipped_build: Any
) -> None:
    kinds = [str(element.S) for element in structure(pdf)]
    assert {"/H1", "/H2", "/H3", "/Table", "/TR", "/TH", "/TD", "/L", "/LI", "/Figure"} <= set(
        kinds
    )
    page = edition(shipped_build.html(code), code)
    # A table that is split is one on each of its pages.
    assert page.count("<table") <= kinds.count("/Table") <= 2 * page.count("<table")
    assert kinds.count("/Figure") >= page.count("<figure")
    assert kinds.count("/Formula") == page.count("<math")


def test_every_figure_has_words(pdf: pikepdf.Pdf, code: str, shipped_build: Any) -> None:
    figures = [element for element in structure(pdf) if str(element.S) in ("/Figure", "/Formula")]
    assert all("/Alt" in figure for figure in figures)
    said = {str(figure.Alt) for figure in figures}

    def blocks(sections: Any) -> Iterator[Any]:
        for section in sections:
            yield from section.blocks
            yield from blocks(section.sections)

    for block in blocks(shipped_build.reports[code].sections):
        words = getattr(block, "alternative", None) or getattr(block, "latex", None)
        assert words is None or words in said


def test_every_font_is_embedded(pdf: pikepdf.Pdf) -> None:
    found = 0
    for page in pdf.pages:
        for font in (page.Resources.get("/Font") or {}).values():
            inner = font.DescendantFonts[0] if "/DescendantFonts" in font else font
            assert any(key.startswith("/FontFile") for key in inner.FontDescriptor.keys())  # noqa: SIM118
            assert "/ToUnicode" in font
            found += 1
    assert found > 10


def test_all_that_is_said_can_be_found_and_copied(code: str, shipped_build: Any) -> None:
    text = text_of(shipped_build.pdf(code))
    report = shipped_build.reports[code]
    missing = []

    def check(section: Any) -> None:
        texts = [section.title]
        for block in section.blocks:
            texts += [getattr(block, name, "") for name in ("text", "caption", "label")]
            texts += [item.text for item in getattr(block, "items", ())]
        # A page may end within a text, and has a head and a foot of its own.
        missing.extend(t for t in texts if squeezed(t) not in text)
        for inner in section.sections:
            check(inner)

    for section in report.sections:
        check(section)
    assert len(missing) < 8
    # A cell may end on the next page.
    short = [s.text for answer in report.answers for s in answer.statements]
    assert sum(squeezed(t) in text for t in short) > len(short) - 4
    for number in ("0.2097", "0.02346", "0.006605", "0.02890", "0.002450", "−445.8"):
        assert number in text
    assert squeezed("all elements of target should be between 0 and 1") in text


def test_pages_are_numbered(code: str, shipped_build: Any) -> None:
    document = pypdfium2.PdfDocument(shipped_build.pdf(code))
    count = len(document)
    third = squeezed(document[2].get_textpage().get_text_range())
    document.close()
    expected = {"zh": f"第3页，共{count}页", "en": f"Page3of{count}"}
    assert expected[code] in third


# --- attached files ----------------------------------------------------------------------------

RELATIONSHIPS = {
    "experiments.toml": "/Source",
    "observations.json": "/Data",
    "report.tree.json": "/Alternative",
    "runs.csv": "/Data",
}


def test_files_that_a_pdf_carries_are_those_that_were_written(
    pdf: pikepdf.Pdf, code: str, shipped_build: Any
) -> None:
    written = {name: shipped_build.output / name for name in ("observations.json", "runs.csv")}
    contents = {name: path.read_bytes() for name, path in written.items()}
    contents["experiments.toml"] = shipped_build.path.read_bytes()
    contents["report.tree.json"] = f"{to_json(shipped_build.tree)}\n".encode()
    assert list(pdf.attachments) == sorted(contents)
    for name, content in contents.items():
        found = pdf.attachments[name]
        assert found.get_file().read_bytes() == content
        assert found.get_file().creation_date is found.get_file().mod_date is None
        assert found.description == language(code).text(f"attached.{name}")
        assert found.obj.UF == found.obj.F == name
    assert {str(f.F): str(f.AFRelationship) for f in pdf.Root.AF} == RELATIONSHIPS


def test_a_lab_of_another_name_is_carried_as_it_was_read(small_build: Any) -> None:
    written = small_build.path.read_text(encoding="utf-8")
    assert written.startswith("\ufeff")
    with pikepdf.open(small_build.pdf("zh")) as pdf:
        carried = pdf.attachments["experiments.toml"].get_file().read_bytes()
    assert carried == written.removeprefix("\ufeff").encode()


# --- evidence ----------------------------------------------------------------------------------


def destinations(pdf: pikepdf.Pdf) -> set[str]:
    names = pikepdf.NameTree(pdf.Root.Names.Dests)
    return {str(name) for name in names}


def links(pdf: pikepdf.Pdf) -> list[str]:
    """Names of places in the document that its links lead to, page by page."""
    found = []
    for page in pdf.pages:
        for annotation in page.get("/Annots", pikepdf.Array()):
            if annotation.get("/Subtype") == "/Link":
                action = annotation.get("/A")
                found.append(str(annotation.Dest if action is None else action.D))
    return found


def test_what_is_quoted_leads_to_where_it_is_told(
    pdf: pikepdf.Pdf, code: str, shipped_build: Any
) -> None:
    numbers = {c.number for c in shipped_build.measured.claims if c.number}
    there, led_to = destinations(pdf), links(pdf)
    assert {name for name in there if name.startswith("claim-")} <= {f"claim-{n}" for n in numbers}
    answers = shipped_build.reports[code].answers
    quoted = [s.evidence.anchor for answer in answers for s in answer.statements]
    assert [name for name in led_to if name.startswith("claim-")] == quoted
    assert "evidence" not in there
    assert not any(name.startswith("note-") for name in there)
    assert set(led_to) <= there


@pytest.fixture(scope="module", params=CODES)
def with_evidence(
    any_build: Any, request: pytest.FixtureRequest
) -> Iterator[tuple[pikepdf.Pdf, Any]]:
    words = language(request.param)
    report = print_report(any_build.tree, words, cache=DrawingCache(), with_evidence=True)
    with pikepdf.open(BytesIO(render(report, words))) as opened:
        yield opened, report


def test_every_statement_has_a_note_and_every_note_leads_back(
    with_evidence: tuple[pikepdf.Pdf, Any], any_build: Any
) -> None:
    pdf, report = with_evidence
    assert outline(pdf)[-1] == f"{report.notes.number} {report.notes.title}"
    numbers = {c.number for c in any_build.measured.claims if c.number}
    assert len(numbers) > 10
    there, led_to = destinations(pdf), links(pdf)
    for kind in ("note", "claim"):
        assert {name for name in there if name.startswith(f"{kind}-")} == {
            f"{kind}-{number}" for number in numbers
        }
        assert {name for name in led_to if name.startswith(f"{kind}-")} == {
            f"{kind}-{number}" for number in numbers
        }
    # A finding that opens the report has the number of its note there as well.
    assert len([name for name in led_to if name.startswith("note-")]) > len(numbers)
    assert set(led_to) <= there


@pytest.mark.usefixtures("made_up")
def test_notes_have_values_formulas_runs_and_thresholds(
    build_lab: Callable[..., Any], base_text: str
) -> None:
    built = build_lab(base_text + LAB, evidence=True)
    run = built.measured.experiments[0].results[0].run
    for code in CODES:
        text = text_of(built.pdf(code))
        value = f"{float(run.trace.losses[10])!r}"
        assert re.search(rf"{value}\D*=losses\[10\]", text)
        assert squeezed(f"r1 = {run.name[:12]}") in text
        assert squeezed(f"OVERSHOOT < 2 and not {HOSTILE_FORMULA}") in text
        assert "OVERSHOOT=1.5" in text
        with pikepdf.open(built.pdf(code)) as pdf:
            fonts = [
                str(font.BaseFont)
                for page in pdf.pages
                for font in (page.Resources.get("/Font") or {}).values()
            ]
        assert {name.partition("+")[2] for name in fonts} == {"Report", "Report-Code"}


def test_a_second_rendering_gives_the_same_bytes(any_build: Any, code: str) -> None:
    with pikepdf.open(any_build.pdf(code)) as pdf:
        contents = {name: a.get_file().read_bytes() for name, a in pdf.attachments.items()}
    attached = [AttachedFile(*row, contents[row[0]]) for row in ATTACHED]
    again = render(any_build.reports[code], language(code), attached)
    assert again == any_build.pdf(code).read_bytes()


# --- hostile input -----------------------------------------------------------------------------


def toml(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


HOSTILE = [
    "<script>alert(1)</script>",
    "</style></title>\"'><b>",
    "{{ x }} {0} %s \\ $a$",
    "&lt;i&gt; <!-- --> ]]>",
    "W" * 300,
    "שלום العربية",
    '"); } @page { size: 1mm } /*',
]


def test_text_of_the_author_stays_text(build_lab: Callable[..., Any], base_text: str) -> None:
    title = HOSTILE[1]
    lab = f"{base_text}[cover]\ntitle = {toml(title)}\ncourse = {toml(HOSTILE[-1])}\n"
    lab += f"student = {toml(HOSTILE[0])}\n[experiment.a]\ntitle = {toml(HOSTILE[3])}\n"
    for index, text in enumerate(HOSTILE):
        lab += f'[[experiment.a.variant]]\nname = "v{index}"\nlabel = {toml(text)}\n'
        lab += f"change.optimizer.learning_rate = {index + 1}.0\n"
    built = build_lab(lab, {"a.md": "# " + HOSTILE[0] + "\n\n" + "\n\n".join(HOSTILE)})
    for code in CODES:
        with pikepdf.open(built.pdf(code)) as pdf:
            assert str(pdf.docinfo["/Title"]) == title
            assert "/JavaScript" not in pdf.Root.get("/Names", pikepdf.Dictionary())
            assert [float(x) for x in pdf.pages[0].MediaBox] == pytest.approx(
                [0, 0, 595.28, 841.89], abs=0.01
            )
            # The student's heading stands below the experiment's, and is no chapter.
            titles = outline(pdf)
            assert HOSTILE[0] in titles
            assert titles.index(HOSTILE[0]) == 1 + max(
                i for i, t in enumerate(titles) if t.endswith(HOSTILE[3])
            )
        text = text_of(built.pdf(code))
        for hostile in HOSTILE[:5]:
            assert squeezed(hostile) in text


def test_a_character_that_turns_out_to_have_no_glyph_is_an_error(
    build_lab: Callable[..., Any], base_text: str, tmp_path: Path
) -> None:
    # Written by its number, it is first met when the page is typeset.
    note = {"reflection.md": f"王&#{ord(NOWHERE)};"}
    with pytest.raises(BuildError) as caught:
        build_lab(base_text + LAB, note)
    (fault,) = caught.value.faults
    assert fault.code == "missing-glyphs"
    assert "U+10FFF0" in str(fault.values["characters"])
    assert caught.value.exit_code == 1
    # What was trained is kept; no report pretends to be whole.
    assert [p.name for p in (tmp_path / "output").iterdir()] == ["runs"]


def test_a_character_without_a_glyph_can_be_allowed(
    build_lab: Callable[..., Any], base_text: str
) -> None:
    built = build_lab(f'check_fonts = false\n{base_text}[cover]\nstudent = "王{NOWHERE}"\n{LAB}')
    assert NOWHERE in built.html("zh")
    assert built.pdf("zh").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "file:/etc/passwd",
        "http://127.0.0.1/x.png",
        "https://example.com/x.png",
        "ftp://example.com/x",
        "//example.com/x",
        "/etc/passwd",
        "labreport:other",
        "LABREPORT:FONT",
        "",
    ],
)
def test_nothing_is_fetched(url: str) -> None:
    with pytest.raises(ValueError, match="fetches nothing"):
        _fetcher().fetch(url)


def test_what_is_in_the_page_itself_is_served() -> None:
    for url in (FONT_URL, CODE_FONT_URL):
        assert _fetcher().fetch(url).read()[:4] == b"\x00\x01\x00\x00"
    assert _fetcher().fetch("data:text/plain,abc").read() == b"abc"
