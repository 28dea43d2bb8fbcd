"""The shared trainer: one loop for every network, loss and optimizer, and for all runs at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from labreport.run import Ending, Trace
from labreport.training.family import (
    Family,
    hyperparameters,
    optimizer_flags,
    padded_count,
    stacked_data,
    stacked_parameters,
)
from labreport.training.network import forward, layers
from labreport.training.parts.losses import LOSSES, Loss
from labreport.training.parts.optimizers import OPTIMIZERS


def train(family: Family) -> tuple[Trace, ...]:
    """Train all runs of a family; one trace a run, in the family's order.

    Autograd and torch's own losses; torch.optim's update rules with a learning rate for each run.
    No global random state is read or changed.
    """
    with one_thread():
        record = _train(family)
    return tuple(record.trace(index) for index in range(len(family.configurations)))


def _train(family: Family) -> _Record:
    config = family.first
    runs = padded_count(len(family.configurations))
    network = layers(config.network)
    loss = LOSSES[config.loss]
    inputs = stacked_data(family, "inputs", runs)
    targets = _Targets(loss, stacked_data(family, "targets", runs))
    parameters = stacked_parameters(family, runs).requires_grad_()
    rule = OPTIMIZERS[config.optimizer.name](
        parameters.detach(), hyperparameters(family, runs), optimizer_flags(config)
    )
    record = _Record(config.rounds, parameters, targets, config.network.layers[-1])
    collected = torch.zeros_like(parameters, requires_grad=False)
    one_each = torch.ones(runs, dtype=parameters.dtype)

    for step in range(config.rounds + 1):
        # Forward: what does each network say?
        outputs = forward(network, parameters, inputs)
        # Loss: how far is that from the target? One value a run.
        losses = targets.losses(outputs)
        # Backward: how does each weight change the loss? Runs do not see each other.
        (gradient,) = torch.autograd.grad(losses, parameters, one_each)
        record.keep(step, parameters, gradient, losses, outputs)
        if step == config.rounds:
            break
        # Without zero_grad(), torch hands the optimizer the sum of all gradients so far.
        if config.gradients == "accumulated":
            gradient = collected.add_(gradient)
        # Update: a step downhill, as the optimizer understands it.
        with torch.no_grad():
            rule(parameters, gradient, step + 1)
    return record


class _Targets:
    """Targets of all runs, and the loss with those set apart that it does not take."""

    def __init__(self, loss: Loss, values: Tensor) -> None:
        self.loss = loss
        self.values = values
        self.refused = loss.refusals(values)
        # A legal stand-in for refused runs, so that the others can go on; see _Record.trace.
        self._legal = torch.where(self.refused, 0.5, values) if self.refused.any() else values

    def losses(self, outputs: Tensor) -> Tensor:
        """Losses [runs] of outputs [rows, units, runs]; meaningless where a run is refused."""
        if self.loss.domain is not None:
            refused = self.loss.refusals(outputs)
            if refused.any():
                outputs = torch.where(refused, 0.5, outputs)
        return self.loss.each(outputs, self._legal)


@dataclass(frozen=True)
class _Buffers:
    losses: Tensor
    weights: Tensor
    gradients: Tensor
    outputs: Tensor


class _Record:
    """Preallocated room for what training records, runs along the last axis."""

    def __init__(self, rounds: int, parameters: Tensor, targets: _Targets, units: int) -> None:
        count, runs = parameters.shape
        rows = targets.values.shape[0]
        steps, kind = rounds + 1, parameters.dtype
        self._targets = targets
        self._kept = _Buffers(
            torch.empty(steps, runs, dtype=kind),
            torch.empty(steps, count, runs, dtype=kind),
            torch.empty(steps, count, runs, dtype=kind),
            torch.empty(steps, rows, units, runs, dtype=kind),
        )

    def keep(
        self, step: int, parameters: Tensor, gradient: Tensor, losses: Tensor, outputs: Tensor
    ) -> None:
        """Copy the state of all runs at one step: the tensors themselves go on changing."""
        self._kept.losses[step] = losses.detach()
        self._kept.weights[step] = parameters.detach()
        self._kept.gradients[step] = gradient
        self._kept.outputs[step] = outputs.detach()

    def trace(self, run: int) -> Trace:
        """The trace of one run, cut where it diverged or was refused."""
        losses, weights, gradients, outputs = (
            np.ascontiguousarray(buffer[..., run].numpy())
            for buffer in (
                self._kept.losses,
                self._kept.weights,
                self._kept.gradients,
                self._kept.outputs,
            )
        )
        ending = self._ending(run, losses, weights, gradients, outputs)
        cut = slice(0, ending.step)
        return Trace(losses[cut], weights[cut], gradients[cut], outputs[cut], ending)

    def _ending(
        self,
        run: int,
        losses: np.ndarray,
        weights: np.ndarray,
        gradients: np.ndarray,
        outputs: np.ndarray,
    ) -> Ending:
        finite = (
            np.isfinite(losses)
            & np.isfinite(weights).all(axis=1)
            & np.isfinite(gradients).all(axis=1)
            & np.isfinite(outputs).all(axis=(1, 2))
        )
        refused = self._refused(run, outputs)
        over = ~finite | refused
        if not over.any():
            return Ending("completed", len(losses))
        step = int(over.argmax())
        if not refused[step] or not np.isfinite(outputs[step]).all():
            return Ending("diverged", step)
        complaint = self._targets.loss.complaint(
            torch.from_numpy(outputs[step]), self._targets.values[..., run]
        )
        return Ending("refused", step, complaint)

    def _refused(self, run: int, outputs: np.ndarray) -> np.ndarray:
        """At which steps [steps] the loss would have raised an error for this run."""
        if self._targets.loss.domain is None:
            return np.zeros(len(outputs), dtype=bool)
        if self._targets.refused[run]:
            return np.ones(len(outputs), dtype=bool)
        low, high = self._targets.loss.domain
        inside: np.ndarray = np.all((outputs >= low) & (outputs <= high), axis=(1, 2))
        return ~inside


@contextmanager
def one_thread() -> Iterator[None]:
    """Tiny networks gain nothing from a second thread and lose much on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
