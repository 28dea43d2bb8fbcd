"""Names of a formula as values of a run: its arrays, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.held_out import NOTHING_EXPLAINED, SAME, HeldOut
from labreport.analysis.linear.newton import LOWEST
from labreport.analysis.measures.floor import floor
from labreport.analysis.results import SMALLEST_SCALE
from labreport.data.data_set import DataPart, DataSet
from labreport.lab.changes import quantity
from labreport.lab.naming import parameter_names
from labreport.lab.schema.losses import LOSSES
from labreport.reference.curvature import largest_curvature
from labreport.reference.evaluation import data_of, layers_of
from labreport.reference.gradient_check.check_result import CheckedFormula, GradientCheck
from labreport.reference.losses.all_losses import LOSSES as LOSSES_BY_HAND
from labreport.reference.network import forward
from labreport.runs.run import Array, Run

OF_DATA_SETS = {"data.degree": "degree", "data.patience": "patience"}
"""Keys whose values are numbers of the data set and not of the run."""


class RunScope:
    """The values of a formula's names for one run; arrays in the precision of the run."""

    def __init__(
        self, run: Run, check: GradientCheck | None, data_set: DataSet | None = None
    ) -> None:
        self._run = run
        self._check = check
        self._data_set = data_set
        self._trace = run.trace

    def __getitem__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(type(self), name):
            raise KeyError(f"no such name: {name}")
        return getattr(self, name)

    @property
    def losses(self) -> Array:
        return self._run.losses

    @property
    def round_losses(self) -> Array:
        """The loss of each round over the rows that this round sees."""
        return self._trace.losses

    @property
    def weights(self) -> Array:
        return self._trace.weights

    @property
    def gradients(self) -> Array:
        return self._trace.gradients

    @property
    def outputs(self) -> Array:
        return self._trace.outputs

    @property
    def recorded(self) -> Any:
        return self._trace.recorded

    @property
    def inputs(self) -> Array:
        return np.array(self._run.config.data.inputs, dtype=self._run.config.dtype)

    @property
    def targets(self) -> Array:
        return np.array(self._run.config.data.targets, dtype=self._run.config.dtype)

    @property
    def floor(self) -> float:
        value = floor(self._run.config).value
        if value is None:
            raise ValueError("no floor is known")
        return value

    @property
    def allowance(self) -> float:
        """Distance from the floor that rounding alone can explain."""
        scale = max(abs(self.floor), SMALLEST_SCALE)
        return thresholds.ROUNDING * self.precision * scale

    @property
    def given_targets(self) -> Array:
        """Targets [rows, units] as the lab file gives them, not rounded to the run's precision."""
        return np.array(self._run.config.data.targets, dtype=np.float64)

    @property
    def learning_rate(self) -> float:
        return self._run.config.optimizer.learning_rate

    @property
    def rounds(self) -> int:
        """Updates that were made."""
        return self._trace.rounds

    @property
    def ending(self) -> str:
        return self._trace.ending.kind

    @property
    def ending_step(self) -> int:
        return self._trace.ending.step

    @property
    def message(self) -> str:
        return self._trace.ending.message

    @property
    def precision(self) -> float:
        """Distance of 1 from the next larger number of the run's type."""
        return float(np.finfo(self._run.config.dtype).eps)

    @property
    def names(self) -> tuple[str, ...]:
        return parameter_names(self._run.config.network)

    def weights_at(self, step: int) -> Array:
        return _there(self._trace.weights_at(step))

    def gradients_at(self, step: int) -> Array:
        return _there(self._trace.gradients_at(step))

    def outputs_at(self, step: int) -> Array:
        return _there(self._trace.outputs_at(step))

    def predictions_at(self, step: int) -> Array:
        """Predict the targets from the outputs: probabilities where outputs are logits."""
        return self._predictions(self.outputs_at(step))

    def _predictions(self, outputs: Array) -> Array:
        wide = outputs.astype(np.float64)
        match LOSSES[self._run.config.loss].prediction:
            case "identity":
                return outputs
            case "softmax":
                exponentials = np.exp(wide - np.max(wide, axis=-1, keepdims=True))
                return _array(exponentials / np.sum(exponentials, axis=-1, keepdims=True))
            case "sigmoid":
                # By the powers that do not overflow; a square of what is left of a target tells
                # apart what any other way of computing it would round.
                powers = np.exp(-np.abs(wide))
                return _array(np.where(wide >= 0, 1.0, powers) / (1 + powers))
            case "exp":
                with np.errstate(over="ignore"):
                    return _array(np.exp(wide))
        raise ValueError("margins predict no number")

    def classes_at(self, step: int) -> Array:
        """The class [rows] that each row is put into, counted from 0.

        Where outputs are level but for ``ROUNDING`` units of rounding, the first of the level ones;
        of a single unit, 0.
        """
        outputs = self.outputs_at(step).astype(np.float64)
        unit = thresholds.ROUNDING * self.precision
        if outputs.shape[1] == 1:
            return _array((self._predictions(outputs)[:, 0] - 0.5 > unit * 0.5).astype(int))
        return _array(np.argmax(_ahead(outputs, unit), axis=1))

    def ties_at(self, step: int) -> Array:
        """Mark the rows [rows] whose class is decided by rounding or convention alone."""
        outputs = self.outputs_at(step).astype(np.float64)
        unit = thresholds.ROUNDING * self.precision
        if outputs.shape[1] == 1:
            return _array(abs(self._predictions(outputs)[:, 0] - 0.5) <= unit * 0.5)
        return _array(np.sum(_ahead(outputs, unit), axis=1) > 1)

    @property
    def classes(self) -> Array:
        """The class [rows] that each row belongs to, counted from 0."""
        targets = self.given_targets
        first = targets[:, 0].astype(int)
        return _array(first if targets.shape[1] == 1 else np.argmax(targets, axis=1))

    def sums_at(self, layer: int, step: int) -> Array:
        """Weighted sums [rows, units] of a layer, counted from 1."""
        config = self._run.config
        layers = layers_of(config, self.weights_at(step))
        with np.errstate(all="ignore"):
            passed = forward(layers, config.network.activations, data_of(config, np.float64)[0])
        return _array(passed.pre_activations[layer - 1])

    def outputs_on(self, part: str, step: int) -> Array:
        """Outputs [rows, units] for the rows of a part of the data set."""
        config = self._run.config
        layers = layers_of(config, self.weights_at(step))
        inputs = np.array(self._part(part).inputs, dtype=np.float64)
        with np.errstate(all="ignore"):
            found: Array = forward(layers, config.network.activations, inputs).output
        return found

    def loss_on(self, part: str, step: int) -> float:
        """The loss over the rows of a part of the data set."""
        targets = np.array(self._part(part).targets, dtype=np.float64)
        with np.errstate(all="ignore"):
            return LOSSES_BY_HAND[self._run.config.loss].value(self.outputs_on(part, step), targets)

    def losses_on(self, part: str) -> Array:
        """That loss at the recorded steps that are looked at, the first and the last among them."""
        return HeldOut(self._run, self._with_parts).losses(part)

    def kept(self, last: int) -> int:
        """The step with the lowest loss on the validation rows so far, within patience."""
        steps = [s for s in HeldOut(self._run, self._with_parts).steps if s <= last]
        losses = {step: self.loss_on("validation", step) for step in steps}
        known = [step for step in steps if np.isfinite(losses[step])]
        best, patience = (known or [last])[0], self._with_parts.patience
        for step in known:
            if patience is not None and step - best > patience:
                break
            best = step if losses[step] < losses[best] - SAME * abs(losses[best]) else best
        return best

    def rows_on(self, part: str) -> Array:
        """The numbers [rows] of the rows of a part."""
        return _array(range(len(self._part(part))))

    def right_on(self, part: str, step: int) -> Array:
        """Mark the rows [rows] of a part that are put into their own class."""
        outputs = self.outputs_on(part, step)
        targets = np.array(self._part(part).targets)
        if outputs.shape[1] > 1:
            return _array(np.argmax(outputs, axis=1) == np.argmax(targets, axis=1))
        level = 0.5 if LOSSES[self._run.config.loss].prediction == "identity" else 0.0
        return _array((outputs > level)[:, 0] == (targets > 0)[:, 0])

    def explained_on(self, part: str, step: int) -> float:
        """R² of the outputs for the rows of a part: 1 − squared errors / variance of targets."""
        targets = np.array(self._part(part).targets, dtype=np.float64)
        errors = np.mean((self.outputs_on(part, step) - targets) ** 2, axis=0)
        found = float(np.mean(1 - errors / np.var(targets, axis=0)))
        return 0.0 if abs(found) < NOTHING_EXPLAINED else found

    @property
    def linear_optimum(self) -> float:
        """The lowest loss that a linear model has on the rows of training."""
        return LOWEST[self._run.config.loss](*data_of(self._run.config, np.float64))

    def _part(self, name: str) -> DataPart:
        return self._with_parts.parts[name]

    @property
    def _with_parts(self) -> DataSet:
        if self._data_set is None:
            raise ValueError("no rows were held out")
        return self._data_set

    @property
    def dead_units(self) -> int:
        """Units with ReLU that are silent from the start.

        Their weighted sum is at most 0 for every row at the start, and their incoming weights have
        a gradient of exactly 0 in every round.
        """
        network, count, start = self._run.config.network, 0, 0
        for layer, (units, inputs) in enumerate(network.shapes, 1):
            here = np.arange(start, start + units * inputs).reshape(units, inputs)
            start += units * (inputs + network.trains_bias)
            if network.activations[layer - 1] == "relu":
                quiet = (self.gradients[:, here] == 0).all(axis=(0, 2))
                count += int(((self.sums_at(layer, 0) <= 0).all(axis=0) & quiet).sum())
        return count

    @property
    def dead_at_end(self) -> int:
        """Units with ReLU whose weighted sum is at most 0 for every row at the last step."""
        step = int(self.recorded[-1])
        names = self._run.config.network.activations
        return sum(
            int((self.sums_at(layer, step) <= 0).all(axis=0).sum())
            for layer, name in enumerate(names, 1)
            if name == "relu"
        )

    def curvature_at(self, step: int) -> float:
        """The largest eigenvalue of the Hessian of the loss over all rows."""
        return largest_curvature(self._run.config, self.weights_at(step))

    def curvatures_at(self, steps: Sequence[int]) -> Array:
        """Compute the largest eigenvalue of that Hessian at several steps."""
        return np.array([self.curvature_at(step) for step in steps])

    @property
    def sees_all_rows(self) -> bool:
        """True if the loss of every round is over all rows."""
        return self._run.config.data.sees_all_rows

    @property
    def quantity(self) -> str:
        """What the loss measures: the same name for losses whose values can be ranked."""
        return quantity(self._run.config)

    def setting(self, key: str) -> Any:
        """The value for a dotted key of the lab file; None where it has no such key."""
        named = OF_DATA_SETS.get(key) if self._data_set else None
        return getattr(self._data_set, named) if named else self._run.config.flat().get(key)

    def apart(self, way: str) -> Array:
        """Largest differences [looked at] of a way of computing gradients.

        ``by hand`` and ``by differences`` from autograd, the name of a formula from by hand;
        relative to the derivative, or to what its rounding allows where that is more.
        """
        ways = {"by hand": self._checked.hand, "by differences": self._checked.differences}
        return ways[way].apart if way in ways else self._formula(way).way.apart

    def felt(self, name: str) -> Array:
        """Of each derivative that a formula replaces, the largest of any round, in such units."""
        return self._formula(name).felt

    @property
    def tolerance(self) -> float:
        """Difference from which on a way of computing gradients is another one."""
        return self._checked.tolerance

    @property
    def run_tolerance(self) -> float:
        """The same beside autograd, which has the precision of the run."""
        return self._checked.run_tolerance

    @property
    def by_hand(self) -> Array:
        """Gradients [steps, parameters] derived by hand, in float64."""
        return self._checked.hand.gradients

    @property
    def left_out(self) -> Array:
        """1 at steps [steps] where one of autograd's derivatives is compared with nothing."""
        found: Array = np.any(self._checked.left_out, axis=1).astype(np.float64)
        return found

    @property
    def clamped(self) -> Array:
        """1 at steps [steps] where clamps or rounding decide one of autograd's derivatives."""
        found: Array = np.any(self._checked.clamped, axis=1).astype(np.float64)
        return found

    def by_formula(self, name: str) -> Array:
        """Gradients [steps, parameters] by a formula of the lab."""
        return self._formula(name).way.gradients

    def trained_by(self, name: str) -> Array:
        """Losses of a training with a formula of the lab."""
        return self._formula(name).training.losses

    def gradients_by(self, name: str) -> Array:
        """Gradients [steps, parameters] of that training."""
        return self._formula(name).training.gradients

    def cosine_by(self, name: str) -> float:
        """Smallest cosine of the angle to the chain rule's gradient along that training."""
        return float(self._formula(name).cosines.min())

    @property
    def trained_right(self) -> Array:
        """Losses of the same training with the chain rule."""
        return self._checked.truth.losses

    @property
    def gradients_right(self) -> Array:
        """Gradients [steps, parameters] of that training."""
        return self._checked.truth.gradients

    @property
    def _checked(self) -> GradientCheck:
        if self._check is None:
            raise ValueError("no gradient check")
        return self._check

    def _formula(self, name: str) -> CheckedFormula:
        return next(c for c in self._checked.formulas if c.formula.name == name)


def _ahead(outputs: Array, unit: float) -> Array:
    """Mark the outputs [rows, units] that are the largest of their row, to within rounding."""
    scale = np.max(np.abs(outputs), axis=1, keepdims=True)
    room = unit * np.where(np.isfinite(scale), scale, 0.0)
    found: Array = outputs >= np.max(outputs, axis=1, keepdims=True) - room
    return found


def _array(values: Any) -> Array:
    found: Array = np.asarray(values)
    return found


def _there(values: Array | None) -> Array:
    if values is None:
        raise ValueError("not recorded at that step")
    return values
