"""The files that `labreport clean` would remove, and their removal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labreport.errors import Fault, InputError
from labreport.lab.reading.load import load
from labreport.runs.file_format import run_name
from labreport.runs.unused import Removable, removable, remove
from labreport.shipped import lab_path
from labreport.training.execution import (
    DEVICES,
    Progress,
)

if TYPE_CHECKING:
    pass
from labreport.build.origin import this_environment
from labreport.build.output import usable_folder


@dataclass(frozen=True)
class Cleaning:
    """The files that `labreport clean` would remove.

    Attributes:
        labs: the labs whose runs stay.
        output: the folder to clean.
        wanted: names of the runs that these labs refer to.
        found: what could go.
    """

    labs: tuple[Path, ...]
    output: Path
    wanted: frozenset[str]
    found: tuple[Removable, ...]


def plan_cleaning(given: Sequence[Path], output: Path) -> Cleaning:
    """Find what no lab refers to: none of those given, or not the default one.

    Raises:
        InputError: with the faults of all labs.
    """
    paths = tuple(given) or (lab_path(None),)
    usable_folder(output)
    faults: list[Fault] = []
    wanted: set[str] = set()
    environments = [this_environment(device) for device in DEVICES]
    for path in paths:
        try:
            configurations = load(path).configurations()
        except InputError as error:
            faults += error.faults
        else:
            wanted.update(run_name(c, where) for c in configurations for where in environments)
    if faults:
        raise InputError(faults)
    return Cleaning(paths, output, frozenset(wanted), removable(output, wanted))


def clean(plan: Cleaning, progress: Progress) -> None:
    """Remove what was found. Raises BuildError if something cannot be removed."""
    remove(plan.output, plan.wanted, plan.found, lambda: progress("waiting", 0, 1))
