"""Sizes of what training a run records and holds: what the trainer allocates, known beforehand."""

from __future__ import annotations

from labreport.lab.configuration import Network, Rows, RunConfig
from labreport.lab.schedule import Schedule

PARAMETER_SECONDS = 1.3e-8
"""Updating and recording a parameter in one step of one run: 9 ns with SGD, 20 ns with Adam."""

OUTPUT_SECONDS = 1.2e-8
"""Of a unit's output for one row, forward and back: 10 ns with ReLU, 30 ns with tanh."""

PRODUCT_SECONDS = 7e-11
"""Of a multiplication in a matrix product, forward and back."""

LAYER_SECONDS = 2.7e-6
"""Of a matrix product of one run by itself, however small."""

LARGE = 256
"""Multiplications of a layer above which its runs are multiplied one by one, as matrices: the
library is faster then than sums over all runs at once."""

ROWS_HEADER_BYTES = 160
"""Of a file with the rows of some data: what it says of its two arrays."""


def run_seconds(config: RunConfig) -> float:
    """Processor time that a run takes of a training of many, beside the program's own steps."""
    rows = config.data.batch_rows
    step = PARAMETER_SECONDS * config.network.parameter_count + PRODUCT_SECONDS * products(config)
    step += OUTPUT_SECONDS * rows * sum(config.network.layers[1:])
    if is_multiplied_alone(config.network, rows):
        step += LAYER_SECONDS * len(config.network.shapes)
    return config.rounds * step * _bytes_of(config) / 4


def is_multiplied_alone(network: Network, rows: int) -> bool:
    """Return whether each run has matrix products of its own, on so many rows."""
    return max(rows * out * into for out, into in network.shapes) > LARGE


def measured_seconds(config: RunConfig, schedule: Schedule) -> float:
    """Processor time of a run's losses over all rows, beside those of its mini-batches."""
    step = PRODUCT_SECONDS * _all_products(config) + OUTPUT_SECONDS * _all_outputs(config)
    return len(schedule.measured(config)) * step / FORWARD * _bytes_of(config) / 4


FORWARD = 3
"""A forward pass takes a third of one forward and back."""

REPLAYED_STEP_SECONDS = 8e-6
REPLAYED_NUMBER_SECONDS = 2e-8
REPLAYED_PRODUCT_SECONDS = 1e-9
"""A step of a run computed again in NumPy: by itself, for each parameter and output, and for each
multiplication."""

MOST_REPLAYED = 10**10
"""Multiplications of a lab's steps up to which all of its runs are carried on by hand: some ten
seconds."""


def replay_seconds(config: RunConfig, steps: int) -> float:
    """Processor time that so many steps of a run take to be computed again by hand."""
    outputs = config.data.batch_rows * sum(config.network.layers[1:])
    step = REPLAYED_STEP_SECONDS + REPLAYED_PRODUCT_SECONDS * products(config)
    step += REPLAYED_NUMBER_SECONDS * (config.network.parameter_count + outputs)
    return steps * step


def remeasured_seconds(config: RunConfig, schedule: Schedule) -> float:
    """The same for the losses and outputs over all rows that are computed again by hand."""
    if config.data.sees_all_rows:
        return 0.0
    step = REPLAYED_PRODUCT_SECONDS * _all_products(config)
    step += REPLAYED_NUMBER_SECONDS * _all_outputs(config)
    steps = len(schedule.measured(config)) + len(schedule.shown(config))
    return steps * step / FORWARD


def recorded_bytes(config: RunConfig, schedule: Schedule) -> int:
    """Bytes of one run's record: losses; weights, gradients and outputs where they are kept."""
    recorded, shown, measured = (
        len(steps(config)) for steps in (schedule.recorded, schedule.shown, schedule.measured)
    )
    outputs = len(config.data.inputs) * config.network.layers[-1]
    values = config.rounds + 1 + measured + shown * outputs
    values += recorded * 2 * config.network.parameter_count
    return values * _bytes_of(config)


def rows_bytes(rows: Rows) -> int:
    """Bytes of the file with the rows of some data."""
    values = len(rows.inputs) * (len(rows.inputs[0]) + len(rows.targets[0]))
    return ROWS_HEADER_BYTES + 8 * values


def training_bytes(config: RunConfig, schedule: Schedule) -> int:
    """Bytes that training one run takes: its record, and what the graph and the rules hold."""
    rows = config.data.batch_rows
    data = len(config.data.inputs) * (config.network.layers[0] + config.network.layers[-1])
    values = 8 * config.network.parameter_count + 2 * data
    # Forward and backward hold each layer's activations about three times, and its products, where
    # these are made before they are added up.
    values += 3 * rows * sum(config.network.layers)
    if not is_multiplied_alone(config.network, rows):
        values += 3 * products(config)
    if not config.data.sees_all_rows:
        # The outputs of all rows are computed beside those of a batch, without a graph.
        values += 2 * len(config.data.inputs) * max(config.network.layers)
    return recorded_bytes(config, schedule) + values * _bytes_of(config)


def products(config: RunConfig) -> int:
    """Multiplications of one forward pass."""
    return sum(out * into for out, into in config.network.shapes) * config.data.batch_rows


def _all_products(config: RunConfig) -> int:
    """Multiplications of a forward pass over all rows."""
    return products(config) // config.data.batch_rows * len(config.data.inputs)


def _all_outputs(config: RunConfig) -> int:
    """Outputs of all units for all rows."""
    return sum(config.network.layers[1:]) * len(config.data.inputs)


def _bytes_of(config: RunConfig) -> int:
    return 8 if config.dtype == "float64" else 4
