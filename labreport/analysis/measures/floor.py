"""The floor: the lowest value that a loss can have with the outputs the last layer can give.

It asks only what outputs are possible, not whether these weights can produce them: a network may
stay above its floor for other reasons. Of linear networks it is known what weights can give: with
MSE the floor is the residual of least squares, with cross entropy the loss of logistic regression,
where classes are not separable. Every loss here is convex in the output, so the best output of a
unit is its unconstrained optimum, moved into the interval that the activation allows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf, isfinite, log

import numpy as np

from labreport.analysis.linear.optimum import is_linear, linear_optimum
from labreport.lab.configuration import RunConfig
from labreport.lab.schema.activations import ACTIVATIONS
from labreport.lab.unlearnable import reason
from labreport.reference.losses.all_losses import LOSSES

# Stand in for infinity where a loss only approaches its infimum: exp(−1000) is exactly 0, and so
# is the exponential of a small target times the other.
FAR = 1e3
FARTHEST = 1e150

ENTROPIES_OF_OUTPUTS = ("bce_with_logits", "cross_entropy")
"""Losses that have a sigmoid or a softmax in themselves: with a linear network, regressions."""


@dataclass(frozen=True)
class Floor:
    """The infimum of a loss over the outputs that the last activation allows.

    Attributes:
        value: the infimum; −inf if there is none; None where it is not known.
        outputs: the outputs that come nearest to it, row by row, or () where not known.
    """

    value: float | None
    outputs: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class Outside:
    """A target that the last activation cannot give."""

    row: int
    unit: int
    target: float
    nearest: float


def floor(config: RunConfig) -> Floor:
    """The floor of a configuration's loss; none that its precision could not hold."""
    found = _floor(_Problem.of(config))
    largest = float(np.finfo(config.dtype).max)
    beyond = found.value is not None and isfinite(found.value) and abs(found.value) > largest
    return Floor(None) if beyond else found


@dataclass(frozen=True)
class _Problem:
    """What determines a floor, which many configurations have in common."""

    determined_by: tuple[str, str, str]
    config: RunConfig = field(compare=False)

    @classmethod
    def of(cls, config: RunConfig) -> _Problem:
        return cls((config.network.canonical, config.loss, config.data.canonical), config)


@lru_cache(maxsize=256)
def _floor(problem: _Problem) -> Floor:
    config = problem.config
    if config.loss in ENTROPIES_OF_OUTPUTS and is_linear(config):
        regression = linear_optimum(config)
        if regression is not None:
            return Floor(regression)
    activation = ACTIVATIONS[config.network.activations[-1]]
    targets = np.array(config.data.targets, dtype=np.float64)
    if config.loss == "cross_entropy":
        return _cross_entropy_floor(targets, config.network.activations[-1])
    if config.loss == "kl_div" and config.network.activations[-1] == "log_softmax":
        on_simplex = (targets >= 0).all() and np.allclose(
            targets.sum(axis=1), 1, rtol=0, atol=1e-12
        )
        return Floor(0.0) if on_simplex else Floor(None)
    if config.loss == "mse" and _is_linear(config):
        return _least_squares(config, targets)
    wanted = np.vectorize(BEST_OUTPUT[config.loss], otypes=[float])(targets)
    if np.isnan(wanted).any():
        return Floor(None)
    if activation.couples_units and targets.shape[1] == 1:
        only = ONLY_OUTPUT[config.network.activations[-1]]
        return _value(config.loss, np.full_like(targets, only), targets)
    nearest = np.clip(wanted, activation.low, activation.high)
    if activation.couples_units:
        if config.network.activations[-1] != "softmax":
            return Floor(None)
        if config.loss == "mse":
            # Of the wanted outputs, not of the clipped ones: only one of the two is nearest.
            nearest = np.array([_onto_simplex(row) for row in wanted])
        # Of hinge embedding a target other than ±1 has both terms, 1 − o and o: their sum is 1.
        elif (config.loss != "hinge_embedding" or (np.abs(targets) == 1).any()) and not np.allclose(
            nearest.sum(axis=1), 1, rtol=0, atol=1e-12
        ):
            return Floor(None)
    return _value(config.loss, nearest, targets)


def _is_linear(config: RunConfig) -> bool:
    """Return whether a network can represent every linear map of its inputs, and nothing else."""
    layers = config.network.layers
    narrowest, ends = min(layers), min(layers[0], layers[-1])
    is_free = narrowest >= ends and not config.network.holds_bias
    return is_free and set(config.network.activations) == {"identity"}


def _least_squares(config: RunConfig, targets: np.ndarray) -> Floor:
    """The least mean square of any linear map of the inputs; of any affine one with biases."""
    inputs = np.array(config.data.inputs, dtype=np.float64)
    if config.network.trains_bias:
        inputs = np.column_stack([inputs, np.ones(len(inputs))])
    with np.errstate(over="ignore", invalid="ignore"):
        outputs = inputs @ np.linalg.lstsq(inputs, targets, rcond=None)[0]
        square = float(np.mean((outputs - targets) ** 2))
        scale = float(np.mean(targets**2))
    if not isfinite(square) or not isfinite(scale):
        return Floor(None)
    # Of what can be met exactly, least squares leaves rounding.
    exact = square <= np.finfo(float).eps * scale
    return Floor(0.0 if exact else square, tuple(tuple(map(float, row)) for row in outputs))


def _value(loss: str, outputs: np.ndarray, targets: np.ndarray) -> Floor:
    if ((outputs == -inf) & np.vectorize(FALLS_FOREVER[loss], otypes=[bool])(targets, -1)).any():
        return Floor(-inf)
    if ((outputs == inf) & np.vectorize(FALLS_FOREVER[loss], otypes=[bool])(targets, +1)).any():
        return Floor(-inf)
    finite = np.clip(outputs, -FARTHEST, FARTHEST)
    with np.errstate(over="ignore", invalid="ignore"):
        value = float(LOSSES[loss].value(finite, targets))
    if not isfinite(value):
        # Targets whose least loss is beyond the largest number have no floor to speak of.
        return Floor(None)
    return Floor(value, tuple(tuple(float(o) for o in row) for row in outputs))


def outside(config: RunConfig) -> tuple[Outside, ...]:
    """Targets that no output of the last activation can equal, whatever the weights.

    Only for losses that compare outputs with targets of the same kind, and not of a unit that gives
    one number whatever its weights: it is not its range that keeps a target away.
    """
    if reason(config) in ("softmax", "log-softmax"):
        return ()
    if config.loss not in ("mse", "l1", "smooth_l1", "huber", "bce"):
        return ()
    activation = ACTIVATIONS[config.network.activations[-1]]
    return tuple(
        Outside(row, unit, target, min(max(target, activation.low), activation.high))
        for row, values in enumerate(config.data.targets)
        for unit, target in enumerate(values)
        if not activation.low <= target <= activation.high
    )


def _logit(target: float) -> float:
    if not 0 <= target <= 1:
        return inf if target > 1 else -inf
    if target in (0, 1):
        return inf if target else -inf
    return log(target / (1 - target))


BEST_OUTPUT: dict[str, Callable[[float], float]] = {
    "mse": float,
    "l1": float,
    "smooth_l1": float,
    "huber": float,
    # Outside of [0, 1] torch computes no BCE at all.
    "bce": lambda target: target if 0 <= target <= 1 else float("nan"),
    "bce_with_logits": _logit,
    "multilabel_soft_margin": _logit,
    "poisson_nll": lambda target: log(target) if target > 0 else -inf,
    "soft_margin": lambda target: inf if target > 0 else -inf,
    "hinge_embedding": lambda target: -inf if target == 1 else 1.0,
    "kl_div": lambda target: inf if target > 0 else (0.0 if target == 0 else float("nan")),
}
"""The output at which each loss is lowest for one target, before any activation limits it."""


ONLY_OUTPUT = {"softmax": 1.0, "log_softmax": 0.0}
"""What activations give that make one unit of its layer depend on the others, if it has none."""


def _never(target: float, direction: int) -> bool:
    return False


def _beyond_a_probability(target: float, direction: int) -> bool:
    return target > 1 if direction > 0 else target < 0


FALLS_FOREVER: dict[str, Callable[[float, int], bool]] = {
    **dict.fromkeys(("mse", "l1", "smooth_l1", "huber", "bce", "soft_margin"), _never),
    "bce_with_logits": _beyond_a_probability,
    "multilabel_soft_margin": _beyond_a_probability,
    "poisson_nll": lambda target, direction: direction < 0 and target < 0,
    "hinge_embedding": lambda target, direction: direction < 0 and target == 1,
    "kl_div": lambda target, direction: direction > 0 and target > 0,
}
"""Predicates that tell whether a loss has no lower bound as the output goes to ±infinity."""


def _onto_simplex(row: np.ndarray) -> np.ndarray:
    """The nearest point with non-negative entries that sum to 1 (Held, Wolfe, Crowder 1974)."""
    ordered = np.sort(row)[::-1]
    excess = (np.cumsum(ordered) - 1) / np.arange(1, len(row) + 1)
    shift = excess[np.nonzero(ordered > excess)[0][-1]]
    projected: np.ndarray = np.maximum(row - shift, 0.0)
    return projected


def _cross_entropy_floor(targets: np.ndarray, activation: str) -> Floor:
    if (targets < 0).any():
        return Floor(None)
    # Of a row with one class the best outputs are 1 and 0, which a softmax comes near to as well.
    if activation == "softmax" and not ((targets > 0).sum(axis=1) <= 1).all():
        return Floor(None)
    # The logarithms of probabilities are outputs like any others: their softmax is these.
    bounds = ACTIVATIONS["identity" if activation == "log_softmax" else activation]
    totals = [
        _cross_entropy_row(row, max(bounds.low, -FAR), min(bounds.high, FAR)) for row in targets
    ]
    return Floor(float(np.mean(totals)))


def _cross_entropy_row(target: np.ndarray, low: float, high: float) -> float:
    """Least T·logsumexp(o) − t·o over o in [low, high]; T is the sum of the targets.

    Where the bounds do not bind, softmax(o) = t / T, that is o = log(t / T) + logsumexp(o): a
    fixed point in one number, found by bisection because the right side grows more slowly.
    """
    total = float(target.sum())
    if total == 0:
        return 0.0
    if low <= -FAR or high >= FAR:
        # Only differences of outputs count, and where one bound is away they have no bound: T times
        # the entropy of t / T, exactly, and 0 where a row has one class.
        shares = target[target > 0] / total
        return max(0.0, -total * float((shares * np.log(shares)).sum()))
    with np.errstate(divide="ignore"):
        wanted = np.log(target / total)

    def outputs(level: float) -> np.ndarray:
        return np.clip(wanted + level, low, high)

    def log_sum(values: np.ndarray) -> float:
        top = values.max()
        return float(top + np.log(np.exp(values - top).sum()))

    lower, upper = -2 * FAR, 2 * FAR
    for _ in range(200):
        middle = (lower + upper) / 2
        if log_sum(outputs(middle)) > middle:
            lower = middle
        else:
            upper = middle
    best = outputs((lower + upper) / 2)
    return total * log_sum(best) - float((target * best).sum())


def gap(value: float, bottom: Floor) -> float | None:
    """Return the distance of a loss from its floor, or None where there is no finite floor."""
    if bottom.value is None or not isfinite(bottom.value):
        return None
    return value - bottom.value
