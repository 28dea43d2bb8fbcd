"""Estimates of what a build will take, before it starts: runs, time, memory and disk.

Seconds and bytes were measured on one core of a common machine and fitted; another one may be twice
as fast or as slow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labreport.lab.configuration import Rows, RunConfig
from labreport.lab.plan import Lab, Plan, Recording
from labreport.lab.schedule import Schedule
from labreport.lab.size import (
    MOST_REPLAYED,
    measured_seconds,
    products,
    recorded_bytes,
    remeasured_seconds,
    replay_seconds,
    rows_bytes,
    run_seconds,
    training_bytes,
)

STEP_SECONDS = 3e-4
"""One step of a family, whatever its size: Python calls some 30 operations for SGD, twice as many
for Adam."""

BYTE_SECONDS = 2e-9
"""Writing a byte of a record to disk and reading it for the report, on a common drive."""

TOGETHER = 64
"""Runs that are trained at once at the least: fewer are padded to as many."""

MOST_PADDING = 4
"""The largest ratio of recorded columns to runs."""

CHUNK = 8192
"""Runs that are trained at once at the most."""

ENTRY_BYTES = 500
"""Bytes stored of a run beside its record and configuration: name, ending and environment."""


REPLAYED_GROUP_SECONDS = 3.5e-5
"""One step of all runs that are replayed together, whatever they are."""

PROGRAM_SECONDS, PROGRAM_BYTES = 2.2, 320 * 2**20
"""Starting Python, and importing PyTorch, Matplotlib and WeasyPrint; the bytes are those of Python
and PyTorch at work."""

RUN_BYTES = 30 * 2**10
"""Bytes of a run that is read, beside its record: its configuration, and what is found of it."""

REPLAYING_BYTES = 64 * 2**20
"""Computing runs again by hand, as many at a time as fit into this."""

WRITING_BYTES = 120 * 2**20
"""Matplotlib and WeasyPrint, which are imported once the runs have been measured."""

KEPT_BYTES = 64 * 2**20
"""Of arrays that are freed, those that the allocator keeps: the small ones."""

LANGUAGE_SECONDS, SECTION_SECONDS, VARIANT_SECONDS = 2.0, 1.5, 0.12
"""Writing a report in one language: its chapters, each experiment, and each variant in figures,
tables and evidence."""

SECTION_BYTES = 20 * 2**20
"""Pictures and pages of an experiment."""


@dataclass(frozen=True)
class Estimate:
    """The resources that some runs take.

    Attributes:
        runs: distinct runs.
        run_rounds: their rounds, summed.
        seconds: training and storing them in one process.
        training: bytes that the largest family takes, however it is divided, in one process.
        reading: bytes of all records together, which are held until they have been measured.
        disk: bytes in the store.
    """

    runs: int
    run_rounds: int
    seconds: float
    training: int
    reading: int
    disk: int


@dataclass(frozen=True)
class BuildEstimate:
    """The resources that a whole build takes on one core, to within a factor of about two.

    Attributes:
        runs: what its runs take.
        checking: seconds that computing them again by hand takes.
        writing: seconds that figures, pages and PDFs take.
        pictures: bytes that they take.
    """

    runs: Estimate
    checking: float
    writing: float
    pictures: int

    @property
    def seconds(self) -> float:
        """From start to end, with nothing stored."""
        return PROGRAM_SECONDS + self.runs.seconds + self.checking + self.writing

    @property
    def memory(self) -> int:
        """Bytes of the whole program at the most, with nothing stored and one process."""
        return whole_memory(self.runs.training, self.runs, self.pictures)


def whole_memory(training: int, read: Estimate, pictures: int) -> int:
    """Bytes of the program at the most: where it trains, where it measures, or where it writes.

    Args:
        training: bytes that training takes, of all processes together.
        read: the runs that are read.
        pictures: bytes that figures and pages take.
    """
    measuring = read.reading + min(read.reading, REPLAYING_BYTES) + read.runs * RUN_BYTES
    writing = WRITING_BYTES + pictures + min(read.reading, KEPT_BYTES)
    return PROGRAM_BYTES + max(training, measuring, writing)


def picture_bytes(lab: Lab) -> int:
    """Bytes that figures and pages of a lab take."""
    return SECTION_BYTES * len(_all_plans(lab))


def _all_plans(lab: Lab) -> list[Plan]:
    return [*lab.plans, *(plan for appendix in lab.appendices for plan in appendix.plans)]


def estimate_build(lab: Lab, languages: int) -> BuildEstimate:
    """The estimate for a build of a lab in so many languages, with nothing stored."""
    plans = _all_plans(lab)
    variants = sum(len(plan.variants) for plan in plans)
    report = LANGUAGE_SECONDS + SECTION_SECONDS * len(plans) + VARIANT_SECONDS * variants
    recordings = lab.recordings()
    return BuildEstimate(
        runs=estimate(recordings),
        checking=checking(recordings),
        writing=languages * report,
        pictures=picture_bytes(lab),
    )


def estimate(recordings: Iterable[Recording]) -> Estimate:
    """The estimate for runs that are yet to be trained, each given with its schedule."""
    alike: dict[object, list[Recording]] = {}
    rows: dict[str, Rows] = {}
    for config, schedule in recordings:
        alike.setdefault(_kind(config, schedule), []).append((config, schedule))
        rows[config.data.rows.digest] = config.data.rows
    families = [_of_family(members) for members in alike.values()]
    return Estimate(
        runs=sum(family.runs for family in families),
        run_rounds=sum(family.run_rounds for family in families),
        seconds=sum(family.seconds for family in families),
        training=max((family.training for family in families), default=0),
        reading=sum(family.reading for family in families),
        disk=sum(family.disk for family in families) + sum(map(rows_bytes, rows.values())),
    )


def checking(recordings: Sequence[Recording]) -> float:
    """Seconds that computing runs again by hand takes: all steps, in large labs a part of them."""
    whole = sum(config.rounds * products(config) for config, _ in recordings)
    carried = min(1.0, MOST_REPLAYED / whole) if whole else 1.0
    groups: dict[object, float] = {}
    seconds = 0.0
    for config, schedule in recordings:
        recorded = config.rounds // schedule.stride
        steps = recorded + carried * (config.rounds - recorded)
        seconds += replay_seconds(config, round(steps)) + remeasured_seconds(config, schedule)
        policies = (config.gradients, config.updates)
        alike = (_kind(config, schedule), config.optimizer, config.initial, policies)
        groups[alike] = REPLAYED_GROUP_SECONDS * steps
    return seconds + sum(groups.values())


def _kind(config: RunConfig, schedule: Schedule) -> object:
    """Return a key that is equal for runs trained as one, approximately."""
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
    each = run_seconds(config) + measured_seconds(config, schedule)
    return Estimate(
        runs=runs,
        run_rounds=runs * config.rounds,
        seconds=steps * STEP_SECONDS + padded * each + runs * record * BYTE_SECONDS,
        training=TOGETHER * (training_bytes(config, schedule) - record) + columns * record,
        reading=runs * record,
        disk=runs * (record + written),
    )
