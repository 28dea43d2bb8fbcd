"""Checks of rules on starts: one among others, equal units, and their spread."""

from __future__ import annotations

import numpy as np
import stock

from claim_checks.losses import has_reached, loss_at
from claim_checks.parameters import layer_positions, unit_name
from claim_checks.reading import first_variant, near, stated, subjects_of
from claim_checks.seen import Check, Seen, changed_keys
from labreport.analysis.observation import Observation
from labreport.runs.run import Run


def _is_beside_a_given_start(seen: Seen, run: Run, observation: Observation) -> bool:
    """Check that a start is told as another one than that of a single run that was given."""
    schemes = [r.config.initial.scheme for r in seen.singles.values()]
    return (
        observation.form == "other" and "given" in schemes and run.config.initial.scheme != "given"
    )


def place_among_starts(seen: Seen, observation: Observation) -> bool:
    """Check the place of a run among runs from random starts."""
    budget = stated(observation, "budget")
    starts = [run for _, run in seen.variants[observation.facts["starts"].variant]]
    for run in seen.runs(observation.facts["subject"]):
        others = [r for r in starts if changed_keys(run.config, r.config)]
        losses = [loss_at(r, budget) for r in others if has_reached(r, budget)]
        odds = 1e-3 * abs(loss_at(run, 0))
        lower = sum(loss_at(run, budget) - loss > odds for loss in losses)
        form = (
            "below"
            if min(losses) - loss_at(run, budget) > odds
            else "above"
            if loss_at(run, budget) - max(losses) > odds
            else "inside"
        )
        other = {
            key
            for key in changed_keys(run.config, starts[0].config)
            if not key.startswith("initial.") and key != "seed"
        }
        holds = (
            not other
            and stated(observation, "loss") == loss_at(run, budget)
            and stated(observation, "count") == len(losses)
            and stated(observation, "better") == lower
            and near(stated(observation, "share"), lower / len(losses))
            and near(stated(observation, "median"), float(np.median(losses)))
            and (observation.form == form or _is_beside_a_given_start(seen, run, observation))
        )
        if not holds:
            return False
    return True


def symmetry(seen: Seen, observation: Observation) -> bool:
    """Check that units of a layer that start equal stay equal."""
    units = set(stated(observation, "units"))
    for run in seen.runs(observation.facts["subject"]):
        layers = layer_positions(run.config)
        layer = next(
            k
            for k, (w, _) in enumerate(layers[:-1])
            if {unit_name(run.config, k, u) for u in range(len(w))} == units
        )
        weights, biases = layers[layer]
        outgoing = layers[layer + 1][0]
        tables = run.trace.weights.astype(np.float64)
        room = 16 * float(np.finfo(run.config.dtype).eps) * np.abs(tables).max()

        def same(one: np.ndarray, other: np.ndarray, tables: np.ndarray = tables) -> bool:
            begin_equal = (tables[0, one] == tables[0, other]).all()
            stay = (np.abs(tables[:, one] - tables[:, other]) <= room).all()  # noqa: B023
            return bool(begin_equal and stay)

        alike = (
            same(weights, weights[:1])
            and same(outgoing, outgoing[:, :1])
            and (not len(biases) or same(biases, biases[:1]))
        )
        if not alike or stated(observation, "rounds") != run.trace.rounds or len(units) < 2:
            return False
        name = run.config.network.activations[layer]
        if name not in ("softmax", "log_softmax") and not _as_one_unit(run, layer):
            return False
    return True


def _as_one_unit(run: Run, layer: int) -> bool:
    """Check that a layer of one unit with the sum of outgoing weights gives the same outputs."""
    flat = run.trace.weights[-1].astype(float)
    layers = layer_positions(run.config)
    parts = []
    for k, (weights, biases) in enumerate(layers):
        matrix, bias = flat[weights], flat[biases]
        if k == layer:
            matrix, bias = matrix[:1], bias[:1]
        if k == layer + 1:
            matrix = matrix.sum(axis=1, keepdims=True)
        parts += [matrix.ravel(), bias]
    narrow = list(run.config.network.layers)
    narrow[layer + 1] = 1
    update = {"layers": tuple(narrow)}
    config = run.config.model_copy(update={"network": run.config.network.model_copy(update=update)})
    *_, (_, whole) = stock.passes(run.config, flat)
    *_, (_, one) = stock.passes(config, np.concatenate(parts))
    # Units that rounding sets apart are one unit to within rounding.
    near = max(1e-9, 1e3 * float(np.finfo(run.config.dtype).eps))
    return bool(np.allclose(whole, one, rtol=near, atol=1e-3 * near))


def spread(seen: Seen, observation: Observation) -> bool:
    """Check how far apart random starts come to lie."""
    if "several" in observation.form:
        return _spread_of_several(seen, observation)
    if observation.form == "lost":
        return _lost_starts(seen, observation)
    runs = [run for _, run in seen.variants[first_variant(observation.facts["subject"])]]
    budget = stated(observation, "budget")
    losses = np.array([loss_at(r, budget) for r in runs if has_reached(r, budget)])
    mean = losses.sum() / len(losses)
    deviation = np.sqrt(((losses - mean) ** 2).sum() / (len(losses) - 1))
    scale = float(np.abs(losses).max())
    return (
        stated(observation, "count") == len(losses)
        and stated(observation, "ended") == len(runs) - len(losses)
        and (observation.form == "ended") == (len(losses) < len(runs))
        and near(stated(observation, "mean"), mean)
        and (
            abs(stated(observation, "deviation") - deviation) <= 1e-6 * scale
            # Squares of what is larger than 1e154 are beyond the largest number.
            or stated(observation, "deviation") == deviation == np.inf
        )
        and near(stated(observation, "median"), float(np.median(losses)))
        and stated(observation, "lowest") == losses.min()
        and stated(observation, "highest") == losses.max()
    )


def _spread_of_several(seen: Seen, observation: Observation) -> bool:
    """Check which of several variants has the lowest median loss, and which the highest."""
    budget = stated(observation, "budget")
    everyone, ended = 0, 0
    medians: dict[str, float] = {}
    for name, members in seen.variants.items():
        runs = [run for _, run in members]
        losses = [loss_at(r, budget) for r in runs if has_reached(r, budget)]
        seeds = {trial.seed for trial, _ in members}
        alone = len({trial.point for trial, _ in members}) == 1 and None not in seeds
        if alone and len(runs) > 1 and len(losses) > 1:
            everyone, ended = everyone + len(runs), ended + len(runs) - len(losses)
            medians[name] = float(np.median(losses))
    told = {
        observation.facts[who].variant: stated(observation, what)
        for who, what in (("first", "median"), ("last", "other_median"))
    }
    ends = [min(medians.values()), max(medians.values())]
    right = all(near(medians[name], median) for name, median in told.items())
    right = right and all(map(near, told.values(), ends)) and len(told) == 2
    counted = (stated(observation, "total"), stated(observation, "ended")) == (everyone, ended)
    first = [
        abs(loss_at(run, 0))
        for name in told
        for _, run in seen.variants[name]
        if has_reached(run, budget)
    ]
    room = 0.001 * max(first)
    if observation.form == "several-level":
        return right and counted and ends[1] - ends[0] <= room * (1 + 1e-9)
    apart = ends[1] - ends[0] >= room * (1 - 1e-9)
    return right and counted and apart and (observation.form == "several-ended") == (ended > 0)


def _lost_starts(seen: Seen, observation: Observation) -> bool:
    """Check that all starts of a variant but one, at most, ended before the last budget."""
    told = (stated(observation, "ended"), stated(observation, "total"))
    for subject in subjects_of(observation.facts["subject"]):
        runs = [run for _, run in seen.variants[subject.variant]]
        ended = sum(not has_reached(r, seen.plan.budgets[-1]) for r in runs)
        if told != (ended, len(runs)) or len(runs) - ended > 1:
            return False
    return True


CHECKS: dict[str, Check] = {
    "place-among-starts": place_among_starts,
    "symmetry": symmetry,
    "spread": spread,
}
"""Checks by the name of their rule."""
