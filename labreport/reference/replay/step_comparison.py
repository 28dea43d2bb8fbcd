"""Runs that are replayed together, beside what is computed by hand from their weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from labreport.reference.activations import ACTIVATIONS
from labreport.reference.array_types import BoolArray, FloatArray
from labreport.reference.evaluation import (
    Answered,
    Evaluated,
    answered,
    data_of,
    derivatives,
    layers_of,
)
from labreport.reference.network import ForwardPass, LayerParameters, forward
from labreport.reference.replay.continuation import MOST_COPIES, Carried, stages
from labreport.reference.replay.initial_weights import initial_weights
from labreport.reference.replay.replay_result import QUANTITIES, Replay
from labreport.reference.replay.tolerance import (
    NUDGE,
    ROUNDINGS,
    ROUNDINGS_A_TERM,
    Largest,
    absolute_differences,
    flat_outputs,
)
from labreport.reference.replay.torch_generator import row_orders
from labreport.reference.rounding import (
    LARGE,
    MORE_NUDGES,
    NUDGES,
    Adjusted,
    Nudged,
    all_farthest,
    may_overflow,
    nudged,
)
from labreport.runs.run import Run, Steps

UNDERFLOW = 2.0**60
"""The smallest normal number times this is as good as 0: torch's sigmoid is 0 where e^−z is too
large for the precision, and what is multiplied by it later may be large."""

START_ROUNDINGS = 256
"""Units of rounding in float32, of the largest weight, by which a start may differ from one that
is drawn again: logarithms, cosines and an orthogonalisation lie between."""

MOST_NUMBERS = 1_000_000
"""Numbers that are looked at together, which bounds memory to some sixty megabytes."""

Data = tuple[FloatArray, FloatArray]
"""Inputs and targets [..., rows, units]."""


@dataclass(frozen=True)
class _Compared:
    """A quantity by hand beside what is stored of it, [cases, numbers] each.

    Attributes:
        of: the quantity, of a nudged network.
        hand: the quantity by hand.
        apart: how far the stored one is from it.
        scale: the terms that it is a sum of.
        room: by how much it may differ.
    """

    of: Callable[[Nudged], FloatArray]
    hand: FloatArray
    apart: FloatArray
    scale: FloatArray
    room: FloatArray


def _losses(hand: Answered) -> FloatArray:
    """The loss [cases, 1] of each case."""
    return hand.losses[:, None]


class Together:
    """The comparison of runs that are replayed together."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = runs
        self.config, trace = runs[0].config, runs[0].trace
        self.dtype = np.dtype(self.config.dtype)
        self.unit = float(np.finfo(self.dtype).eps)
        data = self.config.data
        summed = len(data.inputs) * len(data.targets[0])
        self.roundings = ROUNDINGS + ROUNDINGS_A_TERM * summed
        self.least = UNDERFLOW * float(np.finfo(self.dtype).tiny)
        self.recorded, self.shown = trace.recorded, trace.shown
        self.losses = np.stack([run.trace.losses for run in runs])
        self.weights = np.stack([run.trace.weights for run in runs])
        self.gradients = np.stack([run.trace.gradients for run in runs])
        self.found = {quantity: Largest(len(runs), self.least) for quantity in QUANTITIES}

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
    def _data(self) -> Data:
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

    def seen(self, runs: Steps, steps: Steps) -> Data:
        """Inputs and targets that runs [cases] see at steps [cases]."""
        inputs, targets = self._data
        if self._orders is None:
            return inputs, targets
        rows = self._orders[runs, steps]
        return inputs[rows], targets[rows]

    def evaluate(self, flat: FloatArray, data: Data, adjusted: Adjusted | None = None) -> Evaluated:
        """The network at parameters [..., parameters]; outputs that BCE refuses are at its ends.

        With ``adjusted``, what it makes of an activation takes its place.
        """
        layers = layers_of(self.config, flat, self.dtype)
        passed = self._passed(layers, data[0], adjusted)
        return derivatives(self.config, passed, layers, data[1])

    def _answer(self, flat: FloatArray) -> Answered:
        """The network at parameters [..., parameters] for all rows, without derivatives."""
        inputs, targets = self._data
        passed = self._passed(layers_of(self.config, flat, self.dtype), inputs)
        return answered(self.config, passed, targets)

    def _passed(
        self,
        layers: Sequence[LayerParameters],
        inputs: FloatArray,
        adjusted: Adjusted | None = None,
    ) -> ForwardPass:
        passed = forward(layers, self.config.network.activations, inputs, adjusted=adjusted)
        if self.config.loss != "bce":
            return passed
        output = np.clip(passed.output, 0.0, 1.0)
        return ForwardPass(passed.pre_activations, (*passed.activations[:-1], output))

    def _widen(
        self, flat: FloatArray, data: Callable[[Steps], Data], compared: Sequence[_Compared]
    ) -> None:
        """Widen what is allowed where more is found, by what nudges of the network make of it.

        Args:
            flat: parameters [cases, parameters].
            data: inputs and targets that some of the cases see.
            compared: quantities of these cases, whose ``room`` is widened.
        """
        narrow = [quantity.room.copy() for quantity in compared]
        for draws in (NUDGES, MORE_NUDGES):
            doubtful = [(quantity.apart > quantity.room).any(axis=1) for quantity in compared]
            some = np.flatnonzero(np.any(doubtful, axis=0))
            if not len(some):
                return
            unit = NUDGE * self.unit
            near = nudged(self.config, flat[some], unit, self.dtype, data=data(some), draws=draws)
            found = all_farthest(near, [(q.of, q.hand[some]) for q in compared])
            for quantity, room, moved in zip(compared, narrow, found, strict=True):
                quantity.room[some] = room[some] + moved

    def scale(self, terms: FloatArray, flat: FloatArray, hand: Answered) -> FloatArray:
        """Terms [cases, numbers] of numbers; ∞ where their sums may overflow, or may not."""
        layers = layers_of(self.config, flat, self.dtype)
        return np.where(may_overflow(layers, hand.passed)[..., None], np.inf, terms)

    def _compared(
        self,
        of: Callable[[Evaluated], FloatArray],
        computed: FloatArray,
        stored: FloatArray,
        scale: FloatArray,
    ) -> _Compared:
        apart = absolute_differences(computed, stored)
        room = self.roundings * self.unit * scale
        return _Compared(lambda n: of(n.evaluated), computed, apart, scale, room)

    def _note(self, quantity: str, runs: Steps, steps: Steps, found: _Compared) -> None:
        self.found[quantity].note(
            runs, steps, found.apart, found.scale, found.room, named=quantity == "gradients"
        )

    def _seen_by(self, runs: Steps, steps: Steps, some: Steps) -> Data:
        return self.seen(runs[some], steps[some])

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
            losses = self._compared(
                _losses,
                _losses(hand),
                self.losses[runs, steps][:, None],
                self.scale(hand.loss_terms[:, None], flat, hand),
            )
            gradients = self._compared(
                lambda n: n.gradient,
                hand.gradient,
                self.gradients[runs, places],
                self.scale(hand.terms, flat, hand),
            )
            seen = partial(self._seen_by, runs, steps)
            self._widen(flat, seen, (losses, gradients))
            self._note("losses", runs, steps, losses)
            self._note("gradients", runs, steps, gradients)

    def _compare_outputs(self) -> None:
        """Outputs of all rows, at the steps where both they and the weights are stored."""
        both, places, shown = np.intersect1d(self.recorded, self.shown, return_indices=True)
        outputs = [run.trace.outputs for run in self.runs]
        for runs, cases in self._parts(both):
            flat = self.weights[runs, places[cases]]
            hand = self._answer(flat)
            # The cases of a run stand together.
            parts = np.split(np.arange(len(runs)), np.flatnonzero(np.diff(runs)) + 1)
            stored = np.concatenate([outputs[runs[p[0]]][shown[cases[p]]] for p in parts])
            terms = self._output_terms(flat, hand)
            found = self._compared(
                flat_outputs,
                flat_outputs(hand),
                stored.reshape(len(stored), -1),
                self.scale(terms.reshape(len(terms), -1), flat, hand),
            )
            self._widen(flat, lambda _: self._data, [found])
            self._note("outputs", runs, both[cases], found)

    def _output_terms(self, flat: FloatArray, evaluated: Answered) -> FloatArray:
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
            hand = self._answer(flat)
            found = self._compared(
                _losses,
                _losses(hand),
                overall[runs, stored_at[cases]][:, None],
                self.scale(hand.loss_terms[:, None], flat, hand),
            )
            self._widen(flat, lambda _: self._data, [found])
            self._note("losses", runs, both[cases], found)

    def _carry_on(self, chosen: Steps, drawn: list[FloatArray | None]) -> None:
        """Weights after each update, and losses where no weights are stored, of some runs."""
        network = self.config.network
        numbers = len(self._data[0]) * sum(network.layers) + network.parameter_count
        counts = stages(numbers)
        for copies in counts:
            # Few are left for so many copies, and each by itself takes the least memory.
            groups = list(chosen[:, None]) if copies == MOST_COPIES else [chosen]
            left = [
                Carried(self, group, copies, is_last=copies == counts[-1]).compare()
                for group in groups
                if len(group)
            ]
            chosen = np.concatenate([*left, chosen[:0]])
        for run, trace in enumerate(run.trace for run in self.runs):
            if not len(trace.recorded) and not self._is_ended(run, drawn[run]):
                self.found["ending"].refuse(run, 0)

    def _is_ended(self, run: int, start: FloatArray | None) -> bool:
        """Return whether a run of which nothing is stored cannot even begin."""
        if start is None:
            return True
        at = np.array([run]), np.array([0])
        flat = start.astype(self.dtype)[None]
        return bool(self.ends(flat[None], self.seen(*at))[0])

    def ends(self, flat: FloatArray, data: Data) -> BoolArray:
        """Mark the runs that end at parameters [copies, runs, parameters], for any of the copies.

        It may end for the rows that it sees, or for all of them, whose outputs are recorded.
        """
        seen = self._ends_for(flat, data)
        return seen if self._orders is None else seen | self._ends_for(flat, self._data)

    def _ends_for(self, flat: FloatArray, data: Data) -> BoolArray:
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
        sizes.append(flat_outputs(hand))
        ended = [~(np.abs(values) < most).all(axis=-1) for values in sizes]
        return np.asarray(np.any(ended, axis=0).any(axis=0))
