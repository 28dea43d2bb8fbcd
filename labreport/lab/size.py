"""How much training a run records and holds: what the trainer makes room for, told beforehand."""

from __future__ import annotations

from labreport.lab.configuration import RunConfig
from labreport.lab.schedule import Schedule

PARAMETER_SECONDS = 1.5e-8
"""Updating and recording a parameter in one step of one run: 9 ns with SGD, 20 ns with Adam."""

PRODUCT_SECONDS = 4e-10
"""One multiplication of the forward pass, with its share of the backward pass: 64-32-10 on batches
of 64 takes 79 µs per run and step, of which updating takes a fourth."""


def run_seconds(config: RunConfig) -> float:
    """Processor time that a run takes of a training of many, beside the program's own steps."""
    step = PARAMETER_SECONDS * config.network.parameter_count + PRODUCT_SECONDS * products(config)
    return config.rounds * step


def recorded_bytes(config: RunConfig, schedule: Schedule) -> int:
    """Bytes of one run's record: losses; weights, gradients and outputs where they are kept."""
    recorded, shown, measured = (
        len(steps(config)) for steps in (schedule.recorded, schedule.shown, schedule.measured)
    )
    outputs = len(config.data.inputs) * config.network.layers[-1]
    values = config.rounds + 1 + measured + shown * outputs
    values += recorded * 2 * config.network.parameter_count
    return values * _bytes_of(config)


def training_bytes(config: RunConfig, schedule: Schedule) -> int:
    """Bytes that training one run takes: its record, and what the graph and the rules hold."""
    # Forward and backward hold each layer's products and activations about three times.
    rows = config.data.batch_rows
    data = len(config.data.inputs) * (config.network.layers[0] + config.network.layers[-1])
    values = 8 * config.network.parameter_count + 2 * data
    values += 3 * (products(config) + rows * sum(config.network.layers))
    if not config.data.sees_all_rows:
        # The outputs of all rows are computed beside those of a batch, without a graph.
        values += 2 * len(config.data.inputs) * max(config.network.layers)
    return recorded_bytes(config, schedule) + values * _bytes_of(config)


def products(config: RunConfig) -> int:
    """Multiplications of one forward pass."""
    return sum(out * into for out, into in config.network.shapes) * config.data.batch_rows


def _bytes_of(config: RunConfig) -> int:
    return 8 if config.dtype == "float64" else 4
