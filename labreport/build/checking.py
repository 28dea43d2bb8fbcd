"""The result of `labreport check` for a lab without fault."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labreport.errors import BuildError, Fault
from labreport.estimate import BuildEstimate, estimate_build
from labreport.lab.plan import Lab, Recording
from labreport.lab.reading.load import load
from labreport.lab.reading.toml_file import read
from labreport.lab.reading.warnings import warnings
from labreport.shipped import lab_path, notes_folder
from labreport.training.execution import (
    Resources,
    too_big,
)

if TYPE_CHECKING:
    pass
from labreport.build.inputs import check_characters, check_notes, check_theme, stray


@dataclass(frozen=True)
class CheckedLab:
    """The result of `labreport check` for a lab without fault.

    Attributes:
        path: the lab file.
        experiments: how many it has, appendices' repetitions not counted.
        notes: the notes that the report would take in.
        needs: what a build of all of it takes.
        stray: notes that belong to no experiment, each with the name that is nearest.
        refused: why a build of it, with nothing stored and nothing allowed, would be refused.
        warnings: what it may say, but hardly means.
        controls: of its runs, those that only test explanations.
    """

    path: Path
    experiments: int
    notes: tuple[Path, ...]
    needs: BuildEstimate
    stray: tuple[tuple[Path, str], ...] = ()
    refused: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    controls: int = 0


def check(given: Path | None) -> CheckedLab:
    """Check a lab file, its theme and its notes, and nothing else.

    Raises:
        InputError: with every fault of the lab file, or else of the theme, or else of the notes, or
            else of characters that no font has.
    """
    path = lab_path(given)
    lab = load(path)
    check_theme(lab, path, lab.languages)
    notes = check_notes(lab, lab, notes_folder(path), lab.languages)
    with suppress(BuildError):
        # Without Pango nobody can say; `labreport doctor` says how to get it.
        check_characters(lab, path, notes.files, lab.languages)
    runs, needs = lab.recordings(), estimate_build(lab, len(lab.languages))
    return CheckedLab(
        path,
        len(lab.plans),
        notes.files,
        needs,
        stray(lab, notes_folder(path)),
        too_big(path, runs, runs, path.parent, Resources(), needs.pictures),
        warnings(lab, read(path)),
        _only_controls(lab, runs),
    )


def _only_controls(lab: Lab, runs: Sequence[Recording]) -> int:
    """Runs that nobody wrote into the lab."""
    plans = (*lab.plans, *(plan for a in lab.appendices for plan in a.plans))
    written = {trial.config.digest for plan in plans for trial in plan.trials}
    return len({config.digest for config, _ in runs} - written - {lab.base.digest})
