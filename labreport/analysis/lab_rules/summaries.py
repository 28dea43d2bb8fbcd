"""Common traits of all runs of a lab: how they ended, which are near their floor or stuck."""

from __future__ import annotations

from collections.abc import Iterator

from labreport.analysis import thresholds
from labreport.analysis.classes import decided
from labreport.analysis.comparing import Measure, is_lower, lower_claim
from labreport.analysis.held_out import held_out
from labreport.analysis.lab_rules.lab_rule import Conclusion, Experiments, lab_rule, title
from labreport.analysis.observation import (
    Count,
    Fact,
    Facts,
    Observation,
    Share,
    Subject,
    With,
)
from labreport.analysis.observe import RULES
from labreport.analysis.points import title_of
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rules.comparison import same_rows
from labreport.analysis.rules.rows import has_all_rows
from labreport.analysis.stuck import OF_STUCK, find_stuck

OF_SHARES = ("share-right", "share-right-swept", "share-right-starts", "level-answers")
"""Rules that state a share of right rows."""


@lab_rule(
    "stuck-together",
    "common",
    0.8,
    thresholds=OF_STUCK,
    of_constant_losses=True,
)
def stuck_together(experiments: Experiments) -> Iterator[Conclusion]:
    """Runs that stand still far from their floor, over all experiments."""
    everywhere = [(e, r) for e in experiments for r in (*e.singles, *e.everywhere) if len(r.losses)]
    shown = _distinct(everywhere)
    # Beside which runs a run stands differs by experiment, and so does what they show of it.
    found = [(e, r, find_stuck(e, r)) for e, r in everywhere]
    reasons = {r.run.name: why for _, r, why in reversed(found) if why is not None}
    stuck = _distinct([(e, r) for e, r, why in found if why is not None])
    if not stuck:
        return
    members = [r for _, r in stuck]
    facts: Facts = {
        "count": Count(len(stuck), cite("size(each(rounds))", members)),
        "total": Count(len(shown), cite("size(each(rounds))", [r for _, r in shown])),
        "experiments": _titles([e for e, _, why in found if why is not None]),
    }
    together = Observation(
        "stuck-together",
        facts,
        runs=len(shown),
        claims=tuple(claim for _, r in stuck for claim in reasons[r.run.name].claims),
        effect=len(stuck) / len(shown),
    )
    yield experiments[0].plan, together


@lab_rule("silent-together", "common", 0.75, of_constant_losses=True)
def silent_together(experiments: Experiments) -> Iterator[Conclusion]:
    """Runs with weights that no gradient ever reaches, and whether ReLU alone has them.

    An input that is 0 in every row leaves the weights that multiply it without a gradient in any
    network; a run that has no others is not among them.
    """
    shown = _distinct([(e, r) for e in experiments for r in e.singles if len(r.losses) > 1])
    silent = [(e, r) for e, r in shown if len(r.never_moved_by_gradient) > _of_zero_inputs(r)]
    if not silent or len(experiments) < 2:
        return
    members = [r for _, r in silent]
    others = [r for _, r in shown if r not in members]
    quiet = "count(every_round(gradients == 0) & every_round(weights == weights[0]))"
    facts: Facts = {
        "count": Count(len(silent), cite("size(each(rounds))", members)),
        "total": Count(len(shown), cite("size(each(rounds))", [r for _, r in shown])),
        "experiments": _titles([e for e, _ in silent]),
    }
    claims = tuple(
        r.cite(f"{quiet} > count(every_round(inputs == 0)) * {r.run.config.network.layers[1]}")
        for r in members
    )
    # Where every run has ReLU, that those have it says nothing.
    alone = all(map(_has_relu, members)) and not all(map(_has_relu, others))
    found = Observation(
        "silent-together",
        facts,
        runs=len(shown),
        form="relu" if alone else "",
        claims=claims,
        effect=len(silent) / len(shown),
    )
    yield experiments[0].plan, found


def _of_zero_inputs(result: Result) -> int:
    """Count the weights that multiply inputs which are 0 in every row."""
    config = result.run.config
    columns = zip(*config.data.inputs, strict=True)
    return config.network.layers[1] * sum(not any(column) for column in columns)


def _has_relu(result: Result) -> bool:
    return "relu" in result.run.config.network.activations


@lab_rule("all-runs", "runs", 0.5, of_constant_losses=True)
def how_runs_ended(experiments: Experiments) -> Iterator[Conclusion]:
    """Report the number of runs, and how they ended."""
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
    form = "" if "refused" in kinds else "diverged" if "diverged" in kinds else "completed"
    if len(experiments) == 1:
        form = {"": "ended-one", "diverged": "diverged-one", "completed": "one"}[form]
    yield experiments[0].plan, Observation("all-runs", facts, runs=len(kinds), form=form)


@lab_rule("near-floor", "common", 0.6, thresholds=("MOST_OF_THE_WAY", "ROUNDING"))
def near_floor(experiments: Experiments) -> Iterator[Conclusion]:
    """Of the single runs, which end within a tenth of their first distance from the floor."""
    # A run that stands in several experiments counts where it is looked at the longest.
    known: dict[str, tuple[Result, int]] = {}
    for experiment in sorted(experiments, key=lambda e: e.last):
        for result in experiment.singles:
            # A run that starts at its floor has no way to go.
            if result.gap(experiment.last) is not None and not result.starts_at_floor:
                known[result.run.name] = result, experiment.last
    near = [pair for pair in known.values() if pair[0].is_closed(pair[1])]
    far = [pair for pair in known.values() if not pair[0].is_closed(pair[1])]
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


@lab_rule("lowest-error", "common", 0.5, thresholds=("NO_ODDS",))
def lowest_error(experiments: Experiments) -> Iterator[Conclusion]:
    """The smallest squared error on the lab's own data among all runs with the same budget.

    Where rows are held out, it is for them to say which is best.
    """
    shared = min(e.last for e in experiments) if experiments else 0
    candidates = [
        (error, e.plan, r)
        for e in experiments
        for r in e.results
        if same_rows(r.run.config.data, e.plan.base.data)
        and r.trial.seed is None
        and held_out(r) is None
        and r.run.config.rounds >= shared
        and r.error(0) is not None
        and (error := r.error(shared)) is not None
    ]
    distinct = {r.run.name: r for _, _, r in candidates}
    if len(distinct) < 2:
        return
    _, plan, result = min(candidates, key=lambda c: c[0])
    measure = Measure(is_loss=False, budget=shared)
    # Where several are as near, none of them is the nearest.
    if not all(is_lower(result, r, measure) for n, r in distinct.items() if n != result.run.name):
        return
    own, formula = result.run.name, result.error_formula(shared)
    facts: Facts = {
        "subject": With(
            Subject(result.variant, result.point), result.told(lambda r: r.error(shared), formula)
        ),
        "experiment": title_of(plan),
        "count": Count(len(distinct)),
        "budget": Count(shared),
    }
    claims = tuple(lower_claim(result, r, measure) for n, r in distinct.items() if n != own)
    yield plan, Observation("lowest-error", facts, runs=len(distinct), claims=claims)


@lab_rule("own-rows", "runs", 0.4)
def own_rows(experiments: Experiments) -> Iterator[Conclusion]:
    """Losses and shares of right rows that are of the rows that were trained on."""
    # Of a grid of random starts no share is told.
    classified = [
        (e, r)
        for e in filter(_tells_shares, experiments)
        for r in e.results
        if decided(r, e.last) and r.variant not in e.gridded
    ]
    several = [(e, r) for e in experiments for r in e.results if len(r.run.config.data.inputs) > 1]
    found = [(e, r) for e, r in classified or several if held_out(r) is None]
    members = [(e, r) for e, r in found if not has_all_rows(r.run.config)]
    if not members:
        return
    first = {id(e): r for e, r in reversed(members)}
    facts: Facts = {"experiments": _titles([e for e, _ in members])}
    classes = "all((given_targets == 0) | (given_targets == 1)) and max(classes) > min(classes)"
    claim = classes if classified else "size(inputs[:, 0]) > 1"
    stated = Observation(
        "own-rows",
        facts,
        runs=len(members),
        form="" if classified else "loss",
        limits=True,
        claims=tuple(r.cite(claim) for r in first.values()),
    )
    yield experiments[0].plan, stated


def _tells_shares(experiment: ExperimentResults) -> bool:
    """Return whether an experiment states of some runs how many rows they put right."""
    # Where rounds are swept there is no number of rounds after which they could be compared.
    swept = any(key == "rounds" for key, _ in experiment.plan.axes)
    return not swept and any(True for rule in OF_SHARES for _ in RULES[rule](experiment))


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
