"""Statistics that hold whatever the distribution of the results: by counts and ranks, exactly.

Binomial probabilities with a half are ratios of whole numbers, and are summed as such: nothing is
rounded before the end. Where it says so, a normal distribution is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from statistics import NormalDist
from typing import NamedTuple


class MedianInterval(NamedTuple):
    """An interval of two of the values, and how probable it was to cover the median."""

    low: float
    high: float
    coverage: float


def sign_test(below: int, above: int) -> float:
    """The p-value of so many pairs that differ one way, and so many that differ the other.

    Two-sided and exact: the probability that a fair coin, tossed once for each pair, falls at
    least as unevenly (Arbuthnott 1710; Conover 1999, "Practical Nonparametric Statistics",
    section 3.4). Pairs without a difference are left out by the caller.

    Raises:
        ValueError: if a number of pairs is negative.
    """
    if below < 0 or above < 0:
        raise ValueError(f"numbers of pairs are not negative: {below}, {above}")
    if below == above:
        return 1.0
    fewer, count = min(below, above), below + above
    tail = next(sets for size, sets in enumerate(_sets_up_to(count)) if size == fewer)
    # Python divides whole numbers to the nearest float, however long they are.
    return 2 * tail / (1 << count)


def smallest_p(count: int) -> float:
    """The p-value of `sign_test` when all of `count` pairs differ one way: none is smaller.

    Raises:
        ValueError: if the number of pairs is negative.
    """
    return sign_test(0, count)


def median_interval(values: Sequence[float], confidence: float) -> MedianInterval | None:
    """The narrowest interval of the median, as far from the least value as from the greatest.

    From the k-th smallest to the k-th greatest of n independent values, it misses the median
    only if fewer than k of them lie on one side, so that its coverage is 1 − 2 P(X < k), X
    binomial with n and a half: exactly for a continuous distribution, and at least where values
    can be equal (Conover 1999, section 3.2). The greatest k is taken whose coverage is at least
    `confidence`, in (0, 1). Infinite values have their rank as others do.

    Returns:
        None if even the whole range of so few values does not give that confidence.

    Raises:
        ValueError: if the confidence is out of its range, or a value is not a number.
    """
    _refuse_beside_unit_interval("confidence", confidence)
    _refuse_nan(values)
    ordered, all_sets, asked = sorted(values), 1 << len(values), Fraction(confidence)
    found = None
    for left_out, sets in enumerate(_sets_up_to(len(values))):
        covering = all_sets - 2 * sets
        if covering * asked.denominator < asked.numerator * all_sets:
            break
        low, high = ordered[left_out], ordered[-1 - left_out]
        found = MedianInterval(float(low), float(high), covering / all_sets)
    return found


def pairs_needed(
    below: int, above: int, count: int, confidence: float = 0.95, power: float = 0.8
) -> int:
    """Compute the pairs that a sign test needs where pairs differ as often as these.

    n = (z(1 − α/2) + z(power))² / (4 (q − ½)²) pairs that differ, q being the share of those that
    are below (Noether 1987, "Sample Size Determination for Some Common Nonparametric Tests",
    Journal of the American Statistical Association 82), and as many more as are level among
    ``count``; α = 1 − confidence, z the quantiles of the normal distribution. It is an estimate
    for planning, as good as the counts.

    Raises:
        ValueError: if as many are below as above, which no number of pairs can tell apart, there
            are more of them than pairs, or confidence or power are not in (0, 1).
    """
    if below < 0 or above < 0 or below + above > count:
        raise ValueError(f"no counts of {count} pairs: {below}, {above}")
    if below == above:
        raise ValueError(f"no number of pairs: {below} and {above}")
    _refuse_beside_unit_interval("confidence", confidence)
    _refuse_beside_unit_interval("power", power)
    normal = NormalDist()
    # A power below α/2 is there without any pair.
    quantiles = max(0.0, normal.inv_cdf((1 + confidence) / 2) + normal.inv_cdf(power))
    untied = below + above
    apart = Fraction(below, untied) - Fraction(1, 2)
    return max(1, math.ceil(Fraction(quantiles) ** 2 / (4 * apart**2) * Fraction(count, untied)))


def _sets_up_to(count: int) -> Iterator[int]:
    """Yield the number of subsets of `count` things with at most 0, 1, 2, … members."""
    sets = total = 1
    for size in range(count + 1):
        yield total
        sets = sets * (count - size) // (size + 1)
        total += sets


def _refuse_beside_unit_interval(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ValueError(f"{name} is {value}, not between 0 and 1")


def _refuse_nan(values: Iterable[float]) -> None:
    if any(math.isnan(value) for value in values):
        raise ValueError("a value is not a number and has no rank")
