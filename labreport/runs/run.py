"""The waist of the house: runs as training leaves them and as everything else reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labreport.lab.configuration import RunConfig

Array = NDArray[np.floating]
Steps = NDArray[np.integer]


@dataclass(frozen=True)
class Ending:
    """The ending of a run.

    Attributes:
        kind: ``completed`` all of its rounds; ``diverged`` when a loss, weight or gradient was no
            longer finite; ``refused`` when the loss raised an error.
        step: index of the first step that is not in the trace: rounds + 1 for a completed run.
        message: the error of a refused run, word for word.
    """

    kind: Literal["completed", "diverged", "refused"]
    step: int
    message: str = ""


@dataclass(frozen=True, eq=False)
class Trace:
    """The record of the training of one run. Index 0 is before any update.

    Losses are there for every step before ``ending.step``. The rest is there for the steps that
    were recorded: all of them, or a thinned selection with the first and the last.

    Attributes:
        losses: [steps] loss with the weights of that step, of the rows that the step saw: all of
            them, or a mini-batch.
        recorded: [recorded] the steps at which weights and gradients were recorded, ascending.
        weights: [recorded, parameters] in the order of ``lab.naming.parameter_names``.
        gradients: [recorded, parameters] of the loss at that step, never accumulated.
        shown: [shown] the steps at which outputs were recorded, ascending.
        outputs: [shown, rows, output units] for all rows of the data.
        ending: how it ended.
        measured: [measured] the steps at which the loss over all rows was computed beside that of a
            mini-batch, ascending; none where every loss is over all rows.
        overall: [measured] that loss.
    """

    losses: Array
    recorded: Steps
    weights: Array
    gradients: Array
    shown: Steps
    outputs: Array
    ending: Ending
    measured: Steps = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    overall: Array = field(default_factory=lambda: np.zeros(0))

    @property
    def rounds(self) -> int:
        """Updates that were recorded; −1 if not even the first loss could be computed."""
        return len(self.losses) - 1

    @property
    def is_whole(self) -> bool:
        """True if weights and gradients are there for every step."""
        return len(self.weights) == len(self.losses)

    def weights_at(self, step: int) -> Array | None:
        """Weights [parameters] at a step, or None if it was not recorded."""
        return _at(self.weights, self.recorded, step)

    def gradients_at(self, step: int) -> Array | None:
        """Gradients [parameters] at a step, or None if they were not recorded."""
        return _at(self.gradients, self.recorded, step)

    def outputs_at(self, step: int) -> Array | None:
        """Outputs [rows, output units] at a step, or None if they were not recorded."""
        return _at(self.outputs, self.shown, step)


def _at(values: Array, steps: Steps, step: int) -> Array | None:
    place = int(np.searchsorted(steps, step))
    if place < len(values) and steps[place] == step:
        found: Array = values[place]
        return found
    return None


@dataclass(frozen=True, eq=False)
class Traces:
    """The record of the training of a family: runs lie along the last axis, as they were trained.

    Attributes:
        losses: [steps, runs].
        recorded: [recorded] steps of weights and gradients.
        weights: [recorded, parameters, runs].
        gradients: [recorded, parameters, runs].
        shown: [shown] steps of outputs.
        outputs: [shown, rows, output units, runs].
        endings: how each run ended; what lies behind an ending is meaningless.
        measured: [measured] steps of ``overall``.
        overall: [measured, runs] losses over all rows, of runs with mini-batches.
    """

    losses: Array
    recorded: Steps
    weights: Array
    gradients: Array
    shown: Steps
    outputs: Array
    endings: tuple[Ending, ...]
    measured: Steps
    overall: Array

    def __len__(self) -> int:
        return len(self.endings)

    def __getitem__(self, run: int) -> Trace:
        """The trace of one run, cut at its ending; its arrays are views into these."""
        ending = self.endings[run]
        kept = int(np.searchsorted(self.recorded, ending.step))
        shown = int(np.searchsorted(self.shown, ending.step))
        measured = int(np.searchsorted(self.measured, ending.step))
        return Trace(
            losses=self.losses[: ending.step, run],
            recorded=self.recorded[:kept],
            weights=self.weights[:kept, :, run],
            gradients=self.gradients[:kept, :, run],
            shown=self.shown[:shown],
            outputs=self.outputs[:shown, :, :, run],
            ending=ending,
            measured=self.measured[:measured],
            overall=self.overall[:measured, run],
        )

    def __iter__(self) -> Iterator[Trace]:
        return (self[run] for run in range(len(self)))


@dataclass(frozen=True)
class Environment:
    """Versions and device, which also determine a run's numbers: part of its name in the store."""

    trainer: int
    torch: str
    device: str = "cpu"


@dataclass(frozen=True, eq=False)
class Run:
    """A configuration, what it gave, and where that was computed."""

    config: RunConfig
    trace: Trace
    environment: Environment
    name: str

    @cached_property
    def losses(self) -> Array:
        """Losses [steps] over all rows; NaN at steps where that of a mini-batch alone is known."""
        trace = self.trace
        if self.config.data.sees_all_rows:
            return trace.losses
        known: Array = np.full_like(trace.losses, np.nan)
        known[trace.measured] = trace.overall
        return known
