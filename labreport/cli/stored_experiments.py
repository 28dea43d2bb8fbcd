"""An experiment with its runs, from what is stored and nothing else: no run is trained here."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labreport.analysis.attach import attach
from labreport.analysis.observe import Observations
from labreport.analysis.replays import replay_some
from labreport.analysis.results import ExperimentResults
from labreport.build.inputs import part_of
from labreport.build.origin import this_environment
from labreport.build.output import usable_folder
from labreport.errors import BuildError, Fault
from labreport.lab.plan import Lab, Plan, Recording, distinct
from labreport.lab.reading.load import load
from labreport.report.measured import observed_in
from labreport.runs.file_format import DamagedError, run_name
from labreport.runs.rows_files import digest_of_rows
from labreport.runs.run import Run
from labreport.runs.store import Store
from labreport.shipped import lab_path
from labreport.training.execution import DEVICES


@dataclass(frozen=True)
class Selection:
    """The experiment that is asked for.

    Attributes:
        name: of the experiment.
        lab: the lab file as given; None for the one that `labreport build` would take.
        output: the folder with ``runs/``.
    """

    name: str
    lab: Path | None
    output: Path


def stored_results(selection: Selection) -> tuple[ExperimentResults, Observations]:
    """An experiment of the main part, and what the report states of it.

    The report is that of the whole lab where all of its runs are stored, else that of the
    experiment alone: what another section has stated already, a section does not repeat.

    Raises:
        InputError: if the lab, the name or the folder is at fault.
        BuildError: if runs are not stored, files that hold them are damaged, or numbers of the
            experiment's runs are not what is computed by hand.
    """
    path = lab_path(selection.lab)
    whole = load(path)
    alone = part_of(whole, (selection.name,), path)
    usable_folder(selection.output)
    lab = whole if _has_all(whole, selection.output) else alone
    runs = _read(lab.recordings(), selection)
    replay_some(alone, runs).refuse_differences()
    return observed_in(lab, runs, selection.name)


def stored_parts(selection: Selection) -> tuple[tuple[str, ExperimentResults], ...]:
    """An experiment in the main part ("main") and in each appendix, by its name.

    Raises:
        InputError: if the lab, the name or the folder is at fault.
        BuildError: if runs are not stored, files that hold them are damaged, or numbers of the
            experiment's runs are not what is computed by hand.
    """
    lab = _lab(selection)
    plans: list[tuple[str, Plan]] = [("main", lab.plan(selection.name))]
    plans += [(a.name, plan) for a in lab.appendices for plan in a.plans]
    recordings = distinct(recording for _, plan in plans for recording in plan.recordings)
    runs = _read(recordings, selection)
    replay_some(lab, runs).refuse_differences()
    return tuple((part, attach(plan, runs)) for part, plan in plans)


def _has_all(lab: Lab, output: Path) -> bool:
    """Return whether all runs of a lab are stored, computed on one device."""
    store = Store(output)
    return any(
        all(store.has(run_name(config, where), schedule) for config, schedule in lab.recordings())
        for where in map(this_environment, DEVICES)
    )


def _lab(selection: Selection) -> Lab:
    path = lab_path(selection.lab)
    lab = part_of(load(path), (selection.name,), path)
    usable_folder(selection.output)
    return lab


def _read(recordings: Sequence[Recording], selection: Selection) -> dict[str, Run]:
    """Runs by the digest of their configuration, all computed in the same environment."""
    store = Store(selection.output)
    needed = {config.digest: (config, schedule) for config, schedule in recordings}
    by_device = [
        {digest: run_name(config, where) for digest, (config, _) in needed.items()}
        for where in map(this_environment, DEVICES)
    ]

    def missing(names: dict[str, str]) -> int:
        return sum(not store.has(name, needed[digest][1]) for digest, name in names.items())

    # Of two devices, the one that computed more of them.
    names = min(by_device, key=missing)
    if missing(names):
        raise BuildError(
            [*_damaged(store.damaged), _missing(missing(names), len(names), selection)]
        )
    try:
        runs = store.read(list(names.values()))
    except DamagedError as error:
        gone = [path for path in error.args if digest_of_rows(path) and path not in store.damaged]
        faults = [*_damaged(store.damaged), *(Fault("rows-missing", file=path) for path in gone)]
        if missing(names):
            faults.append(_missing(missing(names), len(names), selection))
        raise BuildError(faults) from None
    return {digest: runs[name] for digest, name in names.items()}


def _damaged(paths: list[Path]) -> list[Fault]:
    return [Fault("stored-damaged", file=path) for path in paths]


def _missing(count: int, total: int, selection: Selection) -> Fault:
    words = ["labreport", "build", *([] if selection.lab is None else [str(selection.lab)])]
    words += ["--only", selection.name]
    words += [] if selection.output == Path("output") else ["-o", str(selection.output)]
    values = {
        "experiment": selection.name,
        "missing": count,
        "total": total,
        "command": shlex.join(words),
    }
    return Fault("runs-missing", values, file=selection.output / "runs")
