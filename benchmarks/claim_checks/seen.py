"""An experiment as the checks see it: its plan, its runs, and how much effort they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from claim_checks.losses import ROUNDING_UNITS, has_constant_loss
from labreport.analysis.observation import From, Observation, Subject
from labreport.lab.configuration import RunConfig
from labreport.lab.plan import Plan, Trial
from labreport.lab.schema.initialisers import Given
from labreport.runs.run import Run


class Effort:
    """Choose which of the costly checks (training again, Hessians) are made.

    Of each kind the first ones are, and later a sample.
    """

    def __init__(self, first: int = 30, later: int = 10) -> None:
        self._first, self._later = first, later
        self._asked: dict[str, int] = {}

    def worth(self, what: str) -> bool:
        """Count one more check of this kind, and return whether it is to be made."""
        asked = self._asked[what] = self._asked.get(what, 0) + 1
        return asked <= self._first or asked % self._later == 0


@dataclass
class Seen:
    """An experiment as it was planned and stored."""

    plan: Plan
    pairs: Sequence[tuple[Trial, Run]]
    controls: Mapping[str, Run]
    effort: Effort

    def without_constant_losses(self) -> Seen:
        """Return the experiment without runs whose loss is always 0: the softmax of one unit."""
        pairs = [pair for pair in self.pairs if not has_constant_loss(pair[1].config)]
        return replace(self, pairs=pairs)

    @property
    def variants(self) -> dict[str, list[tuple[Trial, Run]]]:
        """The trials and runs of each variant."""
        found: dict[str, list[tuple[Trial, Run]]] = {}
        for trial, run in self.pairs:
            found.setdefault(trial.variant, []).append((trial, run))
        return found

    @property
    def singles(self) -> dict[str, Run]:
        """Variants that are one run."""
        return {name: p[0][1] for name, p in self.variants.items() if len(p) == 1}

    @property
    def swept(self) -> dict[str, list[tuple[Trial, Run]]]:
        """Variants with points, none of them from seeds."""
        return {
            name: members
            for name, members in self.variants.items()
            if members[0][0].point and all(t.seed is None for t, _ in members)
        }

    @property
    def single_and_swept(self) -> tuple[Run, ...]:
        """The runs that stand for themselves: single variants and swept points."""
        points = (run for members in self.swept.values() for _, run in members)
        return (*self.singles.values(), *points)

    def all_of(self, subject: Subject) -> list[Run]:
        """Return the runs that a subject names."""
        return [
            run
            for trial, run in self.pairs
            if subject.variant in ("", trial.variant)
            and all(pair in trial.point for pair in subject.point)
        ]

    def run(self, subject: Any) -> Run:
        """Return the only run that a subject names."""
        (found,) = self.all_of(subject)
        return found

    def runs(self, fact: Any) -> list[Run]:
        """Return the run of a subject, or of each of several."""
        return [self.run(s) for s in (fact if isinstance(fact, tuple) else (fact,))]


Check = Callable[[Seen, Observation], bool]
"""Returns whether the sentence of an observation holds of an experiment."""

LabCheck = Callable[[Sequence[Seen], Plan, Observation], bool]
"""Returns whether a sentence holds of all experiments, and of the plan that it names."""


def runs_at_points(seen: Seen, facts: Any) -> list[Run]:
    """Return the runs of points that a sentence names one by one, or from a value on."""
    told: list[Run] = []
    for fact in facts:
        if isinstance(fact, From):
            key, least = fact.start.point[0]
            told += [
                run
                for trial, run in seen.swept[fact.start.variant]
                if dict(trial.point)[key] >= least
            ]
        else:
            told.append(seen.run(fact))
    return told


def changed_keys(one: RunConfig, other: RunConfig) -> set[str]:
    """Return the keys in which two configurations differ."""
    a, b = one.flat(), other.flat()
    return {key for key in {**a, **b} if a.get(key) != b.get(key)}


def controls_like(seen: Seen, config: RunConfig, allowed: set[str], **must: Any) -> list[Run]:
    """Return controls that differ from a run in no other keys, and have these values."""
    return [
        run
        for run in seen.controls.values()
        if changed_keys(config, run.config) <= allowed
        and all(run.config.flat().get(k.replace("__", ".")) == v for k, v in must.items())
    ]


def other_starts(seen: Seen, run: Run) -> dict[int, Run]:
    """Return the same run from other starts, by their seeds.

    A start that is given is drawn as torch draws it; one that is drawn already gets another seed.
    """
    config = run.config
    given = config.initial.scheme in ("given", "zeros", "ones", "constant")
    allowed = {"seed"}
    if given:
        allowed |= {k for k in config.flat() if k.startswith("initial.")} | {"initial.scheme"}
    found = {}
    for other in seen.controls.values():
        drawn = not given or other.config.initial.scheme == "pytorch"
        if drawn and changed_keys(config, other.config) <= allowed:
            found[other.config.seed] = other
    if not given:
        found.pop(config.seed, None)
    return dict(sorted(found.items()))


def continued(seen: Seen, run: Run, rounds: int) -> Run | None:
    """Return the same run with so many rounds."""
    for other in seen.controls.values():
        changed = changed_keys(run.config, other.config)
        if other.config.rounds == rounds > run.config.rounds and changed == {"rounds"}:
            return other
    return None


def with_rate(seen: Seen, run: Run, factor: float) -> Run | None:
    """Return the same run with so many times the learning rate."""
    wanted = run.config.optimizer.learning_rate * factor
    for other in seen.controls.values():
        near = abs(other.config.optimizer.learning_rate - wanted) <= 1e-9 * wanted
        if near and changed_keys(run.config, other.config) == {"optimizer.learning_rate"}:
            return other
    return None


def roundings(seen: Seen, run: Run) -> list[Run]:
    """Return the same run in double precision, and with numbers moved in their last place."""
    unit = ROUNDING_UNITS[run.config.dtype]
    wider = [r for r in controls_like(seen, run.config, {"dtype"}) if r.config.dtype == "float64"]
    moved = {}
    for other in controls_like(seen, run.config, {"optimizer.learning_rate", "initial.weights"}):
        ratios = {
            round((b / a - 1) / unit)
            for a, b in zip(_numbers(run.config), _numbers(other.config), strict=True)
            if a != b
        }
        if len(ratios) == 1:
            moved[ratios.pop()] = other
    return [*(r for r in wider if r is not run), *(moved[u] for u in (1, -1, 2) if u in moved)]


def _numbers(config: RunConfig) -> list[float]:
    """Return the learning rate, and the weights that a start is given by."""
    given = config.initial.weights if isinstance(config.initial, Given) else ()
    weights = [weight for matrix in given for row in matrix for weight in row]
    return [config.optimizer.learning_rate, *weights]
