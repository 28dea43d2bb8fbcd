"""Checks of rules on the way of the weights and the lowest loss on it."""

from __future__ import annotations

import numpy as np

from claim_checks.gradients import stays_there
from claim_checks.losses import above_floor, floor_tolerance, loss_at
from claim_checks.reading import RELATIVE, can_move, near, stated
from claim_checks.seen import Check, Seen, continued
from labreport.analysis.observation import Observation
from labreport.runs.run import Run


def frozen(seen: Seen, observation: Observation) -> bool:
    """Check that the weights never move, though there is a gradient."""
    for run in seen.runs(observation.facts["subject"]):
        trace = run.trace
        still = all(np.array_equal(step, trace.weights[0]) for step in trace.weights)
        norm = float(np.sqrt(sum(float(g) ** 2 for g in trace.gradients[0])))
        holds = still and bool(trace.gradients.any()) and near(stated(observation, "norm"), norm)
        holds = holds and stated(observation, "rounds") == len(trace.losses) - 1
        holds = holds and observation.form == _why_frozen(run)
        if observation.form == "copies-gathered":
            gathered = trace.gradients[:-1].astype(float).sum(axis=0)
            length = float(np.sqrt((gathered**2).sum()))
            holds = holds and near(stated(observation, "gathered"), length)
        if not (holds and stated(observation, "value") == run.losses[-1]):
            return False
    return True


def _why_frozen(run: Run) -> str:
    """Return the form of the sentence on weights that never move."""
    if run.config.updates == "discarded":
        return "copies-gathered" if run.config.gradients == "accumulated" else "copies"
    return "" if can_move(run.config) else "rate"


def overshoot(seen: Seen, observation: Observation) -> bool:
    """Check that the loss was much lower before than it is at the end."""
    budget, best = stated(observation, "budget"), stated(observation, "updates")
    rounds = stated(observation, "longer") if observation.form == "stays" else None
    return all(
        stated(observation, "lowest") == loss_at(run, best) == run.losses[: budget + 1].min()
        and best < budget
        and best == int(np.argmin(run.losses[: budget + 1]))
        and stated(observation, "final") == loss_at(run, budget) > loss_at(run, best)
        and above_floor(run, budget) > 1.5 * above_floor(run, best) - floor_tolerance(run)
        and (rounds is None or stays_there(seen, run, budget, rounds))
        and (observation.form != "swings" or _comes_lower(seen, observation, run))
        for run in seen.runs(observation.facts["subject"])
    )


def _comes_lower(seen: Seen, observation: Observation, run: Run) -> bool:
    """Check that a run comes much lower than its lowest loss when it is trained for longer."""
    there = continued(seen, run, stated(observation, "longer"))
    if there is None:
        return False
    low = loss_at(run, stated(observation, "updates"))
    return low > float(np.nanmin(there.losses[stated(observation, "budget") :]))


def path(seen: Seen, observation: Observation) -> bool:
    """Check how much longer the way of the weights is than the straight line."""
    budget = stated(observation, "budget")

    def walked(run: Run) -> tuple[float, float, int]:
        weights = run.trace.weights[: budget + 1].astype(float)
        steps = np.diff(weights, axis=0)
        lengths = np.sqrt((steps**2).sum(axis=1))
        back = (steps[:-1] * steps[1:]).sum(axis=1) < 0
        distance = float(np.sqrt(((weights[-1] - weights[0]) ** 2).sum()))
        return float(lengths.sum()), distance, int(back.sum())

    if observation.form == "straight":
        ratios = {name: w[0] / w[1] for name, r in seen.singles.items() if (w := walked(r))[1]}
        longest = walked(seen.run(observation.facts["subject"]))
        return (
            near(stated(observation, "ratio"), longest[0] / longest[1])
            and max(ratios.values()) <= stated(observation, "ratio") * (1 + RELATIVE)
            and stated(observation, "ratio") <= 1.05 * (1 + RELATIVE)
            # Of all variants.
            and stated(observation, "count") == len(seen.variants)
        )
    for run in seen.runs(observation.facts["subject"]):
        length, distance, turns = walked(run)
        said = stated(observation, "turns")
        # Turns of steps that are nothing but rounding are not counted.
        if not (near(stated(observation, "length"), length) and said <= turns):
            return False
        if not near(stated(observation, "distance"), distance) or length < 1.5 * distance * (
            1 - 1e-9
        ):
            return False
        if not near(stated(observation, "ratio"), length / distance):
            return False
    return True


CHECKS: dict[str, Check] = {
    "frozen": frozen,
    "overshoot": overshoot,
    "path": path,
}
"""Checks by the name of their rule."""
