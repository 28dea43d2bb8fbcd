"""The stored arrays of runs that both folders call the same: equal to the bit, unless changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from labreport.diff.difference import Change, Where
from labreport.errors import Fault, InputError
from labreport.runs.file_format import DamagedError
from labreport.runs.run import Run, Trace
from labreport.runs.store import Store

STEPS = {
    "losses": None,
    "weights": "recorded",
    "gradients": "recorded",
    "outputs": "shown",
    "overall": "measured",
}
"""Arrays of a run, and what has the steps at which each was recorded; None if at every step."""


def array_changes(old: Store, new: Store, names: Mapping[Where, str]) -> list[Change]:
    """For each run and array that differ, the first number that does.

    Args:
        old: the store of side A.
        new: that of side B.
        names: of runs that are in both, by their place.

    Raises:
        InputError: if stored files are damaged.
    """
    by_file: dict[str, dict[Where, str]] = {}
    for where, name in names.items():
        by_file.setdefault(old.place(name)[0], {})[where] = name
    found: list[Change] = []
    # One file at a time: all runs of two folders may be more than memory holds.
    for members in by_file.values():
        ours, theirs = (_read(store, list(members.values())) for store in (old, new))
        for where, name in members.items():
            found += of_run(where, ours[name].trace, theirs[name].trace)
    return found


def _read(store: Store, names: Sequence[str]) -> dict[str, Run]:
    try:
        return store.read(names)
    except DamagedError as error:
        raise InputError([Fault("stored-damaged", file=path) for path in error.args]) from None


def of_run(where: Where, ours: Trace, theirs: Trace) -> Iterator[Change]:
    """Yield how the endings of two records differ, and the first number of each array that does."""
    if ours.ending != theirs.ending:
        old_end, new_end = (f"{t.ending.kind} {t.ending.step}" for t in (ours, theirs))
        yield Change(where, "ending", old_end, new_end)
    for name, kept_at in STEPS.items():
        old, new = getattr(ours, name), getattr(theirs, name)
        # Of two records, one may keep more steps than the other.
        mine, others = _steps(ours, kept_at), _steps(theirs, kept_at)
        both = sorted(mine.keys() & others.keys())
        differs = old[[mine[step] for step in both]] != new[[others[step] for step in both]]
        if differs.any():
            at, *rest = (int(index) for index in np.argwhere(differs)[0])
            place = (both[at], *rest)
            key = f"{name}[{', '.join(map(str, place))}]"
            numbers = float(old[(mine[both[at]], *rest)]), float(new[(others[both[at]], *rest)])
            yield Change(where, key, numbers[0], numbers[1])


def _steps(trace: Trace, kept_at: str | None) -> dict[int, int]:
    """The index of each step in an array."""
    steps = range(len(trace.losses)) if kept_at is None else getattr(trace, kept_at).tolist()
    return {step: index for index, step in enumerate(steps)}
