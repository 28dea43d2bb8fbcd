"""Functions and operators of formulas over runs."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from labreport.analysis.measures import statistics
from labreport.reference.norms import norms


def _rounds_alike(made: Any, right: Any, decimals: int) -> int:
    """For how many rounds two lists of numbers look the same when they are rounded."""
    both = min(len(made), len(right))
    alike = np.all(np.round(made[:both], decimals) == np.round(right[:both], decimals), axis=1)
    return both if alike.all() else int(np.argmin(alike))


def _standard_deviation(values: Any) -> Any:
    with np.errstate(over="ignore"):
        return np.std(values, ddof=1)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "all": lambda values: bool(np.all(values)),
    "across": lambda values: np.sum(values, axis=-1),
    "any": lambda values: bool(np.any(values)),
    "average_row": lambda values: np.mean(values, axis=0),
    "argmax": lambda values: int(np.argmax(values)),
    "argmin": lambda values: int(np.argmin(values)),
    "axis_argmax": lambda values: np.argmax(values, axis=-1),
    "count": lambda values: int(np.sum(values)),
    "deviation": _standard_deviation,
    "dot": lambda one, other: np.sum(one * other, axis=-1),
    "every_round": lambda values: np.all(values, axis=0),
    "difference": lambda values: np.diff(values, axis=0),
    "exp": np.exp,
    "in_any": lambda values: np.any(values, axis=-1),
    "larger": np.maximum,
    "last_true": lambda values: int(np.flatnonzero(values)[-1]),
    "log": np.log,
    "max": np.max,
    "mean": np.mean,
    "median": np.median,
    "median_interval": statistics.median_interval,
    "min": np.min,
    "most_frequent": lambda values: int(np.bincount(values).argmax()),
    "norm": norms,
    "quantile": np.quantile,
    "rounds_alike": _rounds_alike,
    "sign": np.sign,
    "sign_test": statistics.sign_test,
    "size": np.size,
    "smallest_p": statistics.smallest_p,
    "pairs_needed": statistics.pairs_needed,
    "spread": lambda values: np.ptp(values, axis=0),
    "sqrt": np.sqrt,
    "sum": np.sum,
    "wide": lambda values: np.asarray(values, dtype=np.float64),
}
"""Functions for formulas; ``norm``, ``dot``, ``across`` and ``in_any`` are over the last axis,
``difference``, ``spread`` and ``average_row`` over the first, ``deviation`` divides by n − 1."""

OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
}
