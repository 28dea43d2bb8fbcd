"""Networks that answer the same whatever they are asked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.observation import Count, Facts, Number, Observation, Part
from labreport.analysis.results import ExperimentResults, Result

AVERAGE = "average_row(given_targets)"


def same_answer(results: ExperimentResults) -> Iterator[Observation]:
    """Runs that end with one output for all rows, although inputs and targets differ."""
    for result in results.singles:
        outputs = result.outputs(results.last)
        if outputs is None or not result.sees_all_rows:
            continue
        config = result.run.config
        inputs, targets = np.array(config.data.inputs), np.array(config.data.targets)
        wanted = float(np.max(targets.max(axis=0) - targets.min(axis=0)))
        if (inputs == inputs[0]).all() or wanted == 0 or not np.isfinite(outputs).all():
            continue
        wide = outputs.astype(np.float64)
        given = float(np.max(wide.max(axis=0) - wide.min(axis=0)))
        if given > thresholds.SAME_ANSWER * wanted:
            continue
        answer = f"max(spread(wide(outputs_at({result.index(results.last)}))))"
        asked = "max(spread(given_targets))"
        facts: Facts = {
            "subject": result.subject,
            "rows": Count(len(inputs), result.cite("size(given_targets[:, 0])")),
            "apart": Number(given, result.cite(answer)),
            "wanted": Number(wanted, result.cite(asked)),
            "name": Part("loss", config.loss),
            "loss": result.number(results.last),
            "budget": Count(results.last),
        }
        form, best, formula = _best_constant(result, targets)
        if best is not None:
            facts["best"] = Number(best, result.cite(formula))
        claims = [
            result.cite("sees_all_rows"),
            result.cite("max(spread(inputs)) > 0"),
            result.cite(f"{asked} > 0"),
            result.cite(f"{answer} <= SAME_ANSWER * {asked}"),
        ]
        if form == "classes":
            claims.append(result.cite(_CLASSES))
        yield Observation("same-answer", facts, runs=1, form=form, claims=tuple(claims))


_CLASSES = "all((given_targets == 0) | (given_targets == 1)) and all(across(given_targets) == 1)"


def _best_constant(result: Result, targets: np.ndarray) -> tuple[str, float | None, str]:
    """The sentence's form, the lowest loss that one answer for all rows can have, and how.

    The cross entropy of one answer with classes in some frequencies is least where the answer
    is those frequencies, and is then their entropy (Cover and Thomas 2006, "Elements of
    Information Theory", theorem 5.4.3); the mean square is least at the mean.
    """
    average = targets.mean(axis=0)
    one_hot = bool(((targets == 0) | (targets == 1)).all() and (targets.sum(axis=1) == 1).all())
    if result.run.config.loss == "cross_entropy" and one_hot:
        entropy = -sum(float(p) * float(np.log(p)) for p in average if p > 0)
        there = f"{AVERAGE}[{AVERAGE} > 0]"
        return "classes", entropy, f"-sum({there} * log({there}))"
    if result.run.config.loss == "mse":
        square = float(np.mean((targets - average) ** 2))
        return "squares", square, f"mean((given_targets - {AVERAGE}) ** 2)"
    return "", None, ""
