"""Curves in lines of text: heights, ends, and any number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labreport.cli.sparkline import BLOCKS, ENDED, Axes, sparklines

LINEAR = Axes(rounds=7, by_ratio=False, logarithmic=False)


def test_every_height_has_its_block() -> None:
    assert sparklines([range(8)], LINEAR, 80) == [BLOCKS]
    assert sparklines([range(7, -1, -1)], LINEAR, 8) == [BLOCKS[::-1]]


def test_curves_share_their_scale() -> None:
    assert sparklines([[0, 0], [1, 1]], Axes(1, False, False), 10) == ["▁▁", "██"]
    assert sparklines([[3, 3]], Axes(1, False, False), 10) == ["▅▅"]


def test_logarithmic_heights_and_rounds() -> None:
    powers = [10.0**-k for k in range(8)]
    assert sparklines([powers], Axes(7, False, True), 8) == [BLOCKS[::-1]]
    # The columns stand at rounds 0, 9, 99 and 999.
    steps = [float(k in (0, 9, 99, 999)) for k in range(1000)]
    assert sparklines([steps, [0.0] * 1000], Axes(999, True, False), 4) == ["████", "▁▁▁▁"]


def test_a_curve_that_ends_early_says_so() -> None:
    long, short = sparklines([[8, 7, 6, 5, 4, 3, 2, 1], [8, 7, 6]], LINEAR, 8)
    assert ENDED not in long
    assert short == long[:3] + ENDED
    assert sparklines([[float("nan"), 1.0]], Axes(1, False, False), 2) == [f"{ENDED}▅"]


@pytest.mark.parametrize("by_ratio", [True, False])
@given(
    values=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=30),
    width=st.integers(-3, 100),
)
def test_any_numbers_at_any_width(by_ratio: bool, values: list[float], width: int) -> None:
    (line,) = sparklines([values], Axes(len(values) - 1, by_ratio, False), width)
    assert set(line) <= {*BLOCKS, ENDED}
    assert 1 <= len(line) <= max(2, width) + 1
