"""A few labs at random: nothing that is said of them is wrong, and chance is not taken for more.

``benchmarks/false_alarms.py`` does the same with thousands of labs.
"""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import pytest
import same_distribution
from false_alarms import check_file, measure, refuse_gaps
from random_data_labs import data_lab

from labreport.analysis.observe import RULES
from labreport.analysis.thresholds import SIGNIFICANCE

LABS, DATA_LABS, SEED = 60, 25, 7
SIMULATIONS = 400

ONCE_WRONG = Path(__file__).parent / "random_labs"
"""Labs drawn at random of which something wrong was said, or which could not be judged."""


def test_every_rule_has_a_check() -> None:
    refuse_gaps()


def test_nothing_wrong_is_said_of_labs_at_random() -> None:
    found = measure(LABS, SEED)
    assert found.wrong == []
    assert found.labs == LABS
    spoken = [name for name, tally in found.tallies.items() if tally.fired]
    # Most rules that need no rows held out speak of so few labs; of some hundreds all do.
    held_out = [name for name, rule in RULES.items() if rule.theme == "generalisation"]
    assert len(spoken) > (len(found.tallies) - len(held_out)) * 3 / 5


def test_nothing_wrong_is_said_of_labs_with_data_sets_at_random() -> None:
    found = measure(DATA_LABS, SEED, draw_lab=data_lab)
    assert found.wrong == []
    of_held_out = [name for name, rule in RULES.items() if rule.theme == "generalisation"]
    spoken = [name for name in of_held_out if found.tallies[name].fired]
    assert len(spoken) > len(of_held_out) / 2


@pytest.mark.parametrize("path", sorted(ONCE_WRONG.glob("*.toml")), ids=lambda path: path.stem)
def test_nothing_wrong_is_said_of_labs_that_were_once_misjudged(path: Path) -> None:
    found = check_file(path)
    assert found.wrong == []
    assert any(tally.fired for tally in found.tallies.values())


def at_most(rate: float) -> float:
    """The largest share of simulations that such a rate gives, but for once in some millions."""
    return rate + 5 * sqrt(rate * (1 - rate) / SIMULATIONS)


@pytest.mark.parametrize("pairs", [5, 6, 12, 20])
def test_pairs_of_one_distribution_are_told_apart_as_seldom_as_stated(pairs: int) -> None:
    exact = same_distribution.attainable(pairs)
    assert exact <= SIGNIFICANCE
    rate = same_distribution.paired_rate(pairs, SIMULATIONS, SEED)
    assert rate <= at_most(exact)
    # A rule that never spoke would keep any rate.
    assert (rate > exact / 4) == (exact > 0)


@pytest.mark.parametrize("points", [2, 5])
def test_the_best_of_equals_is_clear_as_seldom_as_stated(points: int) -> None:
    rate = same_distribution.best_rate(points, 12, 0.0, SIMULATIONS, SEED)
    assert rate <= at_most(same_distribution.attainable(12))
