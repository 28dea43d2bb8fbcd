"""Two lab files: what each says once every default and change is resolved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from labreport.diff.compared_inputs import both
from labreport.diff.difference import (
    Alone,
    Change,
    Comparison,
    Side,
    Where,
    changes,
    raised,
)
from labreport.lab.configuration import flatten
from labreport.lab.plan import Lab, Plan
from labreport.lab.reading.load import load

RESOLVED = {"change", "variant", "sweep", "seeds", "formula"}
"""Keys of an experiment that are compared by what comes of them."""


def compare_labs(a: Path, b: Path) -> Comparison:
    """Compare what two lab files say.

    Raises:
        InputError: with the faults of both files.
    """
    old, new = both(load, a, b)
    of_lab = changes(Where(), _of_lab(old), _of_lab(new))
    alone = list(_alone(old.names, new.names))
    found: list[Change] = [*of_lab, *_order(Where(), old.names, new.names)]
    variants: dict[Where, list[Change]] = {}
    # What follows from the base alone is not told again of each variant.
    follows = {(change.key.removeprefix("base."), *_values(change)) for change in of_lab}
    for name in (name for name in old.names if name in new.names):
        one, other = old.plan(name), new.plan(name)
        ours, theirs = ([v.name for v in plan.variants] for plan in (one, other))
        found += changes(Where("", name), _of_experiment(one), _of_experiment(other))
        found += _order(Where("", name), ours, theirs)
        alone += _alone(ours, theirs, name)
        for variant in (variant for variant in ours if variant in theirs):
            where = Where("", name, variant)
            differing = changes(where, _of_variant(one, variant), _of_variant(other, variant))
            variants[where] = [c for c in differing if (c.key, *_values(c)) not in follows]
    return Comparison(settings=(*found, *raised(variants)), alone=tuple(alone))


def _values(change: Change) -> tuple[str, str]:
    return repr(change.old), repr(change.new)


def _alone(ours: Sequence[str], theirs: Sequence[str], experiment: str = "") -> Iterator[Alone]:
    """Experiments of one side only, or variants of an experiment."""
    sides: tuple[tuple[Side, Sequence[str], Sequence[str]], ...]
    sides = (("A", ours, theirs), ("B", theirs, ours))
    for side, names, others in sides:
        for name in (name for name in names if name not in others):
            yield Alone(Where("", experiment, name) if experiment else Where("", name), side)


def _order(where: Where, ours: Sequence[str], theirs: Sequence[str]) -> list[Change]:
    """In which order the report has what both sides have."""
    one = [name for name in ours if name in theirs]
    other = [name for name in theirs if name in ours]
    return changes(where, {"order": one}, {"order": other})


def _of_lab(lab: Lab) -> dict[str, Any]:
    written = lab.file.model_dump(mode="json", by_alias=True, exclude={"base", "experiment"})
    base = {f"base.{key}": value for key, value in lab.base.flat().items()}
    return dict(flatten(written)) | base


def _of_experiment(plan: Plan) -> dict[str, Any]:
    written = plan.experiment.model_dump(mode="json", by_alias=True, exclude=RESOLVED)
    formulas = {f.name: f.model_dump(mode="json") for f in plan.experiment.formula}
    return dict(flatten(written | {"formula": formulas}))


def _of_variant(plan: Plan, name: str) -> dict[str, Any]:
    """Flatten a variant: its configuration except what is swept, and the swept values."""
    variant, trials = plan.variant(name), plan.of(name)
    swept = [key for key, _ in trials[0].point]
    seeds = list(dict.fromkeys(t.seed for t in trials if t.seed is not None))
    left_out = {*swept, *(["seed"] if seeds else [])}
    config = {k: v for k, v in trials[0].config.flat().items() if k not in left_out}
    values = {
        f"sweep.{key}": list(dict.fromkeys(_hashable(dict(t.point)[key]) for t in trials))
        for key in swept
    }
    label = variant.label.model_dump(mode="json") if variant.label else {}
    own = {"label": label, "against": variant.against}
    return config | values | dict(flatten(own)) | ({"seeds": seeds} if seeds else {})


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list | tuple) else value
