"""The runs and numbers that a lab asks for, counted and limited before any is resolved."""

from __future__ import annotations

import math
from typing import Any

from labreport.errors import InputError
from labreport.lab.lab import Change, Seeds, sweep_axes
from labreport.lab.reading.fault_log import FaultLog
from labreport.lab.reading.faults import Location
from labreport.lab.reading.layers import Settings, merged_layers
from labreport.lab.reading.raw_tables import table_or_empty

MAXIMUM_RUNS = 20_000
"""Runs of a lab, resolved one by one, in some 50 µs each, before anything is trained."""

MAXIMUM_NUMBERS = 50_000_000
"""Numbers of the data and given weights of all runs together, which all go into digests."""


class Extent:
    """Counts the runs of a lab, and the numbers of their data and given weights."""

    def __init__(self, log: FaultLog) -> None:
        self._log = log
        self._runs = 0
        self._numbers = 0

    def add(self, here: Location, layers: list[Settings], points: int, starts: int) -> None:
        """Refuse, before any is resolved, more runs than can be: those of the whole lab so far.

        Raises:
            InputError: with this fault and all before it; to go on would take as long as to allow.
        """
        self._runs += points * starts
        self._numbers += points * _numbers_of(merged_layers(layers))
        if self._runs > MAXIMUM_RUNS:
            values = {"found": self._runs, "limit": MAXIMUM_RUNS}
            self._log.fault((*here, "sweep"), "too-many-runs", values=values)
            raise InputError(self._log.told())
        if self._numbers > MAXIMUM_NUMBERS:
            values = {"found": self._numbers, "limit": MAXIMUM_NUMBERS}
            self._log.fault((*here, "sweep"), "too-many-numbers", values=values)
            raise InputError(self._log.told())


def points_of(sweep: Change) -> int:
    """Points of a sweep, from the counts alone; 1 for a key whose values are at fault."""
    counts = (
        written.get("count", 1) if isinstance(written, dict) else written
        for _, written in sweep_axes(sweep)
    )
    sizes = (len(c) if isinstance(c, list) else c for c in counts)
    return math.prod(max(size, 1) if type(size) is int else 1 for size in sizes)


def starts_of(seeds: Seeds | None) -> int:
    """Random starts of an experiment or a variant; 1 if it has no seeds."""
    if seeds is None:
        return 1
    return seeds if isinstance(seeds, int) else len(seeds)


def _numbers_of(merged: Change) -> int:
    """Numbers in the data and given weights of a configuration, whether or not it is sound."""
    data, initial = table_or_empty(merged.get("data")), table_or_empty(merged.get("initial"))
    return sum(map(_numbers_in, (data.get("inputs"), data.get("targets"), initial.get("weights"))))


def _numbers_in(raw: Any) -> int:
    return sum(map(_numbers_in, raw)) if isinstance(raw, list) else 1
