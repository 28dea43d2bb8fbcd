"""The student's notes: Markdown goes in, and nothing but text and its shape comes out."""

from __future__ import annotations

import re
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labreport.errors import InputError
from labreport.render.notes.markdown import LONGEST_WORD, MOST_LINES, MOST_PARTS, MOST_ROWS
from labreport.render.notes.reading import (
    MAXIMUM_BYTES,
    notes_file,
    read_all,
    read_note,
    stray_notes,
)

SHAPES = {
    "p", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "br",
    "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "a", "s", "sup", "span",
    "div",
}  # fmt: skip
ATTRIBUTES = {"class", "start", "scope", "href", "rel"}


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
        note = read_note(path, **options)
        assert note is not None
        return note.html

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
    "[link](https://example.com)",
    "[link]( java\tscript:alert(1) )",
    "[link][ref]\n\n[ref]: https://example.com 'title'",
    "<https://example.com>",
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
    assert reader.attributes <= ATTRIBUTES


PIECES = [
    *(
        "$",
        "$$",
        "\\(",
        "\\)",
        "\\[",
        "\\]",
        "[^1]",
        "[^1]: ",
        "- [x] ",
        "```python\n",
        "\n\n",
        "~~",
    ),
    *(
        "> ",
        "1. ",
        "    ",
        "![",
        "](",
        ")",
        "[",
        "]",
        "a.png",
        "http://",
        "x^2",
        "\\frac",
        "{",
        "}",
    ),
    *(
        "| a | b |\n|--|:-:|\n",
        "<!-- before -->\n",
        "http://[",
        "^",
        "_",
        "&amp;",
        "#",
        "\t",
        "é中",
    ),
]


@given(
    st.lists(
        st.sampled_from([*HOSTILE, *PIECES, "\n", " ", "*", "`", "\\", "|", "<", "&", '"']),
        max_size=60,
    )
)
def test_no_mixture_carries_markup(tmp_path_factory, parts: list[str]) -> None:
    path = tmp_path_factory.mktemp("notes") / "note.md"
    path.write_text("".join(parts), encoding="utf-8")
    note = None
    with suppress(InputError):
        note = read_note(path)
    if note is not None:
        reader = read(re.sub("<math.*?</math>", "", note.html, flags=re.DOTALL))
        assert reader.tags <= SHAPES
        assert reader.attributes <= ATTRIBUTES | {"id", "aria-label"}


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "[link](a b)", "costs $5 and $6", "$5-$6", "a $ b $ c"],
)
def test_what_is_no_markup_is_shown_as_it_was_typed(rendered, text: str) -> None:
    assert read(rendered(text)).text.strip() == text


def test_markdown_has_its_shape(rendered) -> None:
    html = rendered("*a* **b** `c`\n\n- one\n- two\n\n1. x\n\n> q\n\n---\n\n| h |\n|--:|\n| 1 |\n")
    tags = read(html).tags
    assert {"em", "strong", "code", "ul", "ol", "li", "blockquote", "hr", "table", "td"} <= tags


@pytest.mark.parametrize(("under", "tags"), [(2, ["h3", "h4", "h5"]), (3, ["h4", "h5", "h6"])])
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
    note = read_note(path)
    assert note is not None
    assert note.html == note.paper == "<p>one</p>\n<p>two</p>\n"


def test_no_note_is_nothing(tmp_path: Path) -> None:
    assert read_note(tmp_path / "none.md") is None


@pytest.mark.parametrize("content", [b"", b" \n\t \r\n", b"\xef\xbb\xbf", b"<!-- after -->\n\n"])
def test_a_blank_note_is_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "note.md").write_bytes(content)
    assert read_note(tmp_path / "note.md") is None


def test_a_note_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "note.md"
    path.write_bytes("实验".encode("gb18030"))
    with pytest.raises(InputError) as caught:
        read_note(path)
    (fault,) = caught.value.faults
    assert (fault.code, fault.file) == ("notes-unreadable", path)


@pytest.mark.parametrize(("extra", "too_large"), [(0, False), (1, True)])
def test_a_note_that_is_too_large_is_a_fault(tmp_path: Path, extra: int, too_large: bool) -> None:
    path = tmp_path / "note.md"
    path.write_bytes(b"xx " * (MAXIMUM_BYTES // 3) + b"x" * (MAXIMUM_BYTES % 3 + extra))
    if too_large:
        with pytest.raises(InputError) as caught:
            read_note(path)
        assert caught.value.faults[0].code == "note-too-large"
    else:
        with pytest.raises(InputError) as caught:
            read_note(path)
        assert caught.value.faults[0].code == "note-paragraph"


def test_deep_nesting_is_survived(rendered) -> None:
    assert read(rendered(">" * 900 + " deep\n" + "- " * 300 + "x\n" + "*" * 900)).tags <= SHAPES


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


# --- what is told --------------------------------------------------------------------------------


def told(path: Path) -> list[tuple[str, int, int]]:
    """Codes of the faults of a note, each with its line and column."""
    with pytest.raises(InputError) as caught:
        read_note(path)
    assert {fault.file for fault in caught.value.faults} == {path}
    return [(fault.code, fault.line, fault.column) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("one\n\na [b](javascript:x)", "note-link", 3, 7),
        ("[b](other.md)", "note-link", 1, 5),
        ("<ftp://x.example>", "note-link", 1, 2),
        ("[b](http://)", "note-link", 1, 5),
        ("[b](http://[::1)", "note-link", 1, 3),
        (r"x $\frac{a$ y", "note-formula", 1, 3),
        (r"$x_{$", "note-formula", 1, 1),
        (r"a" + "\n" + r"b $\foo{x}$", "note-formula-command", 2, 3),
        (r"$\href{javascript:x}{y}$", "note-formula-command", 1, 1),
        (r"$\style{color:red}{b}$", "note-formula-command", 1, 1),
        (r"$\text{损失}$", "note-formula-characters", 1, 1),
        ("$$\na < b & c\n$$", "note-formula", 2, 1),
        ("\\[\n\\input{x}\n\\]", "note-formula-command", 2, 1),
        ("$" + r"\frac{" * 12 + "x" + "}{2}" * 12 + "$", "note-formula-heavy", 1, 1),
        ("$" + r"\left(" * 9 + "x" + r"\right)" * 9 + "$", "note-formula-heavy", 1, 1),
        ("$" + "{" * 400 + "x" + "}" * 400 + "$", "note-formula-heavy", 1, 1),
        ("$" + "x+" * 501 + "y$", "note-word", 1, 1),
        ("$" + "x + " * 251 + "y$", "note-formula-long", 1, 1),
        ("ok\n" + "a" * (LONGEST_WORD + 1), "note-word", 2, 1),
        ("a " * 5001, "note-paragraph", 1, 1),
        ("| a |\n|---|\n" + "| 1 |\n" * MOST_ROWS, "note-rows", MOST_ROWS + 2, 1),
        ("a\n\n" * MOST_PARTS, "note-parts", 2 * (MOST_PARTS // 3) + 1, 1),
        ("```\n" + "a\n" * (MOST_LINES + 1) + "```", "note-lines", 1, 1),
        ("$x$ " * 201, "note-formulas", 1, 801),
        ("text\n\n[^1]: of no place", "note-footnote", 3, 1),
        ("![](none.png)", "note-picture-words", 1, 5),
        ("![p](none.png)", "note-picture-missing", 1, 6),
        ("<!-- befor -->\ntext", "note-place", 1, 6),
    ],
)
def test_what_cannot_be_taken_in_is_told_with_its_place(
    tmp_path: Path, text: str, code: str, line: int, column: int
) -> None:
    path = tmp_path / "note.md"
    path.write_text(text, encoding="utf-8")
    assert (code, line, column) in told(path)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "note.md"
    path.write_text("<!-- before -->\n$x_{$\n\n$x_{$ [a](b) ![](c.png)\n", encoding="utf-8")
    assert told(path) == [
        ("note-formula", 2, 1),
        ("note-formula", 4, 1),
        ("note-link", 4, 11),
        ("note-picture-words", 4, 18),
        ("note-picture-missing", 4, 18),
    ]


def test_a_note_that_is_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder.md").mkdir()
    assert told(tmp_path / "folder.md") == [("not-regular", 0, 0)]
    (tmp_path / "link.md").symlink_to("nowhere.md")
    assert told(tmp_path / "link.md") == [("notes-unreadable", 0, 0)]
    (tmp_path / "round.md").symlink_to("round.md")
    assert told(tmp_path / "round.md") == [("notes-unreadable", 0, 0)]


def test_a_note_outside_of_the_folder_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (tmp_path / "secret").write_text("x", encoding="utf-8")
    (folder / "a.md").symlink_to(tmp_path / "secret")
    assert told(folder / "a.md") == [("note-outside", 0, 0)]
    (folder / "b.md").write_text("x", encoding="utf-8")
    (folder / "c.md").symlink_to("b.md")
    assert read_note(folder / "c.md") is not None


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("nowhere")])
def test_a_folder_of_notes_that_is_none_is_told(tmp_path: Path, make) -> None:
    make(tmp_path / "notes")
    with pytest.raises(InputError) as caught:
        read_all(tmp_path / "notes", ("a",), ("a",), ("zh",), "zh")
    assert [fault.code for fault in caught.value.faults] == ["not-a-folder"]


def test_all_notes_together_have_a_limit(tmp_path: Path) -> None:
    names = tuple(f"n{k}" for k in range(6))
    text = ("word " * 1900 + "\n\n") * 20
    for name in names:
        (tmp_path / f"{name}.md").write_text(text, encoding="utf-8")
    few = read_all(tmp_path, names, names[:5], ("zh",), "zh")
    assert len(few.files) == 5
    with pytest.raises(InputError) as caught:
        read_all(tmp_path, names, names, ("zh",), "zh")
    assert [fault.code for fault in caught.value.faults] == ["notes-too-large"]


# --- formulas, links, footnotes, programs --------------------------------------------------------


def test_formulas_are_mathml_on_a_page_and_pictures_on_paper(tmp_path: Path) -> None:
    path = tmp_path / "note.md"
    text = "$a^2$ \\(b\\)\n\n$$\nc\n$$\n\n\\[\nd\n+ e\n\\]\n\nx \\[ f \\] y\n"
    path.write_text(text, encoding="utf-8")
    note = read_note(path)
    assert note is not None
    assert [formula.latex for formula in note.formulas] == ["a^2", "b", "c", "d\n+ e", "f"]
    assert re.findall(r'<math alttext="([^"]*)" display="(\w+)"', note.html) == [
        ("a^2", "inline"),
        ("b", "inline"),
        ("c", "block"),
        ("d\n+ e", "block"),
        ("f", "block"),
    ]
    assert re.findall(r'alt="([^"]*)"', note.paper) == ["a^2", "b", "c", "d\n+ e", "f"]
    assert "style=" not in note.html
    assert "$" not in note.html + note.paper


def test_formulas_within_code_stay_as_they_are(rendered) -> None:
    assert "<math" not in rendered("`$x$` \\$y$\n\n    $z$\n\n```\n\\(w\\)\n```\n")


def test_links_lead_to_the_web_and_to_mailboxes(rendered) -> None:
    html = rendered("[a](https://x.example/?a=1&b=2) <http://y.example> <me@z.example>")
    assert re.findall(r'<a href="([^"]*)" rel="noreferrer">', html) == [
        "https://x.example/?a=1&amp;b=2",
        "http://y.example",
        "mailto:me@z.example",
    ]


def test_footnotes_lead_there_and_back(rendered) -> None:
    html = rendered("a[^x] b[^x]\n\n[^x]: *why*", anchor="relu-en")
    assert html.count('href="#footnote-relu-en-1"') == 2
    assert html.count('id="footnote-relu-en-1-call"') == 1
    assert html.count('href="#footnote-relu-en-1-call"') == 1
    assert "<em>why</em>" in html


def test_a_program_is_highlighted_by_classes(rendered) -> None:
    html = rendered('```python\ndef f():\n    return "<b>"  # x\n```\n')
    assert '<span class="keyword">def</span>' in html
    assert '<span class="string">&quot;&lt;b&gt;&quot;</span>' in html
    assert '<span class="comment"># x</span>' in html
    assert rendered("```no-such\ndef\n```") == (
        '<pre><code class="language-no-such">def\n</code></pre>\n'
    )


def test_task_lists_and_struck_text(rendered) -> None:
    html = rendered("- [x] ~~one~~\n- [ ] two\n")
    assert "■ <s>one</s>" in html
    assert "□ two" in html
    assert "<input" not in html


def test_a_table_is_aligned_without_a_style_attribute(rendered) -> None:
    html = rendered("| a | b |\n|--:|:-:|\n| 1 | 2 |")
    assert "style" not in html
    assert '<th class="right" scope="col">a</th>' in html
    assert '<td class="center">2</td>' in html


# --- which notes there are -----------------------------------------------------------------------


def test_a_note_says_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "note.md"
    for first, before in (("", False), ("<!-- after -->\n", False), ("<!--before-->\n", True)):
        path.write_text(f"{first}text\n", encoding="utf-8")
        note = read_note(path)
        assert note is not None
        assert (note.before, note.html) == (before, "<p>text</p>\n")


def test_another_comment_is_shown_as_it_was_typed(rendered) -> None:
    assert read(rendered("<!-- comment -->\ntext")).text.strip() == "<!-- comment -->\ntext"


def test_an_experiment_has_the_note_of_a_chapter_that_is_called_like_it(tmp_path: Path) -> None:
    for name in ("principle", "purpose", "set-up"):
        (tmp_path / f"{name}.md").write_text("x", encoding="utf-8")
    (tmp_path / "purpose.en.md").write_text("y", encoding="utf-8")
    notes = read_all(tmp_path, ("principle", "other"), ("other",), ("zh", "en"), "zh")
    assert sorted(notes.by_place) == [
        ("purpose", "en"),
        ("purpose", "zh"),
        ("set-up", "en"),
        ("set-up", "zh"),
    ]
    english = notes.of("purpose", "en")
    assert english is not None
    assert english.file.name == "purpose.en.md"


def test_notes_that_belong_to_nothing_are_named(tmp_path: Path) -> None:
    for name in ("relu.md", "relu.en.md", "relu.zh.md", "relu.fr.md", "rulu.md", "README.md"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    found = stray_notes(tmp_path, ("relu", "purpose"), "zh", ("zh", "en"))
    assert [(path.name, near) for path, near in found] == [
        ("relu.fr.md", "relu"),
        ("relu.zh.md", "relu"),
        ("rulu.md", "relu"),
    ]
