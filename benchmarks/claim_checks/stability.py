"""Checks of rules on losses that rise, oscillate or diverge, and on the limits of rates."""

from __future__ import annotations

from math import isclose
from typing import Any

import numpy as np
import stock

from claim_checks.losses import has_reached, loss_at, rounding_of_updates
from claim_checks.parameters import layer_positions
from claim_checks.reading import listed, near, stated, value
from claim_checks.seen import Check, Seen, runs_at_points
from labreport.analysis.observation import From, Observation, Subject, UpTo
from labreport.lab.configuration import RunConfig
from labreport.lab.plan import Point
from labreport.runs.run import Run


def diverged(seen: Seen, observation: Observation) -> bool:
    """Check that these runs ended with numbers that are not finite."""
    if observation.form.startswith("starts"):
        return _diverged_starts(seen, observation)
    alone = [(t, r) for t, r in seen.pairs if t.seed is None]
    ended = [r for _, r in alone if r.trace.ending.kind == "diverged"]
    told = [(seen.run(w.what), value(w.detail)) for w in listed(observation, "subjects")]
    if stated(observation, "count") != len(ended) != len(told):
        return False
    return all(rounds == len(run.losses) and _diverges(seen, run) for run, rounds in told)


def _diverges(seen: Seen, run: Run) -> bool:
    """Check that a run ended, and that stock torch comes from its weights to what is not finite."""
    if run.trace.ending.kind != "diverged":
        return False
    if not len(run.losses) or run.config.data.batch_size or not seen.effort.worth("diverged"):
        return True
    remembers = (
        run.config.optimizer.name != "sgd"
        or run.config.flat().get("optimizer.momentum")
        or run.config.gradients == "accumulated"
        or not run.trace.is_whole
    )
    # From the last finite weights, if they are all that the next ones follow from.
    last = 0 if remembers else -1
    again = stock.train(run.config, run.trace.weights[last], run.config.rounds if remembers else 2)
    numbers = [*again.losses, *again.weights[-1], *again.gradients[-1]]
    if again.error or not np.isfinite(numbers).all():
        return True
    # Where rounding has led the two apart before, stock torch shows nothing of this run.
    if remembers:
        before = again.losses[len(run.losses) - 1]
        if not isclose(before, run.losses[-1], rel_tol=1e-2, abs_tol=1e-6):
            return True
    # Where products are beyond the type, a fused sum of them may be finite and a plain one not.
    sizes = [
        np.log10(max(1.0, float(np.abs(np.float64(again.weights[-1][weights])).max())))
        for weights, _ in layer_positions(run.config)
    ]
    return bool(sum(sizes) > np.log10(float(np.finfo(run.config.dtype).max)))


def _diverged_starts(seen: Seen, observation: Observation) -> bool:
    """Check at which points and of which variants all starts ended, some, and none."""
    groups: dict[tuple[str, Point], list[Run]] = {}
    for trial, run in seen.pairs:
        if trial.seed is not None:
            groups.setdefault((trial.variant, trial.point), []).append(run)
    # A variant that one start alone was drawn for stands for itself.
    counted = {
        key: (sum(run.trace.ending.kind == "diverged" for run in runs), len(runs))
        for key, runs in groups.items()
        if len(seen.variants[key[0]]) > 1
    }
    whole = {key for key in counted for fact in listed(observation, "whole") if _names(fact, *key)}
    partly = {
        (w.what.variant, w.what.point): (w.detail.value, w.detail.total)
        for w in listed(observation, "diverged")
    }
    ended = [run for key in counted for run in groups[key] if run.trace.ending.kind == "diverged"]
    return (
        all(_diverges(seen, run) for run in ended)
        and whole == {key for key, (count, total) in counted.items() if count == total}
        and partly == {key: told for key, told in counted.items() if 0 < told[0] < told[1]}
        and stated(observation, "count") == sum(count for count, _ in counted.values())
        and stated(observation, "total") == sum(total for _, total in counted.values())
        and stated(observation, "first") == min(len(r.losses) for r in ended)
    )


def _names(fact: Any, variant: str, point: Point) -> bool:
    """Return whether a point is named, by itself or from a value on."""
    if isinstance(fact, From):
        return fact.start.variant == variant and point[0][1] >= fact.start.point[0][1]
    return (fact.variant, fact.point) == (variant, point)


def worse_than_start(seen: Seen, observation: Observation) -> bool:
    """Check which points of a sweep end with a higher loss than they start with."""
    budget = stated(observation, "budget")
    told = runs_at_points(seen, observation.facts["subjects"])
    everywhere = [run for members in seen.swept.values() for _, run in members]
    mine = [r for r in everywhere if has_reached(r, budget) and loss_at(r, budget) > loss_at(r, 0)]
    return (
        {id(r) for r in told} == {id(r) for r in mine}
        and stated(observation, "count") == len(mine)
        and stated(observation, "total") == len(everywhere)
    )


def rising_updates(run: Run, budget: int) -> np.ndarray:
    """Return in which updates the loss rose by more than rounding."""
    losses = run.losses[: budget + 1].astype(float)
    return np.asarray(np.diff(losses) > rounding_of_updates(run, losses))


def rises(seen: Seen, observation: Observation) -> bool:
    """Check from which point of a sweep on the loss rises on the way."""
    ((_, members),) = seen.swept.items()
    ordered = sorted(members, key=lambda pair: pair[0].point[0][1])
    budget = stated(observation, "budget")
    rising = [bool(rising_updates(run, budget).any()) for _, run in ordered]
    places = {trial.point: k for k, (trial, _) in enumerate(ordered)}
    steady = places[observation.facts["steady"].point]
    first = places[observation.facts["rising"].point]
    return (
        not any(rising[: steady + 1])
        and first == steady + 1
        and rising[first]
        and stated(observation, "total") == len(ordered) - first
        and (observation.form == "one") == (len(ordered) - first == 1)
        and (observation.form == "all") == (all(rising[first:]) and len(ordered) - first > 1)
        and stated(observation, "count") == sum(rising)
    )


def oscillation(seen: Seen, observation: Observation) -> bool:
    """Check that the loss goes up and down as often as is told."""
    budget = stated(observation, "budget")
    for run in seen.runs(observation.facts["subject"]):
        losses = run.losses[: budget + 1].astype(float)
        changes = np.diff(losses)
        noise = rounding_of_updates(run, losses)
        strict = np.sign(changes[changes != 0])
        turns = int((strict[1:] != strict[:-1]).sum())
        quiet = bool((np.abs(changes[changes != 0]) > 2 * noise[changes != 0]).all())
        said, turned = observation.facts["rises"], stated(observation, "turns")
        holds = said.total == budget and said.value <= (changes > 0).sum() and turned <= turns
        if quiet:
            holds = holds and said.value == (changes > 0).sum() and turned == turns
        holds = holds and stated(observation, "final") == losses[-1] and turned >= 6
        if observation.form == "":
            updates = stated(observation, "updates")
            holds = holds and losses.min() == stated(observation, "lowest") == losses[updates]
            holds = holds and losses[-1] > losses.min()
        elif observation.form == "beside-lowest":
            holds = holds and losses.min() < losses[-1] < losses.min() + 0.5 * abs(losses.min())
        else:
            holds = holds and losses[-1] == losses.min() < losses[-2]
        if not holds:
            return False
    return True


def stability_limit(config: RunConfig, curvature: float) -> float:
    """Return the rate from which on descent leaves a quadratic bowl, by bisection."""
    optimizer = config.optimizer
    assert optimizer.name == "sgd"
    bowl = curvature + optimizer.weight_decay

    def grows(rate: float) -> bool:
        keep = optimizer.momentum
        fresh = 1 - optimizer.dampening if keep else 1.0
        # (x, v) → v' = keep·v + fresh·bowl·x, x' = x − rate·v'
        matrix = np.array(
            [[1 - rate * fresh * bowl, -rate * keep], [fresh * bowl, keep]], dtype=float
        )
        return bool(np.abs(np.linalg.eigvals(matrix)).max() > 1 + 1e-12)

    low, high = 0.0, 8 / bowl
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if grows(middle) else (middle, high)
    return high


MOST_WEIGHT = 1e12
"""Beside larger weights what torch leaves of 1 − tanh² is rounding alone."""


def edge_of_stability(seen: Seen, observation: Observation) -> bool:
    """Check the learning rate against the limit that the curvature sets."""
    budget = stated(observation, "budget")
    for run in seen.runs(observation.facts["subject"]):
        if not seen.effort.worth("edge-of-stability"):
            continue
        last = run.trace.weights_at(budget)
        assert last is not None
        decay = run.config.flat()["optimizer.weight_decay"]
        if np.abs(last).max() > MOST_WEIGHT:
            continue
        end = stock.largest_eigenvalue(run.config, last) + decay
        start = stock.largest_eigenvalue(run.config, run.trace.weights[0]) + decay
        if not np.isfinite([end, start]).all():
            continue
        limit = stability_limit(run.config, end - decay)
        rate = run.config.optimizer.learning_rate
        holds = (
            near(stated(observation, "curvature"), end, 1e-3)
            and isclose(stated(observation, "start"), start, rel_tol=1e-3, abs_tol=1e-4)
            and near(stated(observation, "limit"), limit, 2e-3)
            and stated(observation, "rate") == rate
            and near(stated(observation, "share"), rate / stated(observation, "limit"))
            and (
                rate > limit * (1 - 2e-3)
                if observation.form == "beyond"
                else rate <= limit * (1 + 2e-3)
            )
            and rate >= 0.5 * limit * (1 - 2e-3)
        )
        if not holds:
            return False
    return True


def stable_rate(seen: Seen, observation: Observation) -> bool:
    """Check where the limit of the curvature lies beside the rates between which losses rise."""
    budget = stated(observation, "budget")
    told, rising = observation.facts["steady"], observation.facts["rising"]
    assert isinstance(told, UpTo)
    steady = told.end
    assert isinstance(rising, Subject)
    members = sorted(seen.swept[steady.variant], key=lambda p: p[0].point[0][1])
    places = {trial.point: k for k, (trial, _) in enumerate(members)}
    runs = [run for _, run in members]
    here, next_one = places[steady.point], places[rising.point]
    if next_one != here + 1 or any(rising_updates(r, budget).any() for r in runs[: here + 1]):
        return False
    up = runs[next_one]
    if has_reached(up, budget) and not rising_updates(up, budget).any():
        return False
    low, high = (runs[k].config.optimizer.learning_rate for k in (here, next_one))
    limit = stated(observation, "limit")
    form = "below" if limit < low else "above" if limit > high else "between"
    factor = {"below": low / limit, "above": limit / high, "between": high / low}[form]
    holds = form == observation.form and near(stated(observation, "factor"), factor)
    if seen.effort.worth("stable-rate"):
        run, step = runs[here], stated(observation, "updates")
        weights = run.trace.weights_at(step)
        assert weights is not None
        decay = run.config.flat()["optimizer.weight_decay"]
        curvature = stock.largest_eigenvalue(run.config, weights) + decay
        if not np.isfinite(curvature):
            return holds
        holds = holds and near(stated(observation, "curvature"), curvature, 1e-3)
        holds = holds and near(limit, stability_limit(run.config, curvature - decay), 2e-3)
        holds = holds and 0 < stated(observation, "samples") <= len(run.trace.weights)
        # Nowhere on the way is the curvature larger by more than what hides between two samples.
        there = np.flatnonzero(run.trace.recorded <= budget)
        for place in np.unique(np.linspace(0, len(there) - 1, 20).astype(int)):
            other = stock.largest_eigenvalue(run.config, run.trace.weights[there[place]]) + decay
            holds = holds and not other > stated(observation, "curvature") * 1.05
    return holds


CHECKS: dict[str, Check] = {
    "diverged": diverged,
    "worse-than-start": worse_than_start,
    "rises": rises,
    "oscillation": oscillation,
    "stable-rate": stable_rate,
    "edge-of-stability": edge_of_stability,
}
"""Checks by the name of their rule."""
