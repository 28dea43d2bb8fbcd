"""Checks of rules on gradients: by layer, of saturated units, and of runs that are stuck."""

from __future__ import annotations

import numpy as np
import stock

from claim_checks.losses import (
    above_floor,
    floor_of,
    floor_tolerance,
    gradient_norms,
    has_reached,
    loss_at,
    lowest_loss_of,
    rounding_of,
)
from claim_checks.parameters import layer_positions
from claim_checks.reading import RELATIVE, listed, near, stated, subjects_of, value
from claim_checks.seen import (
    Check,
    Seen,
    continued,
    roundings,
    runs_at_points,
)
from labreport.analysis.observation import Number, Observation, With
from labreport.runs.run import Run


def stays_there(seen: Seen, run: Run, budget: int, rounds: int, share: float = 0.01) -> bool:
    """Check that the run continued for so many rounds keeps its loss to the end."""
    longer = continued(seen, run, rounds)
    if longer is None or len(longer.losses) != rounds + 1:
        return False
    rest = longer.losses[budget:].astype(float)
    far = float(np.abs(rest[np.isfinite(rest)] - loss_at(run, budget)).max())
    room = floor_tolerance(run) if share == 0.01 else 0.0
    return far <= share * above_floor(run, budget) * (1 + RELATIVE) + room


def stands_still(run: Run, budget: int, allowed: float = 0.02) -> bool:
    """Check that the loss has hardly changed in the second half, whenever one looks."""
    half = run.losses[budget // 2 : budget + 1].astype(float)
    return bool(
        np.ptp(half)
        <= allowed * max(above_floor(run, budget), rounding_of(run)) + floor_tolerance(run)
    )


def is_stuck(run: Run, budget: int, swing: float = 0.02) -> bool:
    """Check that a run is far from the floor and hardly changes, with a vanished gradient.

    With mini-batches nobody knows of each step how far.
    """
    if not run.config.data.sees_all_rows:
        return False
    norms = gradient_norms(run)
    # Where there never was a gradient, none has vanished.
    return (
        norms.max() > 0
        and above_floor(run, budget)
        > max(0.01 * above_floor(run, 0) * (1 - RELATIVE), floor_tolerance(run))
        and norms[budget] <= 0.01 * norms.max() * (1 + RELATIVE)
        and bool(np.isfinite(norms).all())
        and stands_still(run, budget, swing)
    )


def could_do_better(seen: Seen, run: Run, budget: int, lead: float = 0.99) -> bool:
    """Check that the network is known to get lower: always with one row, else by another run.

    Not if weights are to be small as well.
    """
    if run.config.flat().get("optimizer.weight_decay"):
        return False
    if len(run.config.data.inputs) == 1:
        return True
    own = (run.config.network, run.config.loss, run.config.data)
    for _, other in seen.pairs:
        alike = (other.config.network, other.config.loss, other.config.data) == own
        low = floor_of(run.config) or 0.0
        lowest = lowest_loss_of(other)
        if alike and float(lowest) - low < lead * above_floor(run, budget):
            return True
    return False


def stuck(seen: Seen, observation: Observation) -> bool:
    """Check that a run is stuck where the sentence says so, with its numbers."""
    budget = stated(observation, "budget")
    for run in seen.runs(observation.facts["subject"]):
        norms, low = gradient_norms(run), floor_of(run.config)
        numbers = (
            stated(observation, "loss") == loss_at(run, budget)
            and low is not None
            and near(stated(observation, "floor"), low, 1e-6)
            and near(stated(observation, "norm"), norms[budget])
            and near(stated(observation, "largest"), norms.max())
        )
        if not (numbers and is_stuck_in_every_rounding(seen, run, budget)):
            return False
        if observation.form.endswith("longer") and not stays_there(
            seen, run, budget, stated(observation, "longer")
        ):
            return False
        if observation.form.startswith("rows"):
            told = observation.facts["better"]
            assert isinstance(told, With)
            lowest = min(lowest_loss_of(r) for r in seen.all_of(told.what))
            if value(told.detail) != lowest:
                return False
        if observation.form.startswith("sigmoid"):
            outputs = run.trace.outputs_at(budget)
            assert outputs is not None
            wide = outputs.astype(float).ravel()
            told = [value(n) for n in listed(observation, "outputs")]
            if told != wide.tolist() or not near(
                stated(observation, "slope"), float((wide * (1 - wide)).max())
            ):
                return False
    return True


def stuck_points(seen: Seen, observation: Observation) -> bool:
    """Check that the runs at these points of a sweep are stuck."""
    budget = stated(observation, "budget")
    everywhere = [run for members in seen.swept.values() for _, run in members]
    told = runs_at_points(seen, observation.facts["subjects"])
    stopped = all(is_stuck_in_every_rounding(seen, run, budget) for run in told)
    if observation.form == "longer":
        rounds = stated(observation, "longer")
        stopped = stopped and all(_stays_for(seen, run, budget, rounds) for run in told)
    count, lowest = stated(observation, "count"), min(loss_at(run, budget) for run in told)
    return (
        stopped
        and stated(observation, "total") == len(everywhere)
        and (count > len(told) if observation.form == "more" else count == len(told))
        and (stated(observation, "lowest") <= lowest)
        and (observation.form == "more" or stated(observation, "lowest") == lowest)
    )


def is_stuck_in_every_rounding(
    seen: Seen, run: Run, budget: int, swing: float = 0.02, lead: float = 0.99
) -> bool:
    """Check that a run is stuck, could do better, and stands still however it is rounded.

    Rprop moves by the sign of a gradient, and a momentum above 1 without any; whoever divides by
    the size of past gradients may move again when these are forgotten.
    """
    settings = run.config.flat()
    if run.config.optimizer.name == "rprop" or (settings.get("optimizer.momentum") or 0) > 1:
        return False
    fades = run.config.optimizer.name not in ("sgd", "asgd", "adagrad")
    if fades:
        gradient = np.abs(run.trace.gradients[budget].astype(float)).max()
        rate, least = settings["optimizer.learning_rate"], settings["optimizer.eps"]
        if rate * gradient / least * 1000 * run.config.rounds > 0.0101:
            return False
    return (
        is_stuck(run, budget, swing)
        and could_do_better(seen, run, budget, lead)
        and all(
            has_reached(r, budget) and stands_still(r, budget, swing) for r in roundings(seen, run)
        )
    )


def _stays_for(seen: Seen, run: Run, budget: int, rounds: int) -> bool:
    """Check that a run keeps its loss when it is continued for at least so many rounds."""
    all_of_them = {r.config.rounds for r in seen.controls.values() if r.config.rounds >= rounds}
    return any(stays_there(seen, run, budget, longer) for longer in sorted(all_of_them))


def count_saturated(run: Run, step: int) -> tuple[int, int]:
    """Return how many pairs of a hidden unit and a row are nearly flat, of how many."""
    flat = total = 0
    weights = run.trace.weights_at(step)
    assert weights is not None
    names = run.config.network.activations
    layers = list(stock.passes(run.config, weights))[:-1]
    for name, (sums, _) in zip(names, layers, strict=False):
        if name in ("sigmoid", "tanh"):
            half = np.abs(sums) / (2 if name == "sigmoid" else 1)
            with np.errstate(over="ignore"):
                share = 1 / np.cosh(half) ** 2
            flat += int((share < 0.01).sum())
            total += share.size
    return flat, total


def saturated_units(seen: Seen, observation: Observation) -> bool:
    """Check how many hidden units are saturated, at the start and at the end."""
    budget = stated(observation, "budget")
    for run in seen.runs(observation.facts["subject"]):
        (flat, total), (before, _) = count_saturated(run, budget), count_saturated(run, 0)
        said = observation.facts["saturated"]
        if (said.value, said.total) != (flat, total):
            return False
        if not near(stated(observation, "share"), flat / total) or flat / total < 0.25:
            return False
        if not near(stated(observation, "start"), before / total):
            return False
    return True


def layer_gradients(seen: Seen, observation: Observation) -> bool:
    """Check that gradients vanish or explode from layer to layer at the start."""
    for run in seen.runs(observation.facts["subject"]):
        # In long double, whose range no square of a number of these leaves.
        gradient = run.trace.gradients[0].astype(np.longdouble)
        sizes_of = [
            float(np.sqrt(np.mean(gradient[[*w.ravel(), *b]] ** 2)))
            for w, b in layer_positions(run.config)
        ]
        told = [value(n) for n in listed(observation, "layers") if isinstance(n, Number)]
        # Of many layers the first and the last ones are told.
        ends = sizes_of
        if len(told) < len(sizes_of):
            ends = [*sizes_of[: len(told) // 2], *sizes_of[-(len(told) - len(told) // 2) :]]
        if not all(near(a, b) for a, b in zip(told, ends, strict=True)):
            return False
        first, last = sizes_of[0], sizes_of[-1]
        times = last / first if observation.form == "vanishing" else first / last
        if not near(stated(observation, "times"), times) or times < 10 * (1 - RELATIVE):
            return False
    return True


def layer_gradients_starts(seen: Seen, observation: Observation) -> bool:
    """Check by how many times gradients differ between the ends of the network, start by start."""
    names = [s.variant for s in subjects_of(observation.facts["subject"])]
    return all(_differ_by_layer(seen, name, observation) for name in names)


def _differ_by_layer(seen: Seen, name: str, observation: Observation) -> bool:
    times = []
    for _, run in seen.variants[name]:
        recorded = run.trace.gradients_at(0)
        if recorded is None:  # A run that ended before its first update has none.
            continue
        gradient = recorded.astype(np.longdouble)
        ends = [layer_positions(run.config)[k] for k in (0, -1)]
        first, last = (np.sqrt(np.mean(gradient[[*w.ravel(), *b]] ** 2)) for w, b in ends)
        if first and last:
            times.append(float(last / first))
    found = np.array(times) if observation.form != "exploding" else 1 / np.array(times)
    middle = float(np.median(found))
    told = [stated(observation, k) for k in ("times", "least", "most")]
    within = middle < 10 * (1 + 1e-3) and float(np.median(1 / found)) < 10 * (1 + 1e-3)
    return (
        stated(observation, "count") == len(times) >= 10
        and all(map(near, told, (middle, found.min(), found.max())))
        and (within if observation.form == "level" else middle >= 10 * (1 - RELATIVE))
    )


CHECKS: dict[str, Check] = {
    "layer-gradients-starts": layer_gradients_starts,
    "stuck": stuck,
    "stuck-points": stuck_points,
    "saturated-units": saturated_units,
    "layer-gradients": layer_gradients,
}
"""Checks by the name of their rule."""
