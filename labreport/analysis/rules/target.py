"""Distance of the final loss from what the loss, the last activation and the rows allow."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, isfinite

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.measures.floor import Outside, floor, outside
from labreport.analysis.observation import (
    Count,
    Facts,
    Names,
    Number,
    Observation,
    Part,
    Setting,
    Source,
    Subject,
    Verbatim,
)
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.lab.configuration import RunConfig
from labreport.lab.naming import unit_names
from labreport.lab.schema.activations import ACTIVATIONS
from labreport.lab.schema.losses import LOSSES
from labreport.lab.squashed import squashed_twice
from labreport.lab.unlearnable import Reason, reason


def unreachable(
    config: RunConfig, subjects: tuple[Subject, ...], runs: tuple[str, ...]
) -> Observation | None:
    """A target that the last activation cannot give, and the floor that follows.

    Args:
        config: of one of the subjects; the others have the same loss, target and last activation.
        subjects: what the sentence names; none for the base configuration.
        runs: names of the stored runs of the subjects, or of the base.
    """
    missed = outside(config)
    bottom = floor(config).value
    if not missed or bottom is None:
        return None
    worst = max(missed, key=lambda m: abs(m.target - m.nearest))
    ends = ACTIVATIONS[config.network.activations[-1]]
    beyond = f"< {ends.low!r}" if worst.target < ends.low else f"> {ends.high!r}"
    return Observation(
        "unreachable-target",
        {
            **_unreachable_facts(config, worst, runs),
            "floor": Number(bottom, Source("floor", runs)),
            "subjects": subjects,
        },
        runs=len(subjects),
        form=("some" if subjects else "base") + ("" if ends.high < inf else "-half"),
        claims=(
            Source(f"all(each(given_targets[{worst.row}, {worst.unit}]) {beyond})", runs),
            # What was reached bears it out: no loss of any run lies below the floor.
            Source("sum(each(count(losses < floor - allowance))) == 0", runs),
        ),
    )


def _unreachable_facts(config: RunConfig, missed: Outside, runs: tuple[str, ...]) -> Facts:
    """The facts: a target that the last activation cannot give, and the range that it can give."""
    activation = config.network.activations[-1]
    target = Source(f"given_targets[{missed.row}, {missed.unit}]", runs)
    return {
        "unit": Names((unit_names(config.network)[-1][missed.unit],)),
        "target": Setting(missed.target, target),
        "nearest": Setting(missed.nearest),
        "low": Setting(ACTIVATIONS[activation].low),
        "high": Setting(ACTIVATIONS[activation].high),
        "activation": Part("activation", activation),
        "loss": Part("loss", config.loss),
    }


@rule("unreachable-target", "target", 0.8, thresholds=("ROUNDING",))
def unreachable_target(results: ExperimentResults) -> Iterator[Observation]:
    """Report which variants cannot reach the target, where variants differ in their reach."""
    if not differs_in_reach(results):
        return
    groups: dict[tuple[object, ...], list[Result]] = {}
    for result in results.singles:
        config = result.run.config
        # Of the same data as well: rounds that see some rows only have no such floor.
        key = (config.network.activations[-1], config.data, config.loss)
        groups.setdefault(key, []).append(result)
    for members in groups.values():
        if members[0].refused:
            continue
        names = tuple(result.run.name for result in members)
        subjects = tuple(result.subject for result in members)
        found = unreachable(members[0].run.config, subjects, names)
        if found is not None:
            yield found


def differs_in_reach(results: ExperimentResults) -> bool:
    """Return whether variants differ in their targets or in the outputs that they can give."""
    configs = [result.run.config for result in results.singles]
    return len({(c.network.activations[-1], c.data.targets) for c in configs}) > 1


@rule(
    "refused",
    "target",
    1.0,
    needs_budget=False,
    of_gradient_checks=True,
    of_constant_losses=True,
    part="verdict",
)
def refused(results: ExperimentResults) -> Iterator[Observation]:
    """A loss that would not compute."""
    for result in results.singles:
        if result.refused:
            ending = result.run.trace.ending
            facts: Facts = {
                "subject": result.subject,
                "loss": Part("loss", result.run.config.loss),
                "round": Count(ending.step + 1, result.cite("ending_step + 1")),
                "message": Verbatim(ending.message, result.cite("message")),
            }
            claims = [result.cite("ending == 'refused'")]
            form, worst = "", _no_probability(result)
            if worst is not None:
                form = "target"
                name = "min" if worst < 0 else "max"
                facts["target"] = Setting(worst, result.cite(f"{name}(given_targets)"))
                bound = "min(given_targets) < 0" if worst < 0 else "max(given_targets) > 1"
                claims.append(result.cite(bound))
            yield Observation("refused", facts, runs=1, form=form, claims=tuple(claims))


def _no_probability(result: Result) -> float | None:
    """The target that is farthest from being a probability, of a loss that wants some."""
    config = result.run.config
    targets = [target for row in config.data.targets for target in row]
    low, high = min(targets), max(targets)
    if config.loss != "bce" or (low >= 0 and high <= 1):
        return None
    return low if -low >= high - 1 else high


@rule("unbounded", "target", {"": 0.7, "negative": 0.88})
def unbounded(results: ExperimentResults) -> Iterator[Observation]:
    """A loss that has no lower bound with the targets that it is given."""
    for result in results.singles:
        value = result.loss(results.last)
        if result.floor.value != -inf or value is None:
            continue
        facts: Facts = {
            "subject": result.subject,
            "loss": Part("loss", result.run.config.loss),
            "budget": Count(results.last),
            "start": result.number(0),
            "value": result.number(results.last),
        }
        formula = result.loss_formula(results.last)
        claims = (
            result.cite("count(floor >= -abs(losses)) == 0"),
            result.cite(f"{formula} {'<' if value < 0 else '>='} 0"),
        )
        form = "negative" if value < 0 else ""
        yield Observation("unbounded", facts, runs=1, form=form, claims=claims)


ENTROPIES = frozenset({"bce"})
"""Losses that are the entropy of their targets where every output equals its target."""


@rule("floor-above-zero", "target", 0.7, thresholds=("ROUNDING",))
def floor_above_zero(results: ExperimentResults) -> Iterator[Observation]:
    """A loss that is not 0 even where every output equals its target."""
    for result in results.singles:
        bottom, config = result.floor.value, result.run.config
        # Elsewhere the best output is not the target itself: a logit, or a point of a simplex. A
        # logit that the last activation limits may happen to be the target.
        at_target = config.loss in ENTROPIES and result.floor.outputs == config.data.targets
        if result.refused or not at_target or bottom is None:
            continue
        loss = result.loss(results.last)
        if bottom > 1e-6 and loss is not None:
            reached = abs(loss - bottom) <= result.at_floor
            distance = f"abs({result.loss_formula(results.last)} - floor)"
            facts: Facts = {
                "subject": result.subject,
                "loss": Part("loss", config.loss),
                "floor": Number(bottom, result.cite("floor")),
                "value": result.number(results.last),
                "budget": Count(results.last),
            }
            yield Observation(
                "floor-above-zero",
                facts,
                runs=1,
                form="reached" if reached else "",
                claims=(
                    result.cite("floor > 0"),
                    result.cite(f"{distance} {'<=' if reached else '>'} allowance"),
                ),
            )


@rule(
    "constant-answer",
    "target",
    {"": 1.0, "one-class": 0.6},
    covers=("nothing-moves", "silent-weights", "same-answer", "frozen"),
    needs_budget=False,
    of_constant_losses=True,
    part={"cross-entropy": "effect", "softmax": "effect", "log-softmax": "effect"},
)
def constant_answers(results: ExperimentResults) -> Iterator[Observation]:
    """Explain why no answer of a variant depends on its weights, or none need on its inputs."""
    groups: dict[tuple[str, Reason], list[Result]] = {}
    for result in results.results:
        why = reason(result.run.config)
        if why is not None and len(result.losses) and _is_so(result, why):
            groups.setdefault((result.variant, why), []).append(result)
    for (_, why), members in groups.items():
        first = members[0]
        facts: Facts = {
            "subject": first.subject if len(members) == 1 else Subject(first.variant),
            "rows": Count(len(first.run.config.data.inputs), first.cite("size(inputs[:, 0])")),
            "loss": Part("loss", first.run.config.loss),
        }
        claims = tuple(cite(claim, members) for claim in _CLAIMS[why])
        yield Observation("constant-answer", facts, len(members), form=why, claims=claims)


def _is_so(result: Result, why: Reason) -> bool:
    """Return whether the stored numbers confirm the reason."""
    trace = result.run.trace
    if why == "one-class":
        return True
    constant = {
        "cross-entropy": trace.losses == 0,
        "softmax": trace.outputs == 1,
        "log-softmax": trace.outputs == 0,
    }
    return bool((trace.gradients == 0).all() and constant[why].all())


_STILL = "all(each(all(gradients == 0)))"

_CLAIMS: dict[Reason, tuple[str, ...]] = {
    "cross-entropy": (_STILL, "all(each(all(round_losses == 0)))"),
    "softmax": (_STILL, "all(each(all(outputs == 1)))"),
    "log-softmax": (_STILL, "all(each(all(outputs == 0)))"),
    "one-class": ("all(each(max(spread(given_targets)) == 0))",),
}


@rule(
    "squashed-twice",
    "target",
    0.85,
    thresholds=("ROUNDING",),
    needs_budget=False,
    hinders=lambda result: squashed_twice(result.run.config),
    part="reason",
)
def squashed_outputs(results: ExperimentResults) -> Iterator[Observation]:
    """Losses that take the softmax or sigmoid of outputs which are such probabilities already."""
    groups: dict[tuple[str, str, float], list[Result]] = {}
    for result in results.singles:
        config, bottom = result.run.config, result.floor.value
        if squashed_twice(config) and bottom is not None and isfinite(bottom) and bottom > 0:
            key = (config.loss, config.network.activations[-1], bottom)
            groups.setdefault(key, []).append(result)
    for (loss, last, bottom), members in groups.items():
        facts: Facts = {
            "subject": tuple(r.subject for r in members),
            "loss": Part("loss", loss),
            "activation": Part("activation", last),
            "within": Part("activation", LOSSES[loss].prediction),
            "floor": Number(bottom, members[0].cite("floor")),
        }
        told = (f"setting('loss') == {loss!r}", f"setting('network.activations')[-1] == {last!r}")
        claims = [r.cite(claim) for r in members for claim in (*told, "floor > 0")]
        claims.append(cite("sum(each(count(losses < floor - allowance))) == 0", members))
        yield Observation("squashed-twice", facts, len(members), claims=tuple(claims))


AVERAGE = "average_row(given_targets)"


@rule("same-answer", "target", 0.9, thresholds=("SAME_ANSWER",))
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
