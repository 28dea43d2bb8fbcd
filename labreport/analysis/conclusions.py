"""What the experiments of a lab say together: the findings that open the report, and its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.classes import decided
from labreport.analysis.observation import (
    Count,
    Fact,
    Facts,
    Number,
    Observation,
    Setting,
    Share,
    Source,
    Subject,
    With,
    Wording,
)
from labreport.analysis.observe import RULES, Observations
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import weight
from labreport.analysis.rules.comparison import comparable, same_rows
from labreport.analysis.rules.gradients import find_stuck
from labreport.lab.plan import Plan

KEY_FINDINGS = 5
"""Findings that open the report: what a reader keeps who reads nothing else."""

Conclusion = tuple[Plan, Observation]
"""A statement, and the plan whose variants it names."""

Experiments = Sequence[ExperimentResults]

OF_ALL_RUNS = frozenset({"all-runs", "silent-together", "stuck-together"})
"""Rules that also speak of runs whose loss is 0 whatever their weights."""


@dataclass(frozen=True)
class LabRule:
    """One row of the table of rules over all experiments.

    Attributes:
        find: a pure function from the results of all experiments to conclusions.
        relevance: how much it says of the lab as a whole.
        thresholds: those that decide whether it speaks.
    """

    find: Callable[[Experiments], Iterator[Conclusion]]
    relevance: float
    thresholds: tuple[str, ...] = ()


def key_findings(
    observed: Sequence[tuple[str, Observations]],
) -> tuple[tuple[str, Observation], ...]:
    """The most relevant findings of the whole lab, each with its experiment's name.

    Those that are the first of their experiment come first, in the order of the report; no
    experiment has a second one while another has none.
    """
    ranked = [
        (rank, -found.relevance, place, name, found)
        for place, (name, observations) in enumerate(observed)
        for rank, found in enumerate(observations.answers)
    ]
    ranked.sort(key=lambda entry: entry[:3])
    chosen = sorted(ranked[:KEY_FINDINGS], key=lambda entry: (entry[0], entry[2]))
    return tuple((name, found) for *_, name, found in chosen)


def conclude(experiments: Experiments) -> tuple[Conclusion, ...]:
    """Statements over all experiments together, the most relevant first."""
    telling = [e.with_a_loss for e in experiments]
    found = [
        (plan, replace(observation, relevance=rule.relevance * weight(observation.effect)))
        for name, rule in LAB_RULES.items()
        for plan, observation in rule.find(experiments if name in OF_ALL_RUNS else telling)
    ]
    return tuple(sorted(found, key=lambda conclusion: -conclusion[1].relevance))


def change_against_chance(experiments: Experiments) -> Iterator[Conclusion]:
    """How far apart variants end, against how far apart random starts alone end."""
    budget = _shared_budget(experiments)
    if budget is None:
        return
    ranges = [r for e in experiments if (r := _range(e, budget)) is not None]
    if len(ranges) < 2:
        return
    ranges.sort(key=lambda r: -r.width)
    ranges = [r for r in ranges if comparable(r.low, ranges[0].low)]
    facts: Facts = {
        "ranges": tuple(With(title(r.results), r.number) for r in ranges),
        "budget": Count(budget),
    }
    idle = sum(len(r.idle) for r in ranges)
    claims = (
        *(source for r in ranges for source in r.claims),
        *(run.cite("learning_rate == 0") for r in ranges for run in r.idle),
    )
    groups = _starts(experiments, ranges[0].low, budget)
    chances = [(r, farthest) for r in ranges if (farthest := _farthest(r, groups, budget))]
    form = "alone"
    runs = sum(len(r.members) for r in ranges)
    if chances:
        smaller = [r for r, starts in chances if r.width < _middle(starts, budget)]
        facts |= {
            "chances": tuple(With(title(r.results), _chance(s, budget)) for r, s in chances),
            "smaller": tuple(title(r.results) for r in smaller),
            "middle": Share(thresholds.MIDDLE[1] - thresholds.MIDDLE[0]),
        }
        claims += tuple(
            _wider(starts, other, budget)
            for r, starts in chances
            for other in _starts_of(r, groups)
            if other is not starts
        )
        form = "smaller" if smaller else "larger"
        runs += sum(map(len, groups))
    facts["enough"] = Count(thresholds.ENOUGH_STARTS)
    form += "-idle" if idle else ""
    found = Observation(
        "change-against-chance",
        facts,
        runs=runs,
        form=form,
        strength="statistical" if chances else "exact",
        claims=claims,
    )
    yield experiments[0].plan, found


@dataclass(frozen=True)
class _Range:
    """The lowest and the highest loss of an experiment's runs at a budget.

    A learning rate of 0 trains nothing: how far such an ``idle`` run stays behind is no change's
    doing.
    """

    results: ExperimentResults
    members: tuple[Result, ...]
    idle: tuple[Result, ...]
    low: Result
    high: Result
    budget: int

    @property
    def width(self) -> float:
        return (self.high.loss(self.budget) or 0.0) - (self.low.loss(self.budget) or 0.0)

    @property
    def number(self) -> Number:
        losses = (r.loss_formula(self.budget) for r in (self.low, self.high))
        formula = "r2.{1} - r1.{0}".format(*losses)
        return Number(self.width, cite(formula, (self.low, self.high)))

    @property
    def claims(self) -> Iterator[Source]:
        for extreme, function in ((self.low, "min"), (self.high, "max")):
            others = (r for r in self.members if r is not extreme)
            losses = f"each(losses[{self.budget}])"
            formula = f"losses[{self.budget}] == {function}({losses})"
            yield cite(formula, (extreme, *others))


def _range(results: ExperimentResults, budget: int) -> _Range | None:
    shown = (*results.singles, *results.everywhere)
    there = [r for r in shown if r.loss(budget) is not None and r.is_trained]
    members = tuple(r for r in there if comparable(r, there[0]))
    if len({r.run.name for r in members}) < 2 or budget > members[0].run.config.rounds:
        return None
    losses = {id(r): r.loss(budget) or 0.0 for r in members}
    low, high = (choose(members, key=lambda r: losses[id(r)]) for choose in (min, max))
    idle = tuple(r for r in shown if not r.is_trained and comparable(r, there[0]))
    return _Range(results, members, idle, low, high, budget)


def _shared_budget(experiments: Experiments) -> int | None:
    """The largest number of rounds after which all comparing experiments are compared."""
    compared = [e for e in experiments if len(e.singles) + len(e.everywhere) > 1]
    shared = set.intersection(*({*e.budgets} for e in compared)) if compared else set()
    return max(shared, default=None)


def _starts(experiments: Experiments, like: Result, budget: int) -> list[tuple[Result, ...]]:
    """The random starts of each variant that has enough, whose losses measure the same thing."""
    found = []
    for experiment in experiments:
        for members in experiment.replicated.values():
            there = tuple(r for r in members if r.loss(budget) is not None)
            enough = len(there) >= thresholds.ENOUGH_STARTS
            if enough and comparable(there[0], like) and budget <= there[0].run.config.rounds:
                found.append(there)
    return found


def _starts_of(of: _Range, groups: Sequence[tuple[Result, ...]]) -> Iterator[tuple[Result, ...]]:
    """Those starts of which a run of an experiment differs in nothing but its own start."""
    settings = [_besides_the_start(r) for r in of.members]
    return (starts for starts in groups if _besides_the_start(starts[0]) in settings)


def _besides_the_start(result: Result) -> dict[str, object]:
    flat = result.run.config.flat()
    return {k: v for k, v in flat.items() if k not in ("seed", "rounds") and "initial." not in k}


def _farthest(
    of: _Range, groups: Sequence[tuple[Result, ...]], budget: int
) -> tuple[Result, ...] | None:
    """Of the starts of an experiment's variants those that end farthest apart."""
    own = _starts_of(of, groups)
    return max(own, key=lambda starts: _middle(starts, budget), default=None)


def _chance(starts: Sequence[Result], budget: int) -> Number:
    formula = _middle_formula(f"each(losses[{budget}])")
    return Number(_middle(starts, budget), cite(formula, starts))


def _middle(starts: Sequence[Result], budget: int) -> float:
    losses = [r.loss(budget) or 0.0 for r in starts]
    low, high = np.quantile(np.array(losses), thresholds.MIDDLE)
    return float(high - low)


def _middle_formula(losses: str) -> str:
    low, high = (f"quantile({losses}, {q})" for q in thresholds.MIDDLE)
    return f"({high} - {low})"


def _wider(starts: Sequence[Result], other: Sequence[Result], budget: int) -> Source:
    """The claim that some starts end at least as far apart as others."""
    losses, count = f"each(losses[{budget}])", len(starts)
    one, two = (_middle_formula(f"{losses}[{part}]") for part in (f":{count}", f"{count}:"))
    return cite(f"{one} >= {two}", (*starts, *other))


def budget_decides(experiments: Experiments) -> Iterator[Conclusion]:
    """Experiments whose winner depends on the number of rounds."""
    flips: list[ExperimentResults] = []
    claims: list[Source] = []
    asked = 0
    for experiment in experiments:
        found = [o for rule in ("ranking", "sweep-best") for o in RULES[rule](experiment)]
        if len(experiment.budgets) < 2 or not found:
            continue
        asked += 1
        turned = [o for o in found if o.form in ("flips", "moves", "several-flips")]
        if turned:
            flips.append(experiment)
            claims += [claim for o in turned for claim in o.claims]
    if not flips or asked < 2:
        return
    facts: Facts = {
        "experiments": tuple(title(e) for e in flips),
        "count": Count(len(flips)),
        "total": Count(asked),
    }
    form = "all" if len(flips) == asked else "some"
    runs = sum(len(e.results) for e in flips)
    found_here = Observation("budget-decides", facts, runs=runs, form=form, claims=tuple(claims))
    yield experiments[0].plan, found_here


def stuck_together(experiments: Experiments) -> Iterator[Conclusion]:
    """Runs that stand still far from their floor, over all experiments."""
    shown = _distinct(
        [(e, r) for e in experiments for r in (*e.singles, *e.everywhere) if len(r.losses)]
    )
    found = [(e, r, find_stuck(r, e.last, e.results)) for e, r in shown]
    stuck = [(e, r) for e, r, why in found if why is not None]
    if not stuck:
        return
    members = [r for _, r in stuck]
    slowest = min(members, key=lambda r: r.run.config.optimizer.learning_rate)
    rate = slowest.run.config.optimizer.learning_rate
    below = [r for _, r in shown if 0 < r.run.config.optimizer.learning_rate < rate]
    facts: Facts = {
        "count": Count(len(stuck), cite("size(each(rounds))", members)),
        "total": Count(len(shown), cite("size(each(rounds))", [r for _, r in shown])),
        "experiments": _titles([e for e, _ in stuck]),
        "rate": Setting(rate, slowest.cite("learning_rate")),
        "below": Count(len(below)),
    }
    claims = (
        *(claim for _, _, why in found if why is not None for claim in why.claims),
        cite(f"min(each(learning_rate)) == {rate!r}", members),
    )
    form = "rate" if below else "any"
    together = Observation(
        "stuck-together",
        facts,
        runs=len(shown),
        form=form,
        claims=claims,
        effect=len(stuck) / len(shown),
    )
    yield experiments[0].plan, together


def silent_together(experiments: Experiments) -> Iterator[Conclusion]:
    """Runs with weights that no gradient ever reaches, and whether they all have ReLU."""
    shown = _distinct([(e, r) for e in experiments for r in e.singles if len(r.losses) > 1])
    silent = [(e, r) for e, r in shown if r.never_moved_by_gradient]
    if not silent or len(experiments) < 2:
        return
    members = [r for _, r in silent]
    every = all("relu" in r.run.config.network.activations for r in members)
    quiet = "count(every_round(gradients == 0) & every_round(weights == weights[0]))"
    facts: Facts = {
        "count": Count(len(silent), cite("size(each(rounds))", members)),
        "total": Count(len(shown), cite("size(each(rounds))", [r for _, r in shown])),
        "experiments": _titles([e for e, _ in silent]),
    }
    claims = (cite(f"all(each({quiet}) > 0)", members),)
    form = "relu" if every else ""
    found = Observation(
        "silent-together",
        facts,
        runs=len(shown),
        form=form,
        claims=claims,
        effect=len(silent) / len(shown),
    )
    yield experiments[0].plan, found


def how_runs_ended(experiments: Experiments) -> Iterator[Conclusion]:
    """How many runs there are, and how they ended."""
    runs = list({r.run.name: r for e in experiments for r in e.results}.values())
    kinds = [r.run.trace.ending.kind for r in runs]

    def ended(kind: str) -> Count:
        return Count(kinds.count(kind), cite(f"count(each(ending == {kind!r}))", runs))  # type: ignore[arg-type]

    facts: Facts = {
        "count": Count(len(kinds), cite("size(each(rounds))", runs)),
        "experiments": Count(len(experiments)),
        "completed": ended("completed"),
        "diverged": ended("diverged"),
        "refused": ended("refused"),
    }
    form = "" if kinds.count("completed") < len(kinds) else "completed"
    if len(experiments) == 1:
        form = "one" if form else "ended-one"
    yield experiments[0].plan, Observation("all-runs", facts, runs=len(kinds), form=form)


def near_floor(experiments: Experiments) -> Iterator[Conclusion]:
    """Of the single runs, which end within a tenth of their first distance from the floor."""
    near: list[tuple[Result, int]] = []
    far: list[tuple[Result, int]] = []
    seen: set[str] = set()
    for experiment in experiments:
        for result in experiment.singles:
            # A run that starts at its floor has no way to go.
            measured = result.gap(experiment.last) is not None and not result.starts_at_floor
            if measured and result.run.name not in seen:
                seen.add(result.run.name)
                closed = result.is_closed(experiment.last)
                (near if closed else far).append((result, experiment.last))
    count = len(near) + len(far)
    if count < 2:
        return

    claims = (
        *(r.cite(r.closed_formula(budget)) for r, budget in near),
        *(r.cite(f"not {r.closed_formula(budget)}") for r, budget in far),
        *(r.cite(f"{r.gap_formula(0)} > allowance") for r, _ in (*near, *far)),
    )
    facts: Facts = {
        "near": Count(len(near)),
        "count": Count(count),
        "share": Share(thresholds.MOST_OF_THE_WAY),
    }
    form = "all" if not far else "some" if near else "none"
    yield (
        experiments[0].plan,
        Observation("near-floor", facts, runs=count, form=form, claims=claims),
    )


def lowest_error(experiments: Experiments) -> Iterator[Conclusion]:
    """The smallest squared error on the lab's own data among all runs with the same budget."""
    shared = min(e.last for e in experiments) if experiments else 0
    candidates = [
        (error, e.plan, r)
        for e in experiments
        for r in e.results
        if same_rows(r.run.config.data, e.plan.base.data)
        and r.trial.seed is None
        and r.run.config.rounds >= shared
        and (error := r.error(shared)) is not None
    ]
    distinct = {r.run.name: r for _, _, r in candidates}
    if len(distinct) < 2:
        return
    error, plan, result = min(candidates, key=lambda c: c[0])
    level = {r.run.name for e, _, r in candidates if e - error <= thresholds.LOOK_ALIKE * e}
    # Where several are as near, none of them is the nearest.
    if len(level) > 1:
        return
    own, formula = result.run.name, result.error_formula(shared)
    facts: Facts = {
        "subject": With(Subject(result.variant, result.point), Number(error, result.cite(formula))),
        "experiment": _title_of(plan),
        "count": Count(len(distinct)),
        "budget": Count(shared),
    }
    mine = result.error_formula(shared, "r1.")
    claims = tuple(
        cite(f"{theirs} - {mine} > LOOK_ALIKE * {theirs}", (result, r))
        for name, r in distinct.items()
        if name != own
        for theirs in [r.error_formula(shared, "r2.")]
    )
    yield plan, Observation("lowest-error", facts, runs=len(distinct), claims=claims)


def own_rows(experiments: Experiments) -> Iterator[Conclusion]:
    """Losses and shares of right rows that are of the rows that were trained on."""
    # Of a grid of random starts no share is told.
    classified = [
        (e, r)
        for e in experiments
        for r in e.results
        if decided(r, e.last) and r.variant not in e.gridded
    ]
    several = [(e, r) for e in experiments for r in e.results if len(r.run.config.data.inputs) > 1]
    members = classified or several
    if not members:
        return
    first = {id(e): r for e, r in reversed(members)}
    facts: Facts = {"experiments": _titles([e for e, _ in members])}
    classes = "all((given_targets == 0) | (given_targets == 1)) and max(classes) > min(classes)"
    claim = classes if classified else "size(inputs[:, 0]) > 1"
    found = Observation(
        "own-rows",
        facts,
        runs=len(members),
        form="" if classified else "loss",
        limits=True,
        claims=tuple(r.cite(claim) for r in first.values()),
    )
    yield experiments[0].plan, found


def title(results: ExperimentResults) -> Wording:
    """What an experiment is called."""
    return _title_of(results.plan)


def _title_of(plan: Plan) -> Wording:
    written = plan.experiment.title
    return Wording(written.within("zh"), written.within("en"), is_name=True)


def _titles(experiments: list[ExperimentResults]) -> tuple[Fact, ...]:
    return tuple(dict.fromkeys(title(e) for e in experiments))


def _distinct(
    shown: list[tuple[ExperimentResults, Result]],
) -> list[tuple[ExperimentResults, Result]]:
    """Each run once, where the report meets it first."""
    found: dict[str, tuple[ExperimentResults, Result]] = {}
    for experiment, result in shown:
        found.setdefault(result.run.name, (experiment, result))
    return list(found.values())


LAB_RULES: dict[str, LabRule] = {
    "budget-decides": LabRule(budget_decides, 0.9, ("ROUNDING",)),
    "change-against-chance": LabRule(change_against_chance, 0.85),
    "stuck-together": LabRule(
        stuck_together, 0.8, ("VANISHED", "STANDING_STILL", "FAR_FROM_FLOOR", "ROUNDING")
    ),
    "silent-together": LabRule(silent_together, 0.75),
    "lowest-error": LabRule(lowest_error, 0.7, ("LOOK_ALIKE",)),
    "near-floor": LabRule(near_floor, 0.6, ("MOST_OF_THE_WAY", "ROUNDING")),
    "all-runs": LabRule(how_runs_ended, 0.5),
    "own-rows": LabRule(own_rows, 0.4),
}
"""Rules over all experiments, by name."""
