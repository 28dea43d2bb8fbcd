"""The tables in docs/observations.md: ``python -m labreport.language.rule_reference FILE``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

from labreport.language.catalogue import language
from labreport.language.rule_table import RuleInWords, rules_in_words, thresholds_in_words

NAMES: Mapping[str, str] = {
    "allowance": "distance from the floor that rounding alone can explain: `ROUNDING` units of it",
    "apart": '`apart("by hand")`, `"by differences"`: how far gradients are at each step from '
    "autograd's; with the name of a formula, from those by hand: relative to the derivative, or to "
    "what its rounding allows divided by the tolerance",
    "by_formula": "`by_formula(name)`: gradients [steps, parameters] by a formula of the lab",
    "classes": "the class [rows] that each row belongs to, counted from 0",
    "classes_at": "`classes_at(step)`: the class [rows] that each row is put into; where outputs "
    "are level, the first of them",
    "outputs_on": "`outputs_on(part, step)`: outputs [rows, units] for the rows of a part of the "
    "data set: `train`, `validation` or `test`",
    "loss_on": "`loss_on(part, step)`: the loss over those rows",
    "losses_on": "`losses_on(part)`: that loss at the recorded steps, or at evenly chosen ones of "
    "many",
    "kept": "`kept(last)`: of the steps up to `last` that are looked at, that with the lowest loss "
    "on the validation rows, within patience",
    "rows_on": "`rows_on(part)`: the numbers [rows] of those rows",
    "right_on": "`right_on(part, step)`: whether [rows] each of them is put into its own class",
    "explained_on": "`explained_on(part, step)`: R² of the outputs for those rows",
    "linear_optimum": "the lowest loss of any linear model on the rows of training",
    "ties_at": "`ties_at(step)`: whether [rows] rounding or that convention alone decides a class",
    "curvature_at": "`curvature_at(step)`: largest eigenvalue of the Hessian of the loss",
    "curvatures_at": "`curvatures_at((0, 1, 5))`: those of several steps",
    "quantity": "what the loss measures; losses with the same can be ranked",
    "cosine_by": "`cosine_by(name)`: smallest cosine of the angle between a formula's gradient and "
    "the chain rule's, along a training with the formula",
    "dead_at_end": "how many units with ReLU have a weighted sum of at most 0 for every row at the "
    "last step",
    "dead_units": "how many units with ReLU give 0 for every row at the start and get no gradient",
    "ending": "how the run ended: `completed`, `diverged` or `refused`",
    "ending_step": "index of the first step that was not recorded",
    "felt": "`felt(name)`: of each derivative that a formula replaces how far it is above its "
    "rounding at best: 1 where far, the tolerance where it is no more than that",
    "floor": "the lowest loss with outputs that the last activation can give; of a linear network, "
    "with any weights",
    "given_targets": "targets [rows, units] in double precision, as the lab file has them",
    "gradients": "gradients of the loss at the recorded steps [recorded, parameters]",
    "gradients_at": "`gradients_at(step)`: those of one step [parameters]",
    "gradients_by": "`gradients_by(name)`: gradients of a training with a formula of the lab",
    "gradients_right": "gradients of the same training with the chain rule",
    "inputs": "inputs [rows, units] of the data",
    "learning_rate": "of the configuration",
    "losses": "the loss over all rows before any update and after each [steps]; no number where a "
    "run with mini-batches knows none",
    "round_losses": "the loss over the rows that a round sees, before any update and after each "
    "[steps]",
    "message": "the error with which a loss was refused",
    "names": "names of the parameters, in the order of weights and gradients",
    "outputs": "outputs at the shown steps [shown, rows, units]",
    "outputs_at": "`outputs_at(step)`: those of one step [rows, units]",
    "precision": "distance of 1 from the next larger number of the run's type",
    "predictions_at": "`predictions_at(step)`: outputs, or probabilities where outputs are logits",
    "recorded": "the steps at which weights and gradients were recorded",
    "rounds": "updates that were made",
    "sees_all_rows": "whether the loss of every round is over all rows",
    "setting": '`setting("optimizer.momentum")`: what the configuration has for a key',
    "sums_at": "`sums_at(layer, step)`: weighted sums [rows, units] of a layer, counted from 1",
    "targets": "targets [rows, units] of the data",
    "by_hand": "gradients [steps, parameters] derived by hand, in float64",
    "clamped": "1 at steps where a clamp of torch, or an output rounded to 0 or 1, decides a "
    "derivative by autograd",
    "left_out": "1 at steps where a derivative by autograd is not compared, because rounding in "
    "the precision of the run, or a clamp, decides it",
    "run_tolerance": "`tolerance` beside autograd, which has the precision of the run",
    "tolerance": "difference from which on gradients count as others, in a gradient check",
    "trained_by": "`trained_by(name)`: losses of a training with a formula of the lab",
    "trained_right": "losses of the same training with the chain rule",
    "weights": "parameters at the recorded steps [recorded, parameters]",
    "weights_at": "`weights_at(step)`: those of one step [parameters]",
}
"""Meanings of the names of a run in a formula."""

FUNCTIONS: Mapping[str, str] = {
    "abs": "absolute value",
    "across": "sum along the last axis",
    "all": "whether all are true",
    "any": "whether at least one is true",
    "argmax": "index of the largest, the first of equals",
    "argmin": "index of the smallest, the first of equals",
    "average_row": "mean over the first axis",
    "axis_argmax": "index of the largest along the last axis: the class that an output names",
    "count": "how many are true",
    "deviation": "standard deviation of a sample (divided by n − 1)",
    "difference": "each element minus the one before it",
    "dot": "scalar product along the last axis",
    "each": "the value of its argument for every run that the formula reads",
    "every_round": "which are true in every round (along the first axis)",
    "exp": "exponential",
    "in_any": "which are true for any along the last axis",
    "larger": "the larger of two, element by element",
    "last_true": "index of the last that is true",
    "log": "natural logarithm",
    "max": "largest",
    "mean": "mean",
    "median": "median",
    "median_interval": "`median_interval(values, CONFIDENCE)`: low, high and exact coverage of the "
    "interval of the median by order statistics",
    "min": "smallest",
    "most_frequent": "the most frequent whole number",
    "norm": "Euclidean norm along the last axis",
    "pairs_needed": "`pairs_needed(below, above, pairs, CONFIDENCE, POWER)`: pairs that a sign "
    "test would need",
    "quantile": "`quantile(values, 0.05)`, linear between neighbours",
    "rounds_alike": "for how many rounds two lists look the same at so many decimals",
    "sign": "−1, 0 or 1",
    "sign_test": "`sign_test(below, above)`: two-sided exact p of the sign test",
    "size": "number of elements",
    "smallest_p": "the smallest p that so many pairs could give",
    "spread": "largest minus smallest along the first axis",
    "sqrt": "square root",
    "sum": "sum",
    "wide": "the same numbers in double precision",
}
"""Meanings of the functions of a formula."""


def reference(page: str) -> str:
    """The page with what stands between marks written anew; all else stays as it is.

    Raises:
        ValueError: if marks are missing.
    """
    tables = {
        "names": _table("name", NAMES),
        "functions": _table("function", FUNCTIONS),
        "rules": "\n".join(_rules()),
        "thresholds": "\n".join(_thresholds()),
    }
    for name, table in tables.items():
        before, beginning, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->\n")
        if not beginning or not end:
            raise ValueError(f"no place for {name}")
        page = f"{before}{beginning}{table}{end}{after}"
    return page


def _table(heading: str, texts: Mapping[str, str]) -> str:
    rows = [f"| {heading} | |", "|---|---|"]
    return "\n".join([*rows, *(f"| `{name}` | {text} |" for name, text in texts.items())]) + "\n"


def _thresholds() -> Iterator[str]:
    yield "| threshold | value | reason |\n|---|---|---|"
    for threshold in thresholds_in_words(language("en")):
        yield f"| `{threshold.name}` | {threshold.value} | {threshold.reason} |"
    yield ""


def _rules() -> Iterator[str]:
    for theme, members in groupby(rules_in_words(language("en")), key=lambda r: r.theme_title):
        yield f"### {theme}\n\n" + "\n".join(_rows(members)) + "\n"


def _rows(rules: Iterator[RuleInWords]) -> Iterator[str]:
    yield "| rule | looks for | relevance | thresholds |"
    yield "|---|---|---|---|"
    for rule in rules:
        named = ", ".join(f"`{threshold.name}`" for threshold in rule.thresholds)
        yield f"| `{rule.name}` | {rule.looks_for} | {rule.relevances} | {named} |"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(reference(path.read_text(encoding="utf-8")), encoding="utf-8")
