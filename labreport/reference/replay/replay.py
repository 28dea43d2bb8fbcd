"""Stored runs computed a second time, step by step, by what was derived by hand.

From the weights stored at a step NumPy computes the outputs, the loss and the gradient of that
step, and the weights of the next one. Each step begins with what is stored, so that a run which
magnifies every rounding error can be checked as well as any other; the state of the optimizer is
carried along from the first step to the last. Between steps whose weights are not stored the run
is carried on by hand. The start, and the rows of mini-batches, are drawn again from the seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from labreport.lab.schema.initialisers import Given
from labreport.lab.schema.model import LabTable
from labreport.lab.schema.optimizers import SGD
from labreport.reference.replay.replay_result import Replay
from labreport.reference.replay.step_comparison import MOST_NUMBERS, Together
from labreport.runs.run import Run


def replay(run: Run) -> Replay:
    """Compute a run again from what is stored of it, in its own precision."""
    return replay_together([run])[0]


def replay_together(runs: Sequence[Run], carries_on: bool = True) -> list[Replay]:
    """Compute runs again that can be replayed together (`replayable_with`).

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
            found += Together(runs[start : start + size]).replays(carries_on)
    return found


def replayable_with(run: Run) -> tuple[object, ...]:
    """Return a key equal for runs that can be replayed together.

    They may differ in what each has numbers of its own of: its seed, the weights that it was given,
    and the learning rate of gradient descent; not in biases that are held, which no run stores.
    """
    config, trace = run.config, run.trace
    own: dict[str, object] = {"seed": 0}
    if isinstance(config.initial, Given):
        own["initial"] = "given"
    if isinstance(config.optimizer, SGD):
        own["optimizer"] = _without_rate(config.optimizer)
    values = (own.get(name, getattr(config, name)) for name in type(config).model_fields)
    alike = (value.canonical if isinstance(value, LabTable) else value for value in values)
    steps = (s.tobytes() for s in (trace.recorded, trace.shown, trace.measured))
    return (*alike, config.held_biases, len(trace.losses), trace.ending.kind, *steps)


@lru_cache
def _without_rate(optimizer: SGD) -> SGD:
    return optimizer.model_copy(update={"learning_rate": 0.0})
