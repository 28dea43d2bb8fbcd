"""Families: runs that differ only in numbers, and so can train as one tensor program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from labreport.lab.configuration import RunConfig
from labreport.lab.schedule import EVERY_STEP, Schedule
from labreport.lab.size import run_seconds, training_bytes
from labreport.training.fully_connected import initial_parameters

PADDING = 64
"""Runs are padded to a multiple of this, so that every tensor is a whole number of vectors.

Torch's vector and scalar kernels of sigmoid and others differ in the last bits, and the scalar
one takes the remainder of a tensor: without padding, a run's numbers would depend on its company.
"""

MEMORY = 512 * 2**20
"""Bytes that training one family may take unless the user says otherwise."""

CHUNK = 8192
"""Runs that train together at the most: beyond that nothing is gained, and a build that is
interrupted loses more."""


CHUNK_SECONDS = 10.0
"""Processor time of a chunk, as far as padding allows: what a build loses that is interrupted."""


@dataclass(frozen=True)
class Family:
    """Configurations that share everything but numbers.

    Attributes:
        configurations: the runs.
        schedule: at which steps they are recorded.
    """

    configurations: tuple[RunConfig, ...]
    schedule: Schedule = EVERY_STEP

    @property
    def first(self) -> RunConfig:
        return self.configurations[0]

    def recorded(self) -> list[int]:
        """Steps at which weights and gradients are recorded."""
        return self.schedule.recorded(self.first)

    def shown(self) -> list[int]:
        """Steps at which outputs are recorded."""
        return self.schedule.shown(self.first)

    def measured(self) -> list[int]:
        """Steps at which the loss over all rows is computed beside that of a batch."""
        return self.schedule.measured(self.first)


def families(
    configurations: Iterable[RunConfig],
    schedules: Sequence[Schedule] | None = None,
    memory: int = MEMORY,
) -> tuple[Family, ...]:
    """Configurations grouped into families, each small enough for memory, in a fixed order.

    Args:
        configurations: the runs.
        schedules: at which steps to record each of them; at every step if left out.
        memory: bytes that training one family may take.
    """
    members = list(configurations)
    grouped: dict[Any, list[RunConfig]] = {}
    for config, schedule in zip(members, schedules or [Schedule()] * len(members), strict=True):
        grouped.setdefault((structure(config), schedule), []).append(config)
    return tuple(
        Family(chunk, schedule)
        for (_, schedule), group in grouped.items()
        for chunk in _chunks(group, schedule, memory)
    )


def structure(config: RunConfig) -> tuple[Any, ...]:
    """Return the structure of a family: all that decides which operations are carried out."""
    return (
        config.network,
        config.loss,
        config.optimizer.name,
        _switches(config),
        config.rounds,
        config.dtype,
        len(config.data.inputs),
        config.data.batch_size,
    )


def _switches(config: RunConfig) -> frozenset[str]:
    """Switches of the optimizer that lead to other operations.

    Momentum of 0 and no momentum are one thing to SGD, whose buffer is then the gradient itself;
    RMSprop orders its operations differently, so there the two round differently.
    """
    values = config.optimizer.model_dump()
    switches = {key for key, value in values.items() if value is True}
    if config.optimizer.name == "rmsprop" and config.optimizer.momentum:
        switches.add("momentum")
    return frozenset(switches)


def optimizer_flags(family: Family) -> frozenset[str]:
    """Switches, and the terms that are not 0 for all runs of the family."""
    terms = {
        key
        for config in family.configurations
        for key in ("momentum", "weight_decay")
        if getattr(config.optimizer, key, 0.0)
    }
    return _switches(family.first) | terms


def hyperparameters(family: Family, padded: int) -> dict[str, Tensor]:
    """Each numeric hyper-parameter, float64 [runs], padded with copies of the last run."""
    columns: dict[str, list[float]] = {}
    for config in family.configurations:
        # Fields in place of model_dump, which would copy: there may be thousands of runs.
        for key, value in config.optimizer:
            if isinstance(value, tuple):
                for index, part in enumerate(value):
                    columns.setdefault(f"{key}.{index}", []).append(float(part))
            elif not isinstance(value, bool | str):
                columns.setdefault(key, []).append(float(value))
    return {
        key: pad(torch.tensor(column, dtype=torch.float64), padded)
        for key, column in columns.items()
    }


def accumulating(family: Family, padded: int) -> Tensor | None:
    """1 for runs [runs] whose gradients are never cleared, 0 for the others; None if none are."""
    kept = [float(config.gradients == "accumulated") for config in family.configurations]
    if not any(kept):
        return None
    return pad(torch.tensor(kept, dtype=getattr(torch, family.first.dtype)), padded)


def discarding(family: Family, padded: int) -> Tensor | None:
    """True for runs [runs] whose updates are discarded; None if there are none."""
    discarded = [config.updates == "discarded" for config in family.configurations]
    return pad(torch.tensor(discarded), padded) if any(discarded) else None


def stacked_parameters(family: Family, padded: int) -> Tensor:
    """Initial parameters [parameters, runs]."""
    known: dict[Any, Tensor] = {}
    columns = []
    for config in family.configurations:
        start = (id(config.initial), config.seed)
        if start not in known:
            known[start] = initial_parameters(config)
        columns.append(known[start])
    return pad(torch.stack(columns, dim=-1), padded)


def stacked_held_biases(family: Family, padded: int) -> Tensor | None:
    """Biases [units of all layers, runs] that are held at a given value; None if none are."""
    if not family.first.network.holds_bias:
        return None
    kind = getattr(torch, family.first.dtype)
    columns = [
        torch.tensor([value for layer in config.held_biases for value in layer], dtype=kind)
        for config in family.configurations
    ]
    return pad(torch.stack(columns, dim=-1), padded)


def stacked_data(family: Family, which: str, padded: int) -> Tensor:
    """Inputs or targets [rows, units, runs]; [units, runs] for a single row."""
    kind = getattr(torch, family.first.dtype)
    known: dict[int, Tensor] = {}
    columns = []
    for config in family.configurations:
        rows = getattr(config.data, which)
        if id(rows) not in known:
            known[id(rows)] = torch.tensor(rows[0] if len(rows) == 1 else rows, dtype=kind)
        columns.append(known[id(rows)])
    return pad(torch.stack(columns, dim=-1), padded)


def padded_count(runs: int) -> int:
    return -(-runs // PADDING) * PADDING


def pad(values: Tensor, padded: int) -> Tensor:
    """Repeat the last run until there are ``padded`` runs along the last axis."""
    missing = padded - values.shape[-1]
    last = values[..., -1:].expand(*values.shape[:-1], missing)
    return torch.cat([values, last], dim=-1).contiguous()


def _chunks(
    members: list[RunConfig], schedule: Schedule, memory: int
) -> Iterator[tuple[RunConfig, ...]]:
    fitting = memory // training_bytes(members[0], schedule) // PADDING * PADDING
    in_time = int(CHUNK_SECONDS / run_seconds(members[0])) // PADDING * PADDING
    size = max(PADDING, min(fitting, in_time, CHUNK))
    for start in range(0, len(members), size):
        yield tuple(members[start : start + size])
