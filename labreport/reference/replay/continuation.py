"""Stored runs carried on by hand from step to step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from labreport.lab.configuration import RunConfig
from labreport.lab.schema.optimizers import SGD
from labreport.reference.activations import ACTIVATIONS
from labreport.reference.array_types import BoolArray, FloatArray
from labreport.reference.evaluation import rule_of
from labreport.reference.optimizers.all_optimizers import cancellation
from labreport.reference.optimizers.gradient_descent import Sgd
from labreport.reference.optimizers.update_rule import UpdateRule
from labreport.reference.replay.open_steps import OpenSteps
from labreport.reference.replay.tolerance import NUDGE, ROUNDINGS, absolute_differences
from labreport.reference.rounding import FACTOR, SAFETY
from labreport.runs.run import Steps

if TYPE_CHECKING:
    from labreport.reference.replay.step_comparison import Together

DOUBLE = float(np.finfo(np.float64).eps)

MOST_NUMBERS = 250_000
"""Numbers of several steps that are judged together."""

COPIES = (0, 6, 96)
"""Nudged copies of a run that are carried along: none at first, some where its weights are to be
explained, and many where those do not explain them."""

MOST_COPIES = 960
"""Copies of a run that is small, where these do not explain it either: of a path that rounding
decides, 96 copies may all take the one side by chance."""

LARGEST_COPY = 20_000
"""Weights and outputs of units, for all rows, of a run that is small: some 150 MB of all copies."""


def stages(numbers: int) -> tuple[int, ...]:
    """How many copies are carried along, step by step, of a run with so many numbers."""
    return (*COPIES, MOST_COPIES) if numbers <= LARGEST_COPY else COPIES


def _remembers(config: RunConfig) -> bool:
    """Return whether a step depends on gradients before it."""
    optimizer = config.optimizer
    is_plain = isinstance(optimizer, SGD) and not optimizer.momentum
    return not is_plain or config.gradients == "accumulated"


@dataclass(frozen=True)
class _Case:
    """The compared quantities at one step of all runs that are carried on, [runs, numbers] each."""

    step: int
    apart: FloatArray
    scale: FloatArray
    moved: FloatArray
    alive: BoolArray

    def each(self, first: int) -> Iterator[_Case]:
        """The steps one by one, of quantities [steps, runs, numbers]."""
        parts = (self.apart, self.scale, self.moved, self.alive)
        for step, part in enumerate(zip(*parts, strict=True), start=first):
            yield _Case(step, *part)


@dataclass(frozen=True)
class _Cases:
    """The same at several steps, one below the other: [cases] or [cases, numbers] each."""

    runs: Steps
    steps: Steps
    apart: FloatArray
    scale: FloatArray
    moved: FloatArray
    alive: BoolArray

    @classmethod
    def of(cls, portion: Sequence[_Case], chosen: Steps) -> _Cases:
        """All runs that were chosen, at the steps of a portion."""
        return cls(
            np.tile(chosen, len(portion)),
            np.repeat([case.step for case in portion], len(chosen)),
            np.concatenate([case.apart for case in portion]),
            np.concatenate([case.scale for case in portion]),
            np.concatenate([case.moved for case in portion]),
            np.concatenate([case.alive for case in portion]),
        )

    def room(self, rounding: float) -> FloatArray:
        """By how much each number may differ, with so large a rounding of its terms."""
        return np.asarray(rounding * self.scale + 2 * SAFETY * self.moved)


def _portions(cases: Sequence[_Case]) -> Iterator[Sequence[_Case]]:
    """Portions of cases, whose temporary arrays fit into some tens of megabytes."""
    if cases:
        size = max(1, MOST_NUMBERS // max(1, cases[0].apart.size))
        yield from (cases[start : start + size] for start in range(0, len(cases), size))


class Carried:
    """Runs carried on from their stored weights by the update rule, with nudged copies beside."""

    def __init__(self, together: Together, chosen: Steps, copies: int, *, is_last: bool) -> None:
        self.together, self.chosen, self.copies = together, chosen, copies
        self.is_last = is_last
        self.signs = np.random.default_rng(0)
        self.doubtful: set[int] = set()

    def compare(self) -> Steps:
        """Compare, and give the runs whose differences are still to be explained."""
        if len(self.together.recorded):
            losses, weights = self._at_every_step() if self._is_stored() else self._carry()
            self._note("losses", losses)
            self._note("weights", weights)
        return np.array(sorted(self.doubtful), dtype=int)

    def _is_stored(self) -> bool:
        """Return whether every step is stored, and nothing nudged is carried along."""
        trace = self.together.runs[0].trace
        return trace.is_whole and trace.ending.kind == "completed" and not self.copies

    def _at_every_step(self) -> tuple[list[_Case], list[_Case]]:
        """The same as `_carry` where every step is stored: many of them at once."""
        of, rule, config = self.together, self._rule(), self.together.config
        first = of.weights[self.chosen, 0]
        open_steps = OpenSteps(config.optimizer, first.shape, of.dtype, of.roundings * of.unit)
        state, gathered, reach = rule.start(first), np.zeros_like(first), np.zeros(first.shape)
        alive: BoolArray = np.ones(len(first), dtype=bool)
        found = list[_Case]()
        last, size = int(of.recorded[-1]), max(1, MOST_NUMBERS // max(1, first.size))
        for start in range(0, last, size):
            steps, after = slice(start, min(start + size, last)), slice(start + 1, start + size + 1)
            before, seen, stored = (
                of.weights[self.chosen, steps].swapaxes(0, 1),
                of.gradients[self.chosen, steps].swapaxes(0, 1),
                of.weights[self.chosen, after].swapaxes(0, 1),
            )
            if config.gradients == "accumulated":
                seen = np.cumsum([gathered, *seen], axis=0, dtype=seen.dtype)[1:]
                gathered = seen[-1]
            updated, state = _updated(rule, before, seen, state)
            if config.updates == "discarded":
                updated = np.broadcast_to(first, before.shape)
            reaches = np.maximum.accumulate([reach, *np.abs(updated - before)])[1:]
            rounded = [_scalar_rounding(rule, step + 1, of.unit) for step in range(last)[steps]]
            going, known = ~open_steps.of_stored(seen), np.full(seen.shape[:2], True)
            if _remembers(config):
                # What a rule remembers is unknown from where its weights are no numbers.
                known = np.asarray(np.isfinite(updated).all(axis=-1))
                going[1:] &= known[:-1]
            are_alive = np.logical_and.accumulate([alive, *going])[1:]
            alive, reach = np.asarray(are_alive[-1] & known[-1]), reaches[-1]
            terms = reaches * np.array(rounded)[:, None, None]
            found += _beside_stored(updated[None], stored, 0, terms, are_alive).each(start + 1)
        return [], found

    def _carry(self) -> tuple[list[_Case], list[_Case]]:
        """Losses where no weights are stored, and weights where they are, beside those by hand."""
        of = self.together
        config, recorded, ending = of.config, of.recorded, of.runs[0].trace.ending
        rule = self._rule()
        first = weights = self._nudged(of.weights[self.chosen, 0])
        state = rule.start(weights)
        gathered, reach = np.zeros_like(weights), np.zeros(weights.shape[1:])
        alive = np.ones(len(self.chosen), dtype=bool)
        losses, found = list[_Case](), list[_Case]()
        open_steps = OpenSteps(config.optimizer, reach.shape, of.dtype, of.roundings * of.unit)
        last = int(recorded[-1]) if ending.kind == "completed" else ending.step
        places = {recorded_at: place for place, recorded_at in enumerate(recorded.tolist())}
        terms: FloatArray | float
        for step in range(last):
            if step in places:
                gradient, terms = self._nudged(of.gradients[self.chosen, places[step]]), 0.0
            else:
                case, gradient, terms = self._between(weights, step, alive)
                losses.append(case)
            gathered = gathered + gradient
            seen = gathered if config.gradients == "accumulated" else gradient
            alive = alive & ~open_steps.are_open(seen, terms)
            updated, state = rule.step(weights, seen, state)
            updated = updated if config.updates == "kept" else first
            reach = np.maximum(reach, np.abs(updated[0] - weights[0]))
            terms_added = reach * _scalar_rounding(rule, step + 1, of.unit)
            if step + 1 in places:
                stored = of.weights[self.chosen, places[step + 1]]
                case = _beside_stored(updated, stored, step + 1, terms_added, alive)
                found.append(case)
                weights = self._nudged(stored)
                if _remembers(config):
                    # Weights begin anew from those that are stored, what a rule remembers does not.
                    alive = alive & (case.moved <= case.scale).all(axis=1)
            else:
                weights = self._rounded(updated, terms_added)
        if ending.kind != "completed":
            self._note_ending(weights, last, alive)
        return losses, found

    def _rule(self) -> UpdateRule:
        """The update rule; of gradient descent with the learning rate [runs, 1] of each run."""
        of = self.together
        rule = rule_of(of.config)
        if not isinstance(rule, Sgd):
            return rule
        rates = [of.runs[run].config.optimizer.learning_rate for run in self.chosen.tolist()]
        return replace(rule, learning_rate=np.array(rates, dtype=of.dtype)[:, None])

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
        moved = _moved(hand.losses)[:, None]
        scale = of.scale(hand.loss_terms[:, :, None], weights, hand)[0]
        gradient = hand.gradient
        if self.copies:
            # A gradient whose terms cancel is rounded in units of these.
            sign = self.signs.choice([-1.0, 1.0], size=gradient[1:].shape)
            gradient = gradient.copy()
            sizes = NUDGE * of.roundings / ROUNDINGS * of.unit * hand.terms[1:]
            gradient[1:] += (sizes * sign).astype(gradient.dtype)
        return _Case(step, apart, scale, moved, alive), gradient, hand.terms[0]

    def _note(self, quantity: str, cases: Sequence[_Case]) -> None:
        of, portions = self.together, list(_portions(cases))
        roundings = ROUNDINGS if quantity == "weights" else of.roundings
        if not self.is_last:
            for portion in portions:
                case = _Cases.of(portion, self.chosen)
                room = np.maximum(case.room(roundings * of.unit), of.least)
                beyond = (case.apart > room).any(axis=1) & case.alive
                self.doubtful |= set(case.runs[beyond].tolist())
        for portion in portions:
            case = _Cases.of(portion, self.chosen)
            # What is in doubt is noted once it has been compared with more nudged copies.
            at = np.flatnonzero(case.alive & ~np.isin(case.runs, list(self.doubtful)))
            room = case.room(roundings * of.unit)
            of.found[quantity].note(
                *(case.runs[at], case.steps[at], case.apart[at], case.scale[at], room[at]),
                named=quantity == "weights",
            )

    def _note_ending(self, weights: FloatArray, step: int, alive: BoolArray) -> None:
        of = self.together
        ended = of.ends(weights, of.seen(self.chosen, np.full(len(self.chosen), step)))
        for run in self.chosen[~ended & alive].tolist():
            if self.is_last:
                of.found["ending"].refuse(run, step)
            else:
                self.doubtful.add(run)


def _updated(
    rule: UpdateRule, weights: FloatArray, gradients: FloatArray, state: Any
) -> tuple[FloatArray, Any]:
    """Weights [steps, …] after an update each, and what the rule remembers of them all."""
    if isinstance(rule, Sgd) and not rule.momentum:
        return rule.step(weights, gradients, state)
    updated = np.empty_like(weights)
    for step in range(len(weights)):
        updated[step], state = rule.step(weights[step], gradients[step], state)
    return updated, state


def _scalar_rounding(rule: UpdateRule, updates: int, unit: float) -> float:
    """By how many units the scalars of an update are rounded; at least 1."""
    # Scalars of a rule are Python's, of double precision.
    return max(1.0, cancellation(rule, updates) * DOUBLE / unit)


def _beside_stored(
    weights: FloatArray, stored: FloatArray, step: int, terms: FloatArray, alive: BoolArray
) -> _Case:
    """Weights by hand [1 + copies, runs, parameters] beside those that are stored.

    Args:
        weights: by hand.
        stored: [runs, parameters] at the same step.
        step: at which they are stored.
        terms: absolute values [runs, parameters] of what was added to the weights.
        alive: runs that are still compared.
    """
    apart = absolute_differences(weights[0], stored)
    return _Case(step, apart, np.abs(stored) + terms, _moved(weights), alive)


def _moved(values: FloatArray) -> FloatArray:
    """Compute how far nudged copies [1:] are from the original [0]; ∞ where they are no number."""
    apart = np.abs(values - values[0]).max(axis=0)
    return np.where(np.isnan(apart), np.inf, apart)
