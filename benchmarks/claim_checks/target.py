"""Checks of rules on targets, floors and answers that cannot get better."""

from __future__ import annotations

import numpy as np
import stock

from claim_checks.losses import (
    floor_of,
    floor_tolerance,
    loss_at,
    lowest_loss_of,
    rounding_of,
)
from claim_checks.reading import RELATIVE, listed, near, stated, subjects_of
from claim_checks.seen import Check, Seen, controls_like
from labreport.analysis.observation import Observation
from labreport.runs.run import Run


def refused(seen: Seen, observation: Observation) -> bool:
    """Check that torch refuses the loss with the message that is told."""
    return all(
        run.trace.ending.kind == "refused"
        and stated(observation, "message") == run.trace.ending.message
        and stated(observation, "round") == len(run.losses) + 1
        and stated(observation, "loss") == run.config.loss
        and _refuses(run)
        and (observation.form != "target" or _is_no_probability(run, stated(observation, "target")))
        for run in seen.runs(observation.facts["subject"])
    )


def _is_no_probability(run: Run, target: float) -> bool:
    """Check that a target is one of the run's, and neither between 0 and 1 nor 0 or 1."""
    targets = [t for row in run.config.data.targets for t in row]
    return target in targets and not 0 <= target <= 1 and run.config.loss == "bce"


def _refuses(run: Run) -> bool:
    """Check that stock torch raises that error for these targets, or for outputs like these."""
    module = stock.LOSSES[run.config.loss]()
    targets = stock.torch.tensor(run.config.data.targets)
    fine = stock.torch.full_like(targets, 0.5)
    for outputs, wanted in ((fine, targets), (fine + 1.5, fine)):
        try:
            module(outputs, wanted)
        except (RuntimeError, ValueError) as error:
            if f"{type(error).__name__}: {error}" == run.trace.ending.message:
                return True
    return False


def constant_answer(seen: Seen, observation: Observation) -> bool:
    """Check that nothing can be learnt from a constant output, or from one class."""
    for subject in subjects_of(observation.facts["subject"]):
        for run in seen.all_of(subject):
            targets = np.array(run.config.data.targets)
            if observation.form == "one-class":
                if not (targets == targets[0]).all() or len(targets) != stated(observation, "rows"):
                    return False
            elif (
                run.config.network.layers[-1] != 1
                or run.trace.gradients.any()
                or (observation.form == "cross-entropy" and run.trace.losses.any())
            ):
                return False
    return True


def unbounded(seen: Seen, observation: Observation) -> bool:
    """Check that far enough out an output has a loss below any that was met."""
    budget = stated(observation, "budget")
    for run in seen.runs(observation.facts["subject"]):
        module, wanted = (
            stock.LOSSES[run.config.loss](),
            stock.torch.tensor(run.config.data.targets, dtype=stock.torch.float64),
        )
        activation = stock.MODULES[run.config.network.activations[-1]]()
        outputs = stock.torch.zeros_like(wanted)
        # Farther out than the run has come, by far: it may be one number of hundreds, and a leaky
        # unit leaves a hundredth of it.
        far = 1e9 * (1 + float(np.nanmax(np.abs(run.losses))))
        for place in np.ndindex(tuple(wanted.shape)):
            tried = []
            for sums in (-far, 0.0, far):
                outputs[place] = sums
                tried.append((float(module(activation(outputs), wanted)), sums))
            outputs[place] = min(tried)[1]
        lowest = float(module(activation(outputs), wanted))
        final = loss_at(run, budget)
        holds = lowest < -100 and lowest < lowest_loss_of(run)
        holds = holds and stated(observation, "value") == final
        holds = holds and stated(observation, "start") == run.losses[0]
        if not (holds and (observation.form == "negative") == (final < 0)):
            return False
    return True


def linear_reaches(seen: Seen, observation: Observation) -> bool:
    """Check that with a linear output the loss gets as low as is told."""
    budget, low = stated(observation, "budget"), stated(observation, "floor")
    if observation.form.startswith("base"):
        runs = [seen.pairs[0][1]]
    else:
        runs = [seen.run(subject) for subject in listed(observation, "subjects")]
    for run in runs:
        mine = floor_of(run.config)
        controls = controls_like(seen, run.config, {"network.activations"})
        linear_one = (*run.config.network.activations[:-1], "identity")
        controls = [c for c in controls if c.config.network.activations == linear_one]
        inside = stock.output_range(run.config.network.activations[-1])
        missed = [
            t for row in run.config.data.targets for t in row if not inside[0] <= t <= inside[1]
        ]
        if mine is None or not near(mine, low) or not missed or not controls:
            return False
        given, linear = loss_at(run, budget), loss_at(controls[0], budget)
        if observation.form.startswith("base") and (given, linear) != (
            stated(observation, "given"),
            stated(observation, "linear"),
        ):
            return False
        if (linear < low) == observation.form.endswith("open"):
            return False
        if seen.effort.worth("linear") and budget <= 60:
            # A few steps: wild settings magnify every rounding.
            # With mini-batches an update sees some rows only: of the start alone all are known.
            few = 0 if controls[0].config.data.batch_size else min(budget, 1)
            again = stock.train(controls[0].config, controls[0].trace.weights[0], few)
            kept = controls[0].losses[: len(again.losses)]
            if not np.allclose(again.losses[: len(kept)], kept, rtol=1e-2):
                return False
    return True


def unreachable_target(seen: Seen, observation: Observation) -> bool:
    """Check that the range of the last activation keeps a target out of reach."""
    based = observation.form.startswith("base")
    runs = [seen.pairs[0][1]] if based else seen.runs(observation.facts["subjects"])
    for run in runs:
        activation = run.config.network.activations[-1]
        low, high = stock.output_range(activation)
        (name,) = stated(observation, "unit")
        unit = int(name[1:]) - 1
        target, mine = stated(observation, "target"), floor_of(run.config)
        said = (stated(observation, "low"), stated(observation, "high"))
        outputs = run.trace.outputs
        floor_holds = not len(run.losses) or (
            mine is not None and lowest_loss_of(run) >= mine - floor_tolerance(run)
        )
        holds = (
            stated(observation, "activation") == activation
            and stated(observation, "loss") == run.config.loss
            and any(row[unit] == target for row in run.config.data.targets)
            and not low - 1e-9 <= target <= high + 1e-9
            and all(a == b or abs(a - b) < 1e-6 for a, b in zip(said, (low, high), strict=True))
            and near(stated(observation, "nearest"), min(max(target, low), high), 1e-5)
            and mine is not None
            and near(stated(observation, "floor"), mine)
            and floor_holds
            and (observation.form.endswith("half") == (high == np.inf))
            and (not outputs.size or (outputs.min() >= low - 1e-6 and outputs.max() <= high + 1e-6))
        )
        if not holds:
            return False
    return True


def floor_above_zero(seen: Seen, observation: Observation) -> bool:
    """Check that the entropy of the targets is the floor, and whether it is reached."""
    for run in seen.runs(observation.facts["subject"]):
        targets = np.array(run.config.data.targets)
        budget, told = stated(observation, "budget"), stated(observation, "floor")
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.nan_to_num(targets * np.log(targets), nan=0.0)
            terms = terms + np.nan_to_num((1 - targets) * np.log(1 - targets), nan=0.0)
        as_target = stock.torch.tensor(targets)
        loss = float(stock.LOSSES[run.config.loss]()(as_target, as_target))
        distance = abs(loss_at(run, budget) - told)
        reached = distance <= rounding_of(run) * (1 + 1e-3)
        if not (near(told, -float(terms.mean())) and near(told, loss) and told > 0):
            return False
        if (
            stated(observation, "value") != loss_at(run, budget)
            or (observation.form == "reached") != reached
        ):
            return False
        if lowest_loss_of(run) < told - floor_tolerance(run):
            return False
    return True


def same_answer(seen: Seen, observation: Observation) -> bool:
    """Check that all rows get nearly the same outputs, though their targets differ."""
    budget = stated(observation, "budget")
    for run in seen.runs(observation.facts["subject"]):
        outputs = run.trace.outputs_at(budget)
        assert outputs is not None
        targets = np.array(run.config.data.targets)
        apart = float(np.ptp(outputs.astype(float), axis=0).max())
        wanted = float(np.ptp(targets, axis=0).max())
        holds = (
            stated(observation, "rows") == len(targets)
            and near(stated(observation, "apart"), apart)
            and near(stated(observation, "wanted"), wanted)
            and apart <= 0.05 * wanted * (1 + RELATIVE)
            and np.ptp(np.array(run.config.data.inputs), axis=0).any()
            and stated(observation, "loss") == loss_at(run, budget)
        )
        if observation.form:
            # One answer for all is no better anywhere near the one that is said to be best.
            best = stated(observation, "best")
            average = targets.mean(axis=0)
            answer = (
                np.log(np.maximum(average, 1e-300)) if observation.form == "classes" else average
            )
            losses = stock.LOSSES[run.config.loss]()
            wide = stock.torch.tensor(np.repeat(answer[None], len(targets), axis=0))
            goal = stock.torch.tensor(targets)
            holds = holds and near(best, float(losses(wide, goal)))
            for unit in range(targets.shape[1]):
                for change in (-1e-3, 1e-3):
                    other = wide.clone()
                    other[:, unit] += change
                    holds = holds and float(losses(other, goal)) >= best - 1e-12
        if not holds:
            return False
    return True


def squashed_twice(seen: Seen, observation: Observation) -> bool:
    """Check that outputs are probabilities before the loss makes some of them."""
    within = {"cross_entropy": "softmax"}
    floor = stated(observation, "floor")
    for subject in subjects_of(observation.facts["subject"]):
        run = seen.run(subject)
        last, loss = run.config.network.activations[-1], run.config.loss
        outputs, known = run.trace.outputs, floor_of(run.config)
        if (last, run.config.network.layers[-1]) == ("softmax", 1):
            # A single share is always 1, and the loss always the same.
            known = float(run.losses[0])
        holds = (
            (observation.facts["activation"].name, observation.facts["loss"].name) == (last, loss)
            and observation.facts["within"].name == within.get(loss, "sigmoid")
            and bool((outputs >= 0).all() and (outputs <= 1).all())
            and known is not None
            and near(floor, known, 1e-6)
            and floor > 0
        )
        if not holds:
            return False
    return True


CHECKS: dict[str, Check] = {
    "unbounded": unbounded,
    "refused": refused,
    "squashed-twice": squashed_twice,
    "constant-answer": constant_answer,
    "linear-reaches": linear_reaches,
    "unreachable-target": unreachable_target,
    "floor-above-zero": floor_above_zero,
    "same-answer": same_answer,
}
"""Checks by the name of their rule."""
