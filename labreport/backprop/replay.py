"""A stored run computed a second time, step by step, by what was derived by hand.

From the weights stored at a step NumPy computes the outputs, the loss and the gradient of that
step, and the weights of the next one. Each step begins with what is stored, so that a run which
magnifies every rounding error can be checked as well as any other; the state of the optimizer is
carried along by hand from the first step to the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from labreport.backprop.arrays import FloatArray
from labreport.backprop.losses import LOSSES
from labreport.backprop.runs import Evaluated, data_of, evaluate, rule_of
from labreport.lab.vocabulary.activations import ACTIVATIONS
from labreport.run import Run, Steps

ROUNDINGS = 256
"""Units of rounding, of the largest number so far, by which two right programs may differ: sums in
another order, over as many steps as an optimizer remembers. A wrong formula differs by 10⁵ such
units and more."""

NUDGES = 6
NUDGE = 16
"""Where more is found, the weights are shifted by so many units of rounding, so many times: if
that changes the result as much, rounding explains it (a unit of ReLU at its kink)."""

MOST_NUMBERS = 4_000_000
"""Weights that are looked at together, which bounds memory to some hundred megabytes."""


@dataclass(frozen=True)
class Difference:
    """The largest difference of one quantity, relative to the largest such number so far.

    Attributes:
        relative: the difference; 0 where nothing was compared.
        step: where it was found.
        parameter: index of the parameter, −1 for a quantity that has none.
        allowed: whether every difference can be rounding.
    """

    relative: float = 0.0
    step: int = 0
    parameter: int = -1
    allowed: bool = True


@dataclass(frozen=True)
class Replay:
    """What a replay found, quantity by quantity.

    Attributes:
        steps: how many were looked at.
        compares_gradients: whether losses and gradients were; not those of mini-batches, whose
            rows are not stored.
        compares_updates: whether updates were; not those of mini-batches between records.
    """

    steps: int
    losses: Difference
    gradients: Difference
    weights: Difference
    outputs: Difference
    compares_gradients: bool
    compares_updates: bool

    @property
    def agrees(self) -> bool:
        return all(d.allowed for d in (self.losses, self.gradients, self.weights, self.outputs))

    @property
    def largest(self) -> float:
        return max(d.relative for d in (self.losses, self.gradients, self.weights, self.outputs))

    @property
    def worst(self) -> tuple[str, Difference]:
        """The quantity that differs most among those that may not differ as they do."""
        named = (
            ("losses", self.losses),
            ("gradients", self.gradients),
            ("weights", self.weights),
            ("outputs", self.outputs),
        )
        return max(named, key=lambda pair: (not pair[1].allowed, pair[1].relative))


def replay(run: Run) -> Replay:
    """Compute a run again from what is stored of it, in its own precision."""
    data = run.config.data
    whole_rounds = data.batch_rows == len(data.inputs)
    updates = whole_rounds or run.trace.is_whole
    # A run on its way to infinity overflows; its trace ends there.
    with np.errstate(all="ignore"):
        found = _Found(run)
        if whole_rounds:
            found.compare_derivatives()
        found.compare_outputs()
        if updates:
            found.compare_updates()
    return Replay(
        steps=len(run.trace.recorded),
        losses=found.losses,
        gradients=found.gradients,
        weights=found.weights,
        outputs=found.outputs,
        compares_gradients=whole_rounds,
        compares_updates=updates,
    )


class _Found:
    """The comparison of one run, quantity by quantity."""

    def __init__(self, run: Run) -> None:
        self.config, self.trace = run.config, run.trace
        self.dtype = np.dtype(run.config.dtype)
        self.unit = float(np.finfo(self.dtype).eps)
        self.losses = self.gradients = self.weights = self.outputs = Difference()

    def compare_derivatives(self) -> None:
        """Losses and gradients, at every step whose weights are stored."""
        trace = self.trace
        stored_losses = trace.losses[trace.recorded]
        largest_loss = _so_far(stored_losses[:, None])
        largest_gradient = _so_far(trace.gradients)
        largest_terms = np.zeros(1)
        for part in self._parts(trace.recorded):
            weights, steps = trace.weights[part], trace.recorded[part]
            hand = self._evaluate(weights)
            largest_terms = np.maximum.accumulate([*largest_terms[-1:], *hand.terms])[1:]
            compared = (
                ("losses", stored_losses[part, None], largest_loss[part], _losses),
                (
                    "gradients",
                    trace.gradients[part],
                    np.maximum(largest_gradient[part], largest_terms),
                    _gradients,
                ),
            )
            for name, stored, scale, quantity in compared:
                found = self._difference(hand, weights, stored, scale, steps, quantity)
                setattr(self, name, _larger(getattr(self, name), found))

    def compare_outputs(self) -> None:
        """Outputs of all rows, at the steps where both they and the weights are stored."""
        trace = self.trace
        both, places, shown = np.intersect1d(trace.recorded, trace.shown, return_indices=True)
        if not len(both):
            return
        stored = trace.outputs[shown].reshape(len(both), -1)
        # Most activations put out numbers near 1, whatever they come from.
        scale = np.maximum(_so_far(stored), 1.0)
        for part in self._parts(both):
            weights = trace.weights[places[part]]
            hand = self._evaluate(weights)
            found = self._difference(hand, weights, stored[part], scale[part], both[part], _outputs)
            self.outputs = _larger(self.outputs, found)

    def compare_updates(self) -> None:
        """Weights after each update, from those before it and the stored gradients."""
        config, trace = self.config, self.trace
        rule, recorded = rule_of(config), trace.recorded
        if len(recorded) < 2:
            return
        place = 0
        weights = trace.weights[0]
        state = rule.start(weights)
        gathered = np.zeros_like(weights)
        reach = 0.0
        for step in range(int(recorded[-1])):
            known = recorded[place] == step
            gradient = trace.gradients[place] if known else self._evaluate(weights).gradient
            gathered = gathered + gradient
            seen = gathered if config.gradients == "accumulated" else gradient
            if not np.isfinite(seen * seen).all():
                # Rules that keep squares have lost them here, each program in a way of its own.
                return
            before = weights
            weights, state = rule.step(weights, seen, state)
            reach = max(reach, float(np.abs(weights - before).max()))
            if recorded[place + 1] == step + 1:
                place += 1
                stored = trace.weights[place]
                scale = float(np.abs(stored).max()) + reach
                self._note_weights(weights, stored, scale, step + 1)
                weights = stored

    def _note_weights(
        self, weights: FloatArray, stored: FloatArray, scale: float, step: int
    ) -> None:
        apart = np.abs(weights - stored)
        parameter = int(apart.argmax())
        if apart[parameter] == 0:
            return
        relative = float(apart[parameter]) / scale
        allowed = relative <= ROUNDINGS * self.unit
        self.weights = _larger(self.weights, Difference(relative, step, parameter, allowed))

    def _parts(self, steps: Steps) -> Iterator[slice]:
        """Steps in portions whose weights and outputs fit into memory."""
        rows = len(self.config.data.inputs)
        size = max(1, MOST_NUMBERS // max(1, self.trace.weights.shape[-1] * rows))
        for start in range(0, len(steps), size):
            yield slice(start, start + size)

    def _evaluate(self, weights: FloatArray) -> Evaluated:
        return evaluate(self.config, weights, self.dtype)

    def _difference(
        self,
        hand: Evaluated,
        weights: FloatArray,
        stored: FloatArray,
        scale: FloatArray,
        steps: Steps,
        quantity: Quantity,
    ) -> Difference:
        """The largest difference of a quantity [steps, numbers], relative to a scale [steps]."""
        computed = quantity(hand)
        known = np.isfinite(scale)
        scale = np.where(known, scale, 0.0)
        with np.errstate(invalid="ignore", over="ignore"):
            apart = np.abs(computed - stored)
        # Beyond the largest number there is nothing to compare: both have to be there, and terms
        # that are leave their sum to chance, be it infinite, no number or 0.
        compared = (np.isfinite(computed) | np.isfinite(stored)) & known[:, None]
        apart = np.where(compared, apart, 0.0)
        far = np.divide(apart.max(axis=1), scale, out=np.zeros(len(scale)), where=scale > 0)
        bound = ROUNDINGS * self.unit * scale
        allowed = apart.max(axis=1) <= bound
        if not allowed.all():
            allowed = apart.max(axis=1) <= bound + self._nudged(weights, computed, quantity)
        # What is not allowed is told before what is merely large.
        step = int(np.where(allowed, far, far + far.max() + 1.0).argmax())
        parameter = int(apart[step].argmax()) if quantity is _gradients else -1
        return Difference(float(far[step]), int(steps[step]), parameter, bool(allowed.all()))

    def _nudged(self, weights: FloatArray, computed: FloatArray, quantity: Quantity) -> FloatArray:
        """How far rounding of the weights alone moves a quantity, step by step.

        And of the outputs: where an activation saturates, those of many weights are rounded to
        one number, and the loss may depend on which (the logarithm of 1 − o).
        """
        signs = np.random.default_rng(0)
        moved: FloatArray = np.zeros(len(weights))
        if quantity is _losses:
            for near in self._losses_beside(weights):
                moved = np.fmax(moved, np.abs(near - computed[:, 0]))
        for _ in range(NUDGES):
            sign = signs.choice([-1.0, 1.0], size=weights.shape)
            shifted = (weights * (1.0 + NUDGE * self.unit * sign)).astype(weights.dtype)
            try:
                near = quantity(self._evaluate(shifted))
            except ValueError:
                # An output beside the domain of the loss: nothing can be compared there.
                continue
            moved = np.fmax(moved, 2 * np.abs(near - computed).max(axis=1))
        return moved

    def _losses_beside(self, weights: FloatArray) -> Iterator[FloatArray]:
        """Losses [steps] of the outputs next to those of some weights, above and below."""
        output = self._evaluate(weights).passed.output
        last = ACTIVATIONS[self.config.network.activations[-1]]
        targets = data_of(self.config, self.dtype)[1]
        for direction in (-np.inf, np.inf):
            beside = np.clip(np.nextafter(output, self.dtype.type(direction)), last.low, last.high)
            yield LOSSES[self.config.loss].values(beside, targets)


Quantity = Callable[[Evaluated], FloatArray]
"""What is compared, as [steps, numbers]."""


def _losses(evaluated: Evaluated) -> FloatArray:
    return evaluated.losses[:, None]


def _gradients(evaluated: Evaluated) -> FloatArray:
    return evaluated.gradient


def _outputs(evaluated: Evaluated) -> FloatArray:
    output = evaluated.passed.output
    return output.reshape(len(output), -1)


def _so_far(values: FloatArray) -> FloatArray:
    """Of values [steps, numbers], the largest absolute one up to each step."""
    largest: FloatArray = np.abs(values).max(axis=1, initial=0.0).astype(np.float64)
    return np.maximum.accumulate(largest)


def _larger(first: Difference, second: Difference) -> Difference:
    return max(first, second, key=lambda d: (not d.allowed, d.relative))
