"""Runs on rows that training does not see: computed from stored weights, by the hand-derived side.

Training knows nothing of these rows, so that no number of a run depends on them. Whatever is said
of them is computed here, in double precision, from the weights that the run left at its steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from labreport.analysis.results import Result
from labreport.data.data_set import DataPart, DataSet
from labreport.lab.schema.losses import LOSSES as KNOWN
from labreport.reference.evaluation import layers_of
from labreport.reference.losses.all_losses import LOSSES
from labreport.reference.network import forward
from labreport.runs.run import Array, Run

MOST_PRODUCTS = 200_000_000
"""Multiplications for which the steps of one part are computed: about half a second."""

FEWEST_STEPS = 20
"""Steps that are computed in any case, if as many were recorded."""

AT_ONCE = 4_000_000
"""Numbers of one layer that are held at a time."""

SAME = 1e-9
"""Share of a loss by which another must be lower: what is less may be rounding."""

NOTHING_EXPLAINED = 1e-9
"""An R² that is 0 but for rounding: the answer is the mean of the targets."""

Labels = NDArray[np.int_]
"""Numbers of classes, or counts of rows."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A run on the parts of its data set.

    Attributes:
        run: that was trained on the first part.
        data_set: with all parts.
    """

    run: Run
    data_set: DataSet

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """Recorded steps at which all parts are computed: all of them, or evenly chosen ones."""
        recorded = self.run.trace.recorded
        rows = sum(len(self.data_set.parts[name]) for name in self.data_set.held_out)
        network = self.run.config.network
        products = rows * sum(out * into for out, into in network.shapes)
        most = max(FEWEST_STEPS, MOST_PRODUCTS // max(products, 1))
        if len(recorded) <= most:
            return tuple(recorded.tolist())
        places = np.unique(np.linspace(0, len(recorded) - 1, most).round().astype(int))
        return tuple(recorded[places].tolist())

    @property
    def judged_by(self) -> str:
        """The part by which runs are compared: validation, or the test where there is none."""
        parts = self.data_set.held_out
        return "validation" if "validation" in parts else parts[0]

    def outputs(self, part: str, steps: Sequence[int]) -> Array:
        """Outputs [steps, rows, units] for the rows of a part, in double precision."""
        trace, config = self.run.trace, self.run.config
        weights = np.stack([_there(trace.weights_at(step)) for step in steps])
        inputs = np.array(self.data_set.parts[part].inputs, dtype=np.float64)
        widest = max(config.network.layers) * len(inputs)
        portion = max(1, AT_ONCE // widest)
        found = []
        for start in range(0, len(weights), portion):
            layers = layers_of(config, weights[start : start + portion])
            with np.errstate(all="ignore"):
                found.append(forward(layers, config.network.activations, inputs).output)
        joined: Array = np.concatenate(found)
        return joined

    def outputs_at(self, columns: Array, step: int) -> Array:
        """Outputs [rows, units] at a step for values [rows, columns] as the source has them."""
        config = self.run.config
        layers = layers_of(config, _there(self.run.trace.weights_at(step)))
        inputs = self.data_set.inputs_of(columns)
        with np.errstate(all="ignore"):
            found: Array = forward(layers, config.network.activations, inputs).output
        return found

    def classes_of(self, outputs: Array) -> Labels:
        """The class [rows] of each row by its outputs [rows, units]; level ones are the first."""
        if outputs.shape[1] > 1:
            return np.asarray(outputs.argmax(axis=1))
        return np.asarray((outputs[:, 0] > threshold(self.run)).astype(int))

    def probabilities_of(self, outputs: Array) -> Array | None:
        """The probability [rows, classes] of each class by outputs [rows, units].

        None where outputs are none: margins, or numbers that a loss compares with 0 and 1. As a
        loss of classes has them: softmax or sigmoid of the outputs, or the outputs themselves.
        """
        config = self.run.config
        made, last = KNOWN[config.loss].prediction, config.network.activations[-1]
        with np.errstate(all="ignore"):
            if made == "softmax":
                powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
                found: Array = powers / powers.sum(axis=1, keepdims=True)
                return found
            if outputs.shape[1] > 1:
                # Units that do not share one whole are no distribution over classes.
                shares = {"softmax": outputs, "log_softmax": np.exp(outputs)}
                return shares.get(last)
            if made == "sigmoid":
                outputs = 1 / (1 + np.exp(-outputs))
            elif made != "identity" or (config.loss != "bce" and last != "sigmoid"):
                return None
        return np.hstack([1 - outputs, outputs])

    def losses(self, part: str) -> Array:
        """The loss over the rows of a part at each of ``steps``."""
        return self._losses[part]

    @cached_property
    def _losses(self) -> dict[str, Array]:
        return {name: self._lost(name, self.steps) for name in self.data_set.held_out}

    def _lost(self, part: str, steps: Sequence[int]) -> Array:
        targets = np.array(self.data_set.parts[part].targets, dtype=np.float64)
        outputs = self.outputs(part, steps)
        with np.errstate(all="ignore"):
            try:
                found: Array = LOSSES[self.run.config.loss].values(outputs, targets)
            except ValueError:
                # An output is beside the domain of the loss.
                return np.full(len(steps), np.nan)
        return found

    def loss(self, part: str, step: int) -> float | None:
        """The loss over the rows of a part at a step; None if it is not a finite number."""
        found = float(self._lost(part, (step,))[0])
        return found if np.isfinite(found) else None

    def best_step(self, part: str) -> int | None:
        """The first step, of those that are computed, with the lowest loss of a part."""
        losses = self.losses(part)
        return self.steps[int(np.nanargmin(losses))] if np.isfinite(losses).any() else None

    def kept(self, last: int) -> int:
        """The step whose weights count after ``last`` updates: that, or the best so far.

        Best is the lowest finite loss on the validation rows, of the steps at which it is computed;
        with patience, of those that come before so many rounds have passed without a lower one.
        """
        if not self.data_set.keeps_best:
            return last
        patience = np.inf if self.data_set.patience is None else self.data_set.patience
        best: int | None = None
        least = np.inf
        for step, loss in zip(self.steps, self.losses("validation").tolist(), strict=True):
            if step > last or (best is not None and step - best > patience):
                break
            if np.isfinite(loss) and (best is None or loss < least - SAME * abs(least)):
                best, least = step, loss
        return last if best is None else best

    def classes(self, part: str, step: int) -> Labels:
        """The class [rows] that each row of a part is put into; level ones are the first."""
        return self.classes_of(self.outputs(part, (step,))[0])

    def score(self, part: str, step: int) -> float | None:
        """The share of a part's rows in their own class, or R² where targets are numbers."""
        rows = self.data_set.parts[part]
        if self.data_set.classes:
            return float(np.mean(self.classes(part, step) == own_classes(rows)))
        return r_squared(self.outputs(part, (step,))[0], np.array(rows.targets))

    def confusion(self, part: str, step: int) -> Labels:
        """Rows [own class, class they are put into] of a part, counted."""
        count = len(self.data_set.classes)
        table = np.zeros((count, count), dtype=int)
        own = own_classes(self.data_set.parts[part])
        np.add.at(table, (own, self.classes(part, step)), 1)
        return table


def threshold(run: Run) -> float:
    """The output of a single unit above which a row is put into the second class."""
    return 0.5 if KNOWN[run.config.loss].prediction == "identity" else 0.0


def own_classes(part: DataPart) -> Labels:
    """The class [rows] that each row of a part belongs to."""
    targets = np.array(part.targets)
    single = targets.shape[1] == 1
    return np.asarray((targets[:, 0] > 0).astype(int) if single else targets.argmax(axis=1))


def r_squared(outputs: Array, targets: Array) -> float | None:
    """1 − Σ(y − ŷ)² / Σ(y − ȳ)², averaged over output units (R², the coefficient of determination).

    None where a target does not vary, or an output is not finite.
    """
    total = ((targets - targets.mean(axis=0)) ** 2).sum(axis=0)
    if not (total > 0).all() or not np.isfinite(outputs).all():
        return None
    with np.errstate(over="ignore"):
        left = ((targets - outputs) ** 2).sum(axis=0)
    found = float(np.mean(1 - left / total))
    return 0.0 if abs(found) < NOTHING_EXPLAINED else found


_KNOWN: WeakKeyDictionary[Result, HeldOut] = WeakKeyDictionary()


def held_out(result: Result) -> HeldOut | None:
    """A result on the parts of its data set; None where nothing was held out, or nothing ran."""
    data_set = result.trial.data_set
    if data_set is None or not data_set.held_out or not len(result.run.trace.recorded):
        return None
    if result not in _KNOWN:
        _KNOWN[result] = HeldOut(result.run, data_set)
    return _KNOWN[result]


def _there(weights: Array | None) -> Array:
    if weights is None:
        raise ValueError("not recorded at that step")
    return weights
