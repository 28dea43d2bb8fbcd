"""What training records of a family, and how each of its runs ended."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from labreport.run import Ending, Traces
from labreport.training.family import Family
from labreport.training.targets import Targets


class Record:
    """Preallocated room for what training records, runs along the last axis."""

    def __init__(self, family: Family, parameters: Tensor, targets: Targets) -> None:
        """Make room for a family with parameters [parameters, runs]."""
        count, runs = parameters.shape
        config = family.first
        self._runs = len(family.configurations)
        self._rounds = config.rounds
        self._targets = targets
        self._recorded = {step: place for place, step in enumerate(family.recorded())}
        self._shown = {step: place for place, step in enumerate(family.shown())}

        def room(*shape: int) -> Tensor:
            return torch.empty(*shape, runs, dtype=parameters.dtype, device=parameters.device)

        rows, units = len(config.data.inputs), config.network.layers[-1]
        self._losses = room(config.rounds + 1)
        self._weights = room(len(self._recorded), count)
        self._gradients = room(len(self._recorded), count)
        self._outputs = room(len(self._shown), rows, units)
        # Of each run, the first output that the loss does not take, and its step.
        self._illegal: dict[int, tuple[int, Tensor]] = {}

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
        if step in self._recorded:
            self._weights[self._recorded[step]] = parameters
        if self._targets.loss.domain is not None:
            self._note_illegal(step, outputs.detach())

    def show(self, step: int, outputs: Tensor) -> None:
        """Copy outputs for all rows, [rows, units, runs] or [units, runs]."""
        self._outputs[self._shown[step]] = outputs.detach()

    def _note_illegal(self, step: int, outputs: Tensor) -> None:
        illegal = self._targets.loss.refusals(outputs)
        if illegal.any():
            for run in illegal.nonzero().flatten().tolist():
                self._illegal.setdefault(run, (step, outputs[..., run].clone()))

    def traces(self) -> Traces:
        """What was recorded, without the padding."""
        return Traces(
            losses=self._array(self._losses),
            recorded=np.array(list(self._recorded), dtype=np.int64),
            weights=self._array(self._weights),
            gradients=self._array(self._gradients),
            shown=np.array(list(self._shown), dtype=np.int64),
            outputs=self._array(self._outputs),
            endings=self._endings(),
        )

    def _array(self, values: Tensor) -> np.ndarray:
        array: np.ndarray = values[..., : self._runs].cpu().numpy()
        return array

    def _endings(self) -> tuple[Ending, ...]:
        completed = Ending("completed", self._rounds + 1)
        lasted = self._finite_steps()
        return tuple(
            completed
            if steps > self._rounds and run not in self._illegal and not self._refused(run)
            else self._early_ending(run, steps)
            for run, steps in enumerate(lasted.tolist())
        )

    def _finite_steps(self) -> Tensor:
        """The first step [runs] at which something recorded is not finite; rounds + 1 if none."""
        finite = self._losses.isfinite()
        recorded = self._weights.isfinite().all(dim=1) & self._gradients.isfinite().all(dim=1)
        finite[list(self._recorded)] &= recorded
        # Of the steps 0, 1, 2, …, all before the first that is not finite are counted.
        return finite[:, : self._runs].int().cumprod(dim=0).sum(dim=0)

    def _refused(self, run: int) -> bool:
        return bool(self._targets.refused[run])

    def _early_ending(self, run: int, finite: int) -> Ending:
        if self._refused(run):
            target = self._targets.values[..., run]
            # Any legal output will do: it is the target that torch complains of.
            return Ending("refused", 0, self._complaint(torch.full_like(target, 0.5), target))
        step, outputs = self._illegal.get(run, (self._rounds + 1, None))
        if outputs is None or step > finite or not outputs.isfinite().all():
            return Ending("diverged", min(step, finite))
        # Any legal target will do: it is the output that torch complains of.
        return Ending("refused", step, self._complaint(outputs, torch.full_like(outputs, 0.5)))

    def _complaint(self, outputs: Tensor, targets: Tensor) -> str:
        return self._targets.loss.complaint(outputs.cpu(), targets.cpu())
