"""How much training a run records and holds: what the trainer makes room for, told beforehand."""

from __future__ import annotations

from labreport.lab.configuration import RunConfig

FEW_OUTPUTS = 64
"""Outputs (rows × units) that are recorded at every step; of more, the first and the last."""


def thinned_steps(rounds: int, stride: int) -> list[int]:
    """Every ``stride``-th step from 0 to ``rounds``, and the last one."""
    steps = list(range(0, rounds + 1, stride))
    return steps if steps[-1] == rounds else [*steps, rounds]


def outputs_are_few(config: RunConfig) -> bool:
    """Whether outputs for all rows are recorded along the way."""
    return _outputs(config) <= FEW_OUTPUTS and config.data.batch_size is None


def recorded_bytes(config: RunConfig, stride: int) -> int:
    """Bytes of one run's record: losses; weights, gradients and outputs where they are kept."""
    records = -(-config.rounds // stride) + 1
    shown = records if outputs_are_few(config) else 2
    parameters = config.network.parameter_count
    values = config.rounds + 1 + records * 2 * parameters + shown * _outputs(config)
    return values * _bytes_of(config)


def training_bytes(config: RunConfig, stride: int) -> int:
    """Bytes that training one run takes: its record, and what the graph and the rules hold."""
    # Forward and backward hold each layer's products and activations about three times.
    rows = config.data.batch_rows
    data = len(config.data.inputs) * (config.network.layers[0] + config.network.layers[-1])
    values = 8 * config.network.parameter_count + 2 * data
    values += 3 * (products(config) + rows * sum(config.network.layers))
    return recorded_bytes(config, stride) + values * _bytes_of(config)


def products(config: RunConfig) -> int:
    """Multiplications of one forward pass."""
    return sum(out * into for out, into in config.network.shapes) * config.data.batch_rows


def _outputs(config: RunConfig) -> int:
    return len(config.data.inputs) * config.network.layers[-1]


def _bytes_of(config: RunConfig) -> int:
    return 8 if config.dtype == "float64" else 4
