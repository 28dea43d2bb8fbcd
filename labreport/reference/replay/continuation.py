"""Stored runs carried on by hand from step to step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from labreport.lab.configuration import RunConfig
from labreport.lab.schema.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    NAdam,
    Optimizer,
    RAdam,
    RMSprop,
    Rprop,
)
from labreport.reference.activations import ACTIVATIONS
from labreport.reference.array_types import BoolArray, FloatArray
from labreport.reference.evaluation import rule_of
from labreport.reference.optimizers.table import cancellation
from labreport.reference.replay.tolerance import NUDGE, ROUNDINGS, absolute_differences
from labreport.reference.rounding import FACTOR, SAFETY
from labreport.runs.run import Steps

if TYPE_CHECKING:
    from labreport.reference.replay.comparison import Together

DOUBLE = float(np.finfo(np.float64).eps)

COPIES = (0, 6, 96)
"""Nudged copies of a run that are carried along: none at first, some where its weights are to be
explained, and many where those do not explain them."""


SHORT = 0.5
"""A rule that remembers the squares of gradients for less than this divides by the last gradient,
as good as alone: what rounding makes of that one, the step is."""

ILL = 1000
"""How many times its rounding a gradient is where dividing by it errs by more than a hundredth: it
has the errors of the steps before in it as well."""


OPEN = 4
"""How many times smaller the squares that a rule divides by may be without what rounding makes of
them, where nobody can say any more what its steps are: they may be twice as long."""


def memory_of_squares(optimizer: Optimizer) -> float | None:
    """The decay of the squared gradients that a rule divides by; None where it has none."""
    match optimizer:
        case Adam() | AdamW() | NAdam() | RAdam() | Adamax():
            return optimizer.betas[1]
        case RMSprop():
            return optimizer.alpha
        case Adadelta():
            return optimizer.rho
        case Adagrad():
            return 1.0
        case _:
            return None


class _Squares:
    """Squares of gradients as a rule remembers them, and what rounding may make of them.

    A nudge to either side does not show the latter: where the terms of a gradient cancel, it makes
    squares that are too large alone.
    """

    def __init__(self, memory: float, shape: tuple[int, ...]) -> None:
        self.memory = memory
        self.least, self.most = np.zeros(shape), np.zeros(shape)

    def are_open(self, gradient: FloatArray, rounding: FloatArray | float) -> BoolArray:
        """Add a gradient [runs, parameters]; in which runs rounding decides by what is divided."""
        size = np.abs(gradient.astype(np.float64))
        with np.errstate(over="ignore", invalid="ignore"):
            self.least = self.memory * self.least + np.maximum(size - rounding, 0.0) ** 2
            self.most = self.memory * self.most + (size + rounding) ** 2
            return np.asarray((self.most > OPEN * self.least).any(axis=-1))


def _remembers(config: RunConfig) -> bool:
    """Whether a step depends on gradients before it."""
    optimizer = config.optimizer
    is_plain = isinstance(optimizer, SGD) and not optimizer.momentum
    return not is_plain or config.gradients == "accumulated"


@dataclass(frozen=True)
class _Case:
    """What is compared at one step of all runs that are carried on, [runs, numbers] each."""

    step: int
    apart: FloatArray
    scale: FloatArray
    moved: FloatArray
    alive: BoolArray


class Carried:
    """Runs carried on from their stored weights by the update rule, with nudged copies beside."""

    def __init__(self, together: Together, chosen: Steps, copies: int) -> None:
        self.together, self.chosen, self.copies = together, chosen, copies
        self.is_last = copies == COPIES[-1]
        self.signs = np.random.default_rng(0)
        self.doubtful: set[int] = set()

    def compare(self) -> Steps:
        """Compare, and give the runs whose differences are still to be explained."""
        if len(self.together.recorded):
            losses, weights = self._carry()
            self._note("losses", losses)
            self._note("weights", weights)
        return np.array(sorted(self.doubtful), dtype=int)

    def _carry(self) -> tuple[list[_Case], list[_Case]]:
        """Losses where no weights are stored, and weights where they are, beside those by hand."""
        of = self.together
        config, recorded, ending = of.config, of.recorded, of.runs[0].trace.ending
        rule = rule_of(config)
        weights = self._nudged(of.weights[self.chosen, 0])
        state = rule.start(weights)
        gathered, reach = np.zeros_like(weights), np.zeros(weights.shape[1:])
        alive = np.ones(len(self.chosen), dtype=bool)
        losses: list[_Case] = []
        found: list[_Case] = []
        place, earlier = 0, np.zeros_like(weights[0])
        terms: FloatArray | float = 0.0
        memory = memory_of_squares(config.optimizer)
        squares = None if memory is None else _Squares(memory, earlier.shape)
        last = int(recorded[-1]) if ending.kind == "completed" else ending.step
        for step in range(last):
            if place < len(recorded) and recorded[place] == step:
                gradient, terms = self._nudged(of.gradients[self.chosen, place]), 0.0
            else:
                case, gradient, terms = self._between(weights, step, alive)
                losses.append(case)
            gathered = gathered + gradient
            seen = gathered if config.gradients == "accumulated" else gradient
            if isinstance(config.optimizer, Rprop):
                alive = alive & ~self._sign_is_open(seen[0], earlier, terms)
            elif memory is not None and memory < SHORT:
                alive = alive & ~self._is_rounded(seen[0], ILL * terms)
            elif squares is not None:
                alive = alive & ~squares.are_open(seen[0], of.roundings * of.unit * terms)
            earlier = seen[0]
            # Rules that keep squares have lost them here, each program in a way of its own.
            alive = alive & np.isfinite(seen * seen).all(axis=(0, 2))
            before = weights
            weights, state = rule.step(weights, seen, state)
            reach = np.maximum(reach, np.abs(weights[0] - before[0]))
            # Scalars of a rule are Python's, of double precision.
            scalars = max(1.0, cancellation(rule, step + 1) * DOUBLE / of.unit)
            if place + 1 < len(recorded) and recorded[place + 1] == step + 1:
                place += 1
                stored = of.weights[self.chosen, place]
                apart = absolute_differences(weights[0], stored)
                moved = _moved(weights)
                scale = np.abs(stored) + reach * scalars
                found.append(_Case(step + 1, apart, scale, moved, alive))
                weights = self._nudged(stored)
                if _remembers(config):
                    # Weights begin anew from those that are stored, what a rule remembers does not.
                    alive = alive & (moved <= scale).all(axis=1)
            else:
                weights = self._rounded(weights, reach * scalars)
        if ending.kind != "completed":
            self._note_ending(weights, last, alive)
        return losses, found

    def _nudged(self, values: FloatArray) -> FloatArray:
        """Values [runs, …] as [1 + copies, runs, …], the copies moved up or down by a nudge."""
        if not self.copies:
            return values[None]
        sign = self.signs.choice([-1.0, 1.0], size=(self.copies, *values.shape))
        moved = values * (1.0 + NUDGE * self.together.unit * sign)
        return np.concatenate([values[None], moved]).astype(values.dtype)

    def _rounded(self, weights: FloatArray, terms: FloatArray) -> FloatArray:
        """Weights [1 + copies, runs, parameters], the copies moved as an update may round them.

        Args:
            weights: after the update.
            terms: absolute values [runs, parameters] of what was added to them.
        """
        if not self.copies:
            return weights
        moved = weights.copy()
        sign = self.signs.choice([-1.0, 1.0], size=moved[1:].shape)
        sizes = np.abs(moved[1:]) + terms
        moved[1:] += (NUDGE * self.together.unit * sign * sizes).astype(moved.dtype)
        return moved

    def _sign_is_open(
        self, gradient: FloatArray, earlier: FloatArray, terms: FloatArray | float
    ) -> BoolArray:
        """In which runs rounding decides the sign of a derivative, or of a product of two.

        Rprop asks for these signs alone, and steps by as much whatever the derivative is. A product
        that is too small to be a normal number is 0 to some programs.

        Args:
            gradient: of this step [runs, parameters].
            earlier: of the one before.
            terms: absolute terms that the gradient is a sum of; 0 where it is a stored one.
        """
        product = np.abs(gradient.astype(np.float64) * earlier)
        tiny = np.finfo(self.together.dtype).tiny
        lost = (product < tiny) & (gradient != 0) & (earlier != 0)
        return np.asarray(self._is_rounded(gradient, terms) | lost.any(axis=-1))

    def _is_rounded(self, gradient: FloatArray, terms: FloatArray | float) -> BoolArray:
        """In which runs a derivative is no more than the rounding of its terms."""
        of = self.together
        rounded = (np.abs(gradient) <= of.roundings * of.unit * terms) & (gradient != 0)
        return np.asarray(rounded.any(axis=-1))

    def _adjusted(self, name: str, z: FloatArray, a: FloatArray) -> FloatArray:
        """Activations [1 + copies, …], those of the copies moved as rounding may move them."""
        sign = self.signs.choice([-1.0, 1.0], size=a.shape)
        sign[0] = 0.0
        size = NUDGE * self.together.unit * ACTIVATIONS[name].value_size(z, a)
        moved = np.asarray(a + size * sign, dtype=a.dtype)
        # Numbers that are too small to be normal are 0 to some programs.
        small = np.abs(moved) < FACTOR * np.finfo(a.dtype).tiny
        moved[1::2] = np.where(small[1::2], 0, moved[1::2])
        return moved

    def _between(
        self, weights: FloatArray, step: int, alive: BoolArray
    ) -> tuple[_Case, FloatArray, FloatArray | float]:
        """The loss, the gradients by hand and their terms, at a step whose weights are not stored.

        The terms are those of the run itself [runs, parameters].
        """
        of = self.together
        seen = of.seen(self.chosen, np.full(len(self.chosen), step))
        hand = of.evaluate(weights, seen, self._adjusted if self.copies else None)
        apart = absolute_differences(hand.losses[0], of.losses[self.chosen, step])[:, None]
        moved, scale = _moved(hand.losses)[:, None], hand.loss_terms[0][:, None]
        gradient = hand.gradient
        if self.copies:
            # A gradient whose terms cancel is rounded in units of these.
            sign = self.signs.choice([-1.0, 1.0], size=gradient[1:].shape)
            gradient = gradient.copy()
            sizes = NUDGE * of.roundings / ROUNDINGS * of.unit * hand.terms[1:]
            gradient[1:] += (sizes * sign).astype(gradient.dtype)
        return _Case(step, apart, scale, moved, alive), gradient, hand.terms[0]

    def _note(self, quantity: str, cases: Sequence[_Case]) -> None:
        if not cases:
            return
        of, runs = self.together, len(self.chosen)
        apart, scale, moved = (
            np.concatenate([getattr(case, name) for case in cases])
            for name in ("apart", "scale", "moved")
        )
        alive = np.concatenate([case.alive for case in cases])
        chosen = np.tile(self.chosen, len(cases))
        steps = np.repeat([case.step for case in cases], runs)
        room = (ROUNDINGS if quantity == "weights" else of.roundings) * of.unit * scale
        room += 2 * SAFETY * moved
        if not self.is_last:
            beyond = (apart > np.maximum(room, of.least)).any(axis=1) & alive
            self.doubtful |= set(chosen[beyond].tolist())
            # What is in doubt is noted once it has been compared with more nudged copies.
            alive = alive & ~np.isin(chosen, list(self.doubtful))
        at = np.flatnonzero(alive)
        of.found[quantity].note(
            chosen[at], steps[at], apart[at], scale[at], room[at], named=quantity == "weights"
        )

    def _note_ending(self, weights: FloatArray, step: int, alive: BoolArray) -> None:
        of = self.together
        ended = of.ends(weights, of.seen(self.chosen, np.full(len(self.chosen), step)))
        for run in self.chosen[~ended & alive].tolist():
            if self.is_last:
                of.found["ending"].refuse(run, step)
            else:
                self.doubtful.add(run)


def _moved(values: FloatArray) -> FloatArray:
    """How far nudged copies [1:] are from what is not nudged [0]; ∞ where they are no number."""
    apart = np.abs(values - values[0]).max(axis=0)
    return np.where(np.isnan(apart), np.inf, apart)
