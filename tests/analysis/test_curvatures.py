"""The largest curvature along a run, against that of every step."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic_runs import RATE, experiment, sweep

from labreport.analysis.observation import Number
from labreport.analysis.rules.stability import HALVINGS, MOST_SAMPLES, stable_rate
from labreport.reference.curvature import largest_curvature

STEPS = 400
ONE_UNIT = {
    "data": {"inputs": [[1.0]], "targets": [[0.0]]},
    "network": {"layers": [1, 1], "activations": "sigmoid", "bias": "none"},
    "initial": {"scheme": "given", "weights": [[[-8.0]]]},
}


@pytest.mark.parametrize("peak", [60, 150, 290, 370])
def test_the_peak_between_looked_up_steps_is_found(peak: int) -> None:
    # Half of σ(w)² curves most at w near 0: there the run passes in a few of its steps.
    weights = np.clip(0.2 * (np.arange(STEPS + 1) - peak), -8, 8)[:, None]
    falling = np.linspace(9, 1, STEPS + 1)
    rising = [*falling[:-1], 9.0]
    curves = {0.1: list(falling), 0.2: rising}
    results = experiment(sweep("a", RATE, curves, ONE_UNIT, weights=weights), budgets=(STEPS,))
    (found,) = stable_rate(results)
    run = results.results[0].run
    largest = max(largest_curvature(run.config, row) for row in weights[1:])
    said = found.facts["curvature"]
    assert isinstance(said, Number)
    assert said.value == pytest.approx(largest, rel=0.01)
    assert found.facts["samples"].value <= MOST_SAMPLES + 2 * HALVINGS  # type: ignore[union-attr]
