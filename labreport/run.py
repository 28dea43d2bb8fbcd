"""The waist of the house: a trained run, as training leaves it and as everything else reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labreport.lab.configuration import RunConfig

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Ending:
    """How a run ended.

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
    """What training recorded. Index 0 is before any update; ``steps`` = ending.step.

    Attributes:
        losses: [steps] loss with the weights of that step.
        weights: [steps, parameters] in the order of ``lab.naming.parameter_names``.
        gradients: [steps, parameters] of the loss at that step, never accumulated.
        outputs: [steps, rows, output units].
        ending: how it ended.
    """

    losses: Array
    weights: Array
    gradients: Array
    outputs: Array
    ending: Ending

    @property
    def rounds(self) -> int:
        """Updates that were recorded; −1 if not even the first loss could be computed."""
        return len(self.losses) - 1


@dataclass(frozen=True)
class Environment:
    """What else determines a run's numbers: part of its name in the store."""

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
