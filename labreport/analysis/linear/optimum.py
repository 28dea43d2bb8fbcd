"""The lowest loss that any linear model has on some rows: what training one comes to in the end.

A network without hidden layers and with a linear output has a convex loss, so that its lowest value
is known without training: by least squares, and of classes by scikit-learn's logistic regression
without a penalty (Hastie, Tibshirani and Friedman 2009, "The Elements of Statistical Learning",
sections 3.2 and 4.4).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache

import numpy as np

from labreport.analysis.linear.newton import without_rounding
from labreport.lab.configuration import Rows, RunConfig
from labreport.reference.losses.all_losses import LOSSES

CONVEX = ("mse", "bce_with_logits", "cross_entropy")
"""Losses whose lowest value over linear models is computed."""

MOST_ROUNDS = 2000
TOLERANCE = 1e-12
SOLVERS = ("lbfgs", "newton-cholesky")
AGREED = 1e-10
"""Share of the loss to which both have to agree."""

WORST_CONDITION = 1e4
"""Condition of the inputs above which rounding decides where the lowest loss lies, and no training
comes near it."""

LOWEST_ENTROPY = 1e-6
"""Classes that a plane separates have no lowest loss: it goes to 0, and weights grow for ever."""


def is_linear(config: RunConfig) -> bool:
    """Return whether the outputs are a linear function of the inputs, with a bias that is free."""
    network = config.network
    return len(network.shapes) == 1 and network.activations == ("identity",) and network.trains_bias


def linear_optimum(config: RunConfig) -> float | None:
    """The lowest loss of a linear model on the rows of a run; None if it is not known."""
    if config.loss not in CONVEX:
        return None
    return _optimum(config.data.rows, config.loss)


@cache
def _optimum(rows: Rows, loss: str) -> float | None:
    inputs = np.array(rows.inputs, dtype=np.float64)
    targets = np.array(rows.targets, dtype=np.float64)
    if np.linalg.cond(np.column_stack([inputs, np.ones(len(inputs))])) > WORST_CONDITION:
        return None
    outputs = OUTPUTS[loss](inputs, targets)
    if outputs is None:
        return None
    found = float(LOSSES[loss].value(outputs, targets))
    return without_rounding(found, targets) if loss == "mse" else found


def _least_squares(inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    from sklearn.linear_model import LinearRegression

    outputs: np.ndarray = LinearRegression().fit(inputs, targets).predict(inputs)
    return outputs


def _of_units(inputs: np.ndarray, targets: np.ndarray) -> np.ndarray | None:
    """Outputs [rows, units] of a logistic regression for each unit by itself."""
    if not np.isin(targets, (0, 1)).all():
        return None
    found = [_logistic(inputs, column) for column in targets.T]
    there = [outputs for outputs in found if outputs is not None]
    return np.column_stack(there) if len(there) == len(found) else None


def _of_classes(inputs: np.ndarray, targets: np.ndarray) -> np.ndarray | None:
    """Outputs [rows, classes] of softmax regression."""
    if targets.shape[1] == 1 or not (targets.sum(axis=1) == 1).all():
        return None
    if not np.isin(targets, (0, 1)).all() or not targets.any(axis=0).all():
        return None
    outputs = _logistic(inputs, targets.argmax(axis=1))
    if outputs is None or targets.shape[1] > 2:
        return outputs
    # Of two classes scikit-learn has one output, by which the second is above the first.
    return np.column_stack([np.zeros(len(outputs)), outputs])


def _logistic(inputs: np.ndarray, classes: np.ndarray) -> np.ndarray | None:
    """Outputs of the regression of two or more classes; None where two solvers do not agree.

    They do not where some rows can be separated from all others, so that weights grow for ever.
    """
    if len(np.unique(classes)) < 2:
        return None
    inputs = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    lowest = []
    for solver in SOLVERS:
        fitted = _fitted(inputs, classes, solver)
        if fitted is None or fitted[0] < LOWEST_ENTROPY:
            return None
        lowest.append(fitted)
    losses = [loss for loss, _ in lowest]
    return lowest[0][1] if max(losses) - min(losses) <= AGREED * min(losses) else None


def _fitted(
    inputs: np.ndarray, classes: np.ndarray, solver: str
) -> tuple[float, np.ndarray] | None:
    """Cross entropy and outputs by one solver; None where it does not come to an end."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    model = LogisticRegression(C=np.inf, tol=TOLERANCE, max_iter=MOST_ROUNDS, solver=solver)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            model.fit(inputs, classes)
        except Warning:
            return None
    loss = float(log_loss(classes, model.predict_proba(inputs)))
    return loss, model.decision_function(inputs)


OUTPUTS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray | None]] = {
    "mse": _least_squares,
    "bce_with_logits": _of_units,
    "cross_entropy": _of_classes,
}
"""How the outputs with the lowest loss are found: None where there are none."""
