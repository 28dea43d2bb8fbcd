"""Losses of runs: their floors, what rounding may change of them, and which are lowest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import stock

from labreport.analysis.linear.newton import lowest_entropy, lowest_unit_entropy
from labreport.analysis.linear.optimum import is_linear, linear_optimum
from labreport.lab.configuration import RunConfig
from labreport.runs.run import Run

ROUNDING_UNITS = {"float32": 2.0**-23, "float64": 2.0**-52}
"""Distance from 1 to the next larger number, by precision."""


def loss_at(run: Run, budget: int) -> float:
    """Return the loss after so many updates; the run must have made them."""
    return float(run.losses[budget])


def has_reached(run: Run, budget: int) -> bool:
    """Check that a run has a loss after so many updates."""
    return len(run.losses) > budget


def has_constant_loss(config: RunConfig) -> bool:
    """Check that the softmax of one unit, which is 1, makes every loss 0."""
    return config.loss == "cross_entropy" and len(config.data.targets[0]) == 1


def same_measure(runs: Iterable[Run]) -> bool:
    """Check that the losses of all these runs measure the same."""
    return len({measure_of(r) for r in runs}) == 1


def measure_of(run: Run) -> tuple[Any, ...]:
    """Return what a loss over all rows measures: its kind and the rows, in whatever batches."""
    data = run.config.data
    return (quantity_of(run.config), data.inputs, data.targets)


def identity_of(run: Run) -> tuple[Any, ...]:
    """Return what is the same of runs that are one run: every bit, the rows and the loss."""
    return (run.trace.losses.tobytes(), run.trace.weights.tobytes(), *measure_of(run))


def quantity_of(config: RunConfig) -> str:
    """Return what a loss is a number of: losses with the same one give it of equal predictions."""
    if config.loss in ("bce", "bce_with_logits", "multilabel_soft_margin"):
        return "minus the logarithm of the probability of each target"
    if config.loss in ("smooth_l1", "huber"):
        return "distance, squared where it is less than 1"
    of_one_class = all(set(row) <= {0.0, 1.0} and sum(row) == 1 for row in config.data.targets)
    is_divergence = config.loss == "kl_div" and config.network.activations[-1] == "log_softmax"
    if config.loss == "cross_entropy" or (is_divergence and of_one_class):
        return "minus the logarithm of the probability of the classes of a row"
    return config.loss


REGRESSIONS = {"bce_with_logits": lowest_unit_entropy, "cross_entropy": lowest_entropy}
"""Losses of which a linear network is a regression, with its lowest loss by Newton's method."""


def floor_of(config: RunConfig) -> float | None:
    """Return the floor of the loss, by trial; None where it is not known."""
    last = config.network.activations[-1]
    layers = config.network.layers
    linear = config.loss == "mse" and set(config.network.activations) == {"identity"}
    if linear and min(layers) >= min(layers[0], layers[-1]):
        return least_squares(config)
    if config.loss in REGRESSIONS and is_linear(config) and linear_optimum(config) is not None:
        lowest = REGRESSIONS[config.loss]
        return lowest(np.array(config.data.inputs), np.array(config.data.targets, dtype=float))
    return stock.lowest_loss(config.loss, config.data.targets, last)


def least_squares(config: RunConfig) -> float:
    """Return what is left of the targets outside of the space that the inputs span."""
    columns = [np.array(column) for column in zip(*config.data.inputs, strict=True)]
    columns += [np.ones(len(config.data.inputs))] if config.network.bias == "trained" else []
    basis: list[np.ndarray] = []
    for column in columns:
        rest = column.astype(float)
        for _ in range(2):
            for one in basis:
                rest = rest - one * (one @ rest)
        length = np.sqrt(rest @ rest)
        if length > 1e-9 * max(np.sqrt(column @ column), 1e-300):
            basis.append(rest / length)
    left = np.array(config.data.targets, dtype=float)
    for one in basis:
        left = left - np.outer(one, one @ left)
    return float(np.mean(left**2))


def above_floor(run: Run, budget: int) -> float:
    """Return the distance of the loss from its floor after so many updates."""
    low = floor_of(run.config)
    assert low is not None
    return max(loss_at(run, budget) - low, 0.0)


def rounding_of(run: Run) -> float:
    """Return what rounding may make of a loss beside its floor."""
    return rounding_beside(run, floor_of(run.config) or 0.0)


def rounding_beside(run: Run, loss: float) -> float:
    """Return what rounding may make of a loss of this size."""
    return 16 * ROUNDING_UNITS[run.config.dtype] * max(abs(loss), 1e-3)


def rounding_of_updates(run: Run, losses: np.ndarray) -> np.ndarray:
    """Return what rounding may make of the change of these losses in each update."""
    return np.asarray(16 * ROUNDING_UNITS[run.config.dtype] * np.maximum(np.abs(losses[:-1]), 1e-3))


def floor_tolerance(run: Run) -> float:
    """Return by how much the floor's own computation may be off."""
    return 1e-9 * max(1.0, abs(floor_of(run.config) or 0.0)) + rounding_of(run)


def came_most_of_the_way(run: Run, budget: int) -> bool:
    """Check that nine tenths of the way to the floor are gone by then."""
    if not has_reached(run, budget) or floor_of(run.config) is None:
        return False
    low = floor_of(run.config)
    if low is None or not np.isfinite(low):
        return False
    return above_floor(run, budget) <= 0.1 * above_floor(run, 0) + floor_tolerance(run)


def lowest_loss_of(run: Run) -> float:
    """Return the lowest loss over all rows that is known of a run."""
    return float(np.nanmin(run.losses)) if len(run.losses) else np.inf


def lowest_runs(runs: Sequence[Run], budget: int) -> list[Run]:
    """Return those with the lowest loss or at the same floor, but for rounding."""
    lowest = min(runs, key=lambda r: loss_at(r, budget))
    least = loss_at(lowest, budget)

    def at_bottom(run: Run) -> bool:
        low = floor_of(run.config)
        if low is None or not np.isfinite(low):
            return False
        return loss_at(run, budget) - low <= rounding_beside(run, low)

    def is_level(run: Run) -> bool:
        if at_bottom(run) and at_bottom(lowest) and floor_of(run.config) == floor_of(lowest.config):
            return True
        unit = max(ROUNDING_UNITS[run.config.dtype], ROUNDING_UNITS[lowest.config.dtype])
        return loss_at(run, budget) - least <= 16 * unit * abs(least)

    return [run for run in runs if is_level(run)]


def leading_variants(runs: Mapping[str, Run], budget: int) -> set[str]:
    """Return the variants with the lowest loss, but for rounding."""
    first = lowest_runs(list(runs.values()), budget)
    return {name for name, r in runs.items() if any(r is other for other in first)}


def predictions_at(run: Run, budget: int, dtype: str = "float64") -> np.ndarray:
    """Return the outputs after so many updates as predictions of the targets."""
    outputs = run.trace.outputs_at(budget)
    assert outputs is not None
    wide = outputs.astype(dtype)
    match run.config.loss:
        case "cross_entropy":
            powers = np.exp(wide - wide.max(axis=1, keepdims=True))
            found: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
            return found
        case "bce_with_logits" | "multilabel_soft_margin":
            with np.errstate(over="ignore"):
                logistic: np.ndarray = 1 / (1 + np.exp(-wide))
            return logistic
        case "kl_div" | "poisson_nll":
            return np.asarray(np.exp(wide))
    return np.asarray(wide)


def squared_error(run: Run, budget: int) -> float:
    """Return the mean squared error of the predictions after so many updates."""
    return float(np.mean((predictions_at(run, budget) - np.array(run.config.data.targets)) ** 2))


def gradient_norms(run: Run) -> np.ndarray:
    """Return the norm of the gradient by step."""
    # Squares of the largest doubles are numbers still where the machine has longer ones.
    return np.sqrt((run.trace.gradients.astype(np.longdouble) ** 2).sum(axis=1)).astype(float)
