"""The shared trainer: one loop for every network, loss and optimizer, and for all runs at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from labreport.run import Ending, Traces
from labreport.training.batches import Batches
from labreport.training.family import (
    Family,
    accumulating,
    hyperparameters,
    optimizer_flags,
    padded_count,
    stacked_data,
    stacked_parameters,
)
from labreport.training.network import Parameters
from labreport.training.parts.losses import LOSSES, Loss
from labreport.training.parts.optimizers import OPTIMIZERS


def train(family: Family, device: str = "cpu") -> Traces:
    """Train all runs of a family.

    Autograd and torch's own losses; torch.optim's update rules with a learning rate for each run.
    No global random state is read or changed.
    """
    with one_thread():
        return _train(family, torch.device(device))


def _train(family: Family, device: torch.device) -> Traces:
    config, runs = family.first, padded_count(len(family.configurations))
    inputs = stacked_data(family, "inputs", runs).to(device)
    targets = Targets(LOSSES[config.loss], stacked_data(family, "targets", runs).to(device))
    start = stacked_parameters(family, runs).to(device)
    parameters = Parameters(config.network, config.data.batch_rows, start)
    rule = OPTIMIZERS[config.optimizer.name](
        parameters.flat,
        {key: value.to(device) for key, value in hyperparameters(family, runs).items()},
        optimizer_flags(family),
    )
    batches = Batches(family, inputs, targets.legal)
    keep = accumulating(family, runs)
    collected = torch.zeros_like(parameters.flat)
    record = Record(family, parameters.flat)

    for step in range(config.rounds + 1):
        batch_inputs, batch_targets = batches.next()
        # Forward: what does each network say?
        outputs = parameters.forward(batch_inputs)
        # Loss: how far is that from the target? One value a run.
        losses = targets.losses(outputs, batch_targets)
        # Backward: how does each weight change the loss? Runs do not see each other.
        gradient = parameters.gradient(losses, out=record.room_for_gradient(step))
        record.keep(step, parameters.flat, losses, outputs)
        if record.shows(step) and outputs.shape != targets.values.shape:
            with torch.no_grad():
                record.show(step, parameters.forward(inputs))
        if step == config.rounds:
            break
        # Without zero_grad(), torch hands the optimizer the sum of all gradients so far.
        if keep is not None:
            gradient = collected.mul_(keep).add_(gradient)
        # Update: a step downhill, as the optimizer understands it.
        rule(parameters.flat, gradient, step + 1)
    return record.traces(targets)


class Targets:
    """Targets of all runs, and the loss with those set apart that it does not take.

    Attributes:
        loss: the loss.
        values: [rows, units, runs], or [units, runs] for a single row.
        legal: the same with a legal stand-in for the runs that are refused, so that the others
            can go on.
    """

    def __init__(self, loss: Loss, values: Tensor) -> None:
        self.loss = loss
        self.values = values
        self.refused = loss.refusals(values)
        self.legal = torch.where(self.refused, 0.5, values) if self.refused.any() else values

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Losses [runs] of outputs and targets; meaningless where a run is refused."""
        if self.loss.domain is not None:
            refused = self.loss.refusals(outputs)
            if refused.any():
                outputs = torch.where(refused, 0.5, outputs)
        return self.loss.each(outputs, targets)


class Record:
    """Preallocated room for what training records, runs along the last axis."""

    def __init__(self, family: Family, parameters: Tensor) -> None:
        count, runs = parameters.shape
        config = family.first
        self._family = family
        self._recorded = {step: place for place, step in enumerate(family.recorded())}
        self._shown = {step: place for place, step in enumerate(family.shown())}
        like = {"dtype": parameters.dtype, "device": parameters.device}
        self._losses = torch.empty(config.rounds + 1, runs, **like)
        self._weights = torch.empty(len(self._recorded), count, runs, **like)
        self._gradients = torch.empty(len(self._recorded), count, runs, **like)
        units = (len(config.data.inputs), config.network.layers[-1])
        self._outputs = torch.empty(len(self._shown), *units, runs, **like)
        # The first step at which a run's numbers are not finite, or its outputs not legal.
        self._over = torch.full((runs,), config.rounds + 1, device=parameters.device)
        self._illegal = self._over.clone()
        self._domain = LOSSES[config.loss].domain
        self._illegal_outputs: dict[int, Tensor] = {}

    def shows(self, step: int) -> bool:
        """Whether outputs are recorded at a step."""
        return step in self._shown

    def room_for_gradient(self, step: int) -> Tensor | None:
        """Where the gradient of a step goes, or None if it is not recorded."""
        place = self._recorded.get(step)
        return None if place is None else self._gradients[place]

    def keep(self, step: int, parameters: Tensor, losses: Tensor, outputs: Tensor) -> None:
        """Copy the state of all runs at one step: the tensors themselves go on changing."""
        self._losses[step] = losses.detach()
        place = self._recorded.get(step)
        if place is not None:
            self._weights[place] = parameters
        shown = self._shown.get(step)
        if shown is not None and outputs.numel() == self._outputs[shown].numel():
            self._outputs[shown] = outputs.detach()
        if self._domain is not None:
            self._note_illegal(step, outputs.detach())

    def show(self, step: int, outputs: Tensor) -> None:
        """Record outputs for all rows where a round sees only some."""
        self._outputs[self._shown[step]] = outputs

    def _note_illegal(self, step: int, outputs: Tensor) -> None:
        low, high = self._domain or (-torch.inf, torch.inf)
        illegal = ~((outputs >= low) & (outputs <= high)).flatten(0, -2).all(dim=0)
        fresh = illegal & (self._illegal > step)
        if fresh.any():
            self._illegal[fresh] = step
            for run in fresh.nonzero().flatten().tolist():
                self._illegal_outputs[run] = outputs[..., run].clone()

    def traces(self, targets: Targets) -> Traces:
        """What was recorded, without the padding."""
        runs = len(self._family.configurations)
        endings = tuple(self._ending(run, targets) for run in range(runs)) if (
            not self._all_completed(targets)
        ) else (Ending("completed", self._family.first.rounds + 1),) * runs
        return Traces(
            losses=self._array(self._losses),
            recorded=np.array(list(self._recorded), dtype=np.int64),
            weights=self._array(self._weights),
            gradients=self._array(self._gradients),
            shown=np.array(list(self._shown), dtype=np.int64),
            outputs=self._array(self._outputs),
            endings=endings,
        )

    def _array(self, values: Tensor) -> np.ndarray:
        array: np.ndarray = values[..., : len(self._family.configurations)].cpu().numpy()
        return array

    def _finite(self) -> Tensor:
        """At which steps [steps, runs] all that was recorded is finite."""
        finite = self._losses.isfinite()
        recorded = self._weights.isfinite().all(dim=1) & self._gradients.isfinite().all(dim=1)
        for step, place in self._recorded.items():
            finite[step] &= recorded[place]
        return finite

    def _all_completed(self, targets: Targets) -> bool:
        runs = len(self._family.configurations)
        self._finite_steps = self._finite()[:, :runs]
        legal = int(self._illegal[:runs].min()) > self._family.first.rounds
        return bool(self._finite_steps.all()) and legal and not targets.refused[:runs].any()

    def _ending(self, run: int, targets: Targets) -> Ending:
        rounds = self._family.first.rounds
        if targets.refused[run]:
            outputs = self._outputs[0, ..., run]
            complaint = targets.loss.complaint(
                outputs.reshape(targets.values.shape[:-1]), targets.values[..., run]
            )
            return Ending("refused", 0, complaint)
        finite = self._finite_steps[:, run]
        over = rounds + 1 if finite.all() else int((~finite).int().argmax())
        illegal = int(self._illegal[run])
        if illegal <= over and illegal <= rounds:
            outputs = self._illegal_outputs[run]
            if outputs.isfinite().all():
                # Any legal target will do: it is the output that torch complains of.
                return Ending(
                    "refused", illegal, targets.loss.complaint(outputs, torch.zeros_like(outputs))
                )
            over = illegal
        return Ending("diverged", over) if over <= rounds else Ending("completed", rounds + 1)


@contextmanager
def one_thread() -> Iterator[None]:
    """Tiny networks gain nothing from a second thread and lose much on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
