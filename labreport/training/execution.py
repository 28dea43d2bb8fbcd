"""Training what is missing: family by family, in one process or several, stored when done."""

from __future__ import annotations

import math
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import TYPE_CHECKING

from labreport.errors import BuildError, Fault, InputError, TrainingInterrupted
from labreport.estimate import (
    PROGRAM_BYTES,
    WRITING_BYTES,
    Estimate,
    estimate,
    picture_bytes,
    whole_memory,
)
from labreport.lab.configuration import Rows, RunConfig
from labreport.lab.plan import Lab, Recording
from labreport.processes import end_with_first_process
from labreport.runs.file_format import DamagedError, run_name
from labreport.runs.files import nearest_there
from labreport.runs.run import Environment, Run
from labreport.runs.store import Store, write_runs

if TYPE_CHECKING:
    from labreport.training.family import Family
    from labreport.training.recording import Memory

DEVICES = ("cpu", "cuda")

WORTH_SECONDS = 3.0
"""Seconds of training from which on a second process saves more than it costs to start."""

PROCESS_BYTES = 48 * 2**20
"""Bytes of a further process that trains, beside what it shares with the first and its runs."""

ATTEMPTS = 3
"""Number of times that a build reads what it needs: once to find what is damaged, once when that is
mended, and once more. A disk that goes on damaging files is none to build on."""

UNKNOWN_MEMORY = 8 * 2**30
"""Taken for the memory of a machine whose system does not tell, as Windows does not."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done ("waiting", "training", "writing"), how much is done, of how much.
"""


@dataclass(frozen=True)
class Resources:
    """Resources that training may use.

    Attributes:
        device: "cpu" or "cuda".
        jobs: processes at a time; fewer train where memory is not enough for so many.
        memory: bytes that they divide for what they train, beside the program.
        limit: bytes that a build may hold in all, the program with it; half of what the machine has
            if None.
        hours: of training, beyond which a build is refused.
    """

    device: str = "cpu"
    jobs: int = 1
    memory: int = 2**30
    limit: int | None = None
    hours: float = 12.0

    def within(self, limit: int) -> Resources:
        """The same with so many bytes for a build, the program with it."""
        return replace(self, memory=max(0, limit - PROGRAM_BYTES), limit=limit)


def check_size(
    path: Path,
    recordings: Sequence[Recording],
    missing: Sequence[Recording],
    output: Path,
    machine: Resources,
    pictures: int = 0,
) -> None:
    """Refuse a lab that is too big for the machine, before anything is trained.

    Raises:
        InputError: with what all runs or the missing ones take, and how to allow more.
    """
    if faults := too_big(path, recordings, missing, output, machine, pictures):
        raise InputError(faults)


def too_big(
    path: Path,
    recordings: Sequence[Recording],
    missing: Sequence[Recording],
    output: Path,
    machine: Resources,
    pictures: int = 0,
) -> tuple[Fault, ...]:
    """Return why a lab is too big for the machine, if it is: what it takes, how to allow more.

    Args:
        path: of the lab file.
        recordings: all of its runs.
        missing: those that are to be trained.
        output: the folder in which they are stored.
        machine: what may be used.
        pictures: bytes that figures and pages take.
    """
    needed, whole = estimate(missing), estimate(recordings)
    parallel = processes(needed, machine)
    memory = whole_memory(needed.training, whole, pictures)
    limits = (
        ("too-much-memory", memory / 2**20, _memory_limit(machine) / 2**20),
        ("too-much-disk", needed.disk / 2**20, free_space(output) / 2**20),
        ("too-much-time", needed.seconds / 3600 / parallel, machine.hours),
    )
    return tuple(
        Fault(
            code,
            {"found": math.ceil(found), "limit": _shown(limit), "runs": whole.runs},
            file=path,
        )
        for code, found, limit in limits
        if found > limit
    )


def processes(needed: Estimate, machine: Resources) -> int:
    """Processes that train: one where more are not worth it, or memory is not enough for more."""
    if needed.seconds < WORTH_SECONDS or machine.device != "cpu":
        return 1
    fitting = machine.memory // (needed.training + PROCESS_BYTES)
    return max(1, min(machine.jobs, fitting))


def reporting_processes(lab: Lab, machine: Resources) -> int:
    """Processes that measure and write a report: as many as are allowed, and have memory."""
    pictures = picture_bytes(lab)
    whole = whole_memory(0, estimate(lab.recordings()), pictures)
    fitting = (_memory_limit(machine) - whole) // (WRITING_BYTES + pictures)
    return max(1, min(machine.jobs, 1 + fitting))


def _shown(limit: float) -> str:
    """A limit without more digits than anybody reads."""
    return f"{limit:.0f}" if limit >= 100 else f"{limit:.3g}"


def free_space(output: Path) -> int:
    """Bytes that are free where a folder is, or will be."""
    # Behind links, of which one may lead to a folder that is still to be made.
    there = nearest_there(Path(os.path.realpath(output)))
    return shutil.disk_usage(there).free


def _memory_limit(machine: Resources) -> int:
    if machine.limit is not None:
        return machine.limit
    try:
        physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        physical = UNKNOWN_MEMORY
    return max(machine.memory, physical // 2)


def check_device(machine: Resources) -> None:
    """Refuse a device that is not there. Raises InputError."""
    if machine.device not in DEVICES:
        values = {"found": machine.device}
        raise InputError(Fault("unknown-device", values, allowed=DEVICES))
    if machine.device == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise InputError(Fault("no-cuda"))


@dataclass(frozen=True, eq=False)
class LoadedRuns:
    """Runs, and where they came from.

    Attributes:
        runs: by the digest of their configuration.
        trained: digests of those that were not stored, or no longer as they were written.
        restored: files of rows that stored runs had lost, and that were written again.
    """

    runs: dict[str, Run]
    trained: frozenset[str]
    restored: tuple[Path, ...] = ()


def load_or_train(
    recordings: Sequence[Recording],
    environment: Environment,
    store: Store,
    machine: Resources,
    progress: Progress,
) -> LoadedRuns:
    """Runs from the store, once those that it lacks have been trained.

    Of several builds in one folder, one at a time trains; the others wait, and then find its runs
    stored. A build whose runs are all there waits for nobody.

    Raises:
        BuildError: if a run cannot be stored; those that were finished before are.
    """
    names = {config.digest: run_name(config, environment) for config, _ in recordings}
    trained: list[str] = []
    restored: list[Path] = []

    def read() -> LoadedRuns:
        runs = store.read(list(names.values()))
        found = {digest: runs[name] for digest, name in names.items()}
        return LoadedRuns(found, frozenset(trained), tuple(restored))

    if not store.damaged and not _missing(recordings, names, store):
        # Damage that shows only now is mended below, in turn.
        with suppress(DamagedError):
            return read()
    with store.turn(lambda: progress("waiting", 0, 1)):
        for _ in range(ATTEMPTS):
            store.mend()
            restored += store.keep_rows(_lost_rows(recordings, store))
            lacking = _missing(recordings, names, store)
            train_missing(lacking, environment, store, machine, progress)
            trained += (config.digest for config, _ in lacking)
            if _missing(recordings, names, store):
                continue
            with suppress(DamagedError):
                return read()
    raise BuildError(Fault("store-unreliable", file=store.folder))


def _lost_rows(recordings: Sequence[Recording], store: Store) -> list[Rows]:
    """Rows that stored runs saw, that are not there, and that the lab has."""
    lacking = store.lacking
    return [c.data.rows for c, _ in recordings if c.data.rows.digest in lacking]


def _missing(
    recordings: Sequence[Recording], names: Mapping[str, str], store: Store
) -> list[Recording]:
    """Runs that the store lacks, each with a schedule that covers what is stored of it.

    Args:
        recordings: runs that are wanted, with their schedules.
        names: of the runs in the store, by the digest of their configuration.
        store: that is looked into.
    """
    return [
        (config, store.with_stored(names[config.digest], schedule))
        for config, schedule in recordings
        if not store.has(names[config.digest], schedule)
    ]


def train_missing(
    missing: Sequence[Recording],
    environment: Environment,
    store: Store,
    machine: Resources,
    progress: Progress,
) -> None:
    """Train runs, each given with its schedule; each family is stored as soon as it is done."""
    if not missing:
        return
    from labreport.training.family import families

    configurations, schedules = zip(*missing, strict=True)
    work = sum(map(_rounds, configurations))
    jobs = processes(estimate(missing), machine)
    memory = machine.memory // jobs - (PROCESS_BYTES if jobs > 1 else 0)
    groups = families(configurations, schedules, memory)
    done = 0
    stored: list[Family] = []
    progress("training", done, work)
    # First, so that no run is ever stored without the rows that it saw.
    store.keep_rows(config.data.rows for config in configurations)
    try:
        trained = _trained(groups, environment, store.folder, machine.device, jobs, stored)
        for family, path in trained:
            store.add(path)
            done += sum(map(_rounds, family.configurations))
            progress("training", done, work)
    except KeyboardInterrupt:
        kept = sum(len(family.configurations) for family in stored)
        raise TrainingInterrupted(kept, len(missing)) from None


def _rounds(config: RunConfig) -> int:
    return config.rounds


def _trained(
    groups: Sequence[Family],
    environment: Environment,
    folder: Path,
    device: str,
    jobs: int,
    stored: list[Family],
) -> Iterator[tuple[Family, Path]]:
    """Families as they are finished, with the files that hold them.

    All that are ``stored`` are added to that list, also while an interruption waits for them.
    """
    if jobs == 1 or len(groups) == 1:
        try:
            for family in groups:
                path = train_and_write(family, environment, folder, device)
                stored.append(family)
                yield family, path
        finally:
            # This process goes on to the report, and needs the room for that.
            _memory.cache_clear()
        return
    # Families go along when a process starts: a fork has them already, without a copy.
    pool = ProcessPoolExecutor(
        jobs, mp_context=_quick_to_start(), initializer=_start_process, initargs=(groups,)
    )
    try:
        futures = {
            pool.submit(_train_and_write_group, index, environment, folder, device): family
            for index, family in enumerate(groups)
        }
        for future, family in futures.items():
            future.add_done_callback(partial(_add_if_stored, family, stored))
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool:
        raise BuildError(Fault("process-died")) from None
    finally:
        # What is under way is finished and stored; what has not begun is left.
        pool.shutdown(wait=True, cancel_futures=True)


def _quick_to_start() -> BaseContext:
    """How processes start: a fork starts at once and shares what is imported, if there is one."""
    methods = multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("fork" if "fork" in methods else "spawn")


def _add_if_stored(family: Family, stored: list[Family], future: Future[Path]) -> None:
    if not future.cancelled() and future.exception() is None:
        stored.append(family)


_groups: list[Family] = []
"""The families of this build, in a process that was started to train some of them."""


def _start_process(groups: Sequence[Family]) -> None:
    # An interrupt is the first process's to act on: what is under way here is finished.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Without the first process, it would wait for work for ever.
    end_with_first_process()
    _groups[:] = groups


def _train_and_write_group(index: int, environment: Environment, folder: Path, device: str) -> Path:
    return train_and_write(_groups[index], environment, folder, device)


@cache
def _memory() -> Memory:
    """Return this process's memory for records: a family is stored before the next is trained."""
    from labreport.training.recording import Memory

    return Memory()


def train_and_write(family: Family, environment: Environment, folder: Path, device: str) -> Path:
    """Train one family and store it; says where."""
    from labreport.training.trainer import train

    traces = train(family, device, _memory())
    return write_runs(folder, family.configurations, traces, environment, family.schedule)
