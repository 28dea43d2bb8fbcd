"""Families: runs that differ only in numbers, and so can train as one tensor program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from labreport.lab.configuration import RunConfig
from labreport.training.network import initial_parameters

PADDING = 64
"""Runs are padded to a multiple of this, so that every tensor is a whole number of vectors.

Torch's vector and scalar kernels of sigmoid and others differ in the last bits, and the scalar
one takes the remainder of a tensor: without padding, a run's numbers would depend on its company.
"""

MEMORY = 512 * 2**20
"""Bytes that the recording of one family may take; a larger family is cut into chunks."""


@dataclass(frozen=True)
class Family:
    """Configurations that share everything but numbers."""

    configurations: tuple[RunConfig, ...]

    @property
    def first(self) -> RunConfig:
        return self.configurations[0]


def families(configurations: Iterable[RunConfig]) -> tuple[Family, ...]:
    """Configurations grouped into families, each small enough for memory, in a fixed order."""
    grouped: dict[Any, list[RunConfig]] = {}
    for config in configurations:
        grouped.setdefault(structure(config), []).append(config)
    return tuple(Family(chunk) for members in grouped.values() for chunk in _chunks(members))


def structure(config: RunConfig) -> tuple[Any, ...]:
    """What a family has in common: all that decides which operations are carried out."""
    return (
        config.network,
        config.loss,
        config.optimizer.name,
        optimizer_flags(config),
        config.rounds,
        config.gradients,
        config.dtype,
        len(config.data.inputs),
    )


def optimizer_flags(config: RunConfig) -> frozenset[str]:
    """Switches of the optimizer, and the terms that torch leaves out when they are 0."""
    values = config.optimizer.model_dump()
    switches = {key for key, value in values.items() if value is True}
    terms = {key for key in ("momentum", "weight_decay") if values.get(key, 0.0) != 0}
    return frozenset(switches | terms)


def hyperparameters(family: Family, padded: int) -> dict[str, Tensor]:
    """Each numeric hyper-parameter, float64 [runs], padded with copies of the last run."""
    columns: dict[str, list[float]] = {}
    for config in family.configurations:
        for key, value in config.optimizer.model_dump().items():
            if isinstance(value, tuple):
                for index, part in enumerate(value):
                    columns.setdefault(f"{key}.{index}", []).append(float(part))
            elif not isinstance(value, bool | str):
                columns.setdefault(key, []).append(float(value))
    return {
        key: pad(torch.tensor(column, dtype=torch.float64), padded)
        for key, column in columns.items()
    }


def stacked_parameters(family: Family, padded: int) -> Tensor:
    """Initial parameters [parameters, runs]."""
    columns = [initial_parameters(config) for config in family.configurations]
    return pad(torch.stack(columns, dim=-1), padded)


def stacked_data(family: Family, which: str, padded: int) -> Tensor:
    """Inputs or targets [rows, units, runs]."""
    kind = getattr(torch, family.first.dtype)
    rows = [torch.tensor(getattr(c.data, which), dtype=kind) for c in family.configurations]
    return pad(torch.stack(rows, dim=-1), padded)


def padded_count(runs: int) -> int:
    return -(-runs // PADDING) * PADDING


def pad(values: Tensor, padded: int) -> Tensor:
    """Repeat the last run until there are ``padded`` runs along the last axis."""
    missing = padded - values.shape[-1]
    last = values[..., -1:].expand(*values.shape[:-1], missing)
    return torch.cat([values, last], dim=-1).contiguous()


def recorded_bytes(config: RunConfig) -> int:
    """Bytes that the trace of one run takes while it is recorded."""
    outputs = len(config.data.inputs) * config.network.layers[-1]
    numbers = 1 + 2 * config.network.parameter_count + outputs
    return (config.rounds + 1) * numbers * (8 if config.dtype == "float64" else 4)


def _chunks(members: list[RunConfig]) -> Iterator[tuple[RunConfig, ...]]:
    size = max(PADDING, MEMORY // recorded_bytes(members[0]) // PADDING * PADDING)
    for start in range(0, len(members), size):
        yield tuple(members[start : start + size])
