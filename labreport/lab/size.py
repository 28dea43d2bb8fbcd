"""How much training a run records and holds: what the trainer makes room for, told beforehand."""

from __future__ import annotations

from labreport.lab.configuration import RunConfig
from labreport.lab.schedule import Schedule


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
