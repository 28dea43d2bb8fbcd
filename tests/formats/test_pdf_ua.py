"""report.pdf keeps what PDF/UA-1 asks for and a program can check.

Checkpoints are those of the Matterhorn Protocol 1.1, which lists the ways in
which a file can fail ISO 14289-1.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pikepdf
import pytest

STANDARD = {
    *("Document", "Part", "Art", "Sect", "Div", "BlockQuote", "Caption", "TOC", "TOCI", "Index"),
    *("NonStruct", "Private", "H", "H1", "H2", "H3", "H4", "H5", "H6", "P", "L", "LI", "Lbl"),
    *("LBody", "Table", "TR", "TH", "TD", "THead", "TBody", "TFoot", "Span", "Quote", "Note"),
    *("Reference", "BibEntry", "Code", "Link", "Annot", "Ruby", "RB", "RT", "RP", "Warichu", "WT"),
    *("WP", "Figure", "Formula", "Form"),
}
"""ISO 32000-1, 14.8.4."""

PARENTS = {
    "/TR": {"/Table", "/THead", "/TBody", "/TFoot"},
    "/TH": {"/TR"},
    "/TD": {"/TR"},
    "/THead": {"/Table"},
    "/TBody": {"/Table"},
    "/LI": {"/L"},
    "/LBody": {"/LI"},
}

PAINTS = {"Tj", "TJ", "'", '"', "S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "Do", "sh", "EI"}
"""Operators that leave something to be seen."""


NOTE = r"""<!-- before -->
### 推导

# 其次

### 再次

更新是 $w = v - \eta g$，见[教程](https://pytorch.org/a?b=1)与 <https://example.org>。[^1] ~~错~~

$$L = \frac{2}{n} \sum_k (o_k - y_k)^2$$

![损失下降的曲线](curve.png)

| 学习率 | 损失 |
|:--|--:|
| 0.5 | $x^2 = 4$ |

```python
def f():  # 一行
    return "x"
```

- [x] 做过
- [ ] 没做

> 引用

[^1]: 脚注，$y = 1$。

    再一段。
"""


@pytest.fixture(scope="module")
def noted_build(build_into: Any, base_text: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A small lab with a note that has everything that a note may have."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("noted")
    text = base_text + '[experiment.a]\ntitle = "A"\n'
    (folder / "lab.toml").write_text(text, encoding="utf-8")
    (folder / "notes").mkdir()
    Image.new("RGB", (40, 20), "blue").save(folder / "notes" / "curve.png")
    for name in ("a", "principle"):
        (folder / "notes" / f"{name}.md").write_text(NOTE, encoding="utf-8")
    return build_into(folder / "lab.toml", folder / "output")


@pytest.fixture(params=("zh", "en", "noted"))
def pdf(request: pytest.FixtureRequest) -> Iterator[pikepdf.Pdf]:
    noted = request.param == "noted"
    build = request.getfixturevalue("noted_build" if noted else "shipped_build")
    with pikepdf.open(build.pdf("zh" if noted else request.param)) as opened:
        yield opened


@pytest.fixture
def part(request: pytest.FixtureRequest) -> int:
    """How many times fewer things a file may have than that of the lab that ships."""
    return 10 if request.node.callspec.params["pdf"] == "noted" else 1


def test_formulas_and_pictures_of_notes_are_tagged(noted_build: Any) -> None:
    with pikepdf.open(noted_build.pdf("zh")) as pdf:
        words = [(str(e.S), str(e.Alt)) for e, _ in elements(pdf) if "/Alt" in e]
        links = {
            str(a.A.URI)
            for page in pdf.pages
            for a in page.get("/Annots", [])
            if "/A" in a and "/URI" in a.A
        }
    assert words.count(("/Figure", "损失下降的曲线")) == 2
    for latex in (r"w = v - \eta g", r"L = \frac{2}{n} \sum_k (o_k - y_k)^2", "x^2 = 4", "y = 1"):
        assert words.count(("/Formula", latex)) == 2
    assert links == {"https://pytorch.org/a?b=1", "https://example.org"}


Element = tuple[pikepdf.Dictionary, str]


def elements(pdf: pikepdf.Pdf) -> Iterator[Element]:
    """Every element of the structure tree in reading order, with the kind of its parent."""

    def below(item: Any, parent: str) -> Iterator[Element]:
        if isinstance(item, pikepdf.Array):
            for part in item:
                yield from below(part, parent)
        elif isinstance(item, pikepdf.Dictionary) and "/S" in item:
            yield item, parent
            yield from below(item.get("/K", pikepdf.Array()), str(item.S))

    yield from below(pdf.Root.StructTreeRoot.K, "")


def tree(node: Any) -> Iterator[tuple[int, Any]]:
    """The entries of a number tree."""
    numbers = list(node.get("/Nums", []))
    yield from zip(map(int, numbers[::2]), numbers[1::2], strict=True)
    for child in node.get("/Kids", []):
        yield from tree(child)


def test_the_file_says_what_it_is(pdf: pikepdf.Pdf) -> None:
    """Checkpoints 06, 07, 11-006."""
    with pdf.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"]
    assert pdf.Root.ViewerPreferences.DisplayDocTitle == True  # noqa: E712 - a PDF object
    assert pdf.Root.MarkInfo.Marked == True  # noqa: E712
    assert "/Suspects" not in pdf.Root.MarkInfo
    assert re.fullmatch(r"zh-CN|en", str(pdf.Root.Lang))


def test_all_that_is_painted_is_tagged_or_an_artifact(pdf: pikepdf.Pdf, part: int) -> None:
    """Checkpoints 01-003, 01-005."""
    painted = 0
    for number, page in enumerate(pdf.pages, start=1):
        marks: list[bool] = []
        for operands, operator in pikepdf.parse_content_stream(page):
            name = str(operator)
            if name in ("BDC", "BMC"):
                tag = str(operands[0])
                has_place = name == "BDC" and "/MCID" in operands[1]
                # Real content has a place in the tree; an artifact has none, and holds none.
                assert has_place != (tag == "/Artifact"), (number, tag)
                assert not marks, f"marks within marks on page {number}"
                marks.append(True)
            elif name == "EMC":
                marks.pop()
            elif name in PAINTS:
                painted += 1
                assert marks, f"{name} outside of marks on page {number}"
        assert not marks
    assert painted > 7_000 // part


def test_every_mark_has_its_place_in_the_tree(pdf: pikepdf.Pdf) -> None:
    """Checkpoints 01-004."""
    parents = dict(tree(pdf.Root.StructTreeRoot.ParentTree))
    placed = {element.objgen for element, _ in elements(pdf)}
    for page in pdf.pages:
        marks = {
            int(operands[1]["/MCID"])
            for operands, operator in pikepdf.parse_content_stream(page)
            if str(operator) == "BDC" and "/MCID" in operands[1]
        }
        places = parents[int(page.StructParents)]
        assert marks <= set(range(len(places)))
        assert {places[mark].objgen for mark in marks} <= placed


def test_running_heads_are_artifacts(pdf: pikepdf.Pdf, part: int) -> None:
    """Checkpoints 01-001, 01-002: what stands on every page is no part of the text."""
    for number, page in enumerate(pdf.pages, start=1):
        paged = [
            operands[1]
            for operands, operator in pikepdf.parse_content_stream(page)
            if str(operator) == "BDC" and str(operands[0]) == "/Artifact"
        ]
        # Two heads (one, of no course) and the number of the page, in two parts or more; none on
        # the cover.
        assert all(str(properties.Type) == "/Pagination" for properties in paged)
        assert len(paged) >= (3 if part == 1 else 2) if number > 1 else not paged


def test_kinds_are_standard_and_stand_where_they_may(pdf: pikepdf.Pdf) -> None:
    """Checkpoints 02-001, 09-004 to 09-006."""
    mapped = {str(key) for key in pdf.Root.StructTreeRoot.get("/RoleMap", {})}
    for element, parent in elements(pdf):
        kind = str(element.S)
        assert kind[1:] in STANDARD or kind in mapped, kind
        if kind in PARENTS:
            assert parent in PARENTS[kind], (kind, parent)


def test_headings_skip_no_level(pdf: pikepdf.Pdf, part: int) -> None:
    """Checkpoints 14-003."""
    levels = [int(str(e.S)[2:]) for e, _ in elements(pdf) if re.fullmatch(r"/H\d", str(e.S))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert len(levels) > 20 // part


def test_every_cell_names_its_headers(pdf: pikepdf.Pdf, part: int) -> None:
    """Checkpoints 15-003."""
    cells = [element for element, _ in elements(pdf) if str(element.S) in ("/TH", "/TD")]
    headers = {str(cell.ID) for cell in cells if str(cell.S) == "/TH"}
    assert len(headers) > 100 // part
    for cell in cells:
        if str(cell.S) == "/TD":
            named = {str(header) for header in cell.A.Headers}
            assert named, "a cell without a header"
            assert named <= headers


def test_figures_have_words_in_place_of_them(pdf: pikepdf.Pdf, part: int) -> None:
    """Checkpoints 13-004."""
    for kind, fewest in (("/Figure", 11), ("/Formula", 15)):
        found = [element for element, _ in elements(pdf) if str(element.S) == kind]
        assert len(found) > fewest // part
        assert all(str(element.get("/Alt", "")).strip() for element in found)
        # A formula's words are its LaTeX, in which something is equal or becomes something.
        equal = [bool(re.search("=|leftarrow", str(element.Alt))) for element in found]
        assert all(equal) if kind == "/Formula" else not all(equal)


def test_links_are_tagged_described_and_follow_the_structure(pdf: pikepdf.Pdf, part: int) -> None:
    """Checkpoints 28-002, 28-007, 28-011, 28-012."""
    parents = dict(tree(pdf.Root.StructTreeRoot.ParentTree))
    links = 0
    for page in pdf.pages:
        annotations = page.get("/Annots", pikepdf.Array())
        if len(annotations):
            assert str(page.get("/Tabs")) == "/S"
        for annotation in annotations:
            assert str(annotation.Subtype) == "/Link"
            assert str(annotation.get("/Contents", "")).strip()
            owner = parents[int(annotation.StructParent)]
            assert str(owner.S) == "/Link"
            kids = [kid for kid in owner.K if isinstance(kid, pikepdf.Dictionary)]
            assert annotation.objgen in [kid.Obj.objgen for kid in kids if "/Obj" in kid]
            links += 1
    assert links > 100 // part


def test_every_character_has_a_glyph_and_a_meaning(pdf: pikepdf.Pdf) -> None:
    """Checkpoints 31-001, 31-027, 31-030."""
    fonts = {
        font.objgen: font
        for page in pdf.pages
        for font in (page.Resources.get("/Font") or {}).values()
    }
    assert fonts
    for font in fonts.values():
        assert str(font.Subtype) == "/Type0"
        inner = font.DescendantFonts[0]
        assert any(str(key).startswith("/FontFile") for key in inner.FontDescriptor.keys())  # noqa: SIM118
        assert str(inner.get("/CIDToGIDMap", "/Identity")) == "/Identity"
        assert "/ToUnicode" in font
    for number, page in enumerate(pdf.pages, start=1):
        for operands, operator in pikepdf.parse_content_stream(page):
            if str(operator) in ("Tj", "TJ"):
                shown = operands[0] if str(operator) == "TJ" else operands
                glyphs = b"".join(bytes(s) for s in shown if isinstance(s, pikepdf.String))
                # Two bytes a glyph, of which the first one is that of missing characters.
                assert b"\0\0" not in {glyphs[k : k + 2] for k in range(0, len(glyphs), 2)}, number
