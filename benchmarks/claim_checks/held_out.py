"""Checks of rules on rows that training does not see, computed with torch's own modules."""

from __future__ import annotations

import numpy as np
import torch

from claim_checks.losses import has_reached
from claim_checks.reading import listed, near, stated, subjects_of, value
from claim_checks.seen import Check, Seen
from labreport.analysis.observation import Observation, Subject
from labreport.data.data_set import DataSet
from labreport.lab.plan import Trial
from labreport.runs.run import Run

ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "elu": torch.nn.functional.elu,
    "silu": torch.nn.functional.silu,
    "gelu": torch.nn.functional.gelu,
    "softplus": torch.nn.functional.softplus,
}
LOSSES = {
    "mse": torch.nn.MSELoss(),
    "l1": torch.nn.L1Loss(),
    "huber": torch.nn.HuberLoss(),
    "smooth_l1": torch.nn.SmoothL1Loss(),
    "bce": torch.nn.BCELoss(),
    "bce_with_logits": torch.nn.BCEWithLogitsLoss(),
    "cross_entropy": torch.nn.CrossEntropyLoss(),
}


def outputs_on(trial: Trial, run: Run, part: str, step: int) -> torch.Tensor:
    """The outputs for the rows of a part, layer by layer with torch.nn.functional.linear."""
    weights = run.trace.weights_at(step)
    assert weights is not None
    flat = torch.tensor(weights, dtype=torch.float64)
    values = torch.tensor(_set(trial).parts[part].inputs, dtype=torch.float64)
    start = 0
    network = run.config.network
    for (out, into), name in zip(network.shapes, network.activations, strict=True):
        weight = flat[start : start + out * into].reshape(out, into)
        start += out * into
        bias = flat[start : start + out] if network.trains_bias else None
        start += out if network.trains_bias else 0
        values = ACTIVATIONS[name](torch.nn.functional.linear(values, weight, bias))
    return values


def loss_on(trial: Trial, run: Run, part: str, step: int) -> float:
    """The loss over the rows of a part."""
    targets = torch.tensor(_set(trial).parts[part].targets, dtype=torch.float64)
    return float(LOSSES[run.config.loss](outputs_on(trial, run, part, step), targets))


def has_loss_on(trial: Trial, run: Run, part: str, step: int) -> bool:
    """Whether a run got so far, and has a loss on a part that is a finite number."""
    got = run.trace.weights_at(step) is not None
    return got and bool(np.isfinite(loss_on(trial, run, part, kept(trial, run, step))))


def kept(trial: Trial, run: Run, budget: int) -> int:
    """The step whose weights count: the last one, or the best on the validation rows so far."""
    data_set = _set(trial)
    if not data_set.keeps_best:
        return budget
    found: tuple[float, int] | None = None
    for step in (int(s) for s in run.trace.recorded if s <= budget):
        if found and data_set.patience is not None and step - found[1] > data_set.patience:
            break
        loss = loss_on(trial, run, "validation", step)
        if np.isfinite(loss) and (found is None or loss < found[0] - 1e-9 * abs(found[0])):
            found = loss, step
    return budget if found is None else found[1]


def score_on(trial: Trial, run: Run, part: str, step: int) -> float:
    """The share of rows in their own class, or R²."""
    from sklearn.metrics import accuracy_score, r2_score

    outputs = outputs_on(trial, run, part, step).numpy()
    targets = np.array(_set(trial).parts[part].targets)
    if not _set(trial).classes:
        return float(r2_score(targets, outputs))
    if outputs.shape[1] > 1:
        return float(accuracy_score(targets.argmax(1), outputs.argmax(1)))
    level = 0.0 if run.config.loss in ("bce_with_logits", "soft_margin") else 0.5
    return float(accuracy_score(targets[:, 0] > 0, outputs[:, 0] > level))


def _set(trial: Trial) -> DataSet:
    assert trial.data_set is not None
    return trial.data_set


def _pair(seen: Seen, subject: object) -> tuple[Trial, Run]:
    assert isinstance(subject, Subject)
    return next(
        (t, r)
        for t, r in seen.pairs
        if subject.variant in ("", t.variant) and t.point == subject.point
    )


def _singles(seen: Seen) -> list[tuple[Trial, Run]]:
    return [members[0] for members in seen.variants.values() if len(members) == 1]


def leads_on_validation(seen: Seen, observation: Observation) -> bool:
    """Check who has the lowest loss on validation rows, and in training."""
    step = stated(observation, "budget")
    losses = {t.variant: loss_on(t, r, "validation", kept(t, r, step)) for t, r in _singles(seen)}
    (first, one), (other, another) = (
        _pair(seen, observation.facts[key]) for key in ("subject", "other")
    )
    told = (stated(observation, "loss"), stated(observation, "other_loss"))
    mine = (losses[first.variant], losses[other.variant])
    fine = all(near(a, b) for a, b in zip(told, mine, strict=True))
    fine = fine and losses[first.variant] == min(losses.values())
    ahead = mine[1] - mine[0] > 1e-3 * loss_on(first, one, "validation", 0)
    if observation.form == "turned":
        trained = {t.variant: float(r.losses[step]) for t, r in _singles(seen)}
        fine = fine and trained[other.variant] == min(trained.values())
        return bool(fine and ahead and another.losses[step] < one.losses[step])
    return bool(fine and ahead == (observation.form == ""))


def held_out_score(seen: Seen, observation: Observation) -> bool:
    """Check a score on held-out rows, and on those of training."""
    trial, run = _pair(seen, observation.facts["subject"])
    step = stated(observation, "budget")
    part = "test" if "test" in _set(trial).parts else "validation"
    scores = [score_on(trial, run, name, kept(trial, run, step)) for name in (part, "train")]
    told = [stated(observation, name) for name in ("score", "seen_score")]
    return len(_set(trial).parts[part]) == stated(observation, "rows") and all(
        near(a, b) or abs(a - b) < 1e-8 for a, b in zip(told, scores, strict=True)
    )


def validation_over_starts(seen: Seen, observation: Observation) -> bool:
    """Check that counts fit their form: nine of ten starts are most of them."""
    lower, total = stated(observation, "lower"), stated(observation, "total")
    if observation.form == "reversed" and 2 * lower >= total:
        return False
    return (lower >= 0.9 * total) == (observation.form == "") and 0 <= lower <= total


def accuracy_on_validation(seen: Seen, observation: Observation) -> bool:
    """Check that the lowest loss on validation rows is not the highest accuracy, or not alone."""
    step = stated(observation, "budget")
    pairs = [_pair(seen, observation.facts[key]) for key in ("subject", "other")]
    losses = [loss_on(t, r, "validation", kept(t, r, step)) for t, r in seen.pairs]
    mine, theirs = (score_on(t, r, "validation", kept(t, r, step)) for t, r in pairs)
    scores = [score_on(t, r, "validation", kept(t, r, step)) for t, r in seen.pairs]
    told = stated(observation, "other_score" if observation.form == "turned" else "score")
    (trial, run), _ = pairs
    return (
        loss_on(trial, run, "validation", kept(trial, run, step)) == min(losses)
        and near(stated(observation, "score"), mine)
        and near(told, theirs)
        and theirs == max(scores)
        and (theirs > mine) == (observation.form == "turned")
    )


def best_on_validation(seen: Seen, observation: Observation) -> bool:
    """Check which point of a sweep has the lowest loss on validation rows."""
    step = stated(observation, "budget")
    losses = {t.point: loss_on(t, r, "validation", kept(t, r, step)) for t, r in seen.pairs}
    best = observation.facts["best"]
    assert isinstance(best, Subject)
    fine = losses[best.point] == min(losses.values())
    fine = fine and near(stated(observation, "loss"), losses[best.point])
    if observation.form == "other":
        trained = observation.facts["trained"]
        assert isinstance(trained, Subject)
        own = {t.point: float(r.losses[step]) for t, r in seen.pairs}
        fine = fine and own[trained.point] == min(own.values())
        fine = fine and near(stated(observation, "there"), losses[trained.point])
    return bool(fine and len(losses) == stated(observation, "total"))


def edge_on_validation(seen: Seen, observation: Observation) -> bool:
    """Check that the value with the lowest loss on validation rows is the first or the last."""
    step, best = stated(observation, "budget"), observation.facts["best"]
    assert isinstance(best, Subject)
    losses = {t.point[0][1]: loss_on(t, r, "validation", kept(t, r, step)) for t, r in seen.pairs}
    ((_, mine),) = best.point
    lowest = losses[mine] == min(losses.values())
    return lowest and mine in (min(losses), max(losses))


def held_out_starts(seen: Seen, observation: Observation) -> bool:
    """Check the median of the scores over starts."""
    step = stated(observation, "budget")
    for told in listed(observation, "scores"):
        members = seen.variants[told.what.variant]
        parts, compared = _set(members[0][0]).parts, len(seen.variants) > 1
        part = (
            "validation" if "test" not in parts or (compared and "validation" in parts) else "test"
        )
        scores = [score_on(t, r, part, kept(t, r, step)) for t, r in members]
        if not near(value(told.detail), float(np.median(scores))):
            return False
    return True


def chosen_on_test(seen: Seen, observation: Observation) -> bool:
    """Check that there is a test and nothing to choose by."""
    sets = [_set(t) for t, _ in _singles(seen)]
    return all("validation" not in s.parts and "test" in s.parts for s in sets)


def overfits(seen: Seen, observation: Observation) -> bool:
    """Check that the loss on held-out rows rises from its lowest, and that of training falls."""
    trial, run = _pair(seen, observation.facts["subject"])
    part = "validation" if "validation" in _set(trial).parts else "test"
    step, last = stated(observation, "step"), run.config.rounds
    here, there = (loss_on(trial, run, part, int(s)) for s in (step, last))
    every = [loss_on(trial, run, part, int(s)) for s in run.trace.recorded[::7]]
    told = near(here, stated(observation, "least")) and near(there, stated(observation, "end"))
    lowest = here <= min(every) * (1 + 1e-6)
    falls = run.losses[last] < run.losses[int(step)]
    return bool(told and lowest and falls and there > 1.1 * here)


def overfits_starts(seen: Seen, observation: Observation) -> bool:
    """Check from how many starts held-out rows end well above their lowest loss."""
    counts = []
    for subject in subjects_of(observation.facts["subjects"]):
        members = seen.variants[subject.variant]
        counts.append(sum(_ends_worse_off(trial, run) for trial, run in members))
        if len(members) != stated(observation, "count") or counts[-1] * 2 <= len(members):
            return False
    return min(counts) == stated(observation, "least")


def _ends_worse_off(trial: Trial, run: Run) -> bool:
    part = "validation" if "validation" in _set(trial).parts else "test"
    losses = [loss_on(trial, run, part, int(s)) for s in run.trace.recorded]
    tail, rounds = losses[-max(1, len(losses) // 10) :], run.config.rounds
    falls = run.losses[rounds] < run.losses[rounds // 2]
    return bool(min(tail) > 1.1 * min(losses) and min(losses) < losses[0] and falls)


def fits_its_rows(seen: Seen, observation: Observation) -> bool:
    """Check that training fits better at one end, and validation rows are worse off."""
    step = stated(observation, "budget")
    (best, one), (end, other) = (_pair(seen, observation.facts[k]) for k in ("best", "end"))
    own, theirs = (loss_on(*x, "validation", kept(*x, step)) for x in ((best, one), (end, other)))
    worse = theirs > 1.1 * own
    return bool(worse and other.losses[step] < one.losses[step])


def lowest_of_lines(run: Run) -> float:
    """The lowest loss of a linear model on the rows of training, by scipy's BFGS."""
    from scipy.optimize import minimize

    inputs = torch.tensor(run.config.data.inputs, dtype=torch.float64)
    targets = torch.tensor(run.config.data.targets, dtype=torch.float64)
    count = targets.shape[1]

    def loss_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = torch.tensor(flat, requires_grad=True)
        matrix = weights.reshape(inputs.shape[1] + 1, count)
        loss = LOSSES[run.config.loss](inputs @ matrix[:-1] + matrix[-1], targets)
        (gradient,) = torch.autograd.grad(loss, weights)
        return loss.item(), gradient.numpy()

    start = np.zeros((inputs.shape[1] + 1) * count)
    found = minimize(loss_and_gradient, start, jac=True, method="BFGS", options={"gtol": 1e-9})
    return float(found.fun)


def linear_optimum(seen: Seen, observation: Observation) -> bool:
    """Check the lowest loss of a line, and how many runs are level with it."""
    step = stated(observation, "budget")
    lines = [r for r in seen.single_and_swept if len(r.config.network.shapes) == 1]
    best = lowest_of_lines(lines[0])
    lines = [r for r in lines if has_reached(r, step)]
    level = [r for r in lines if r.losses[step] - best <= 1.01e-3 * r.losses[0]]
    fine = abs(stated(observation, "optimum") - best) <= 1e-5 * abs(best) + 1e-9
    count = stated(observation, "count")
    return bool(fine and count <= len(level) and (observation.form == "") == (count == 0))


def beyond_linear(seen: Seen, observation: Observation) -> bool:
    """Check that a run is below the lowest loss of any line."""
    step = stated(observation, "budget")
    (_, run), (_, line) = (_pair(seen, observation.facts[k]) for k in ("subject", "other"))
    return bool(run.losses[step] < lowest_of_lines(line))


def linear_unfinished(seen: Seen, observation: Observation) -> bool:
    """Check that a line is behind, and above the lowest loss of any line."""
    step = stated(observation, "budget")
    (_, line), (_, run) = (_pair(seen, observation.facts[k]) for k in ("subject", "other"))
    return bool(run.losses[step] < line.losses[step] and line.losses[step] > lowest_of_lines(line))


def kept_rounds(seen: Seen, observation: Observation) -> bool:
    """Check after which round each run is best on the validation rows."""
    budget = stated(observation, "budget")
    steps = [
        kept(t, r, budget) for t, r in seen.pairs if len(r.losses) > min(budget, r.config.rounds)
    ]
    if observation.form == "many":
        ends = stated(observation, "earliest"), stated(observation, "latest")
        return ends == (min(steps), max(steps))
    return {value(told.detail) for told in listed(observation, "kept")} == set(steps)


CHECKS: dict[str, Check] = {
    "leads-on-validation": leads_on_validation,
    "accuracy-on-validation": accuracy_on_validation,
    "held-out-score": held_out_score,
    "validation-over-starts": validation_over_starts,
    "best-on-validation": best_on_validation,
    "edge-on-validation": edge_on_validation,
    "held-out-starts": held_out_starts,
    "kept-rounds": kept_rounds,
    "chosen-on-test": chosen_on_test,
    "overfits": overfits,
    "overfits-starts": overfits_starts,
    "fits-its-rows": fits_its_rows,
    "linear-optimum": linear_optimum,
    "beyond-linear": beyond_linear,
    "linear-unfinished": linear_unfinished,
}
