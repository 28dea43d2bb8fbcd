"""What a build will take, told before it starts: runs, time, memory and disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labreport.lab.configuration import RunConfig
from labreport.lab.plan import Recording
from labreport.lab.schedule import Schedule
from labreport.lab.size import recorded_bytes, run_seconds, training_bytes

STEP_SECONDS = 2e-4
"""One step of a family, whatever its size: Python calls some 30 operations of 3 to 5 µs for SGD
(0.13 ms measured), twice as many for Adam (0.26 ms)."""

BYTE_SECONDS = 2e-9
"""Writing a byte of a record to disk and reading it for the report, on a common drive."""

TOGETHER = 64
"""Runs that are trained at once at the least: fewer are padded to as many."""

MOST_PADDING = 4
"""How many times as many columns as runs are recorded at the most."""

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
    steps = -(-runs // CHUNK) * config.rounds
    record = recorded_bytes(config, schedule)
    columns = runs if MOST_PADDING * runs < TOGETHER else TOGETHER
    written = len(config.canonical) + ENTRY_BYTES
    return Estimate(
        runs=runs,
        run_rounds=runs * config.rounds,
        seconds=steps * STEP_SECONDS + padded * run_seconds(config) + runs * record * BYTE_SECONDS,
        training=TOGETHER * (training_bytes(config, schedule) - record) + columns * record,
        reading=runs * record,
        disk=runs * (record + written),
    )
