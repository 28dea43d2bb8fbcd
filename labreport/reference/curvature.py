"""The curvature of a run's loss: its Hessian, and the step size up to which descent is stable."""

from __future__ import annotations

import numpy as np

from labreport.lab.configuration import RunConfig
from labreport.lab.schema.optimizers import SGD
from labreport.reference.array_types import FloatArray
from labreport.reference.evaluation import evaluate
from labreport.reference.finite_differences import RELATIVE_STEP

# A Hessian of P parameters takes 2P gradients and, for its eigenvalues, some P³ operations:
# at 300 both are a fraction of a second. It is meant for the small networks of a lab.
MOST_PARAMETERS = 300
# All 2P gradients are computed at once, and each array of that holds a number for every point,
# row and unit: 80 MB of float64.
MOST_VALUES = 10_000_000

# Differences over neighbouring stretches differ by the step times the third derivative: by some
# 1e-5 of the second one, where both are of a size. At a kink one of them has the jump in it,
# divided by the step, and the mean of both is off by half of what they differ by.
MOST_APART = 0.01
# What rounding alone may make of the difference of two gradients, in units of their terms.
ROUNDINGS = 64
# A curvature is told where rounding makes up less than this share of it, or less than this.
LARGEST_SHARE_OF_ROUNDING = 1e-3
NEGLIGIBLE = 1e-6


def has_curvature(config: RunConfig) -> bool:
    """Return whether the Hessian of a run's loss is small enough to be computed."""
    parameters, units = config.network.parameter_count, sum(config.network.layers[1:])
    values = 2 * parameters * len(config.data.inputs) * units
    return parameters <= MOST_PARAMETERS and values <= MOST_VALUES


def hessian(config: RunConfig, flat: FloatArray) -> FloatArray:
    """The Hessian [parameters, parameters] of the loss over all rows, in float64.

    `flat` are the parameters [parameters] in stored order. Column j is the central difference
    of the hand-derived gradient along parameter j (Nocedal and Wright 2006, "Numerical
    Optimization", section 8.1); the matrix and its transpose are averaged, because they differ
    by nothing but errors. A penalty by weight decay is no part of the loss.

    The step is that of `differences.central_differences`, for the same reason: the gradient is
    as exact as the loss is there, so that h² |g″| / 6 + ε |g| / h is least near h = ε^(1/3).

    Raises:
        ValueError: if the network is too large (`has_curvature`), a shifted output is beside
            the domain of the loss, a gradient is not finite, or a kink lies within a step, where
            there is no second derivative.
    """
    return _hessian(config, flat)[0]


def _hessian(config: RunConfig, flat: FloatArray) -> tuple[FloatArray, float]:
    """The Hessian, and what rounding may make of an entry."""
    if not has_curvature(config):
        raise ValueError(f"{config.network.parameter_count} parameters are too many for a Hessian")
    center = np.asarray(flat, dtype=np.float64)
    steps = np.diag(RELATIVE_STEP * np.maximum(1.0, np.abs(center)))
    points = [center - steps, center, center + steps / 2.0, center + steps]
    # Far out the network may overflow; what is not finite is refused below.
    with np.errstate(all="ignore"):
        here = evaluate(config, center)
        gradients = [here.gradient if p is center else evaluate(config, p).gradient for p in points]
    # The distances as stored, not those asked for: adding a step has rounded it.
    places = [np.diagonal(np.broadcast_to(p, steps.shape))[:, np.newaxis] for p in points]
    central = (gradients[-1] - gradients[0]) / (places[-1] - places[0])
    if not np.all(np.isfinite(central)):
        raise ValueError("a gradient beside these parameters is not finite")
    # A jump at these parameters themselves is as large to either side of them: only a stretch that
    # does not touch them shows it.
    stretches = [
        (gradients[k + 1] - gradients[k]) / (places[k + 1] - places[k])
        for k in range(len(points) - 1)
    ]
    rounding = float(np.finfo(np.float64).eps * here.terms.max() / RELATIVE_STEP)
    room = MOST_APART * float(np.max(np.abs(central))) + ROUNDINGS * rounding
    if any(np.any(np.abs(stretch - stretches[0]) > room) for stretch in stretches[1:]):
        raise ValueError("the gradient jumps within a step of these parameters")
    symmetric: FloatArray = (central + central.T) / 2.0
    return symmetric, rounding


def largest_curvature(config: RunConfig, flat: FloatArray) -> float:
    """The largest eigenvalue of the Hessian at parameters [parameters], with its sign.

    The largest, not the one of largest magnitude: it is the one that limits the step size. What
    rounding of all entries can make of 0 is 0 (Golub and Van Loan 2013, "Matrix Computations",
    section 8.1.2: no eigenvalue moves by more than the norm of what is added to a matrix).

    Raises:
        ValueError: as `hessian` does; and where rounding may be a noticeable part of it.
    """
    matrix, rounding = _hessian(config, flat)
    largest, room = float(np.linalg.eigvalsh(matrix)[-1]), len(matrix) * rounding
    if room > max(LARGEST_SHARE_OF_ROUNDING * abs(largest), NEGLIGIBLE):
        raise ValueError("rounding hides the curvature at these parameters")
    return largest if abs(largest) > room else 0.0


def stability_limit(config: RunConfig, curvature: float) -> float | None:
    """The learning rate above which a run's descent oscillates and grows along a curvature.

    Along a direction of curvature λ, the step of gradient descent multiplies the distance from
    the minimum by 1 − ηλ, which grows it for η > 2/λ (Nesterov 2004, "Introductory Lectures on
    Convex Optimization", section 1.2.3). With momentum β, as the heavy ball, the limit is
    2(1 + β)/λ (Polyak 1964; Cohen et al. 2021, "Gradient Descent on Neural Networks Typically
    Occurs at the Edge of Stability", equation 1). A weight decay c adds c to every curvature,
    since the optimizer descends the loss plus c/2 · |w|².

    Returns:
        None where there is no such limit, because the curvature is not positive; or no such
        formula: for another optimizer, Nesterov's or dampened momentum, a momentum of 1 or more,
        which settles at no learning rate, gradients that accumulate, updates that are discarded,
        and mini-batches, whose rounds descend other losses than the one whose curvature this is.
    """
    optimizer = config.optimizer
    if not isinstance(optimizer, SGD) or optimizer.nesterov or optimizer.momentum >= 1:
        return None
    # Without momentum there is nothing to be dampened, and the rule leaves the key unread.
    if optimizer.momentum > 0 and optimizer.dampening != 0:
        return None
    if config.gradients != "cleared" or config.updates != "kept":
        return None
    if config.data.batch_rows < len(config.data.inputs):
        return None
    penalised = curvature + optimizer.weight_decay
    return 2.0 * (1.0 + optimizer.momentum) / penalised if penalised > 0 else None
