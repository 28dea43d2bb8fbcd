"""Checks of rules on gradient checks and on formulas of the lab."""

from __future__ import annotations

from itertools import pairwise
from math import isclose
from typing import Any

import numpy as np
import stock

from claim_checks.parameters import parameter_names
from claim_checks.reading import listed, near, stated, value
from claim_checks.seen import Check, Seen
from labreport.analysis.observation import Observation
from labreport.runs.run import Run


def formula_named(seen: Seen, wording: Any) -> Any:
    """Return the formula of the experiment that is called so."""
    return next(
        f
        for f in seen.plan.experiment.formula
        if (f.label.within("en") if f.label else f.name) == wording.en
    )


def rewrite_by_formula(run: Run, formula: Any) -> stock.Rewrite:
    """Return a rewriting of gradients by a formula of the lab.

    The labs drawn use d_w…, x… and numbers.
    """
    names = parameter_names(run.config)
    # NumPy's numbers: what is divided by 0 is infinite, or no number.
    inputs = {f"x{k}": np.float64(v) for k, v in enumerate(run.config.data.inputs[0], 1)}

    def rewrite(weights: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        known = {f"d_{n}": np.float64(g) for n, g in zip(names, gradient, strict=True)}
        changed = gradient.copy()
        for name, text in formula.derivatives.items():
            changed[names.index(name)] = eval(text, {"__builtins__": {}}, {**known, **inputs})
        return changed

    return rewrite


def retrained(seen: Seen, formula: Any | None) -> stock.Told:
    """Train the one run again in double precision, by a formula or by the chain rule."""
    ((_, run),) = seen.pairs
    rewrite = None if formula is None else rewrite_by_formula(run, formula)
    start = run.trace.weights[0]
    return stock.train(run.config, start, run.trace.rounds, "float64", rewrite)


def gradient_tolerance(run: Run) -> float:
    """Return how far gradients may be apart in the precision of a run."""
    return 1e-6 if run.config.dtype == "float64" else 1e-3


def gradients_agree(seen: Seen, observation: Observation) -> bool:
    """Check that stored gradients are those of autograd, as far as is said."""
    ((_, run),) = seen.pairs
    counted = stated(observation, "rounds") <= len(run.losses)
    counted = counted and stated(observation, "count") == len(parameter_names(run.config))
    far = []
    for weights, gradient in zip(run.trace.weights, run.trace.gradients, strict=True):
        truth = stock.train(run.config, weights, 0, "float64").gradients[0]
        scale = max(1.0, float(np.abs(truth).max()), float(np.abs(weights).max()))
        *_, (_, outputs) = stock.passes(run.config, weights)
        # Derivatives are sums of such products, which may cancel.
        scale *= max(1.0, _slope_by_outputs(run, outputs))
        if run.config.loss == "bce":
            # Next to 0 and 1 its derivative by an output is 1 / (o (1 − o)), and so its rounding.
            scale /= max(float((outputs * (1 - outputs)).min()), 1e-12)
        far.append(float(np.abs(truth - gradient).max()) / scale)
    if observation.form == "":
        return counted and max(far) <= gradient_tolerance(run)
    # What is apart is by hand or by differences from autograd, not autograd from itself.
    return counted and max(stated(observation, "hand"), stated(observation, "differences")) > 0


def _slope_by_outputs(run: Run, outputs: Any) -> float:
    """Return the largest derivative of the loss by an output."""
    moved = stock.torch.tensor(np.asarray(outputs), dtype=stock.torch.float64, requires_grad=True)
    wanted = stock.torch.tensor(run.config.data.targets, dtype=stock.torch.float64)
    stock.LOSSES[run.config.loss]()(moved, wanted).backward()
    return float(moved.grad.abs().max())


def clamped_gradients(seen: Seen, observation: Observation) -> bool:
    """Check that autograd is off the derivative where a unit's output is at its end."""
    ((_, run),) = seen.pairs
    step, (name,) = int(stated(observation, "round")) - 1, stated(observation, "weight")
    index = parameter_names(run.config).index(name)
    told = float(run.trace.gradients[step, index])
    by_differences = slope_with_logits(run, step, index)
    right = stated(observation, "right")
    return (
        stated(observation, "made") == told
        and abs(told - right) > 1e-5 * abs(right)
        and (by_differences is None or near(by_differences, right, 1e-2))
        and 0 < stated(observation, "count") <= stated(observation, "total") == len(run.losses)
    )


def slope_with_logits(run: Run, step: int, index: int) -> float | None:
    """Return the derivative by one weight, of binary cross entropy with logits; else None."""
    config = run.config
    if config.loss != "bce" or config.network.activations[-1] != "sigmoid":
        return None
    layers = [*config.network.activations[:-1], "identity"]
    network = config.network.model_copy(update={"activations": tuple(layers)})
    plain = config.model_copy(update={"loss": "bce_with_logits", "network": network})
    found = stock.train(plain, run.trace.weights[step], 0, "float64").gradients[0]
    return float(found[index])


def open_formula(seen: Seen, observation: Observation) -> bool:
    """Check that the derivatives a formula replaces are next to nothing beside their terms."""
    ((_, run),) = seen.pairs
    formula = formula_named(seen, observation.facts["label"])
    unseen = stated(observation, "weights")
    places = [parameter_names(run.config).index(name) for name in unseen]
    largest = float(np.abs(run.trace.gradients[:, places]).max(initial=0.0))
    whole = max(1.0, float(np.abs(run.trace.weights).max()))
    return (
        set(unseen) <= set(formula.derivatives)
        and stated(observation, "count") == len(unseen)
        and largest <= 1e-6 * whole
    )


LEAST_DERIVATIVE = 1e-60
"""Of smaller derivatives autograd knows no digit."""


def wrong_formula(seen: Seen, observation: Observation) -> bool:
    """Check that a formula gives another derivative than autograd in the round told."""
    ((_, run),) = seen.pairs
    formula = formula_named(seen, observation.facts["label"])
    step = stated(observation, "round") - 1
    (name,) = stated(observation, "weight")
    position = parameter_names(run.config).index(name)
    told = stock.train(run.config, run.trace.weights[step], 0, "float64").gradients[0]
    made = rewrite_by_formula(run, formula)(run.trace.weights[step], told)[position]
    right = float(told[position])
    # Of a sum that cancels, rounding is left; of one of numbers about 1, that of these.
    room = 1e-12 * float(np.abs(told).max()) + 1e-15
    reason = observation.form != "" or (
        formula.reason.within("en") == observation.facts["reason"].en
    )
    if abs(right) < LEAST_DERIVATIVE:
        # Of so small a number autograd knows no digit: the factor 1 − σ is rounded to 0 before.
        return bool(reason and abs(stated(observation, "right")) <= room)
    return bool(
        reason
        and isclose(stated(observation, "right"), right, rel_tol=1e-3, abs_tol=room)
        and (
            near(stated(observation, "made"), made, 1e-5)
            or not np.isfinite([stated(observation, "made"), made]).any()
        )
        and not isclose(made, right, rel_tol=1e-7)
    )


def right_formula(seen: Seen, observation: Observation) -> bool:
    """Check that formulas are right, and others wrong, as they are told."""
    ((_, run),) = seen.pairs
    labels, wrong = observation.facts.get("labels", ()), observation.facts.get("wrong", ())
    assert isinstance(labels, tuple)
    assert isinstance(wrong, tuple)
    told = (stated(observation, "count"), stated(observation, "total"))
    return (
        told == (len(labels), len(labels) + len(wrong))
        and all(_is_right(run, formula_named(seen, label)) for label in labels)
        and all(_is_wrong(run, formula_named(seen, label)) for label in wrong)
    )


def _is_wrong(run: Run, formula: Any) -> bool:
    """Check that a formula gives other derivatives than autograd somewhere on the way."""
    replaced = [parameter_names(run.config).index(name) for name in formula.derivatives]
    for weights in run.trace.weights:
        truth = stock.train(run.config, weights, 0, "float64").gradients[0]
        made = rewrite_by_formula(run, formula)(weights, truth)
        if not np.allclose(made[replaced], truth[replaced], rtol=1e-9, atol=0):
            return True
        if (np.abs(truth[replaced]) < LEAST_DERIVATIVE).any():
            return True
    return False


def _is_right(run: Run, formula: Any) -> bool:
    """Check that a formula gives the derivatives that it replaces where these are largest."""
    replaced = [parameter_names(run.config).index(name) for name in formula.derivatives]
    step = int(np.abs(run.trace.gradients[:, replaced]).max(axis=1).argmax())
    truth = stock.train(run.config, run.trace.weights[step], 0, "float64").gradients[0]
    made = rewrite_by_formula(run, formula)(run.trace.weights[step], truth)
    return bool(np.allclose(made[replaced], truth[replaced], rtol=1e-2))


def falling_loss(seen: Seen, observation: Observation) -> bool:
    """Check that the loss falls with each formula too, and how far."""
    truth = retrained(seen, None)
    right = float(truth.losses[-1])
    holds = near(stated(observation, "right"), right, 1e-4)
    lower = {w.en for w in observation.facts.get("lower", ())}
    for told in listed(observation, "losses"):
        losses = retrained(seen, formula_named(seen, told.what)).losses
        holds = holds and len(losses) == stated(observation, "budget") + 1
        holds = holds and all(b < a + 1e-12 for a, b in pairwise(losses))
        holds = holds and near(value(told.detail), losses[-1], 1e-4)
        ahead = right - losses[-1] - 1e-3 * abs(truth.losses[0])
        holds = holds and (told.what.en in lower) == (ahead > 0 or abs(ahead) < 1e-9)
    return holds


def shown_decimals(seen: Seen, observation: Observation) -> bool:
    """Check in which round two decimals first show that a formula is wrong."""
    truth = retrained(seen, None).gradients

    def first(wording: Any) -> int | None:
        made = retrained(seen, formula_named(seen, wording)).gradients
        for k, (one, other) in enumerate(zip(made, truth, strict=False), 1):
            # A number half-way between two printed ones is either.
            halfway = [abs(v * 100 % 1 - 0.5) < 1e-6 for v in (one, other)]
            differ = (np.round(one, 2) != np.round(other, 2)) & ~np.logical_or(*halfway)
            if (differ | (np.abs(one - other) > 0.0101)).any():
                return k
        return None if len(made) == len(truth) else min(len(made), len(truth)) + 1

    # From where on a clamp of torch makes autograd's gradient 0, it is no measure.
    clamped = next((k for k, each in enumerate(truth, 1) if not np.any(each)), len(truth) + 1)
    shown = all(
        value(w.detail) == first(w.what) or value(w.detail) >= clamped
        for w in observation.facts.get("shown", ())
    )
    return shown and all(first(w) is None for w in observation.facts.get("hidden", ()))


CHECKS: dict[str, Check] = {
    "falling-loss": falling_loss,
    "gradients-agree": gradients_agree,
    "shown-decimals": shown_decimals,
    "wrong-formula": wrong_formula,
    "right-formula": right_formula,
    "clamped-gradients": clamped_gradients,
    "open-formula": open_formula,
}
"""Checks by the name of their rule."""
