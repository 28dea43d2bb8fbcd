"""The shared trainer: one loop for every network, loss and optimizer, and for all runs at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from labreport.runs.run import Traces
from labreport.training.batches import Batches
from labreport.training.family import (
    Family,
    accumulating,
    discarding,
    hyperparameters,
    optimizer_flags,
    padded_count,
    stacked_data,
    stacked_held_biases,
    stacked_parameters,
)
from labreport.training.fully_connected import Parameters
from labreport.training.operations.losses import LOSSES
from labreport.training.operations.optimizers import OPTIMIZERS, Rule
from labreport.training.recording import FamilyRecord, Memory
from labreport.training.targets import Targets


def train(family: Family, device: str = "cpu", memory: Memory | None = None) -> Traces:
    """Train all runs of a family.

    Args:
        family: the runs.
        device: where to compute.
        memory: to record into; the traces are lost when the next family is recorded there.

    Autograd and torch's own losses; torch.optim's update rules with a learning rate for each run.
    No global random state is read or changed.
    """
    with one_thread():
        return _train(family, torch.device(device), memory)


def _train(family: Family, device: torch.device, memory: Memory | None) -> Traces:
    config, runs = family.first, padded_count(len(family.configurations))
    inputs = stacked_data(family, "inputs", runs).to(device)
    targets = Targets(LOSSES[config.loss], stacked_data(family, "targets", runs).to(device))
    start = stacked_parameters(family, runs).to(device)
    held = stacked_held_biases(family, runs)
    held = None if held is None else held.to(device)
    parameters = Parameters(config.network, config.data.batch_rows, start, held)
    rule = _update_rule(family, parameters.flat, runs)
    batches = Batches(family, inputs, targets.legal)
    keep = accumulating(family, runs)
    collected = torch.zeros_like(parameters.flat)
    record = FamilyRecord(family, parameters.flat, targets, memory)

    for step in range(config.rounds + 1):
        batch_inputs, batch_targets = batches.next()
        # Forward: what does each network say?
        outputs = parameters.forward(batch_inputs)
        # Loss: how far is that from the target? One value a run.
        refused = targets.refusals(outputs)
        losses = targets.losses(outputs, batch_targets, refused)
        # Backward: how does each weight change the loss? Runs do not see each other.
        gradient = parameters.gradient(losses, out=record.room_for_gradient(step))
        record.keep(step, parameters.flat, gradient, losses, outputs, refused)
        if record.shows(step) or record.measures(step):
            # A round that sees only some of the rows has neither the outputs nor the loss of all.
            with torch.no_grad():
                whole = config.data.batch_size is None
                everything = outputs if whole else parameters.forward(inputs)
                _record_all_rows(record, step, everything, targets)
        if step == config.rounds:
            break
        # Without zero_grad(), torch hands the optimizer the sum of all gradients so far.
        if keep is not None:
            gradient = collected.mul_(keep).add_(gradient)
        # Update: a step downhill, as the optimizer understands it.
        rule(parameters.flat, gradient, step + 1)
    return record.traces()


def _update_rule(family: Family, flat: Tensor, runs: int) -> Rule:
    """The optimizer of a family, with the hyper-parameters of each run, on flat parameters."""
    values = {key: value.to(flat.device) for key, value in hyperparameters(family, runs).items()}
    rule = OPTIMIZERS[family.first.optimizer.name](flat, values, optimizer_flags(family))
    discard = discarding(family, runs)
    return rule if discard is None else _of_copies(rule, discard.to(flat.device), flat.clone())


def _of_copies(rule: Rule, discard: Tensor, first: Tensor) -> Rule:
    """A rule whose updates are lost in some runs.

    Args:
        rule: that updates the weights.
        discard: of which runs [runs] it updates copies.
        first: weights [parameters, runs] with which each round of these begins.
    """

    def update(weights: Tensor, gradient: Tensor, step: int) -> None:
        rule(weights, gradient, step)
        weights.copy_(torch.where(discard, first, weights))

    return update


def _record_all_rows(record: FamilyRecord, step: int, outputs: Tensor, targets: Targets) -> None:
    """Record the outputs for all rows, and their loss, at a step where these are wanted."""
    if record.shows(step):
        record.show(step, outputs)
    if record.measures(step):
        refused = targets.refusals(outputs)
        record.measure(step, targets.losses(outputs, targets.legal, refused), outputs, refused)


@contextmanager
def one_thread() -> Iterator[None]:
    """Tiny networks gain nothing from a second thread and lose much on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
