"""The lowest loss of a linear model by Newton's method, written out: the evidence's own way.

Softmax regression with the Hessian of Böhning 1992, "Multinomial logistic regression algorithm",
Annals of the Institute of Statistical Mathematics 44; logistic regression is the case of two
classes of which the second has the outputs. Squared errors are quadratic: one step is enough.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray

MOST_STEPS = 100
ENOUGH = 1e-14
"""Decrease of the loss below which the method has come to an end."""

OF_ROUNDING = 1e-24
"""Share of the mean square of targets that least squares of double precision leaves of it where a
linear model fits every row: some thousand units in the last place of each."""


def lowest_squares(inputs: Array, targets: Array) -> float:
    """The lowest mean squared error over linear models of inputs [rows, in]; 0 if they fit."""
    design = _with_ones(inputs)
    weights = np.linalg.lstsq(design, targets, rcond=None)[0]
    return without_rounding(float(np.mean((design @ weights - targets) ** 2)), targets)


def without_rounding(squares: float, targets: Array) -> float:
    """The mean square of what is left of targets; 0 where rounding alone leaves something."""
    return 0.0 if squares <= OF_ROUNDING * float(np.mean(targets**2)) else squares


def lowest_unit_entropy(inputs: Array, targets: Array) -> float:
    """The lowest mean cross entropy of units [rows, units] that each have a sigmoid."""
    return float(np.mean([lowest_entropy(inputs, column[:, None]) for column in targets.T]))


def lowest_entropy(inputs: Array, targets: Array) -> float:
    """The lowest cross entropy of softmax over linear models; targets [rows, classes].

    Of a single unit with targets 0 and 1 that of the sigmoid.
    """
    classes = np.column_stack([1 - targets, targets]) if targets.shape[1] == 1 else targets
    design = _with_ones(inputs)
    # The outputs of the first class are 0: only differences of outputs count.
    weights = np.zeros((design.shape[1], classes.shape[1] - 1))
    loss = _entropy(design, weights, classes)
    for _ in range(MOST_STEPS):
        step = _newton_step(design, weights, classes)
        size = 1.0
        while (new := _entropy(design, weights - size * step, classes)) > loss and size > 1e-10:
            size /= 2
        weights = weights - size * step
        if loss - new <= ENOUGH:
            return min(loss, new)
        loss = new
    return loss


def _with_ones(inputs: Array) -> Array:
    return np.column_stack([inputs, np.ones(len(inputs))])


def _shares(design: Array, weights: Array) -> Array:
    """Softmax [rows, classes] of the outputs, with 0 for the first class."""
    outputs = np.column_stack([np.zeros(len(design)), design @ weights])
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    shares: Array = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _entropy(design: Array, weights: Array, classes: Array) -> float:
    outputs = np.column_stack([np.zeros(len(design)), design @ weights])
    largest = outputs.max(axis=1, keepdims=True)
    logs = outputs - largest - np.log(np.exp(outputs - largest).sum(axis=1, keepdims=True))
    return float(-np.mean((classes * logs).sum(axis=1)))


def _newton_step(design: Array, weights: Array, classes: Array) -> Array:
    """Gradient divided by Hessian, in the shape of the weights."""
    shares = _shares(design, weights)[:, 1:]
    gradient = design.T @ (shares - classes[:, 1:])
    inner = np.einsum("rj,jk->rjk", shares, np.eye(shares.shape[1]))
    inner -= np.einsum("rj,rk->rjk", shares, shares)
    hessian = np.einsum("ra,rjk,rb->ajbk", design, inner, design)
    size = weights.size
    solved = np.linalg.pinv(hessian.reshape(size, size), hermitian=True) @ gradient.reshape(size)
    step: Array = solved.reshape(weights.shape)
    return step


LOWEST = {
    "mse": lowest_squares,
    "bce_with_logits": lowest_unit_entropy,
    "cross_entropy": lowest_entropy,
}
"""The lowest loss of a linear model for inputs and targets, by the name of the loss."""
