"""Networks without hidden layers beside the best that any of them can be."""

from __future__ import annotations

from collections.abc import Iterator

from labreport.analysis import thresholds
from labreport.analysis.answers.held_out.held_out_facts import VALIDATION, compared_on, is_ahead
from labreport.analysis.linear.optimum import is_linear, linear_optimum
from labreport.analysis.observation import Count, Facts, Number, Observation, Source
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.comparison import comparable

FEWEST_ROWS = 3
"""Rows from which on a linear model of one input cannot go through all points anyhow."""


@rule("linear-optimum", "target", 0.84, thresholds=("NO_ODDS",))
def best_linear_model(results: ExperimentResults) -> Iterator[Observation]:
    """How far linear models on the same rows are from the lowest loss that any of them has."""
    last = results.last
    members = [*results.singles, *results.everywhere]
    there = [r for r in members if _optimum(r, last) is not None]
    if len({_optimum(r, last) for r in there}) != 1:
        return
    nearest = min(there, key=lambda r: r.loss(last) or 0.0)
    reached = [r for r in there if not _is_above(r, last)]
    facts: Facts = {
        "optimum": Number(_optimum(nearest, last) or 0.0, nearest.cite("linear_optimum"), 4),
        "count": Count(len(reached)),
        "total": Count(len(there)),
        "nearest": nearest.subject,
        "loss": nearest.number(last),
        "budget": Count(last),
    }
    claims = tuple(_reach_claim(r, last, holds=r in reached) for r in there)
    form = "" if not reached else "one" if len(there) == 1 else "reached"
    yield Observation("linear-optimum", facts, len(there), form=form, claims=claims)


@rule("linear-unfinished", "target", 0.97, thresholds=("NO_ODDS",), part="scope")
def unfinished_linear_model(results: ExperimentResults) -> Iterator[Observation]:
    """A linear model that is behind another network, and above the lowest loss that it can have."""
    last = results.last
    others = [r for r in results.singles if not is_linear(r.run.config)]
    for result in results.singles:
        if _optimum(result, last) is None or not _is_above(result, last):
            continue
        ahead = [r for r in others if comparable(r, result) and r.loss(last) is not None]
        best = min(ahead, key=lambda r: r.loss(last) or 0.0, default=None)
        if best is None or (best.loss(last) or 0.0) >= (result.loss(last) or 0.0):
            continue
        facts: Facts = {
            "subject": result.subject,
            "loss": result.number(last),
            "other": best.subject,
            "optimum": Number(_optimum(result, last) or 0.0, result.cite("linear_optimum"), 4),
            "budget": Count(last),
        }
        losses = f"r1.{best.loss_formula(last)} < r2.{result.loss_formula(last)}"
        claims = (_reach_claim(result, last, holds=False), cite(losses, (best, result)))
        yield Observation("linear-unfinished", facts, 2, claims=claims)


@rule("beyond-linear", "target", 0.94, thresholds=("NO_ODDS",), part="reason")
def beyond_linear(results: ExperimentResults) -> Iterator[Observation]:
    """The network with a hidden layer farthest below any linear model on the same rows."""
    last = results.last
    for other in (r for r in results.singles if _optimum(r, last) is not None):
        best = _optimum(other, last) or 0.0
        below = [r for r in results.singles if _is_beyond(r, other, last)]
        if not below:
            continue
        result = min(below, key=lambda r: r.loss(last) or 0.0)
        facts: Facts = {
            "subject": result.subject,
            "loss": result.number(last),
            "other": other.subject,
            "optimum": Number(best, other.cite("linear_optimum"), 4),
            "budget": Count(last),
        }
        losses = f"r1.{result.loss_formula(last)}"
        apart = f"r2.linear_optimum - {losses} > NO_ODDS * r2.losses[0]"
        yield Observation("beyond-linear", facts, 2, claims=(cite(apart, (result, other)),))


def _is_beyond(result: Result, linear: Result, budget: int) -> bool:
    """Return whether a network is below the optimum of a linear one by a difference that counts."""
    if is_linear(result.run.config) or not comparable(linear, result):
        return False
    held = compared_on((result, linear), VALIDATION, budget)
    if held and not is_ahead(result, linear, budget):
        return False  # What the hidden layer adds in training is no gain on other rows.
    loss = result.loss(budget)
    return loss is not None and (_optimum(linear, budget) or 0.0) - loss > _margin(linear)


def _optimum(result: Result, budget: int) -> float | None:
    """The lowest loss of a linear model on the rows of a linear run that got so far."""
    config = result.run.config
    enough = len(config.data.inputs) >= FEWEST_ROWS
    if not enough or not is_linear(config) or result.loss(budget) is None:
        return None
    return linear_optimum(config)


def _margin(result: Result) -> float:
    return thresholds.NO_ODDS * (result.loss(0) or 0.0)


def _is_above(result: Result, budget: int) -> bool:
    """Return whether a linear run is above its optimum by a difference that counts."""
    best = _optimum(result, budget) or 0.0
    return (result.loss(budget) or 0.0) - best > _margin(result)


def _reach_claim(result: Result, budget: int, *, holds: bool) -> Source:
    sign = "<=" if holds else ">"
    distance = f"{result.loss_formula(budget)} - linear_optimum"
    return result.cite(f"{distance} {sign} NO_ODDS * losses[0]")
