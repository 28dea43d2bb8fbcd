"""Explanations, each tested by a run that would have contradicted it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labreport.analysis import thresholds
from labreport.analysis.causes import FLAT, dead_at_end, dead_units
from labreport.analysis.observation import (
    Count,
    Facts,
    Names,
    Number,
    Observation,
    Part,
)
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.comparison import same_measure
from labreport.analysis.rules.equivalence import SAME_BITS
from labreport.analysis.rules.target import differs_in_reach
from labreport.lab.plan import Trial
from labreport.runs.run import Run


@rule("undamped", "equivalence", 1.0, of_equal_runs=True, part="reason")
def undamped(results: ExperimentResults) -> Iterator[Observation]:
    """Gradients that are never cleared are a momentum of 1: the control agrees to the bit."""
    # Where a variant with cleared gradients gives the same, that the two coincide is said already.
    said = {r.bits for r in results.singles if r.run.config.gradients == "cleared"}
    for result in results.singles:
        trace = result.run.trace
        moves = bool((trace.weights != trace.weights[:1]).any())
        for control in results.control("momentum", result) if moves else ():
            if control.bits == result.bits and result.bits not in said:
                facts: Facts = {
                    "subject": result.subject,
                    "rounds": Count(result.run.trace.rounds, result.cite("rounds")),
                }
                claims = (
                    cite(SAME_BITS, (result, control)),
                    result.cite("setting('gradients') == 'accumulated'"),
                    control.cite("setting('gradients') == 'cleared'"),
                    control.cite("setting('optimizer.momentum') == 1"),
                    result.cite("any(weights != weights[0])"),
                )
                yield Observation("undamped", facts, runs=2, strength="explanation", claims=claims)


@rule("linear-reaches", "target", 0.82)
def linear_reaches(results: ExperimentResults) -> Iterator[Observation]:
    """Report whether linear outputs beat the floor of variants that cannot reach the target."""
    if not differs_in_reach(results):
        return
    tested: dict[tuple[object, ...], list[tuple[Result, Result]]] = {}
    for result in results.singles:
        for control in results.control("linear-output", result):
            if result.loss(results.last) is not None and control.loss(results.last) is not None:
                config = result.run.config
                key = (config.loss, config.data, result.floor.value)
                tested.setdefault(key, []).append((result, control))
    for pairs in tested.values():
        yield from reached(pairs, results.last, "some")


def reached(
    pairs: Sequence[tuple[Result, Result]], budget: int, form: str
) -> Iterator[Observation]:
    """Report linear outputs that end below the floor and above it; all pairs have the same floor.

    Args:
        pairs: runs that cannot reach their target, and their controls.
        budget: rounds after which they are compared; both got so far.
        form: of the sentence: ``some`` names the runs, ``base`` does not.
    """
    for below in (True, False):
        members = [
            (r, c)
            for r, c in pairs
            if r.floor.value is not None and ((c.loss(budget) or 0.0) < r.floor.value) == below
        ]
        if not members:
            continue
        sign = "<" if below else ">="
        claims = tuple(
            claim
            for r, c in members
            for claim in (
                cite(f"r2.{c.loss_formula(budget)} {sign} r1.floor", (r, c)),
                *same_measure(r, c),
            )
        )
        yield Observation(
            "linear-reaches",
            _reached_facts(members, budget, form),
            runs=2 * len(members),
            form=form if below else f"{form}-open",
            strength="explanation" if below else "exact",
            limits=not below,
            claims=claims,
        )


def _reached_facts(members: Sequence[tuple[Result, Result]], budget: int, form: str) -> Facts:
    """The facts: the floor, and the runs whose controls are on the same side of it."""
    first, linear = members[0]
    facts: Facts = {
        "floor": Number(first.floor.value or 0.0, first.cite("floor")),
        "budget": Count(budget),
    }
    if form == "base":
        facts["activation"] = Part("activation", first.run.config.network.activations[-1])
        facts["given"] = first.number(budget)
        facts["linear"] = linear.number(budget)
    else:
        facts["subjects"] = tuple(r.subject for r, _ in members)
    return facts


def base_reaches(base: Run, linear: Run) -> Iterator[Observation]:
    """The same for the base, trained as long as the longest run of the lab."""
    one, other = (Result(Trial("base", (), None, run.config), run) for run in (base, linear))
    budget = base.config.rounds
    if one.loss(budget) is not None and other.loss(budget) is not None:
        yield from reached([(one, other)], budget, "base")


@rule("revived", "gradients", 0.92, thresholds=("FEWEST_PAIRS",))
def revived(results: ExperimentResults) -> Iterator[Observation]:
    """Dead units: in how many other starts units are dead at the end of training."""
    for result in results.singles:
        starts = [
            s
            for s in results.control("other-starts", result)
            if s.run.trace.ending.kind == "completed"
        ]
        # Units of other activations may be dead as well, and are not counted here.
        known = set(result.run.config.network.activations).isdisjoint(FLAT.keys() - {"relu"})
        units = dead_units(result) if result.never_moved_by_gradient and known else ()
        if not units or len(starts) < thresholds.FEWEST_PAIRS:
            continue
        dead = [start for start in starts if dead_at_end(start)]
        facts: Facts = {
            "subject": result.subject,
            "units": Names(tuple(unit.name for unit in units)),
            "count": Count(len(starts), cite("size(each(rounds))", starts)),
            "dead": Count(len(dead), cite("count(each(dead_at_end) > 0)", starts)),
            "rounds": Count(result.run.trace.rounds, result.cite("rounds")),
        }
        claims = (
            result.cite(f"dead_units == {len(units)}"),
            cite("size(each(rounds)) >= FEWEST_PAIRS", starts),
        )
        form = "none" if len(dead) == len(starts) else "some" if dead else "all"
        yield Observation(
            "revived",
            facts,
            runs=1 + len(starts),
            form=form,
            strength="statistical",
            claims=claims,
            effect=len(units) / sum(result.run.config.network.layers[1:]),
        )
