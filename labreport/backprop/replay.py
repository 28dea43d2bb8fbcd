"""Stored runs computed a second time, step by step, by what was derived by hand.

From the weights stored at a step NumPy computes the outputs, the loss and the gradient of that
step, and the weights of the next one. Each step begins with what is stored, so that a run which
magnifies every rounding error can be checked as well as any other; the state of the optimizer is
carried along from the first step to the last. Between steps whose weights are not stored the run
is carried on by hand. The start, and the rows of mini-batches, are drawn again from the seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from labreport.backprop.activations import ACTIVATIONS
from labreport.backprop.arrays import BoolArray, FloatArray
from labreport.backprop.generator import row_orders
from labreport.backprop.network import forward
from labreport.backprop.rounding import SAFETY, Nudged, farthest, nudged
from labreport.backprop.runs import Evaluated, data_of, derivatives, layers_of, rule_of
from labreport.backprop.starts import initial_weights
from labreport.run import Run, Steps

ROUNDINGS = 16
"""Units of rounding, of the terms that a number is a sum of, by which two right programs may
differ: sums in another order."""

NUDGE = 8
"""Where more is found, weights and activations are nudged by so many units of rounding: if that
changes the result as much, rounding explains it (a unit of ReLU at its kink)."""

COPIES = 6
"""Nudged copies of a run that are carried along where its weights are to be explained."""

UNDERFLOW = 2.0**60
"""The smallest normal number times this is as good as 0: torch's sigmoid is 0 where e^−z is too
large for the precision, and what is multiplied by it later may be large."""

START_ROUNDINGS = 256
"""Units of rounding in float32, of the largest weight, by which a start may differ from one that
is drawn again: logarithms, cosines and an orthogonalisation lie between."""

LARGE = 1e-3
"""Share of the largest number from which on another order of operations overflows."""

MOST_NUMBERS = 4_000_000
"""Numbers that are looked at together, which bounds memory to some hundred megabytes."""

QUANTITIES = ("start", "losses", "gradients", "outputs", "weights", "ending")
"""What is compared, in the order in which a fault names the first."""


@dataclass(frozen=True)
class Difference:
    """The largest difference of one quantity of a run.

    Attributes:
        relative: the difference, in units of the terms that the number is a sum of.
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
    """What a replay found of one run.

    Attributes:
        steps: how many were computed again.
        draws_start: whether the start was: not of a scheme that depends on the version of torch.
        is_carried: whether the run was carried on by hand from step to step.
        differences: the largest of each quantity, in the order of QUANTITIES.
    """

    steps: int
    draws_start: bool
    is_carried: bool
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        return all(difference.allowed for difference in self.differences)

    @property
    def largest(self) -> float:
        """Of losses, gradients, outputs and weights; a start is drawn by other functions."""
        return max(difference.relative for difference in self.differences[1:])

    @property
    def worst(self) -> tuple[str, Difference]:
        """The first quantity that differs as it may not, else the one that differs most."""
        named = list(zip(QUANTITIES, self.differences, strict=True))
        refused = [pair for pair in named if not pair[1].allowed]
        return refused[0] if refused else max(named, key=lambda pair: pair[1].relative)

    def of(self, quantity: str) -> Difference:
        """The largest difference of one quantity."""
        return self.differences[QUANTITIES.index(quantity)]


def replay(run: Run) -> Replay:
    """Compute a run again from what is stored of it, in its own precision."""
    return replay_together([run])[0]


def replay_together(runs: Sequence[Run], carries_on: bool = True) -> list[Replay]:
    """Compute runs again that differ in their seeds alone, and are recorded at the same steps.

    Args:
        runs: the runs.
        carries_on: from step to step; otherwise only what is stored of a step is compared.

    Raises:
        ValueError: if they are not such runs.
    """
    keys = {replayable_with(run) for run in runs}
    if len(keys) > 1:
        raise ValueError("runs of different configurations or records")
    first = runs[0]
    size = max(1, MOST_NUMBERS // max(1, len(first.trace.losses) + first.trace.weights.size))
    found: list[Replay] = []
    # A run on its way to infinity overflows; its trace ends there.
    with np.errstate(all="ignore"):
        for start in range(0, len(runs), size):
            found += _Together(runs[start : start + size]).replays(carries_on)
    return found


def replayable_with(run: Run) -> tuple[object, ...]:
    """What runs have in common that can be replayed together."""
    config, trace = run.config, run.trace
    alike = config.model_copy(update={"seed": 0}).digest
    steps = tuple(s.tobytes() for s in (trace.recorded, trace.shown, trace.measured))
    return (alike, len(trace.losses), trace.ending.kind, *steps)


class _Largest:
    """The largest difference of a quantity, of each of several runs.

    Args:
        runs: how many.
        least: differences up to this are none.
    """

    def __init__(self, runs: int, least: float) -> None:
        self._least = least
        self._relative = np.zeros(runs)
        self._step, self._parameter = np.zeros(runs, dtype=int), np.full(runs, -1)
        self._allowed = np.ones(runs, dtype=bool)

    def note(
        self,
        runs: Steps,
        steps: Steps,
        apart: FloatArray,
        scale: FloatArray,
        room: FloatArray,
        named: bool = False,
    ) -> None:
        """Take in differences [cases, numbers] of runs [cases] at steps [cases].

        What is larger than ``room`` is not allowed; where ``room`` is not finite, nothing is
        compared.
        """
        known = np.isfinite(room)
        apart = np.where(known & ~np.isnan(apart) & (apart > self._least), apart, 0.0)
        beyond = known & (apart > room)
        far = np.divide(apart, scale, out=np.where(apart > 0, np.inf, 0.0), where=scale > 0)
        # What is not allowed is told before what is merely large.
        worst = np.where(beyond.any(axis=1, keepdims=True) & ~beyond, -1.0, far).argmax(axis=1)
        cases = np.arange(len(runs))
        relative, allowed = far[cases, worst], ~beyond[cases, worst]
        # Of several cases of a run the last one assigned stays: the one that is largest.
        order = np.lexsort((relative, ~allowed))
        is_larger = relative > self._relative[runs]
        is_larger = np.where(allowed == self._allowed[runs], is_larger, ~allowed)
        order = order[is_larger[order]]
        at = runs[order]
        self._relative[at], self._step[at] = relative[order], steps[order]
        self._parameter[at] = worst[order] if named else -1
        self._allowed[at] = allowed[order]

    def refuse(self, run: int, step: int) -> None:
        """Note that something is so that cannot be."""
        self._relative[run], self._step[run] = np.inf, step
        self._parameter[run], self._allowed[run] = -1, False

    def __getitem__(self, run: int) -> Difference:
        return Difference(
            float(self._relative[run]),
            int(self._step[run]),
            int(self._parameter[run]),
            bool(self._allowed[run]),
        )


class _Together:
    """The comparison of runs that differ in their seeds alone."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = runs
        self.config, trace = runs[0].config, runs[0].trace
        self.dtype = np.dtype(self.config.dtype)
        self.unit = float(np.finfo(self.dtype).eps)
        self.least = UNDERFLOW * float(np.finfo(self.dtype).tiny)
        self.recorded, self.shown = trace.recorded, trace.shown
        self.losses = np.stack([run.trace.losses for run in runs])
        self.weights = np.stack([run.trace.weights for run in runs])
        self.gradients = np.stack([run.trace.gradients for run in runs])
        self.found = {quantity: _Largest(len(runs), self.least) for quantity in QUANTITIES}

    def replays(self, carries_on: bool) -> list[Replay]:
        """Compare everything, and give what was found of each run."""
        drawn = [initial_weights(run.config) for run in self.runs]
        if len(self.recorded):
            self._compare_start(drawn)
            self._compare_derivatives()
            self._compare_outputs()
            self._compare_overall()
        if carries_on:
            self._carry_on(np.arange(len(self.runs)), drawn)
        return [
            Replay(
                steps=len(self.losses[run]) if carries_on else len(self.recorded),
                draws_start=drawn[run] is not None,
                is_carried=carries_on,
                differences=tuple(self.found[quantity][run] for quantity in QUANTITIES),
            )
            for run in range(len(self.runs))
        ]

    @cached_property
    def _data(self) -> tuple[FloatArray, FloatArray]:
        """All inputs and targets."""
        return data_of(self.config, self.dtype)

    @cached_property
    def _orders(self) -> Steps | None:
        """Rows [runs, steps, batch] that each round sees; None where it sees all of them."""
        data = self.config.data
        if data.batch_rows == len(data.inputs):
            return None
        steps = len(self.losses[0]) + 1
        seeds = [run.config.seed for run in self.runs]
        return np.stack(
            [row_orders(seed, len(data.inputs), data.batch_rows, steps) for seed in seeds]
        )

    def seen(self, runs: Steps, steps: Steps) -> tuple[FloatArray, FloatArray]:
        """Inputs and targets that runs [cases] see at steps [cases]."""
        inputs, targets = self._data
        if self._orders is None:
            return inputs, targets
        rows = self._orders[runs, steps]
        return inputs[rows], targets[rows]

    def evaluate(self, flat: FloatArray, data: tuple[FloatArray, FloatArray]) -> Evaluated:
        """The network at parameters [..., parameters]; outputs that BCE refuses are at its ends."""
        inputs, targets = data
        layers = layers_of(self.config, flat, self.dtype)
        passed = forward(layers, self.config.network.activations, inputs)
        if self.config.loss == "bce":
            output = np.clip(passed.output, 0.0, 1.0)
            passed = type(passed)(passed.pre_activations, (*passed.activations[:-1], output))
        return derivatives(self.config, passed, layers, targets)

    def _beside(self, flat: FloatArray, data: tuple[FloatArray, FloatArray]) -> list[Nudged]:
        return list(nudged(self.config, flat, NUDGE * self.unit, self.dtype, data=data))

    def _compare_start(self, drawn: list[FloatArray | None]) -> None:
        unit = float(np.finfo(np.float32).eps)
        if not self.config.by_chance or self.config.initial.scheme == "given":
            unit = self.unit
        for run, start in enumerate(drawn):
            if start is not None:
                stored = self.weights[run, :1].astype(np.float64)
                scale = np.full_like(stored, np.abs(start).max(initial=0.0))
                room = START_ROUNDINGS * unit * scale
                apart = np.abs(stored - start.astype(self.dtype))
                at = np.zeros(1, dtype=int)
                self.found["start"].note(at + run, at, apart, scale, room, named=True)

    def _parts(self, steps: Steps) -> Iterator[tuple[Steps, Steps]]:
        """Runs and indices [cases] into steps, in portions that fit into memory."""
        rows = len(self.config.data.inputs)
        width = max(self.config.network.layers)
        size = max(1, MOST_NUMBERS // max(1, self.weights.shape[-1] + rows * width))
        runs, places = (
            axis.ravel()
            for axis in np.meshgrid(np.arange(len(self.runs)), np.arange(len(steps)), indexing="ij")
        )
        for start in range(0, len(runs), size):
            yield runs[start : start + size], places[start : start + size]

    def _compare_derivatives(self) -> None:
        """Losses and gradients, at every step whose weights are stored."""
        for runs, places in self._parts(self.recorded):
            steps = self.recorded[places]
            flat, data = self.weights[runs, places], self.seen(runs, steps)
            hand = self.evaluate(flat, data)
            stored = self.losses[runs, steps]
            gradients = self.gradients[runs, places]
            loss_scale, scale = hand.loss_terms[:, None], hand.terms
            loss_room = ROUNDINGS * self.unit * loss_scale
            room = ROUNDINGS * self.unit * scale
            loss_apart = _apart(hand.losses[:, None], stored[:, None])
            apart = _apart(hand.gradient, gradients)
            doubtful = (loss_apart > loss_room).any(axis=1) | (apart > room).any(axis=1)
            if doubtful.any():
                some = np.flatnonzero(doubtful)
                near = self._beside(flat[some], self.seen(runs[some], steps[some]))
                moved = farthest(near, lambda n: n.evaluated.losses, hand.losses[some])
                loss_room[some] += moved[:, None]
                room[some] += farthest(near, lambda n: n.evaluated.gradient, hand.gradient[some])
            self.found["losses"].note(runs, steps, loss_apart, loss_scale, loss_room)
            self.found["gradients"].note(runs, steps, apart, scale, room, named=True)

    def _compare_outputs(self) -> None:
        """Outputs of all rows, at the steps where both they and the weights are stored."""
        both, places, shown = np.intersect1d(self.recorded, self.shown, return_indices=True)
        outputs = [run.trace.outputs for run in self.runs]
        for runs, cases in self._parts(both):
            flat = self.weights[runs, places[cases]]
            evaluated = self.evaluate(flat, self._data)
            hand = _flat_outputs(evaluated)
            stored = np.stack(
                [outputs[r][shown[c]] for r, c in zip(runs, cases, strict=True)]
            ).reshape(hand.shape)
            apart = _apart(hand, stored)
            scale = self._output_terms(flat, evaluated).reshape(hand.shape)
            room = ROUNDINGS * self.unit * scale
            doubtful = np.flatnonzero((apart > room).any(axis=1))
            if len(doubtful):
                near = self._beside(flat[doubtful], self._data)
                room[doubtful] += farthest(
                    near, lambda n: _flat_outputs(n.evaluated), hand[doubtful]
                )
            self.found["outputs"].note(runs, both[cases], apart, scale, room)

    def _output_terms(self, flat: FloatArray, evaluated: Evaluated) -> FloatArray:
        """The absolute terms behind each output [..., rows, units], added up in the last layer."""
        last, passed = layers_of(self.config, flat, self.dtype)[-1], evaluated.passed
        sums = np.abs(passed.activations[-2]) @ np.swapaxes(np.abs(last.weight), -1, -2)
        if last.bias is not None:
            sums = sums + np.abs(last.bias)[..., None, :]
        activation = ACTIVATIONS[self.config.network.activations[-1]]
        z, a = passed.pre_activations[-1], passed.output
        return activation.value_size(z, a) + activation.size(z, a, sums)

    def _compare_overall(self) -> None:
        """Losses over all rows of runs with mini-batches, at the steps where they are stored."""
        measured = self.runs[0].trace.measured
        both, places, stored_at = np.intersect1d(self.recorded, measured, return_indices=True)
        overall = np.stack([run.trace.overall for run in self.runs])
        for runs, cases in self._parts(both):
            flat = self.weights[runs, places[cases]]
            hand = self.evaluate(flat, self._data)
            apart = _apart(hand.losses, overall[runs, stored_at[cases]])
            room = ROUNDINGS * self.unit * hand.loss_terms
            doubtful = np.flatnonzero(apart > room)
            if len(doubtful):
                near = self._beside(flat[doubtful], self._data)
                room[doubtful] += farthest(
                    near, lambda n: n.evaluated.losses, hand.losses[doubtful]
                )
            apart, scale, room = (v[:, None] for v in (apart, hand.loss_terms, room))
            self.found["losses"].note(runs, both[cases], apart, scale, room)

    def _carry_on(self, chosen: Steps, drawn: list[FloatArray | None]) -> None:
        """Weights after each update, and losses where no weights are stored, of some runs."""
        doubtful = _Carried(self, chosen, copies=0).compare()
        if len(doubtful):
            _Carried(self, doubtful, copies=COPIES).compare()
        for run, trace in enumerate(run.trace for run in self.runs):
            if not len(trace.recorded) and not self._is_ended(run, drawn[run]):
                self.found["ending"].refuse(run, 0)

    def _is_ended(self, run: int, start: FloatArray | None) -> bool:
        """Whether a run of which nothing is stored cannot even begin."""
        if start is None:
            return True
        at = np.array([run]), np.array([0])
        flat = start.astype(self.dtype)[None]
        return bool(self.ends(flat[None], self.seen(*at))[0])

    def ends(self, flat: FloatArray, data: tuple[FloatArray, FloatArray]) -> BoolArray:
        """Whether a run ends at parameters [copies, runs, parameters], for any of the copies.

        It may end for the rows that it sees, or for all of them, whose outputs are recorded.
        """
        seen = self._ends_for(flat, data)
        return seen if self._orders is None else seen | self._ends_for(flat, self._data)

    def _ends_for(self, flat: FloatArray, data: tuple[FloatArray, FloatArray]) -> BoolArray:
        if self.runs[0].trace.ending.kind == "refused":
            layers = layers_of(self.config, flat, self.dtype)
            output = forward(layers, self.config.network.activations, data[0]).output
            outside = [(values < 0) | (values > 1) for values in (output, data[1])]
            refused = outside[0].any(axis=(-2, -1)) | outside[1].any(axis=(-2, -1))
            return np.asarray(np.broadcast_to(refused, flat.shape[:-1]).any(axis=0))
        hand = self.evaluate(flat, data)
        # A mean is a sum first, which may overflow before it is divided.
        most = LARGE * float(np.finfo(self.dtype).max) / data[1].size
        sizes = [hand.losses[..., None], hand.gradient, hand.terms, flat]
        # Sums of what is too large are infinite, no number or finite, as their order has it.
        sizes += [z.reshape(*z.shape[:-2], -1) for z in hand.passed.pre_activations]
        sizes.append(_flat_outputs(hand))
        ended = [~(np.abs(values) < most).all(axis=-1) for values in sizes]
        return np.asarray(np.any(ended, axis=0).any(axis=0))


@dataclass(frozen=True)
class _Case:
    """What is compared at one step of all runs that are carried on, [runs, numbers] each."""

    step: int
    apart: FloatArray
    scale: FloatArray
    moved: FloatArray
    alive: BoolArray


class _Carried:
    """Runs carried on from their stored weights by the update rule, with nudged copies beside."""

    def __init__(self, together: _Together, chosen: Steps, copies: int) -> None:
        self.together, self.chosen, self.copies = together, chosen, copies
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
        place = 0
        last = int(recorded[-1]) if ending.kind == "completed" else ending.step
        for step in range(last):
            if place < len(recorded) and recorded[place] == step:
                gradient = self._nudged(of.gradients[self.chosen, place])
            else:
                case, gradient = self._between(weights, step, alive)
                losses.append(case)
            gathered = gathered + gradient
            seen = gathered if config.gradients == "accumulated" else gradient
            # Rules that keep squares have lost them here, each program in a way of its own.
            alive = alive & np.isfinite(seen * seen).all(axis=(0, 2))
            before = weights
            weights, state = rule.step(weights, seen, state)
            reach = np.maximum(reach, np.abs(weights[0] - before[0]))
            if place + 1 < len(recorded) and recorded[place + 1] == step + 1:
                place += 1
                stored = of.weights[self.chosen, place]
                apart = _apart(weights[0], stored)
                moved = _moved(weights)
                found.append(_Case(step + 1, apart, np.abs(stored) + reach, moved, alive))
                weights = self._nudged(stored)
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

    def _between(
        self, weights: FloatArray, step: int, alive: BoolArray
    ) -> tuple[_Case, FloatArray]:
        """The loss and the gradients by hand at a step whose weights are not stored."""
        of = self.together
        hand = of.evaluate(weights, of.seen(self.chosen, np.full(len(self.chosen), step)))
        apart = _apart(hand.losses[0], of.losses[self.chosen, step])[:, None]
        moved, scale = _moved(hand.losses)[:, None], hand.loss_terms[0][:, None]
        return _Case(step, apart, scale, moved, alive), hand.gradient

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
        room = ROUNDINGS * of.unit * scale + 2 * SAFETY * moved
        if not self.copies:
            beyond = (apart > np.maximum(room, of.least)).any(axis=1) & alive
            self.doubtful |= set(chosen[beyond].tolist())
            # What is in doubt is noted once it has been compared with nudged copies.
            alive = alive & ~np.isin(chosen, list(self.doubtful))
        at = np.flatnonzero(alive)
        of.found[quantity].note(
            chosen[at], steps[at], apart[at], scale[at], room[at], named=quantity == "weights"
        )

    def _note_ending(self, weights: FloatArray, step: int, alive: BoolArray) -> None:
        of = self.together
        ended = of.ends(weights, of.seen(self.chosen, np.full(len(self.chosen), step)))
        for run in self.chosen[~ended & alive].tolist():
            if self.copies:
                of.found["ending"].refuse(run, step)
            else:
                self.doubtful.add(run)


def _moved(values: FloatArray) -> FloatArray:
    """How far nudged copies [1:] are from what is not nudged [0]; ∞ where they are no number."""
    apart = np.abs(values - values[0]).max(axis=0)
    return np.where(np.isnan(apart), np.inf, apart)


def _apart(computed: FloatArray, stored: FloatArray) -> FloatArray:
    """Absolute differences; ∞ where only one of the two is finite."""
    apart = np.abs(computed.astype(np.float64) - stored)
    one_sided = np.isfinite(computed) != np.isfinite(stored)
    return np.where(one_sided, np.inf, np.where(np.isfinite(apart), apart, 0.0))


def _flat_outputs(evaluated: Evaluated) -> FloatArray:
    output = evaluated.passed.output
    return output.reshape(*output.shape[:-2], -1)
