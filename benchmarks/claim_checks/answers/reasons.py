"""Checks of the reasons that answers give: larger steps, error terms, saturation, acute angles."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb, isclose

import numpy as np
import stock

from claim_checks.answers.levels import (
    by_loss,
    is_ahead,
    is_not_ahead,
    rivals,
    value_of,
)
from claim_checks.gradient_checks import LEAST_DERIVATIVE, retrained, rewrite_by_formula
from claim_checks.losses import has_reached, loss_at, quantity_of
from claim_checks.parameters import layer_positions
from claim_checks.reading import near, stated, subjects_of
from claim_checks.seen import Check, Seen, changed_keys, continued, with_rate
from labreport.analysis.observation import Observation
from labreport.runs.run import Run


def larger_step(seen: Seen, observation: Observation) -> bool:
    """Check that a larger learning rate brings the other variant as low, or does not."""
    one, other = seen.run(observation.facts["subject"]), seen.run(observation.facts["other"])
    budget, factor = stated(observation, "budget"), stated(observation, "factor")
    losses = by_loss(rivals(seen, one, seen.plan.budgets[-1]).values())
    losses = losses and quantity_of(one.config) == quantity_of(other.config)
    if not is_ahead(one, other, budget, losses) or factor <= 1:
        return False
    rate = other.config.optimizer.learning_rate
    if observation.form != "not":
        run = with_rate(seen, other, factor)
        value = None if run is None else value_of(run, budget, losses)
        return (
            run is not None
            and value is not None
            and is_not_ahead(one, run, budget, losses)
            and near(stated(observation, "value"), value, 1e-3)
            and (observation.form == "" or _leads_again(seen, observation, (one, other), losses))
        )
    tried = [r for r in _at_rates(seen, other) if value_of(r, budget, losses) is not None]
    larger = [r for r in tried if rate < r.config.optimizer.learning_rate <= rate * factor * 1.01]
    return bool(larger) and all(is_ahead(one, r, budget, losses) for r in larger)


def _leads_again(seen: Seen, observation: Observation, pair: tuple[Run, Run], losses: bool) -> bool:
    """Check that a run comes lower at a larger rate than the other at any, its own included."""
    budget = stated(observation, "budget")
    mine, theirs = (
        [r for r in (run, *_at_rates(seen, run)) if value_of(r, budget, losses) is not None]
        for run in pair
    )
    best, lowest = (
        min(runs, key=lambda r: value_of(r, budget, losses) or 0.0) for runs in (mine, theirs)
    )
    return (
        best.config.optimizer.learning_rate > pair[0].config.optimizer.learning_rate
        and is_ahead(best, pair[0], budget, losses)
        and all(is_ahead(best, r, budget, losses) for r in theirs)
        and near(stated(observation, "own"), value_of(best, budget, losses) or 0.0, 1e-3)
        and near(stated(observation, "theirs"), value_of(lowest, budget, losses) or 0.0, 1e-3)
    )


def _at_rates(seen: Seen, run: Run) -> list[Run]:
    """The controls that are the same run with a tenth of its learning rate to 40 times."""
    rate = run.config.optimizer.learning_rate
    return [
        other
        for other in seen.controls.values()
        if changed_keys(run.config, other.config) == {"optimizer.learning_rate"}
        and any(
            isclose(other.config.optimizer.learning_rate, rate * factor)
            for factor in (0.1, 0.25, 0.5, 2, 4, 10, 40)
        )
    ]


def larger_step_starts(seen: Seen, observation: Observation) -> bool:
    """Check that twice the learning rate brings the median of a variant down to another's."""
    budget, count = stated(observation, "budget"), stated(observation, "count")

    def starts(name: str) -> list[Run]:
        members = seen.variants[observation.facts[name].variant]  # type: ignore[union-attr]
        return [r for _, r in sorted(members, key=lambda pair: pair[0].seed or 0)]

    mine, theirs = starts("subject"), starts("other")
    with_twice = [(r, with_rate(seen, r, 2.0)) for r in theirs]
    doubled = [d for _, d in with_twice if d is not None and has_reached(d, budget)][:count]

    def median(runs: Sequence[Run]) -> float:
        there = [r for r in runs if has_reached(r, budget)][:count]
        return float(np.median([loss_at(r, budget) for r in there]))

    found = median(mine), median(theirs), median(doubled)
    told = tuple(stated(observation, k) for k in ("median", "other_median", "doubled"))
    both = [with_rate(seen, r, 2.0) for r in mine]
    own = [d for d in both if d is not None and has_reached(d, budget)][:count]
    wins = sum(is_ahead(a, b, budget, True) for a, b in zip(own, doubled, strict=False))
    again = len(own) == count and wins >= 0.9 * count
    return (
        again == (observation.form == "both")
        and (not again or stated(observation, "lower") == wins)
        and len(doubled) == count >= 10
        and all(map(near, told, found))
        and found[0] < found[1]
        and found[2] < found[1]
        and found[2] - found[0] <= 0.05 * abs(found[0]) * (1 + 1e-6)
        and _is_made_up(*([loss_at(r, budget) for r in runs[:count]] for runs in (mine, doubled)))
        and sum(loss_at(a, budget) < loss_at(b, budget) for a, b in zip(mine, theirs, strict=False))
        >= 0.9 * count
    )


def _is_made_up(mine: Sequence[float], doubled: Sequence[float]) -> bool:
    """Check that the quarters of some losses lie at most a twentieth above others."""
    one, other = (np.percentile(losses, (25, 50, 75)) for losses in (mine, doubled))
    return bool((other - one <= 0.05 * np.abs(one) * (1 + 1e-6)).all())


def pairs_at_other_rates(seen: Seen, observation: Observation) -> bool:
    """Check how many pairs one variant leads at half and at twice the rate of each."""
    return all(
        _at_other_rates(seen, observation, subject.variant, other.variant)
        for subject in subjects_of(observation.facts["subject"])
        for other in subjects_of(observation.facts["other"])
    )


def pairs_by_round(seen: Seen, observation: Observation) -> bool:
    """Check how many pairs one variant led shortly before the end, and that it leads there."""
    step, budget, count = (stated(observation, key) for key in ("step", "budget", "count"))
    for subject in subjects_of(observation.facts["subject"]):
        for other in subjects_of(observation.facts["other"]):
            mine, theirs = (
                {t.seed: r for t, r in seen.variants[name.variant]} for name in (subject, other)
            )
            both = [(run, theirs[seed]) for seed, run in mine.items() if seed in theirs]
            pairs = [pair for pair in both if all(has_reached(run, budget) for run in pair)]
            lower, higher, there = _lower_and_higher(pairs, step)
            if not (
                _direction(*_lower_and_higher(pairs, budget)) == 1
                and 4 * budget <= 5 * (step + 1) <= 5 * budget
                and there == count
                and lower <= higher
                and (lower, higher)
                == (stated(observation, "early_lower"), stated(observation, "early_higher"))
            ):
                return False
    return True


def _at_other_rates(seen: Seen, observation: Observation, subject: str, other: str) -> bool:
    budget, count = stated(observation, "budget"), stated(observation, "count")
    mine, theirs = ({t.seed: r for t, r in seen.variants[name]} for name in (subject, other))
    both_there = [(run, theirs[seed]) for seed, run in mine.items() if seed in theirs]
    # Other rates are asked of the pairs that are compared.
    pairs = [pair for pair in both_there if all(has_reached(run, budget) for run in pair)]
    there = [_lower_and_higher(pairs, budget)]
    for factor in (0.5, 2.0):
        made = [tuple(with_rate(seen, r, factor) for r in pair) for pair in pairs]
        both = [(a, b) for a, b in made if a is not None and b is not None]
        there.append(_lower_and_higher(both, budget))
    own, half, twice = there
    directions = [_direction(*found) for found in (half, twice)]
    expected = "turns" if -1 in directions else "" if directions == [1, 1] else "open"
    return (
        _direction(*own) == 1
        and observation.form == expected
        and (stated(observation, "half"), stated(observation, "twice")) == (half[0], twice[0])
        and stated(observation, "half_higher") == half[1]
        and stated(observation, "twice_higher") == twice[1]
        and half[2] == twice[2] == count >= 10
    )


def _lower_and_higher(pairs: Sequence[tuple[Run, Run]], budget: int) -> tuple[int, int, int]:
    """Return in how many pairs the first is lower, and higher, of how many that got so far."""
    found = [
        (loss_at(a, budget) - loss_at(b, budget), max(abs(loss_at(a, 0)), abs(loss_at(b, 0))))
        for a, b in pairs
        if has_reached(a, budget) and has_reached(b, budget)
    ]
    lower = sum(apart < -0.001 * first for apart, first in found)
    return lower, sum(apart > 0.001 * first for apart, first in found), len(found)


def _direction(lower: int, higher: int, _: int) -> int:
    """Return 1 if the first is lower more often than a coin would fall so, -1 if it is higher."""
    few, count = min(lower, higher), lower + higher
    chance = min(1.0, 2 * sum(comb(count, k) for k in range(few + 1)) / 2**count)
    return 0 if chance > 0.05 else 1 if lower > higher else -1


def range_decides(seen: Seen, observation: Observation) -> bool:
    """Check that who leads can equal a target that others cannot, and is below what they can do."""
    budget, target = stated(observation, "budget"), stated(observation, "target")
    leaders, bound = seen.runs(observation.facts["other"]), seen.runs(observation.facts["subjects"])
    for run in bound:
        outputs = _outputs_of(run)
        miss = np.abs(np.array(run.config.data.targets)[..., None] - outputs).min(axis=-1)
        least, scale = float((miss**2).mean()), abs(loss_at(run, 0))
        lowest = stated(observation, "floor")
        nearest = outputs[np.abs(outputs - target).argmin()]
        if run.config.loss == "mse" and not near(lowest, least, 1e-3):
            return False
        if abs(nearest - stated(observation, "nearest")) > 1e-3 or target == nearest:
            return False
        ended = run in seen.runs(observation.facts.get("ended", ()))
        if ended != (loss_at(run, budget) - lowest <= 1e-3 * scale):
            return False
    floor = stated(observation, "floor")
    targets = [np.array(run.config.data.targets) for run in (*leaders, *bound)]
    return (
        all(loss_at(run, budget) < floor for run in leaders)
        and all((there == target).any() for there in targets)
        and all(np.abs(_outputs_of(run) - target).min() <= 1e-3 for run in leaders)
        and bool(observation.facts.get("ended")) == (observation.form == "ended")
    )


def linear_hidden(seen: Seen, observation: Observation) -> bool:
    """Check that a linear network comes to what the network without hidden layers comes to."""
    return all(
        _linear_hidden(seen, observation, run) for run in seen.runs(observation.facts["subject"])
    )


def _linear_hidden(seen: Seen, observation: Observation, run: Run) -> bool:
    rounds = stated(observation, "rounds")
    inside, last = run.config.network.activations[:-1], run.config.network.activations[-1]
    layers = (run.config.network.layers[0], run.config.network.layers[-1])
    alone = [
        r
        for r in seen.controls.values()
        if (r.config.network.layers, r.config.network.activations) == (layers, (last,))
        and r.config.rounds == rounds
        and changed_keys(run.config, r.config)
        <= {"network.layers", "network.activations", "rounds", *_initial_keys(run, r)}
    ]
    own = continued(seen, run, rounds)
    if not inside or {*inside} != {"identity"} or own is None or len(alone) != 1:
        return False
    ends = loss_at(own, rounds), loss_at(alone[0], rounds)
    odds = 1.001e-3 * max(abs(loss_at(r, 0)) for r in (own, alone[0]))
    told = stated(observation, "value"), stated(observation, "without")
    leader = seen.run(observation.facts["other"])
    return (
        abs(ends[0] - ends[1]) <= odds
        and all(near(a, b) for a, b in zip(told, ends, strict=True))
        and loss_at(leader, seen.plan.budgets[-1]) < ends[1]
    )


def _initial_keys(*runs: Run) -> set[str]:
    return {key for run in runs for key in run.config.flat() if key.startswith("initial.")}


def _outputs_of(run: Run) -> np.ndarray:
    """Return outputs that the last activation can give, by trying many weighted sums."""
    sums = np.concatenate([np.linspace(-60, 60, 400_001), (-1e4, 1e4)])
    activation = stock.MODULES[run.config.network.activations[-1]]()
    return activation(stock.torch.tensor(sums)).numpy()


def error_term(seen: Seen, observation: Observation) -> bool:
    """Check that cross entropy begins with the larger gradient, from the same weights."""
    one, other = seen.run(observation.facts["subject"]), seen.run(observation.facts["other"])
    alike = np.array_equal(one.trace.weights[0], other.trace.weights[0])
    data = one.config.data, other.config.data
    alike = alike and (data[0].inputs, data[0].targets) == (data[1].inputs, data[1].targets)
    kinds = one.config.loss, other.config.loss
    told = stated(observation, "loss"), stated(observation, "other_loss")
    if not alike or kinds != told or told[1] != "mse" or not told[0].startswith("bce"):
        return False
    weights, biases = layer_positions(one.config)[-1]
    last = [*weights.ravel(), *biases]
    norms = []
    for run in (one, other):
        stored = run.trace.gradients[0].astype(float)
        if run.config.data.sees_all_rows and seen.effort.worth("error-term"):
            again = stock.train(run.config, run.trace.weights[0], 0, "float64").gradients[0]
            if not np.allclose(again, stored, rtol=1e-2, atol=1e-4 * np.abs(again).max()):
                return False
        norms.append(float(np.linalg.norm(stored[last])))
    nearer = any(is_ahead(one, other, b, False) for b in seen.plan.budgets)
    return (
        nearer
        and norms[0] > norms[1]
        and near(stated(observation, "factor"), norms[0] / norms[1], 1e-5)
    )


def lands_in_saturation(seen: Seen, observation: Observation) -> bool:
    """Check from which value on one step brings every output where the sigmoid is flat."""
    ((_, members),) = seen.swept.items()
    ordered = sorted(members, key=lambda pair: float(pair[0].point[0][1]))
    start, budget = observation.facts["start"].point[0][1], seen.plan.budgets[-1]  # type: ignore[union-attr]
    slopes = []
    for trial, run in ordered:
        outputs = run.trace.outputs_at(1)
        if outputs is None or run.config.network.activations[-1] != "sigmoid":
            return False
        wide = outputs.astype(float)
        slopes.append((float(trial.point[0][1]), float((wide * (1 - wide)).max()), run))
    flat = [slope for v, slope, _ in slopes if v >= start]
    before = [slope for v, slope, _ in slopes if v < start]
    least = min(loss_at(r, budget) for _, _, r in slopes if has_reached(r, budget))
    worse = [loss_at(r, budget) > least for v, _, r in slopes if v >= start]
    return (
        bool(before)
        and before[-1] > 0.0025 * (1 - 1e-6)
        and max(flat) <= 0.0025 * (1 + 1e-6)
        and near(stated(observation, "slope"), max(flat))
        and all(worse)
    )


def points_downhill(seen: Seen, observation: Observation) -> bool:
    """Check that training by wrong formulas keeps an acute angle with the gradient."""
    ((_, run),) = seen.pairs
    smallest, left_out = [], False
    for formula in seen.plan.experiment.formula:
        rewrite, told = rewrite_by_formula(run, formula), retrained(seen, formula)
        cosines, wrong = [], False
        for weights, made in zip(told.weights, told.gradients, strict=False):
            right = stock.train(run.config, weights, 0, "float64").gradients[0]
            wrong = wrong or not np.allclose(rewrite(weights, right), right, rtol=1e-9, atol=0)
            # Of so small a derivative autograd knows no digit.
            wrong = wrong or bool((np.abs(right) < LEAST_DERIVATIVE).any())
            lengths = np.linalg.norm(made) * np.linalg.norm(right)
            if lengths > LEAST_DERIVATIVE**2 and np.isfinite(lengths):
                cosines.append(float(made @ right / lengths))
            else:
                left_out = True
        if wrong:
            smallest.append(min(cosines, default=np.nan))
    least, told_cosine = min(smallest, default=np.nan), stated(observation, "cosine")
    # Between gradients of which autograd knows no digit the angle may be a larger one.
    holds = np.isnan(least) or near(told_cosine, least, 1e-3) or (left_out and told_cosine < least)
    return bool(stated(observation, "count") <= len(smallest) and not least <= -1e-9 and holds)


def rate_times_rounds(seen: Seen, observation: Observation) -> bool:
    """Check that equal products of rate and rounds give equal losses, up to a rate."""
    ((_, members),) = seen.swept.items()
    top = observation.facts["largest"].point[0][1]  # type: ignore[union-attr]
    apart, moved = [], 0
    for few, many in combinations(seen.plan.budgets, 2):
        for _, slow in members:
            for _, quick in members:
                rates = [r.config.optimizer.learning_rate for r in (slow, quick)]
                equal = isclose(rates[0] * many, rates[1] * few, rel_tol=1e-9)
                there = has_reached(slow, many) and has_reached(quick, few)
                if not equal or not there or not 0 < rates[1] <= top * (1 + 1e-9):
                    continue
                one, other = loss_at(slow, many), loss_at(quick, few)
                if one and other:
                    apart.append(abs(one - other) / one)
                    moved += abs(loss_at(slow, 0) - one) > 0.05 * loss_at(slow, 0) * (1 - 1e-6)
    plain = all(
        r.config.optimizer.name == "sgd"
        and not r.config.optimizer.momentum
        and (r.config.gradients, r.config.updates) == ("cleared", "kept")
        for _, r in members
    )
    return (
        plain
        and stated(observation, "count") == len(apart)
        and moved >= 3
        and near(stated(observation, "difference"), max(apart))
        and max(apart) <= 0.05 * (1 + 1e-6)
    )


CHECKS: dict[str, Check] = {
    "larger-step": larger_step,
    "larger-step-starts": larger_step_starts,
    "pairs-at-other-rates": pairs_at_other_rates,
    "pairs-by-round": pairs_by_round,
    "error-term": error_term,
    "linear-hidden": linear_hidden,
    "range-decides": range_decides,
    "lands-in-saturation": lands_in_saturation,
    "points-downhill": points_downhill,
    "rate-times-rounds": rate_times_rounds,
}
"""Checks by the name of their rule."""
