"""What the rules on the course of a run do that no single case shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases_course import ABOVE, LIMIT, LINE, RISING
from synthetic_runs import MOMENTUM, RATE, experiment, single, sweep

from labreport.analysis.observe import observe
from labreport.analysis.rules import stability
from labreport.analysis.rules.descent import _flat_stretch, _rolling
from labreport.analysis.rules.stability import HALVINGS, MOST_RUNS, MOST_SAMPLES


@pytest.mark.parametrize("combine", [np.maximum, np.minimum])
@pytest.mark.parametrize("width", range(1, 14))
def test_rolling_extremes_are_those_of_each_window(combine: Any, width: int) -> None:
    values = np.random.default_rng(1).normal(size=13)
    windows = np.lib.stride_tricks.sliding_window_view(values, width)
    assert (_rolling(combine, values, width) == combine.reduce(windows, axis=1)).all()


def test_flat_stretch_is_the_earliest_and_as_long_as_it_can_be() -> None:
    losses = np.array([9.0, 7, 5, 5, 5, 5, 5, 3, 1, 1, 1, 1, 1, 1, 1, 1])
    assert _flat_stretch(losses, 4, 8.0) == (2, 6)
    assert _flat_stretch(losses, 5, 8.0) == (8, 15)
    assert _flat_stretch(losses, 8, 8.0) is None


def test_few_hessians_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []
    largest = stability.largest_curvature

    def counted(*arguments: Any) -> float:
        computed.append(1)
        return largest(*arguments)

    monkeypatch.setattr(stability, "largest_curvature", counted)
    many = [
        single(f"v{k}", RISING, {**LINE, RATE: LIMIT * ABOVE, MOMENTUM: 0.0, "seed": k})
        for k in range(MOST_RUNS + 1)
    ]
    found = list(stability.edge_of_stability(experiment(*many)))
    assert len(found) == MOST_RUNS
    assert len(computed) == 2 * MOST_RUNS

    computed.clear()
    curve = np.linspace(9, 1, 1001).tolist()
    rates = {0.2: curve, 0.3: [*curve[:-1], 2.0]}
    made = experiment(sweep("a", RATE, rates, LINE), budgets=(1000,))
    (found_one,) = stability.stable_rate(made)
    assert len(computed) == found_one.facts["samples"].value  # type: ignore[union-attr]
    assert len(computed) <= MOST_SAMPLES + 2 * HALVINGS


def test_variants_at_the_same_edge_are_told_once() -> None:
    changes = {**LINE, RATE: LIMIT * ABOVE}
    pair = experiment(single("a", RISING, changes), single("b", [9.0, 5.0, 6.5], changes))
    observed = observe(pair)
    everything = (*observed.answers, *observed.others, *observed.limits)
    (edge,) = (o for o in everything if o.rule == "edge-of-stability")
    assert edge.runs == 2
