"""The student's notes: Markdown goes in, and nothing but text and its shape comes out."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labreport.errors import InputError
from labreport.report.notes import MAXIMUM_BYTES, notes_file, read_notes

SHAPES = {
    "p", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "br",
    "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}

    def handle_data(self, data: str) -> None:
        self.text += data

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)

    handle_comment = handle_decl = handle_pi = unknown_decl


def read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


@pytest.fixture
def rendered(tmp_path: Path):
    def rendered(text: str, **options: int) -> str:
        path = tmp_path / "note.md"
        path.write_bytes(text.encode("utf-8"))
        html = read_notes(path, **options)
        assert html is not None
        return html

    return rendered


HOSTILE = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//x>",
    "text <b onclick=alert(1)>bold</b>",
    "<!-- comment -->",
    "<?php echo 1 ?>",
    "<![CDATA[x]]>",
    "<!DOCTYPE html>",
    "</style></div></main><script>x()</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "&#x3c;img src=x onerror=alert(1)&#x3e;",
    "![picture](https://example.com/x.png)",
    "![picture](data:image/png;base64,AAAA)",
    "[link](https://example.com)",
    "[link](javascript:alert(1))",
    "[link]( java\tscript:alert(1) )",
    "[link][ref]\n\n[ref]: https://example.com 'title'",
    "<https://example.com>",
    "<javascript:alert(1)>",
    "https://example.com",
    "`</code><script>x()</script>`",
    "```<script>\n</code></pre><script>x()</script>\n```",
    '```html" onload="alert(1)\nx\n```',
    "| a |\n|---|\n| <script>x()</script> |",
    "# <img src=x>",
    "{{ report.title }} {% for x in y %} ${x} #{x}",
    "> <iframe src=//x></iframe>",
    "<svg><use href=//x></svg>",
    '"><svg onload=alert(1)>',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_notes_carry_no_markup_of_their_own(rendered, text: str) -> None:
    reader = read(rendered(text))
    assert reader.tags <= SHAPES
    assert reader.attributes <= {"class", "style", "start"}


@given(st.lists(st.sampled_from([*HOSTILE, "\n", " ", "*", "`", "\\", "|", "<", "&", '"'])))
def test_no_mixture_carries_markup(tmp_path_factory, parts: list[str]) -> None:
    path = tmp_path_factory.mktemp("notes") / "note.md"
    path.write_text("".join(parts), encoding="utf-8")
    html = read_notes(path)
    if html is not None:
        reader = read(html)
        assert reader.tags <= SHAPES
        assert reader.attributes <= {"class", "style", "start"}


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "[link](javascript:alert(1))", "![p](https://example.com/x.png)"],
)
def test_what_is_no_markup_is_shown_as_it_was_typed(rendered, text: str) -> None:
    assert read(rendered(text)).text.strip() == text


def test_markdown_has_its_shape(rendered) -> None:
    html = rendered("*a* **b** `c`\n\n- one\n- two\n\n1. x\n\n> q\n\n---\n\n| h |\n|--:|\n| 1 |\n")
    tags = read(html).tags
    assert {"em", "strong", "code", "ul", "ol", "li", "blockquote", "hr", "table", "td"} <= tags


@pytest.mark.parametrize(("under", "tags"), [(2, ["h3", "h4", "h6"]), (3, ["h4", "h5", "h6"])])
def test_headings_go_below_the_one_they_stand_under(rendered, under: int, tags: list[str]) -> None:
    html = rendered("# One\n\nTwo\n---\n\n###### Six\n", under=under)
    assert re.findall(r"<(h\d)>", html) == tags
    assert re.findall(r"</(h\d)>", html) == tags


def test_control_characters_are_left_out(rendered) -> None:
    html = rendered("a\x00b\x07c\x1b[31md\x0be\tf\n")
    assert "abc[31mde\tf" in html
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", html)


def test_windows_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "note.md"
    path.write_bytes("\ufeffone\r\n\r\ntwo\r\n".encode())
    assert read_notes(path) == "<p>one</p>\n<p>two</p>\n"


def test_no_note_is_nothing(tmp_path: Path) -> None:
    assert read_notes(tmp_path / "none.md") is None
    (tmp_path / "folder.md").mkdir()
    assert read_notes(tmp_path / "folder.md") is None


@pytest.mark.parametrize("content", [b"", b" \n\t \r\n", b"\xef\xbb\xbf"])
def test_a_blank_note_is_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "note.md").write_bytes(content)
    assert read_notes(tmp_path / "note.md") is None


def test_a_note_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "note.md"
    path.write_bytes("实验".encode("gb18030"))
    with pytest.raises(InputError) as caught:
        read_notes(path)
    (fault,) = caught.value.faults
    assert (fault.code, fault.file) == ("notes-unreadable", path)


@pytest.mark.parametrize(("extra", "too_large"), [(0, False), (1, True)])
def test_a_note_that_is_too_large_is_a_fault(tmp_path: Path, extra: int, too_large: bool) -> None:
    path = tmp_path / "note.md"
    path.write_bytes(b"x" * (MAXIMUM_BYTES + extra))
    if too_large:
        with pytest.raises(InputError) as caught:
            read_notes(path)
        assert caught.value.faults[0].code == "note-too-large"
    else:
        assert read_notes(path) is not None


def test_deep_nesting_is_survived(rendered) -> None:
    assert read(rendered(">" * 3000 + " deep\n" + "- " * 300 + "x\n" + "*" * 3000)).tags <= SHAPES


@pytest.mark.parametrize(
    ("there", "language", "first", "found"),
    [
        ((), "zh", "zh", "a.md"),
        (("a.en.md",), "zh", "zh", "a.md"),
        (("a.en.md",), "en", "zh", "a.en.md"),
        ((), "en", "zh", "a.md"),
        (("a.en.md", "a.zh.md"), "en", "en", "a.md"),
        (("a.en.md", "a.zh.md"), "zh", "en", "a.zh.md"),
    ],
)
def test_a_note_in_another_language(
    tmp_path: Path, there: tuple[str, ...], language: str, first: str, found: str
) -> None:
    for name in ("a.md", *there):
        (tmp_path / name).write_text("x", encoding="utf-8")
    assert notes_file(tmp_path, "a", language, first) == tmp_path / found
