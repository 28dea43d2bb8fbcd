"""Whether a run that stands still by a budget still does so when it is trained for longer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.observation import Source
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.reference.norms import norms


def longer(results: ExperimentResults, result: Result) -> Result | None:
    """The same run continued, if there is such a control."""
    found = results.control("longer", result)
    return found[0] if found else None


def stays(results: ExperimentResults, result: Result, budget: int) -> Result | None:
    """The continued run, if from the budget on its loss stays what it was; None if it does not."""
    continued = longer(results, result)
    return continued if continued is not None and _stays(result, continued, budget) else None


def _stays(result: Result, continued: Result, budget: int) -> bool:
    gap, step = result.gap(budget), result.index(budget)
    if gap is None or step is None or len(continued.losses) <= continued.run.config.rounds:
        return False
    if not np.array_equal(result.losses[: step + 1], continued.losses[: step + 1], equal_nan=True):
        return False
    rest = continued.losses[step:].astype(np.float64)
    # Of a run with mini-batches the loss over all rows is known at some steps.
    known = rest[~np.isnan(rest)]
    if np.abs(known - known[0]).max() > thresholds.STAYING * gap:
        return False
    sizes, (early, late) = norms(continued.run.trace.gradients), _quarters(continued, step)
    return bool(sizes[late].min() <= sizes[early].max())


def _quarters(continued: Result, step: int) -> tuple[slice, slice]:
    """The first and the last quarter of what is recorded of a run from a step on.

    Where the gradient grows from the one to the other the run is leaving, however slowly: an output
    that is saturated passes more and more of it back as it comes out of saturation.
    """
    recorded = continued.run.trace.recorded
    first = int(np.searchsorted(recorded, step))
    quarter = max(1, (len(recorded) - first) // 4)
    return slice(first, first + quarter), slice(len(recorded) - quarter, len(recorded))


def stays_claims(result: Result, continued: Result, budget: int) -> Iterator[Source]:
    """The claims that it does, and that it is the same run."""
    step = result.index(budget)
    gap = f"max((r1.losses[{step}] - r1.floor, 0))"
    rest, quarters = f"wide(r2.losses[{step}:])", _quarters(continued, step or 0)
    pair = (result, continued)
    yield cite(f"max(abs({rest} - r2.losses[{step}])) <= STAYING * {gap}", pair)
    yield cite(f"all(r2.losses[:{step} + 1] == r1.losses[:{step} + 1])", pair)
    early, late = (f"norm(wide(r2.gradients[{q.start}:{q.stop}]))" for q in quarters)
    yield cite(f"min({late}) <= max({early})", pair)


DIVIDING = frozenset({"rmsprop", "adam", "adamw", "adamax", "nadam", "radam", "adadelta"})
"""Optimizers that divide a gradient by an average of the size of past ones, which fades."""


def is_held_fast(result: Result, step: int) -> bool:
    """Return whether weights would get nowhere in many more rounds with the gradient of a step.

    An optimizer that divides by the average size of past gradients makes steps of at most the
    learning rate times the gradient over ε once that average has faded; others make steps in
    proportion to the gradient, which is small.
    """
    config = result.run.config
    if config.optimizer.name not in DIVIDING:
        return True
    settings = config.flat()
    largest = float(np.abs(result.run.trace.gradients[step].astype(np.float64)).max())
    each = float(settings["optimizer.learning_rate"]) * largest / float(settings["optimizer.eps"])
    return each * thresholds.LONG_AFTER * config.rounds <= thresholds.NOWHERE


def held_fast_claims(result: Result, step: int) -> Iterator[Source]:
    """The claim that it is so, where the optimizer is one of those."""
    if result.run.config.optimizer.name in DIVIDING:
        largest = f"max(abs(wide(gradients[{step}])))"
        each = f"setting('optimizer.learning_rate') * {largest} / setting('optimizer.eps')"
        yield result.cite(f"{each} * LONG_AFTER * rounds <= NOWHERE")
