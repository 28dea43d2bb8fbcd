"""Figures in print: letters that are large enough, lines that can be told apart."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from printing_parts import words_of

from labreport.render.draw import draw
from labreport.render.drawing_cache import DrawingCache
from labreport.render.figures import style
from labreport.render.numbering import blocks_of
from labreport.report.tree import Figure as ReportFigure

LEAST_POINTS = 7.0
"""Size of letters in print; powers are smaller, as in any formula."""

NARROWEST = 160 / 25.4
"""Inches of a line of text in print: of the themes that ship, in the narrowest one."""

APART = 10.0
"""Distance in CIELAB that is seen at a glance."""

# Severity 1.0 of Machado, Oliveira and Fernandes, A Physiologically-based Model for Simulation of
# Color Vision Deficiency (2009): linear RGB as it is seen.
DEFICIENCIES = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
LUMINANCE = (0.2126, 0.7152, 0.0722)
VISIONS = {
    "usual": np.eye(3),
    "grey": np.array([LUMINANCE] * 3),
    **{name: np.array(rows) for name, rows in DEFICIENCIES.items()},
}


@pytest.mark.parametrize("code", ["zh", "en"])
def test_letters_are_large_enough(
    shipped_build: Any, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: dict[str, float] = {}

    def measured(figure: Figure) -> bytes:
        scale = NARROWEST / float(figure.get_size_inches()[0])
        for text in figure.findobj(Text):
            assert isinstance(text, Text)
            if text.get_text().strip() and text.get_visible():
                sizes[text.get_text()] = float(text.get_fontsize()) * scale
        return b"<svg/>"

    monkeypatch.setattr(style, "svg", measured)
    words = words_of(shipped_build.measured.experiments, code)
    figures = [b for b in blocks_of(shipped_build.tree.sections) if isinstance(b, ReportFigure)]
    for figure in figures:
        draw(figure.drawing, words, DrawingCache())
    assert len(figures) > 10
    assert len(sizes) > 50
    assert {text: size for text, size in sizes.items() if size < LEAST_POINTS} == {}
    assert style.SMALL * 8.5 * NARROWEST / style.WIDTH >= LEAST_POINTS


def lightness_and_colour(colour: str, vision: str) -> np.ndarray:
    """CIELAB of a colour as it is seen."""
    coded = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(VISIONS[vision] @ linear, 0, 1)
    xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    x, y, z = xyz @ seen / np.array([0.95047, 1.0, 1.08883])
    f = [t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29 for t in (x, y, z)]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: int, other: int, vision: str) -> float:
    seen = [lightness_and_colour(style.colour(k), vision) for k in (one, other)]
    return float(np.linalg.norm(seen[0] - seen[1]))


def test_distances_are_those_of_the_standard() -> None:
    assert lightness_and_colour("#ffffff", "usual") == pytest.approx([100, 0, 0], abs=0.01)
    assert lightness_and_colour("#ff0000", "usual") == pytest.approx([53.24, 80.09, 67.2], abs=0.02)
    # Red and green that only their colours tell apart.
    assert np.linalg.norm(
        lightness_and_colour("#a06050", "deuteranopia")
        - lightness_and_colour("#728050", "deuteranopia")
    ) < np.linalg.norm(
        lightness_and_colour("#a06050", "usual") - lightness_and_colour("#728050", "usual")
    )


@pytest.mark.parametrize("vision", VISIONS)
def test_lines_of_one_style_differ_in_what_anybody_sees(vision: str) -> None:
    pairs = [
        (i, j)
        for i, j in combinations(range(len(style.COLOURS)), 2)
        if style.line(i)["linestyle"] == style.line(j)["linestyle"]
    ]
    assert pairs
    assert [pair for pair in pairs if distance(*pair, vision) < APART] == []


@pytest.mark.parametrize("vision", sorted(set(VISIONS) - {"grey"}))
def test_neighbouring_lines_differ_in_style_and_colour(vision: str) -> None:
    for i, j in pairwise(range(len(style.COLOURS))):
        assert style.line(i)["linestyle"] != style.line(j)["linestyle"]
        assert distance(i, j, vision) >= APART
