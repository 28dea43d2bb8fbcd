"""What a build will take, told before it starts: runs, time, memory and disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labreport.lab.configuration import RunConfig
from labreport.lab.plan import Recording
from labreport.lab.schedule import Schedule
from labreport.lab.size import products, recorded_bytes, training_bytes

STEP_SECONDS = 2e-4
"""One step of a family, whatever its size: Python calls some 30 operations of 3 to 5 µs for SGD
(0.13 ms measured), twice as many for Adam (0.26 ms)."""

PARAMETER_SECONDS = 1.5e-8
"""Updating and recording a parameter in one step of one run: 9 ns with SGD, 20 ns with Adam."""

PRODUCT_SECONDS = 4e-10
"""One multiplication of the forward pass, with its share of the backward pass: 64-32-10 on batches
of 64 takes 79 µs per run and step, of which updating takes a fourth."""

BYTE_SECONDS = 2e-9
"""Writing a byte of a record to disk and reading it for the report, on a common drive."""

TOGETHER = 64
"""Runs that are trained at once at the least: fewer are padded to as many."""

CHUNK = 8192
"""Runs that are trained at once at the most."""

ENTRY_BYTES = 500
"""What is stored of a run beside its record and configuration: name, ending and environment."""


@dataclass(frozen=True)
class Estimate:
    """What some runs take; the time to within a factor of about three, the rest quite closely.

    Attributes:
        runs: distinct runs.
        run_rounds: their rounds, summed.
        seconds: training and storing them in one process.
        training: bytes that the largest family takes, however it is divided.
        reading: bytes of all records together, which the report holds at once.
        disk: bytes in the store.
    """

    runs: int
    run_rounds: int
    seconds: float
    training: int
    reading: int
    disk: int

    @property
    def memory(self) -> int:
        """Bytes that a build takes beyond what the program itself does."""
        return max(self.training, self.reading)


def estimate(recordings: Iterable[Recording]) -> Estimate:
    """The estimate for runs that are yet to be trained, each given with its schedule."""
    alike: dict[object, list[Recording]] = {}
    for config, schedule in recordings:
        alike.setdefault(_kind(config, schedule), []).append((config, schedule))
    families = [_of_family(members) for members in alike.values()]
    return Estimate(
        runs=sum(family.runs for family in families),
        run_rounds=sum(family.run_rounds for family in families),
        seconds=sum(family.seconds for family in families),
        training=max((family.training for family in families), default=0),
        reading=sum(family.reading for family in families),
        disk=sum(family.disk for family in families),
    )


def _kind(config: RunConfig, schedule: Schedule) -> object:
    """What runs have in common that are trained as one, near enough."""
    rows = (len(config.data.inputs), config.data.batch_size)
    kind = (config.network, config.loss, config.optimizer.name, config.rounds, config.dtype)
    return (kind, rows, schedule)


def _of_family(members: Sequence[Recording]) -> Estimate:
    config, schedule = members[0]
    runs = len(members)
    padded = -(-runs // TOGETHER) * TOGETHER
    # Updating and recording pads to whole vectors, in as many steps as there are chunks.
    step = -(-runs // CHUNK) * STEP_SECONDS
    step += padded * PARAMETER_SECONDS * config.network.parameter_count
    step += padded * PRODUCT_SECONDS * products(config)
    record = recorded_bytes(config, schedule)
    written = len(config.canonical) + ENTRY_BYTES
    return Estimate(
        runs=runs,
        run_rounds=runs * config.rounds,
        seconds=config.rounds * step + runs * record * BYTE_SECONDS,
        training=TOGETHER * training_bytes(config, schedule),
        reading=runs * record,
        disk=runs * (record + written),
    )
