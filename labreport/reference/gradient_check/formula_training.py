"""Training by hand with the gradients of a formula, and what it would show in print."""

from __future__ import annotations

import numpy as np

from labreport.reference.array_types import FloatArray
from labreport.reference.evaluation import data_of, hyperparameters_of, layers_of
from labreport.reference.gradient_check.formula_gradients import FormulaGradients
from labreport.reference.training import HandTrace, train
from labreport.runs.run import Run

DECIMALS = 2
"""Decimals that the programs of the course print."""


def train_by_formula(run: Run, rewrite: FormulaGradients | None) -> HandTrace:
    """Train from the run's start in float64, with a formula's gradients or with the right ones.

    It ends where the loss refuses what a formula has made of the outputs.
    """
    config, network = run.config, run.config.network

    def trained(rounds: int) -> HandTrace:
        return train(
            layers_of(config, run.trace.weights[0]),
            network.activations,
            config.loss,
            config.optimizer.name,
            hyperparameters_of(config),
            *data_of(config, np.float64),
            rounds,
            network.bias,
            config.gradients,
            rewrite=rewrite,
            simplified=True,
            updates=config.updates,
        )

    try:
        return trained(run.trace.rounds)
    except ValueError:
        # The most rounds that are not refused, by halving: the start itself was not.
        possible, refused = 0, run.trace.rounds
        while refused - possible > 1:
            middle = (possible + refused) // 2
            try:
                trained(middle)
            except ValueError:
                refused = middle
            else:
                possible = middle
        return trained(possible)


def falls(training: HandTrace, rounds: int) -> bool:
    """Return whether the loss of a training falls in every one of so many rounds."""
    return training.losses.size == rounds + 1 and bool((np.diff(training.losses) < 0).all())


def first_shown(made: FloatArray, right: FloatArray) -> int | None:
    """The first round in which numbers [steps, n] look different at two decimals."""
    both = min(len(made), len(right))
    apart = np.round(made[:both], DECIMALS) != np.round(right[:both], DECIMALS)
    rounds = np.flatnonzero(apart.any(axis=1))
    if len(rounds):
        return int(rounds[0]) + 1
    # A training that ended shows it in the round that is not there.
    return None if len(made) == len(right) else both + 1
