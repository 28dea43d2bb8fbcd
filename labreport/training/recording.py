"""The record of a family's training, and how each of its runs ended."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from labreport.runs.run import Ending, Traces
from labreport.training.family import Family
from labreport.training.targets import Targets

MOST_PADDING = 4
"""The largest ratio of recorded columns to runs."""


class Memory:
    """Memory that families record into one after the other.

    Writing to memory that is fresh from the system costs several times as much as the writing
    itself. Whoever reuses it must be done with the traces of the family before.
    """

    def __init__(self) -> None:
        self._held: dict[str, Tensor] = {}

    def room(self, name: str, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """Uninitialised tensor of a shape; of the last one with this name if that is enough."""
        held, needed = self._held.get(name), math.prod(shape)
        kind = (like.dtype, like.device)
        if held is None or held.numel() < needed or (held.dtype, held.device) != kind:
            self._held.pop(name, None)
            held = torch.empty(needed, dtype=like.dtype, device=like.device)
            self._held[name] = held
        return held[:needed].view(shape)


class FamilyRecord:
    """Preallocated room for what training records, runs along the last axis."""

    def __init__(
        self, family: Family, parameters: Tensor, targets: Targets, memory: Memory | None
    ) -> None:
        """Make room for a family with parameters [parameters, runs], in memory if it is given."""
        count, runs = parameters.shape
        config = family.first
        self._runs = len(family.configurations)
        # Padding is recorded too, because whole tensors are copied faster than parts of them; but
        # not where it is most of a family: a few runs of a large network fit into memory so.
        self._cuts = MOST_PADDING * self._runs < runs
        runs = self._runs if self._cuts else runs
        self._rounds = config.rounds
        self._targets = targets
        self._recorded, self._shown = family.recorded(), family.shown()
        self._measured = family.measured()

        rows, units = len(config.data.inputs), config.network.layers[-1]
        room = (memory or Memory()).room
        self._losses = room("losses", (config.rounds + 1, runs), parameters)
        self._weights = room("weights", (len(self._recorded), count, runs), parameters)
        self._gradients = room("gradients", (len(self._recorded), count, runs), parameters)
        self._outputs = room("outputs", (len(self._shown), rows, units, runs), parameters)
        self._overall = room("overall", (len(self._measured), runs), parameters)
        # Rows taken out once: asking a tensor for one in every step takes longer than filling it.
        self._loss_rows = self._losses.unbind()
        self._weight_rows = dict(zip(self._recorded, self._weights.unbind(), strict=True))
        self._gradient_rows = dict(zip(self._recorded, self._gradients.unbind(), strict=True))
        self._output_rows = dict(zip(self._shown, self._outputs.unbind(), strict=True))
        self._overall_rows = dict(zip(self._measured, self._overall.unbind(), strict=True))
        # Of each run, the first output that the loss does not take, and its step.
        self._illegal: dict[int, tuple[int, Tensor]] = {}

    def shows(self, step: int) -> bool:
        """Return whether outputs are recorded at a step."""
        return step in self._output_rows

    def measures(self, step: int) -> bool:
        """Return whether the loss over all rows is recorded at a step beside a mini-batch's."""
        return step in self._overall_rows

    def room_for_gradient(self, step: int) -> Tensor | None:
        """Return the row for a step's gradient, or None if it is not recorded, or copied later."""
        return None if self._cuts else self._gradient_rows.get(step)

    def _own(self, values: Tensor) -> Tensor:
        """Values [..., runs] without what is not recorded."""
        return values.detach()[..., : self._runs] if self._cuts else values.detach()

    def keep(
        self,
        step: int,
        parameters: Tensor,
        gradient: Tensor,
        losses: Tensor,
        outputs: Tensor,
        refused: Tensor | None,
    ) -> None:
        """Copy the state of all runs at one step: the tensors themselves go on changing."""
        self._loss_rows[step].copy_(self._own(losses))
        if step in self._weight_rows:
            self._weight_rows[step].copy_(self._own(parameters))
            if self._cuts:
                self._gradient_rows[step].copy_(self._own(gradient))
        else:
            # A run ends where it ends, however often it is recorded. A finite sum has no terms
            # that are not finite, and is quicker to have than a look at each of them.
            if not (parameters.sum(dim=0) + gradient.sum(dim=0)).isfinite().all():
                finite = parameters.isfinite().all(dim=0) & gradient.isfinite().all(dim=0)
                finite = self._own(finite)
                self._loss_rows[step].masked_fill_(~finite, torch.nan)
        self._refuse(step, outputs, refused)

    def _refuse(self, step: int, outputs: Tensor, refused: Tensor | None) -> None:
        if refused is not None:
            for run in refused[: self._runs].nonzero().flatten().tolist():
                self._illegal.setdefault(run, (step, outputs.detach()[..., run].clone()))

    def measure(self, step: int, losses: Tensor, outputs: Tensor, refused: Tensor | None) -> None:
        """Copy losses [runs] over all rows, of these outputs."""
        self._overall_rows[step].copy_(self._own(losses))
        self._refuse(step, outputs, refused)

    def show(self, step: int, outputs: Tensor) -> None:
        """Copy outputs for all rows, [rows, units, runs] or [units, runs]."""
        self._output_rows[step].copy_(self._own(outputs))

    def traces(self) -> Traces:
        """Return what was recorded, without the padding."""
        return Traces(
            losses=self._array(self._losses),
            recorded=np.array(self._recorded, dtype=np.int64),
            weights=self._array(self._weights),
            gradients=self._array(self._gradients),
            shown=np.array(self._shown, dtype=np.int64),
            outputs=self._array(self._outputs),
            endings=self._endings(),
            measured=np.array(self._measured, dtype=np.int64),
            overall=self._array(self._overall),
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
        lasted = torch.full((self._runs,), self._rounds + 1)
        # A sum is finite only if all of its terms are, and costs a tenth of looking at each. A
        # weight that is not finite stays so, whatever is added to it: the last ones tell.
        sums = self._losses.sum(dim=0) + self._weights[-1].sum(dim=0)
        sums += self._gradients.sum(dim=(0, 1)) + self._outputs.sum(dim=(0, 1, 2))
        sums += self._overall.sum(dim=0)
        doubtful = (~sums[: self._runs].isfinite()).nonzero().flatten()
        if len(doubtful):
            lasted[doubtful.cpu()] = self._finite_steps_of(doubtful).cpu()
        return lasted

    def _finite_steps_of(self, runs: Tensor) -> Tensor:
        """The same for some runs, number by number."""
        finite = self._losses[:, runs].isfinite()
        weights, gradients = self._weights[:, :, runs], self._gradients[:, :, runs]
        finite[self._recorded] &= (weights.isfinite() & gradients.isfinite()).all(dim=1)
        finite[self._shown] &= self._outputs[..., runs].isfinite().flatten(1, 2).all(dim=1)
        finite[self._measured] &= self._overall[:, runs].isfinite()
        # Of the steps 0, 1, 2, …, all before the first that is not finite are counted.
        return finite.int().cumprod(dim=0).sum(dim=0)

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
