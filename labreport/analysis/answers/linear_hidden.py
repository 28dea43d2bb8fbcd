"""Hidden layers without an activation, which add nothing to a network."""

from __future__ import annotations

from collections.abc import Iterator

from labreport.analysis import thresholds
from labreport.analysis.comparing import Measure, is_lower, lower_claim
from labreport.analysis.observation import Count, Facts, Observation, Source
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.standings import standings


@rule("linear-hidden", "target", 0.93, thresholds=("NO_ODDS",), part="reason")
def linear_hidden(results: ExperimentResults) -> Iterator[Observation]:
    """Who is behind with hidden layers that are linear, and no better than a network without them.

    Weighted sums of weighted sums are weighted sums of the inputs (Goodfellow, Bengio and Courville
    2016, "Deep Learning", section 6.1). Both are trained on, as far as to come to their end.
    """
    found = standings(results)
    if not found or not found[-1].others:
        return
    last = found[-1]
    best = last.first[0]
    for result in last.others:
        pair = _continued(results, result)
        if pair is None or not last.measure.is_loss:
            continue
        own, control = pair
        measure = Measure.of(pair, own.run.config.rounds)
        if measure is None or None in (measure.value(own), measure.value(control)):
            continue
        if is_lower(own, control, measure) or is_lower(control, own, measure):
            continue
        beyond = _claim_beyond(best, last.measure, control, measure)
        if beyond is None:
            continue
        facts: Facts = {
            "subject": result.subject,
            "other": best.subject,
            "value": measure.number(own),
            "without": measure.number(control),
            "rounds": Count(own.run.config.rounds, own.cite("rounds")),
        }
        claims = (
            lower_claim(own, control, measure, holds=False),
            lower_claim(control, own, measure, holds=False),
            lower_claim(best, result, last.measure),
            beyond,
        )
        yield Observation("linear-hidden", facts, 4, strength="explanation", claims=claims)


def _continued(results: ExperimentResults, result: Result) -> tuple[Result, Result] | None:
    """A run continued, and the network without its hidden layers trained as long."""
    made = [r for kind in ("longer", "without-hidden") for r in results.control(kind, result)]
    return (made[0], made[1]) if len(made) == 2 else None


def _claim_beyond(best: Result, now: Measure, control: Result, end: Measure) -> Source | None:
    """The claim that a leader is already below what a control comes to; None if it is not."""
    mine, theirs = now.value(best), end.value(control)
    scale = end.scale((best, control))
    if mine is None or theirs is None or theirs - mine <= thresholds.NO_ODDS * scale:
        return None
    pair = (best, control)
    apart = f"{end.formula(control, 'r2.')} - {now.formula(best, 'r1.')}"
    return cite(f"{apart} > NO_ODDS * {end.scale_formula(pair)}", pair)
