"""Two output folders: the table of runs, the configurations behind it, and what was found."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from io import StringIO
from math import isnan
from pathlib import Path
from typing import Any

from labreport.diff.compared_inputs import both, text_of, together
from labreport.diff.difference import (
    Alone,
    Change,
    Comparison,
    Side,
    Where,
    changes,
    raised,
)
from labreport.diff.findings import FILE, compare_findings, with_findings
from labreport.diff.stored_arrays import array_changes
from labreport.errors import Fault, InputError
from labreport.export.runs_csv import FIRST
from labreport.lab.configuration import flatten
from labreport.runs.file_format import DamagedError
from labreport.runs.store import Store

TABLE = "runs.csv"
NAME = "run"
"""Column with the name of a run in the store."""

Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Folder:
    """The runs of a folder.

    Attributes:
        rows: columns of each run, numbers as numbers and nothing as None.
        configurations: of runs that are stored, by their name, with their environment.
        store: that has them.
    """

    rows: Mapping[Where, Row]
    configurations: Mapping[str, Mapping[str, Any]]
    store: Store


def compare_folders(a: Path, b: Path) -> Comparison:
    """Compare what two folders hold.

    Raises:
        InputError: with the faults of both: files that are missing or not what they should be, and
            stored files that are damaged.
    """
    (old, new), found = together(
        lambda: both(_read, a, b), lambda: compare_findings(a / FILE, b / FILE)
    )
    alone = (*_alone("A", old.rows, new.rows), *_alone("B", new.rows, old.rows))
    shared = [where for where in old.rows if where in new.rows]
    numbers: list[Change] = []
    for where in shared:
        numbers += changes(where, _measured(old.rows[where]), _measured(new.rows[where]))
    numbers += array_changes(old.store, new.store, _in_both(old, new, shared))
    same = len(shared) - len({change.where for change in numbers})
    runs = Comparison(_settings(old, new, shared), alone, tuple(numbers), same)
    return with_findings(runs, found)


def _in_both(old: Folder, new: Folder, shared: list[Where]) -> dict[Where, str]:
    """The names of runs that both folders have stored as the same run, by their place."""
    stored = old.configurations.keys() & new.configurations.keys()
    names = {where: str(old.rows[where][NAME]) for where in shared}
    return {w: name for w, name in names.items() if name == new.rows[w][NAME] and name in stored}


def _read(output: Path) -> Folder:
    faults: list[Fault] = []
    rows: dict[Where, Row] = {}
    try:
        rows = _rows(output / TABLE)
    except InputError as error:
        faults += error.faults
    store = Store(output)
    faults += [Fault("stored-damaged", file=path) for path in store.damaged]
    if faults:
        raise InputError(faults)
    settings = _settings_in(store, {str(row[NAME]) for row in rows.values()})
    return Folder(rows, {name: dict(flatten(told)) for name, told in settings.items()}, store)


def _settings_in(store: Store, names: Set[str]) -> dict[str, dict[str, Any]]:
    """Configuration and environment of the runs that are stored. Raises InputError for damage."""
    try:
        return store.settings(names)
    except DamagedError as error:
        raise InputError([Fault("stored-damaged", file=path) for path in error.args]) from None


def _rows(path: Path) -> dict[Where, Row]:
    try:
        table = list(csv.reader(StringIO(text_of(path), newline=""), strict=True))
    except csv.Error as error:
        raise InputError(Fault("not-runs-csv", {"detail": str(error)}, file=path)) from None
    header, *lines = table or [[]]
    if tuple(header[: len(FIRST)]) != FIRST or header[-1] != NAME:
        raise InputError(Fault("not-runs-csv", {"detail": ", ".join(header)}, file=path))
    rows: dict[Where, Row] = {}
    for number, line in enumerate(lines, start=2):
        if len(line) != len(header):
            detail = {"detail": ", ".join(line)}
            raise InputError(Fault("not-runs-csv", detail, file=path, line=number))
        values = {key: _value(cell) for key, cell in zip(header, line, strict=True)}
        rows[Where(*line[: len(FIRST)])] = values | {NAME: line[-1]}
    return rows


def _value(cell: str) -> float | str | None:
    """A number where a cell has one; None where it is empty."""
    try:
        number = float(cell) if cell else None
    except ValueError:
        return cell
    # What is not a number does not equal itself; its text does.
    return cell if number is not None and isnan(number) else number


def _measured(row: Row) -> dict[str, Any]:
    """Return what was computed of a run, without the columns that identify it."""
    return {key: value for key, value in row.items() if key not in (*FIRST, NAME)}


def _settings(old: Folder, new: Folder, shared: list[Where]) -> tuple[Change, ...]:
    """Configurations that differ, told once for all runs of a variant that share a change."""
    found: dict[Where, dict[Any, Change]] = {}
    for where in shared:
        variant = Where(where.part, where.experiment, where.variant)
        changed = found.setdefault(variant, {})
        for change in _of_run(variant, old, new, where):
            what = (change.key, repr(change.old), repr(change.new))
            known = changed.get(what)
            changed[what] = replace(known, runs=known.runs + 1) if known else change
    return raised({where: list(changed.values()) for where, changed in found.items()})


def _of_run(variant: Where, old: Folder, new: Folder, where: Where) -> Iterator[Change]:
    ours, theirs = str(old.rows[where][NAME]), str(new.rows[where][NAME])
    if ours == theirs:
        return
    configurations = old.configurations.get(ours), new.configurations.get(theirs)
    if None in configurations:
        # Of a run that is no longer stored, the name alone says that it was another one.
        yield Change(variant, NAME, ours, theirs)
        return
    yield from changes(variant, configurations[0] or {}, configurations[1] or {})


def _alone(side: Side, ours: Mapping[Where, Row], theirs: Mapping[Where, Row]) -> list[Alone]:
    """Runs that one side has; an experiment or a variant once where the other has none of it."""
    experiments = {(where.part, where.experiment) for where in theirs}
    variants = {(where.part, where.experiment, where.variant) for where in theirs}
    found: dict[Where, None] = {}
    for where in (where for where in ours if where not in theirs):
        if (where.part, where.experiment) not in experiments:
            found[Where(where.part, where.experiment)] = None
        elif (where.part, where.experiment, where.variant) not in variants:
            found[Where(where.part, where.experiment, where.variant)] = None
        else:
            found[where] = None
    return [Alone(where, side) for where in found]
