"""Experiments of a lab, and how many of their runs are stored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labreport.lab.plan import distinct
from labreport.lab.reading.load import load
from labreport.runs.file_format import run_name
from labreport.runs.store import Store
from labreport.shipped import lab_path

if TYPE_CHECKING:
    pass
from labreport.build.origin import this_environment
from labreport.build.output import usable_folder
from labreport.build.request import LANGUAGES


@dataclass(frozen=True)
class ListedExperiment:
    """An experiment as `labreport list` shows it."""

    name: str
    title: dict[str, str]
    runs: int
    stored: int


def experiment_titles(given: Path | None, code: str) -> dict[str, str]:
    """Titles of a lab's experiments in a language, by their names."""
    plans = load(lab_path(given)).plans
    return {plan.name: plan.experiment.title.within(code) for plan in plans}


def list_experiments(given: Path | None, output: Path) -> tuple[ListedExperiment, ...]:
    """Experiments of a lab, with how many distinct runs each has and how many are stored."""
    lab = load(lab_path(given))
    usable_folder(output)
    environment = this_environment()
    store = Store(output)
    listed = []
    for plan in lab.plans:
        plans = [plan, *(p for a in lab.appendices for p in a.plans if p.name == plan.name)]
        recordings = distinct(recording for p in plans for recording in p.recordings)
        named = [(run_name(config, environment), schedule) for config, schedule in recordings]
        title = {code: plan.experiment.title.within(code) for code in LANGUAGES}
        listed.append(
            ListedExperiment(
                plan.name,
                title,
                len(named),
                sum(store.has(name, schedule) for name, schedule in named),
            )
        )
    return tuple(listed)
