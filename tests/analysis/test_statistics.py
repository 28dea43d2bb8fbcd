"""Exact statistics: against all cases counted one by one, known values, and their stated rates."""

from __future__ import annotations

import itertools
import math
from statistics import NormalDist, median
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from labreport.analysis.measures.statistics import (
    median_interval,
    pairs_needed,
    sign_test,
    smallest_p,
)


@pytest.mark.parametrize("count", range(11))
def test_the_sign_test_counts_all_tosses_as_uneven(count: int) -> None:
    heads = [sum(tosses) for tosses in itertools.product((0, 1), repeat=count)]
    for below in range(count + 1):
        uneven = abs(2 * below - count)
        expected = sum(abs(2 * number - count) >= uneven for number in heads) / len(heads)
        assert sign_test(below, count - below) == expected


def test_known_p_values() -> None:
    assert sign_test(0, 0) == 1.0
    assert sign_test(0, 1) == 1.0
    assert sign_test(5, 0) == 0.0625
    assert sign_test(1, 9) == sign_test(9, 1) == 22 / 1024
    # Arbuthnott's 82 years, in each of which more boys than girls were christened.
    assert sign_test(82, 0) == 2.0**-81


def test_thousands_of_pairs() -> None:
    assert sign_test(5000, 5000) == 1.0
    # With the correction for continuity, the normal distribution is right to some 1e-4 here.
    normal = 2 * NormalDist().cdf(-(200 - 1) / math.sqrt(10_000))
    assert sign_test(4900, 5100) == pytest.approx(normal, rel=1e-3)
    assert 0 < sign_test(4000, 6000) < 1e-80
    assert sign_test(0, 10_000) == 0.0


@pytest.mark.parametrize("count", [5, 6, 20, 57, 200])
@pytest.mark.parametrize("level", [0.05, 0.01])
def test_without_a_difference_the_sign_test_fires_no_oftener_than_stated(
    count: int, level: float
) -> None:
    p_values = [sign_test(below, count - below) for below in range(count + 1)]
    ways = [math.comb(count, below) for below in range(count + 1)]
    fires = sum(number for number, p in zip(ways, p_values, strict=True) if p <= level) / 2**count
    assert fires <= level
    # A p-value is just how often one at most as large comes up: there is no slack in it.
    assert fires == max((p for p in p_values if p <= level), default=0.0)


def test_drawn_pairs_of_one_distribution_fire_at_the_stated_rate() -> None:
    random = np.random.default_rng(11)
    pairs, trials = 30, 4000
    below = (random.exponential(size=(trials, pairs, 2)) @ [1.0, -1.0] < 0).sum(axis=1)
    fired = float(
        np.mean([sign_test(int(number), pairs - int(number)) <= 0.05 for number in below])
    )
    exact = sum(math.comb(pairs, k) for k in range(pairs + 1) if sign_test(k, pairs - k) <= 0.05)
    rate = exact / 2**pairs
    assert rate <= 0.05
    assert abs(fired - rate) < 4 * math.sqrt(rate * (1 - rate) / trials)


@pytest.mark.parametrize(("count", "expected"), [(0, 1.0), (1, 1.0), (2, 0.5), (6, 0.03125)])
def test_the_smallest_p(count: int, expected: float) -> None:
    assert smallest_p(count) == expected
    assert smallest_p(count) == min(sign_test(k, count - k) for k in range(count + 1))


@pytest.mark.parametrize("count", range(1, 12))
@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_the_interval_covers_as_often_as_it_says(count: int, confidence: float) -> None:
    """All the ways in which independent values can lie below (-) and above (+) the median 0."""
    values = range(count)
    found = median_interval([float(value) for value in values], confidence)
    ranks = range((count + 1) // 2)
    coverages = [_covered(count, k) for k in ranks]
    enough = [k for k in ranks if coverages[k] >= confidence]
    if not enough:
        assert found is None
        return
    k = max(enough)
    assert found == (k, count - 1 - k, coverages[k])


def _covered(count: int, left_out: int) -> float:
    """How often the median lies between the order statistics that leave so many out each side."""
    sides = list(itertools.product((-1.0, 1.0), repeat=count))
    covers = 0
    for side in sides:
        ordered = sorted(sign * (1 + index) for index, sign in enumerate(side))
        covers += ordered[left_out] < 0 < ordered[-1 - left_out]
    return covers / len(sides)


def test_known_intervals() -> None:
    """Conover 1999 and every table of it: 6 values for 95 %, the 6th and 15th of 20."""
    assert median_interval([], 0.5) is None
    assert median_interval([3, 1, 2, 5, 4], 0.95) is None
    assert median_interval([3, 1, 2, 6, 5, 4], 0.95) == (1, 6, 1 - 2 / 64)
    low, high, coverage = median_interval(range(1, 21), 0.95) or (0, 0, 0)
    assert (low, high) == (6, 15)
    assert coverage == pytest.approx(0.9586, abs=5e-5)
    # A coverage that is just what was asked for is enough.
    assert median_interval(range(1, 7), 1 - 2 / 64) == (1, 6, 1 - 2 / 64)


def test_drawn_values_of_a_skewed_distribution_are_covered() -> None:
    random = np.random.default_rng(5)
    trials, count = 3000, 25
    intervals = [
        median_interval(row, 0.9) for row in random.exponential(size=(trials, count)).tolist()
    ]
    covered = np.mean([low < math.log(2) < high for low, high, _ in filter(None, intervals)])
    stated = intervals[0][2] if intervals[0] else 0.0
    assert stated >= 0.9
    assert abs(covered - stated) < 4 * math.sqrt(stated * (1 - stated) / trials)


def test_infinite_and_equal_values_have_ranks() -> None:
    assert median_interval([math.inf] * 4 + [1.0] * 4, 0.9) == (1.0, math.inf, 1 - 18 / 256)


@given(some.lists(some.integers(-5, 5), min_size=1, max_size=40), some.floats(0.5, 0.99))
def test_the_interval_holds_the_median_and_enough_of_the_values(
    values: list[int], confidence: float
) -> None:
    found = median_interval(values, confidence)
    if found is not None:
        assert found.low <= median(values) <= found.high
        assert confidence <= found.coverage < 1
        assert found == median_interval(sorted(values, reverse=True), confidence)


@pytest.mark.parametrize(
    ("below", "above", "count", "confidence", "power", "expected"),
    [
        (7, 3, 10, 0.95, 0.8, 50),  # 7.849 / 0.16 = 49.06
        (3, 7, 10, 0.95, 0.8, 50),
        (7, 3, 20, 0.95, 0.8, 99),  # Half of them are level.
        (5, 0, 5, 0.95, 0.8, 8),
        (8, 2, 10, 0.95, 0.9, 30),  # 10.507 / 0.36 = 29.2
        (51, 49, 100, 0.95, 0.8, 19623),
    ],
)
def test_known_numbers_of_pairs(
    below: int, above: int, count: int, confidence: float, power: float, expected: int
) -> None:
    assert pairs_needed(below, above, count, confidence, power) == expected


@pytest.mark.parametrize("share", [0.6, 0.7, 0.8])
def test_so_many_pairs_have_about_that_power(share: float) -> None:
    """By drawing: a sign test of so many pairs sees such a share about as often as it is told."""
    count = pairs_needed(round(share * 100), 100 - round(share * 100), 100)
    drawn = np.random.default_rng(5).binomial(count, share, size=2000)
    seen = np.mean([sign_test(int(k), count - int(k)) <= 0.05 for k in drawn])
    assert 0.7 < seen < 0.9


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (sign_test, (-1, 3)),
        (sign_test, (3, -1)),
        (smallest_p, (-1,)),
        (median_interval, ([1.0, math.nan], 0.5)),
        (median_interval, ([1.0, 2.0], 1.0)),
        (median_interval, ([1.0, 2.0], 0.0)),
        (pairs_needed, (5, 5, 10)),
        (pairs_needed, (-1, 5, 10)),
        (pairs_needed, (5, 6, 10)),
        (pairs_needed, (5, 1, 10, 1.0)),
        (pairs_needed, (5, 1, 10, 0.95, 0.0)),
    ],
)
def test_what_has_no_answer_is_refused(function: Any, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=r"."):
        function(*arguments)
