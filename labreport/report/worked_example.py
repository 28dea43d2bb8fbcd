"""The worked example: one round of the base configuration, computed by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labreport.lab.configuration import RunConfig
from labreport.lab.schema.activations import ACTIVATIONS
from labreport.reference.evaluation import Evaluated, evaluate_if_defined, rule_of
from labreport.runs.run import Run

MOST_WEIGHTS = 16
"""Parameters that can each have a formula of their own before nobody reads them any more."""

MOST_INPUTS = 4
"""Terms of a weighted sum that fit a line with their numbers."""


NO_DERIVATIVE = 16
"""Units of rounding of its terms up to which a derivative may be nothing but rounding."""


@dataclass(frozen=True)
class WorkedExample:
    """One round by hand, in float64 and over all rows, beside what autograd recorded of it.

    Attributes:
        run: the run of which this is the first round.
        weights: [parameters] before it.
        first: the network at those weights.
        updated: [parameters] the weights after the first update.
        second: the network in round 2; None where its loss refuses to be computed.
        row: of the data, counted from 0, whose numbers stand for single units.
    """

    run: Run
    weights: np.ndarray
    first: Evaluated
    updated: np.ndarray
    second: Evaluated | None
    row: int = 0

    @property
    def config(self) -> RunConfig:
        return self.run.config

    @property
    def is_small(self) -> bool:
        """True if each number can have a formula of its own."""
        network = self.config.network
        return (
            len(network.layers) == 3
            and network.parameter_count <= MOST_WEIGHTS
            and max(network.layers[:-1]) <= MOST_INPUTS
            and len(self.config.data.inputs) == 1
            and not any(ACTIVATIONS[name].couples_units for name in network.activations)
        )

    @property
    def is_plain(self) -> bool:
        """True if the first update is a step along the gradient and nothing else."""
        optimizer = self.config.optimizer
        return optimizer.name == "sgd" and not (optimizer.weight_decay or optimizer.nesterov)

    @property
    def apart(self) -> float | None:
        """Largest difference of the first gradient from autograd's, over its largest derivative.

        None where autograd saw some of the rows only, and where all derivatives are no more than
        the rounding of their terms.
        """
        if self.config.data.batch_size is not None:
            return None
        gradient = self.first.gradient
        largest = float(np.abs(gradient).max())
        stored = self.run.trace.gradients[0]
        if not largest > NO_DERIVATIVE * np.finfo(stored.dtype).eps * self.first.terms.max():
            return None
        return float(np.abs(gradient - stored).max()) / largest


def compute_example(run: Run, row: int | None = None) -> WorkedExample | None:
    """One round of a run by hand; None where its loss cannot be computed at all.

    Args:
        run: of the configuration to be worked.
        row: to be shown, counted from 1; one that shows much if left out.
    """
    if not len(run.trace.weights):
        return None
    weights = np.asarray(run.trace.weights[0], dtype=np.float64)
    with np.errstate(all="ignore"):
        first = evaluate_if_defined(run.config, weights)
        if first is None:
            return None
        rule = rule_of(run.config)
        updated, _ = rule.step(weights, first.gradient, rule.start(weights))
        kept = updated if run.config.updates == "kept" else weights
        second = evaluate_if_defined(run.config, kept)
    shown = telling_row(run.config, first) if row is None else row - 1
    return WorkedExample(run, weights, first, updated, second, shown)


def telling_row(config: RunConfig, evaluated: Evaluated) -> int:
    """The row, counted from 0, with most inputs that are not 0; of these, with most different δ.

    A row of zeros would show weighted sums of 0 and weights without a derivative.
    """
    rows = range(len(config.data.inputs))

    def told(row: int) -> tuple[int, int]:
        inputs = sum(value != 0 for value in config.data.inputs[row])
        deltas = {float(d) for layer in evaluated.found.deltas for d in layer[row] if d != 0}
        return inputs, len(deltas)

    return max(rows, key=told)
