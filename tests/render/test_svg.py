"""SVG made small is the same picture."""

import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from labreport.render.figures import style
from labreport.render.mathml import mathml_for_pages
from labreport.render.svg import SVG, _path, compact

place = st.tuples(*[st.floats(-500, 500, allow_nan=False, width=32)] * 2)


def points(path: str) -> list[tuple[float, float]]:
    """Places of a path of the commands M, L, l, h, v and z."""
    found: list[tuple[float, float]] = []
    x = y = 0.0
    for command, numbers in re.findall(r"([MLlhvz])([^A-Za-z]*)", path):
        values = [float(n) for n in re.findall(r"-?\d*\.?\d+", numbers)]
        match command:
            case "M" | "L":
                x, y = values
            case "l":
                x, y = x + values[0], y + values[1]
            case "h":
                x += values[0]
            case "v":
                y += values[0]
        found.append((x, y))
    return found


@given(st.lists(place, min_size=2, max_size=60))
def test_a_path_by_steps_leads_to_the_same_places(places: list[tuple[float, float]]) -> None:
    start, *rest = places
    written = (
        f"M {start[0]:f} {start[1]:f} \n" + "".join(f"L {x:f} {y:f} \n" for x, y in rest) + "z"
    )
    for (x, y), (u, v) in zip(points(_path(written)), places, strict=False):
        # However many steps there are, the error is that of one rounding.
        assert (x, y) == pytest.approx((u, v), abs=0.0051)


@pytest.mark.parametrize("path", ["M 0 0 A 1 1 0 0 1 2 2", "m 1.23456 2 l 3 4", "M 0 0 H 3.14159"])
def test_paths_with_other_commands_stay_as_they_are(path: str) -> None:
    assert _path(path) == path


def drawn() -> bytes:
    with style.drawing():
        figure = Figure(figsize=(3, 2))
        axes = figure.subplots()
        axes.plot([0, 1, 2], [1, 0.5, 0.25], label="损失 w1")
        axes.fill_between([0, 1], 0, 1, hatch="xx", facecolor="none")
        return style.svg(figure)


def test_a_figure_keeps_what_it_refers_to_and_has_no_style_sheet() -> None:
    svg = drawn()
    assert svg == drawn()
    root = ElementTree.fromstring(svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        *("svg", "defs", "g", "path", "use", "clipPath", "rect", "pattern")
    }
    names = {element.get("id") for element in root.iter()} - {None}
    values = [v for element in root.iter() for v in element.attrib.values()]
    referred = set(re.findall(r"url\(#([^)]+)\)", " ".join(values)))
    referred |= {v[1:] for v in values if v.startswith("#") and v[1:] in names}
    assert names == referred
    assert not any("style" in element.attrib for element in root.iter())
    assert not re.search(rb">\s+<", svg)


def test_no_other_library_changes_the_bytes() -> None:
    before = drawn()
    # ziamath does so when it is imported.
    ElementTree.register_namespace("", "http://www.w3.org/1998/Math/MathML")
    assert drawn() == before


def test_groups_without_meaning_names_and_blanks_go() -> None:
    once = compact(
        '<svg xmlns="http://www.w3.org/2000/svg" width="3.14159pt"><g id="a"><g>'
        '<path d="M 0.123456 1 L 2 1" style="fill: #ffffff"/></g></g></svg>'
    )
    assert once == (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="3.14pt">'
        b'<path d="M.1 1h1.9" fill="#fff"/></svg>'
    )
    assert compact(once).count(b'width="3.14pt"') == 1


def test_formulas_are_written_in_characters_and_keep_what_markup_needs() -> None:
    written = mathml_for_pages(
        '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block"><mrow><mi>&#x003B4;</mi>'
        "<mo>&#x0003C;</mo><mn>1</mn></mrow></math>"
    )
    assert written == (
        '<math display="block"><mrow><mi>δ</mi><mo>&#x0003C;</mo><mn>1</mn></mrow></math>'
    )


def test_a_font_of_formulas_has_what_they_need_and_little_else() -> None:
    import base64
    from io import BytesIO

    from fontTools.ttLib import TTFont

    from labreport.formats.math_font import math_font

    formulas = frozenset({"<mi>δ</mi><mo>=</mo><mi>h</mi><mo>(</mo><mn>1</mn><mo>)</mo>"})
    uri = math_font(formulas)
    assert uri == math_font(formulas)
    content: Any = base64.b64decode(uri.partition(",")[2])
    with TTFont(BytesIO(content)) as font:
        known = font.getBestCmap()
        assert {*map(ord, "δ=h(1)"), 0x1D6FF, 0x210E} <= set(known)
        assert ord("Ω") not in known
        assert "MATH" in font
        assert "Open Font License" in str(font["name"].getDebugName(13))
    assert len(content) < 20_000
