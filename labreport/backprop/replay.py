"""A stored run computed a second time, step by step, by what was derived by hand.

From the weights stored at a step NumPy computes the outputs, the loss and the gradient of that
step, and the weights of the next one. Each step begins with what is stored, so that a run which
magnifies every rounding error can be checked as well as any other; the state of the optimizer is
carried along by hand from the first step to the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from labreport.backprop.arrays import FloatArray
from labreport.backprop.losses import LOSSES
from labreport.backprop.network import backward, forward, size_of_terms
from labreport.backprop.runs import data_of, layers_of, rule_of
from labreport.run import Run

ROUNDINGS = 256
"""Units of rounding, of the largest number so far, by which two right programs may differ: sums in
another order, over as many steps as an optimizer remembers. A wrong formula differs by 10⁵ such
units and more."""

NUDGES = 6
NUDGE = 16
"""Where more is found, the weights are shifted by so many units of rounding, so many times: if
that changes the result as much, rounding explains it (a unit of ReLU at its kink)."""

LOSSES_OF_STEP, GRADIENTS_OF_STEP = 0, 1
"""Which of what is evaluated at a step a difference is of."""

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
    """What a replay found; ``gradients`` is False where batches keep it from being compared."""

    steps: int
    losses: Difference
    gradients: Difference
    weights: Difference
    outputs: Difference
    compares_gradients: bool

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
    trace = run.trace
    # A run on its way to infinity overflows; its trace ends there.
    with np.errstate(all="ignore"):
        found = _Found(run)
        if run.config.data.batch_size is None:
            found.compare_derivatives()
        found.compare_outputs()
        found.compare_updates()
    return Replay(
        steps=len(trace.recorded),
        losses=found.losses,
        gradients=found.gradients,
        weights=found.weights,
        outputs=found.outputs,
        compares_gradients=run.config.data.batch_size is None,
    )


class _Found:
    """The comparison of one run, quantity by quantity."""

    def __init__(self, run: Run) -> None:
        self.config, self.trace = run.config, run.trace
        self.dtype = np.dtype(run.config.dtype)
        self.unit = float(np.finfo(self.dtype).eps)
        self.inputs, self.targets = data_of(run.config, self.dtype)
        self.losses = self.gradients = self.weights = self.outputs = Difference()

    def compare_derivatives(self) -> None:
        """Losses and gradients, at every step whose weights are stored."""
        trace = self.trace
        stored_losses = trace.losses[trace.recorded]
        for part in self._parts():
            losses, gradients, terms = self._evaluate(trace.weights[part])
            self.losses = _larger(
                self.losses,
                self._difference(
                    losses[:, None],
                    stored_losses[part][:, None],
                    part,
                    LOSSES_OF_STEP,
                ),
            )
            self.gradients = _larger(
                self.gradients,
                self._difference(
                    gradients,
                    trace.gradients[part],
                    part,
                    GRADIENTS_OF_STEP,
                    terms,
                ),
            )

    def compare_outputs(self) -> None:
        """Outputs of all rows, at the steps where both they and the weights are stored."""
        trace = self.trace
        both, places, shown = np.intersect1d(trace.recorded, trace.shown, return_indices=True)
        if not len(both):
            return
        layers = layers_of(self.config, trace.weights[places], self.dtype)
        hand = forward(layers, self.config.network.activations, self.inputs).output
        flat = hand.reshape(len(both), -1)
        stored = trace.outputs[shown].reshape(len(both), -1)
        scale = 1.0 + _so_far(stored)
        far = np.abs(flat - stored).max(axis=1) / scale
        step = int(far.argmax())
        # Outputs grow with the weighted sums they come from, whatever these cancel to.
        sums = np.abs(trace.weights[places]).max(axis=1) * max(
            1.0, float(np.abs(self.inputs).max())
        )
        allowed = bool((far * scale <= ROUNDINGS * self.unit * (scale + sums) ** 2).all())
        self.outputs = Difference(float(far[step]), int(both[step]), -1, allowed)

    def compare_updates(self) -> None:
        """Weights after each update, from those before it and the stored gradients."""
        config, trace = self.config, self.trace
        if config.data.batch_size is not None and not trace.is_whole:
            return
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
            gradient = trace.gradients[place] if known else self._evaluate(weights[None])[1][0]
            gathered = gathered + gradient
            seen = gathered if config.gradients == "accumulated" else gradient
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

    def _parts(self) -> Iterator[slice]:
        size = max(1, MOST_NUMBERS // max(1, self.trace.weights.shape[-1] * len(self.inputs)))
        for start in range(0, len(self.trace.recorded), size):
            yield slice(start, min(start + size, len(self.trace.recorded)))

    def _evaluate(self, weights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Losses [steps], gradients as the weights [steps, parameters], sizes of terms [steps]."""
        config = self.config
        layers = layers_of(config, weights, self.dtype)
        passed = forward(layers, config.network.activations, self.inputs)
        found = backward(passed, layers, config.network.activations, config.loss, self.targets)
        parts: list[FloatArray] = []
        for weight, bias in zip(found.weights, found.biases, strict=True):
            parts.append(weight.reshape(len(weights), -1))
            if config.network.trains_bias:
                parts.append(bias)
        losses = LOSSES[config.loss].values(passed.output, self.targets)
        terms = size_of_terms(passed, layers, config.loss, self.targets, found)
        return losses, np.concatenate(parts, axis=-1), terms

    def _nudged(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """How far rounding of the weights alone moves losses and gradients, step by step."""
        losses, gradients, _ = self._evaluate(weights)
        signs = np.random.default_rng(0)
        by_loss, by_gradient = np.zeros(len(weights)), np.zeros(len(weights))
        for _ in range(NUDGES):
            sign = signs.choice([-1.0, 1.0], size=weights.shape)
            shifted = (weights * (1.0 + NUDGE * self.unit * sign)).astype(weights.dtype)
            try:
                near_losses, near_gradients, _ = self._evaluate(shifted)
            except ValueError:
                # An output beside the domain of the loss: nothing can be compared there.
                continue
            by_loss = np.fmax(by_loss, 2 * np.abs(near_losses - losses))
            by_gradient = np.fmax(by_gradient, 2 * np.abs(near_gradients - gradients).max(axis=1))
        return by_loss, by_gradient

    def _difference(
        self,
        hand: FloatArray,
        stored: FloatArray,
        part: slice,
        which: int,
        terms: FloatArray | None = None,
    ) -> Difference:
        """The largest difference of two arrays [steps, numbers]."""
        apart = np.abs(hand - stored)
        sizes = stored if terms is None else np.column_stack([stored, terms])
        scale = _so_far(sizes)
        far = np.divide(apart.max(axis=1), scale, out=np.zeros(len(scale)), where=scale > 0)
        step = int(far.argmax())
        bound = ROUNDINGS * self.unit * scale
        allowed = apart.max(axis=1) <= bound
        if not allowed.all():
            allowed = apart.max(axis=1) <= bound + self._nudged(self.trace.weights[part])[which]
        parameter = int(apart[step].argmax()) if hand.shape[1] > 1 else -1
        return Difference(
            float(far[step]), int(self.trace.recorded[part][step]), parameter, bool(allowed.all())
        )


def _so_far(values: FloatArray) -> FloatArray:
    """Of values [steps, numbers], the largest absolute one up to each step."""
    largest: FloatArray = np.maximum.accumulate(np.abs(values).max(axis=1)).astype(np.float64)
    return largest


def _larger(first: Difference, second: Difference) -> Difference:
    return max(first, second, key=lambda d: (not d.allowed, d.relative))
