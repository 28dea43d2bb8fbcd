"""Differences as frozen values: what, where, and how much."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import isfinite
from typing import Any, Literal

Side = Literal["A", "B"]


@dataclass(frozen=True)
class Where:
    """A place in a lab; what is left empty is not narrowed down.

    Attributes:
        part: "main" or the name of an appendix, of what was run; "" for what a lab file says.
        experiment: its name; "" for the whole lab.
        variant: its name.
        point: where in a sweep, as runs.csv writes it.
        seed: of a random start.
    """

    part: str = ""
    experiment: str = ""
    variant: str = ""
    point: str = ""
    seed: str = ""


@dataclass(frozen=True)
class Change:
    """One value that is not the same on both sides.

    Attributes:
        where: the place that has it.
        key: dotted key of the configuration, column of runs.csv, or rule and fact.
        old: on side A; None if it is not there.
        new: on side B; None if it is not there.
        runs: that share this change.
    """

    where: Where
    key: str
    old: Any
    new: Any
    runs: int = 1

    @property
    def difference(self) -> float | None:
        """New less old; None where either is no finite number."""
        if not (_is_number(self.old) and _is_number(self.new)):
            return None
        found = float(self.new) - float(self.old)
        return found if isfinite(found) else None

    @property
    def relative(self) -> float | None:
        """The difference as a fraction of the old value's size; None where that is 0."""
        found = self.difference
        if found is None or self.old == 0:
            return None
        share = found / abs(float(self.old))
        return share if isfinite(share) else None


@dataclass(frozen=True)
class Alone:
    """An item that only one side has.

    Attributes:
        where: an experiment, a variant, a run, or where a finding stands.
        side: "A" or "B".
        rule: of a finding; "" for anything else.
        sentence: of a finding, by language.
    """

    where: Where
    side: Side
    rule: str = ""
    sentence: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Comparison:
    """All that differs between two sides.

    Attributes:
        settings: of the configuration.
        alone: experiments, variants and runs that one side has.
        numbers: of runs.
        same_runs: runs whose numbers are all the same.
        findings: facts of findings that both sides have.
        found_alone: findings that one side has.
        same_findings: findings that are the same, word for word.
    """

    settings: tuple[Change, ...] = ()
    alone: tuple[Alone, ...] = ()
    numbers: tuple[Change, ...] = ()
    same_runs: int = 0
    findings: tuple[Change, ...] = ()
    found_alone: tuple[Alone, ...] = ()
    same_findings: int = 0

    @property
    def is_same(self) -> bool:
        """True if nothing differs."""
        return not (
            self.settings or self.alone or self.numbers or self.findings or self.found_alone
        )


def changes(where: Where, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Keys whose values differ, in the order of the old side; a missing key is None."""
    keys = dict.fromkeys((*old, *new))
    pairs = ((key, old.get(key), new.get(key)) for key in keys)
    # A number is never a truth value, although Python takes 1 for True.
    return [Change(where, key, a, b) for key, a, b in pairs if a != b or (a is True) != (b is True)]


def raised(found: Mapping[Where, Sequence[Change]]) -> tuple[Change, ...]:
    """Changes that all variants of an experiment share, or all experiments, told once.

    Args:
        found: of each variant that both sides have, also of those in which nothing changes.
    """
    everywhere = _shared(found.values())
    told = [replace(change, where=Where()) for change in everywhere.values()]
    for experiment in dict.fromkeys((w.part, w.experiment) for w in found):
        members = {w: c for w, c in found.items() if (w.part, w.experiment) == experiment}
        here = {k: c for k, c in _shared(members.values()).items() if k not in everywhere}
        told += [replace(change, where=Where(*experiment)) for change in here.values()]
        told += [
            change
            for of_variant in members.values()
            for change in of_variant
            if _what(change) not in everywhere and _what(change) not in here
        ]
    return tuple(told)


def _shared(groups: Iterable[Sequence[Change]]) -> dict[Hashable, Change]:
    """Changes that several groups all have, with their runs added up."""
    by_what = [{_what(change): change for change in group} for group in groups]
    if len(by_what) < 2:
        return {}
    common = reduce(lambda a, b: {k: c for k, c in a.items() if k in b}, by_what)
    return {
        what: replace(change, runs=sum(group[what].runs for group in by_what))
        for what, change in common.items()
    }


def _what(change: Change) -> Hashable:
    # Lists cannot be keys; their texts tell them apart as well.
    return change.key, repr(change.old), repr(change.new)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
