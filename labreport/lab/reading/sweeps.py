"""The values of swept keys and the seeds of a lab file, none of which may stand twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from labreport.lab.lab import Change, Range, Seeds, change_at, sweep_axes
from labreport.lab.reading.fault_log import FaultLog
from labreport.lab.reading.faults import Location, findings
from labreport.lab.reading.layers import SweptValue


def read_axes(here: Location, sweep: Change, log: FaultLog) -> list[tuple[SweptValue, ...]]:
    """The values of each swept key; a key whose values are at fault is left out."""
    axes = []
    for path, written in sweep_axes(sweep):
        place = (*here, *path)
        if path == ("seed",):
            # A seed is a name of a start: none is larger or better than another one.
            log.fault(place, "sweep-seed", values={})
            continue
        axis = tuple(
            SweptValue(
                place=here,
                change=change_at([(path, value)]),
                path=path,
                value=value,
                value_place=(*place, index) if isinstance(written, list) else place,
            )
            for index, value in enumerate(_values(place, written, log))
        )
        if axis:
            axes.append(axis)
    return axes


def read_seeds(here: Location, seeds: Seeds | None, log: FaultLog) -> tuple[int | None, ...]:
    """The seeds of an experiment or a variant; None alone if it has none."""
    if seeds is None:
        return (None,)
    if isinstance(seeds, int):
        return tuple(range(seeds))
    are_different((*here, "seeds"), seeds, log, elements=True)
    return tuple(dict.fromkeys(seeds))


def _values(place: Location, written: Any, log: FaultLog) -> tuple[Any, ...]:
    if isinstance(written, dict):
        try:
            values = _whole(place, Range.model_validate(written).values())
            return values if are_different(place, values, log) else ()
        except ValidationError as error:
            for finding in findings(error.errors(include_url=False), Range, written):
                log.blame((*place, *finding.location), finding)
            return ()
    if not isinstance(written, list) or not written or any(isinstance(v, dict) for v in written):
        log.fault(place, "sweep-values", values={})
        return ()
    values = tuple(_frozen(value) for value in written)
    return values if are_different(place, values, log, elements=True) else ()


WHOLE = (("rounds",), ("data", "batch_size"))
"""Paths of swept keys whose values are whole numbers."""


def _whole(place: Location, values: tuple[float, ...]) -> tuple[float, ...]:
    """The values of a range, as whole numbers where its key has such, and they are."""
    is_whole = any(place[-len(path) :] == path for path in WHOLE)
    return tuple(int(v) if is_whole and v == int(v) else v for v in values)


def are_different(
    place: Location, values: Sequence[Any], log: FaultLog, *, elements: bool = False
) -> bool:
    """Return whether no value stands twice: 1 and 1.0 are one value to a run, and one run."""
    first: dict[Any, int] = {}
    different = True
    for index, value in enumerate(values):
        known = first.setdefault(_alike(value), index)
        if known != index:
            different = False
            where = (*place, index) if elements else place
            twice = {"found": value, "first": known + 1}
            log.fault(where, "duplicate-value", values=twice)
    return different


def _frozen(value: Any) -> Any:
    """Arrays as tuples, so that a point of a sweep can be looked up."""
    return tuple(_frozen(part) for part in value) if isinstance(value, list) else value


def _alike(value: Any) -> Any:
    """Return a key equal for values that a run cannot tell apart; true is not 1."""
    if isinstance(value, tuple):
        return tuple(_alike(part) for part in value)
    return (type(value), repr(value)) if isinstance(value, bool | dict) else value
