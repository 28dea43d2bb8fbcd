"""Gradients in which the derivatives that a formula names are those of the formula."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from labreport.lab.configuration import RunConfig
from labreport.lab.expression import Expression, parse, rounding_of
from labreport.lab.expression import evaluate as evaluate_expression
from labreport.lab.formula_checks import DERIVATIVE
from labreport.lab.lab import Formula
from labreport.lab.naming import parameter_names, unit_names
from labreport.reference.array_types import FloatArray
from labreport.reference.network import ForwardPass


class FormulaGradients:
    """Gradients in which a formula replaces the derivatives that it names, and leaves the others.

    Attributes:
        replaced: indices of the derivatives, in the order of the formula.
    """

    def __init__(self, formula: Formula, config: RunConfig) -> None:
        self._names = parameter_names(config.network)
        self._expressions: dict[int, Expression] = {
            self._names.index(weight): parse(text) for weight, text in formula.derivatives.items()
        }
        layers = unit_names(config.network)
        self._units = [name.replace(".", "_") for layer in layers for name in layer]
        targets = np.array(config.data.targets[0])
        self._targets = {f"y{k}": y for k, y in enumerate(targets, start=1)}
        self.replaced = list(self._expressions)

    def __call__(
        self, passed: ForwardPass, weights: FloatArray, gradient: FloatArray
    ) -> FloatArray:
        """The gradient [..., parameters] with the derivatives of the formula in it."""
        values = self._values(passed, weights, gradient)
        rewritten = gradient.copy()
        for index, expression in self._expressions.items():
            try:
                rewritten[..., index] = evaluate_expression(expression, values)
            except ZeroDivisionError:
                rewritten[..., index] = np.nan
        return rewritten

    def rounding(
        self, passed: ForwardPass, weights: FloatArray, gradient: FloatArray
    ) -> FloatArray:
        """Units of rounding that the operations of the formula may add to each derivative."""
        values = self._values(passed, weights, gradient)
        units = np.zeros_like(gradient)
        for index, expression in self._expressions.items():
            try:
                units[..., index] = rounding_of(expression, values)[1]
            except ZeroDivisionError:
                units[..., index] = 0.0
        # What is not finite is no rounding: the derivative itself tells that.
        return np.where(np.isfinite(units), units, 0.0)

    def _values(
        self, passed: ForwardPass, weights: FloatArray, gradient: FloatArray
    ) -> Mapping[str, Any]:
        # Formulas are of labs with one row; the inputs are the same at every step.
        front = weights.shape[:-1]
        layers = [
            np.broadcast_to(a, (*front, *a.shape[-2:]))[..., 0, :] for a in passed.activations
        ]
        units = np.moveaxis(np.concatenate(layers, -1), -1, 0)
        derivatives = [f"{DERIVATIVE}{name}" for name in self._names]
        return {
            **dict(zip(self._units, units, strict=True)),
            **self._targets,
            **dict(zip(self._names, np.moveaxis(weights, -1, 0), strict=True)),
            **dict(zip(derivatives, np.moveaxis(gradient, -1, 0), strict=True)),
        }
