"""Targets of a family, with those runs set apart whose loss refuses to be computed."""

from __future__ import annotations

import torch
from torch import Tensor

from labreport.training.operations.losses import Loss


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

    def refusals(self, outputs: Tensor) -> Tensor | None:
        """Mark the runs [runs] whose outputs the loss does not take; None if there are none."""
        if self.loss.domain is None:
            return None
        refused = self.loss.refusals(outputs)
        return refused if refused.any() else None

    def losses(self, outputs: Tensor, targets: Tensor, refused: Tensor | None) -> Tensor:
        """Losses [runs] of outputs and targets; meaningless where a run is refused."""
        if refused is not None:
            outputs = torch.where(refused, 0.5, outputs)
        return self.loss.each(outputs, targets)
