"""Labs with classes: which class each row belongs to, and which one a run puts it into."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labreport.analysis import thresholds
from labreport.analysis.results import PRECISION, Result
from labreport.lab.configuration import RunConfig
from labreport.lab.unlearnable import FEWEST_ROWS

Labels = NDArray[np.integer]


def labels(config: RunConfig) -> Labels | None:
    """The class [rows] of each row, counted from 0; None where targets are not classes.

    Classes are rows with one 1 among zeros, a unit for each class; or 0 and 1 for a single unit.
    """
    targets = np.array(config.data.targets)
    if len(targets) < FEWEST_ROWS or not np.isin(targets, (0, 1)).all():
        return None
    if targets.shape[1] == 1:
        found = targets[:, 0].astype(int)
    elif (targets.sum(axis=1) == 1).all():
        found = targets.argmax(axis=1)
    else:
        return None
    return found if len(np.unique(found)) > 1 else None


def answers(result: Result, budget: int) -> Labels | None:
    """The class [rows] that a run puts each row into; None where it had ended, or has no classes.

    The unit with the largest output; of a single unit, 1 where it predicts more than a half. Rows
    whose outputs are level (``ties``) follow the convention of ``> 0.5``, ``round`` and ``argmax``:
    class 0 of a single unit, else the first of the level ones.
    """
    margins = _margins(result, budget)
    return None if margins is None else np.asarray(margins.argmax(axis=1))


def ties(result: Result, budget: int) -> NDArray[np.bool_] | None:
    """Mark the rows [rows] whose class is decided by that convention, or by rounding, alone.

    None where there are no answers.
    """
    margins = _margins(result, budget)
    return None if margins is None else np.asarray(margins.sum(axis=1) > 1)


def _margins(result: Result, budget: int) -> NDArray[np.bool_] | None:
    """Mark the classes [rows, classes] ahead: several of a row only where rounding decides.

    Predictions grow with outputs, but several of them may be rounded to 1; so units are compared
    by their outputs.
    """
    outputs = result.outputs(budget)
    predictions = result.wide_predictions(budget)
    if outputs is None or predictions is None or labels(result.run.config) is None:
        return None
    if outputs.shape[1] == 1:
        yes = predictions[:, 0] - 0.5
        values, scale = np.column_stack([-yes, yes]) / 2, np.full(len(yes), 0.5)
    else:
        values = outputs.astype(np.float64)
        scale = np.abs(values).max(axis=1)
    # Infinite outputs are level with one another, and with nothing else.
    scale = np.where(np.isfinite(scale), scale, 0.0)
    rounding = thresholds.ROUNDING * PRECISION[result.run.config.dtype] * scale
    return np.asarray(values >= values.max(axis=1, keepdims=True) - rounding[:, None])


def accuracy(result: Result, budget: int) -> float | None:
    """The share of rows that a run puts into their own class."""
    given, found = labels(result.run.config), answers(result, budget)
    return None if given is None or found is None else float(np.mean(given == found))


def accuracy_formula(result: Result, budget: int, run: str = "") -> str:
    """Return the formula of that share, with ``run`` in front of names where there are several."""
    return f"mean({run}classes_at({result.index(budget)}) == {run}classes)"


def ties_formula(result: Result, budget: int) -> str:
    """Return the formula that counts the rows put into a class by convention."""
    return f"count(ties_at({result.index(budget)}))"


def decided(result: Result, budget: int) -> bool:
    """Return whether the run classifies, and no row of it hangs on how a tie is counted."""
    level = ties(result, budget)
    return level is not None and not level.any()


def largest_class(config: RunConfig) -> float:
    """The share of rows that are right if all are put into the most frequent class."""
    given = labels(config)
    assert given is not None
    return float(np.bincount(given).max() / len(given))
