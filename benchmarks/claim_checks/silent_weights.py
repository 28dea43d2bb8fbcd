"""Checks of rules on weights that no gradient ever reaches, and on dead units."""

from __future__ import annotations

import numpy as np
import stock
import torch

from claim_checks.losses import above_floor, floor_of
from claim_checks.parameters import (
    layer_positions,
    parameter_names,
    unit_name,
    untouched_parameters,
)
from claim_checks.reading import stated
from claim_checks.seen import Check, Seen, other_starts
from labreport.analysis.observation import Observation, Subject
from labreport.runs.run import Run


def dead_units(run: Run) -> set[str]:
    """Return ReLU units with sums of at most 0 at the start, into which no gradient ever comes."""
    found = set()
    for layer, (sums, _) in enumerate(stock.passes(run.config, run.trace.weights[0])):
        if run.config.network.activations[layer] != "relu":
            continue
        weights, _ = layer_positions(run.config)[layer]
        for unit in range(len(weights)):
            quiet = (run.trace.gradients[:, weights[unit]] == 0).all()
            if quiet and (sums[:, unit] <= 0).all():
                found.add(unit_name(run.config, layer, unit))
    return found


def level_units(run: Run) -> dict[str, bool]:
    """Return units of other activations that are level at the start, and whether they give 0."""
    ends = {"relu6": (0.0, 6.0), "hardtanh": (-1.0, 1.0), "hardsigmoid": (-3.0, 3.0)}
    found = {}
    for layer, (sums, made) in enumerate(stock.passes(run.config, run.trace.weights[0])):
        low, high = ends.get(run.config.network.activations[layer], (-np.inf, np.inf))
        weights, _ = layer_positions(run.config)[layer]
        for unit in range(len(weights)):
            quiet = (run.trace.gradients[:, weights[unit]] == 0).all()
            if quiet and ((sums[:, unit] <= low) | (sums[:, unit] >= high)).all():
                gives_zero = bool((made[:, unit] == 0).all() and (sums[:, unit] <= low).all())
                found[unit_name(run.config, layer, unit)] = gives_zero
    return found


def silent_weights(seen: Seen, observation: Observation) -> bool:
    """Check that these parameters never get a gradient, for the reason that is told."""
    names = set(stated(observation, "names"))
    return all(
        names <= untouched_parameters(run)
        and stated(observation, "count") == len(names)
        and stated(observation, "total") == len(parameter_names(run.config))
        and stated(observation, "rounds") == run.trace.rounds
        and _is_cause(run, observation.form, set(stated(observation, "units")), names)
        for run in seen.runs(observation.facts["subject"])
    )


def nothing_moves(seen: Seen, observation: Observation) -> bool:
    """Check that no parameter of these runs is ever updated, though the loss could be lower."""
    return all(
        untouched_parameters(run) == set(parameter_names(run.config))
        and run.trace.rounds > 0
        and (floor_of(run.config) is None or above_floor(run, 0) > 0)
        for run in seen.runs(observation.facts["subjects"])
    )


def _is_cause(run: Run, form: str, units: set[str], names: set[str]) -> bool:
    """Check that the cause is there, and explains each of these parameters."""
    ends: dict[str, set[str]] = {name: set() for name in parameter_names(run.config)}
    stored = parameter_names(run.config)
    for layer, (weights, biases) in enumerate(layer_positions(run.config)):
        for unit in range(len(weights)):
            target = unit_name(run.config, layer, unit)
            for source, place in enumerate(weights[unit]):
                before = (
                    f"x{source + 1}" if layer == 0 else unit_name(run.config, layer - 1, source)
                )
                ends[stored[place]] = {before, target}
            if len(biases):
                ends[stored[biases[unit]]] = {target}
    touched = all(ends[name] & units for name in names)
    if form == "dead":
        return dead_units(run) == units and touched
    if form == "flat":
        level = level_units(run)
        out_of = {unit for unit, gives_zero in level.items() if gives_zero}
        into = {n: {t for t in e if not t.startswith("x")} for n, e in ends.items()}
        return level.keys() == units and all(into[n] & units or ends[n] & out_of for n in names)
    if form == "saturated":
        into = {n: {t for t in e if not t.startswith("x")} for n, e in ends.items()}
        return units == _rounded_units(run) and all(into[n] & units for n in names)
    if form == "input":
        inputs = np.array(run.config.data.inputs)
        zero = {f"x{k + 1}" for k in np.flatnonzero((inputs == 0).all(axis=0))}
        hidden = {u for u in units if not u.startswith("x")}
        return {u for u in units if u.startswith("x")} <= zero and touched and hidden <= _zero(run)
    return touched if form == "blocked" else not units and form in ("", "rows")


def _rounded_units(run: Run) -> set[str]:
    """Return units whose derivative is exactly 0 for every row, in the precision of the run."""
    dtype = getattr(torch, run.config.dtype)
    found = set()
    for layer, (sums, _) in enumerate(stock.passes(run.config, run.trace.weights[0])):
        name = run.config.network.activations[layer]
        if name not in ("tanh", "sigmoid"):
            continue
        with torch.enable_grad():
            at = torch.tensor(sums, dtype=dtype, requires_grad=True)
            (slope,) = torch.autograd.grad(getattr(torch, name)(at).sum(), at)
        weights, _ = layer_positions(run.config)[layer]
        quiet = [(run.trace.gradients[:, places] == 0).all() for places in weights]
        level = (slope == 0).all(dim=0).tolist()
        found |= {unit_name(run.config, layer, u) for u in np.flatnonzero(np.array(level) & quiet)}
    return found


def _zero(run: Run) -> set[str]:
    """Return the units that give exactly 0 for every row before training."""
    return {
        unit_name(run.config, layer, unit)
        for layer, (_, made) in enumerate(stock.passes(run.config, run.trace.weights[0]))
        for unit in np.flatnonzero((made == 0).all(axis=0))
    }


def revived(seen: Seen, observation: Observation) -> bool:
    """Check from how many of the random starts no unit is dead in the end."""
    counted = stated(observation, "count")
    for run in seen.runs(observation.facts["subject"]):
        starts = other_starts(seen, run)
        # A start that ended early was not trained for so many rounds.
        there = [s for s in starts.values() if s.trace.ending.kind == "completed"][:counted]
        dead = sum(has_dead_unit(s) for s in there)
        form = "none" if dead == counted else "some" if dead else "all"
        told = stated(observation, "dead"), stated(observation, "rounds")
        if len(there) != counted or told != (dead, run.trace.rounds) or form != observation.form:
            return False
        if dead_units(run) != set(stated(observation, "units")):
            return False
    return True


def has_dead_unit(run: Run) -> bool:
    """Check that a ReLU unit gives 0 for every row after training."""
    if not len(run.trace.weights):
        return False
    layers = zip(
        run.config.network.activations,
        stock.passes(run.config, run.trace.weights[-1]),
        strict=True,
    )
    return any(name == "relu" and bool((sums <= 0).all(axis=0).any()) for name, (sums, _) in layers)


def dead_values(seen: Seen, observation: Observation) -> bool:
    """Check from which value on a layer with ReLU gives 0 for every row, by torch's own layers."""
    budget, start = stated(observation, "budget"), observation.facts["start"]
    assert isinstance(start, Subject)
    ((_, first),) = start.point
    for layer, name in enumerate(seen.pairs[0][1].config.network.activations[:-1]):
        if name != "relu":
            continue
        dead = {}
        for trial, run in seen.pairs:
            weights = run.trace.weights_at(budget)
            assert weights is not None
            sums, _ = list(stock.passes(run.config, weights))[layer]
            dead[trial.point[0][1]] = bool((sums <= 0).all())
        if all(is_dead == (value >= first) for value, is_dead in dead.items()):
            return stated(observation, "count") == seen.pairs[0][1].config.network.layers[layer + 1]
    return False


CHECKS: dict[str, Check] = {
    "dead-values": dead_values,
    "nothing-moves": nothing_moves,
    "silent-weights": silent_weights,
    "revived": revived,
}
"""Checks by the name of their rule."""
