"""The rows that a run sees in each round."""

from __future__ import annotations

import torch
from torch import Tensor

from labreport.training.family import Family, pad

ORDER_STREAM = 0x6F72646572
"""Added to a run's seed for its order of rows, so that it does not repeat the initial weights."""


class Batches:
    """Inputs and targets of all runs, round by round.

    Without a batch size every round sees all rows. With one, each run goes through the rows in an
    order of its own, drawn anew for every pass from its own generator; rows that do not fill a
    batch at the end of a pass are left out of that pass.
    """

    def __init__(self, family: Family, inputs: Tensor, targets: Tensor) -> None:
        self._inputs, self._targets = inputs, targets
        data = family.first.data
        # A single row has no axis of its own, and every batch of it is the whole.
        self._size = data.batch_size if len(data.inputs) > 1 else None
        self._runs = inputs.shape[-1]
        if self._size is not None:
            self._generators = [
                torch.Generator().manual_seed((config.seed + ORDER_STREAM) % 2**63)
                for config in family.configurations
            ]
            self._rows = inputs.shape[0]
            self._at = self._rows
            # Data that all runs share are picked row by row, which is many times quicker.
            self._shared = len({id(config.data) for config in family.configurations}) == 1
            if self._shared:
                self._inputs, self._targets = (v[..., 0].contiguous() for v in (inputs, targets))

    def next(self) -> tuple[Tensor, Tensor]:
        """Inputs and targets of the next round, [rows, units, runs] or [units, runs]."""
        if self._size is None:
            return self._inputs, self._targets
        if self._at + self._size > self._rows:
            drawn = [torch.randperm(self._rows, generator=g) for g in self._generators]
            self._order = pad(torch.stack(drawn, dim=-1), self._runs).to(self._inputs.device)
            self._at = 0
        chosen = self._order[self._at : self._at + self._size]
        self._at += self._size
        rows = _shared_rows if self._shared else _own_rows
        return rows(self._inputs, chosen), rows(self._targets, chosen)


def _own_rows(values: Tensor, chosen: Tensor) -> Tensor:
    """Rows [batch, runs] of values [rows, units, runs], for each run of its own values."""
    return values.gather(0, chosen.unsqueeze(1).expand(-1, values.shape[1], -1))


def _shared_rows(values: Tensor, chosen: Tensor) -> Tensor:
    """The same of values [rows, units] that all runs share; runs lie first in memory."""
    return values[chosen.t()].permute(1, 2, 0)
