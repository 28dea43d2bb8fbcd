"""Checks of rules on runs that are the same to the last bit."""

from __future__ import annotations

import numpy as np
import stock

from claim_checks.reading import listed, stated
from claim_checks.seen import Check, Seen, controls_like
from labreport.analysis.observation import Observation
from labreport.runs.run import Run


def same_bits(one: Run, other: Run) -> bool:
    """Check that losses and weights of two runs are the same to the last bit."""
    return np.array_equal(one.trace.losses, other.trace.losses) and np.array_equal(
        one.trace.weights, other.trace.weights
    )


def coincide(seen: Seen, observation: Observation) -> bool:
    """Check that runs of different settings coincide to the last bit."""
    if observation.form == "same":
        # Variants that are names for one training may each be several runs.
        alike = [[r.config.digest for r in seen.all_of(s)] for s in listed(observation, "subjects")]
        return len(alike) > 1 and all(one == alike[0] for one in alike)
    named = ("subjects",) if not observation.form else ("subject", "other")
    first, *others = (run for name in named for run in seen.runs(observation.facts[name]))
    return (
        all(same_bits(first, r) and r.trace.is_whole for r in others)
        and any(first.config.digest != r.config.digest for r in others)
        and stated(observation, "rounds") == first.trace.rounds
        and np.ptp(first.trace.weights, axis=0).any()
        and (
            observation.form != "key" or _one_change(first, others[0], stated(observation, "keys"))
        )
        and (observation.form != "momentum" or _summed(first, others[0]))
    )


def _one_change(one: Run, other: Run, keys: tuple[str, ...]) -> bool:
    """Check that two configurations differ in what this key brings along, and in nothing else."""
    (key,) = keys
    a, b = one.config.flat(), other.config.flat()
    differ = {k for k in {*a, *b} if a.get(k) != b.get(k)}
    table = f"{key.split('.')[0]}." if key in ("optimizer.name", "initial.scheme") else key
    return key in differ and all(k.startswith(table) for k in differ)


def _summed(one: Run, other: Run) -> bool:
    """Check that one run never clears its gradients where the other has a momentum of 1."""
    a, b = one.config.flat(), other.config.flat()
    differ = {k for k in {*a, *b} if a.get(k) != b.get(k)}
    gradients = (a["gradients"], b["gradients"]) == ("accumulated", "cleared")
    momenta = (a["optimizer.momentum"], b["optimizer.momentum"]) == (0, 1)
    plain = a["optimizer.name"] == "sgd" and not b["optimizer.dampening"]
    allowed = {"gradients", "optimizer.momentum", "optimizer.dampening"}
    return gradients and momenta and plain and differ <= allowed


def undamped(seen: Seen, observation: Observation) -> bool:
    """Check that a control with a momentum of 1 is the same run as one without clearing."""
    for run in seen.runs(observation.facts["subject"]):
        allowed = {"gradients", "optimizer.momentum", "optimizer.dampening"}
        made = controls_like(
            seen, run.config, allowed, gradients="cleared", optimizer__momentum=1.0
        )
        made = [c for c in made if not c.config.flat()["optimizer.dampening"]]
        if not made or not same_bits(run, made[0]):
            return False
        if (
            run.config.gradients != "accumulated"
            or stated(observation, "rounds") != run.trace.rounds
        ):
            return False
        if run.config.data.batch_size is None and seen.effort.worth("undamped"):
            few = min(3, run.trace.rounds)
            told = stock.train(made[0].config, run.trace.weights[0], few)
            if not np.allclose(told.losses, run.losses[: few + 1], rtol=1e-3):
                return False
    return True


CHECKS: dict[str, Check] = {
    "coincide": coincide,
    "undamped": undamped,
}
"""Checks by the name of their rule."""
