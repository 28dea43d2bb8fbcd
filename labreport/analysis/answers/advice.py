"""Advice: what to do next time, by what the other parts of an answer have found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from labreport.analysis.observation import Count, Facts, Observation

ADVICE: Mapping[tuple[str, str], str] = {
    ("refused", "target"): "targets",
    ("coincide", "momentum"): "clear",
    ("undamped", ""): "clear",
    ("right-formula", "some"): "check",
    ("right-formula", "none"): "check",
    ("right-formula", ""): "check",
    ("symmetry", ""): "draw",
    ("best-rounds", ""): "stop",
    ("best-rounds", "starts"): "stop",
    ("overfits-starts", ""): "stop",
    ("solved-less-often", ""): "weigh",
    ("over-all-rows", "turns"): "rows",
    ("ends-over-starts", "depends"): "starts",
    ("own-ends", "passes"): "passes",
    ("own-ends", "passes-validation"): "starts",
    ("own-ends", "passes-level"): "any",
    ("own-ends", ""): "ends",
    ("own-ends", "level"): "ends",
    ("own-ends", "validation"): "ends",
    ("rounding-decides", ""): "twice",
    ("pairs-by-round", ""): "calmer",
    ("holds-over-starts", "depends"): "starts",
    ("holds-over-starts", "reversed"): "starts",
    ("holds-over-starts", "fewer"): "starts",
    ("reaches-from-starts", ""): "starts",
    ("reaches-from-starts", "often"): "starts",
    ("reaches-from-starts", "always"): "starts",
    ("tuned-over-starts", "depends"): "tune",
    ("tuned-over-starts", "level"): "tune",
    ("tuned-over-starts", "still-level"): "tune",
    ("tuned-over-starts", "reversed"): "tune",
    ("tuned-over-starts", "fewer"): "tune",
    ("tuned-over-starts", "not-level"): "tune",
    ("point-over-starts", "some"): "starts",
    ("point-over-starts", "other"): "starts",
    ("at-same-values-starts", "none"): "starts",
    ("at-same-values", "ranges"): "tune",
    ("at-same-values", "ranges-mixed"): "tune",
    ("sweep-shape", "peak"): "peak",
    ("sweep-shape", "peak-level"): "peak",
    ("sweep-shape", "rising"): "wider",
    ("sweep-shape", "rising-ended"): "peak",
    ("sweep-shape", "rising-ended-level"): "peak",
    ("sweep-shape", "falling"): "wider",
    ("sweep-shape", "rising-bound"): "point",
    ("sweep-shape", "falling-bound"): "point",
    ("sweep-shape", "rising-flat"): "level",
    ("sweep-shape", "falling-flat"): "level",
    ("sweep-shape", "level"): "any",
    ("sweep-shape", "uneven"): "point",
    ("best-point", "level"): "any",
    ("best-point", "one"): "point",
    ("best-point", "shared"): "point",
    ("who-leads", "level"): "any",
    ("leads-longer", "joined"): "budget",
    ("leads-longer", "turns"): "budget",
    ("place-among-starts", "inside"): "starts",
    ("place-among-starts", "below"): "starts",
    ("place-among-starts", "above"): "starts",
    ("linear-unfinished", ""): "rate",
    ("validation-over-starts", "reversed"): "starts",
    ("validation-over-starts", "depends"): "starts",
    ("larger-step", ""): "rate",
    ("larger-step-starts", ""): "rate",
    ("validation-at-other-rates", "turns"): "rate",
    ("validation-at-other-rates", "open"): "rate",
    ("best-starts-on-validation", "level"): "any",
    ("best-starts-on-validation", "beside"): "among",
    ("best-starts-on-validation", "open"): "more",
    ("best-starts-on-validation", ""): "point",
    ("best-starts-on-validation", "all"): "point",
    ("lowest-on-validation", "level"): "any",
    ("lowest-on-validation", "beside"): "among",
    ("lowest-on-validation", "open"): "more",
    ("lowest-on-validation", ""): "take",
    ("lowest-on-validation", "all"): "take",
    ("starts-on-validation", "level"): "any",
    ("starts-on-validation", "open"): "more",
    ("starts-on-validation", ""): "take",
    ("leads-on-validation", "level"): "any",
    ("leads-on-validation", ""): "take",
    ("leads-on-validation", "turned"): "take",
    ("best-on-validation", "level"): "level",
    ("best-on-validation", ""): "point",
    ("best-on-validation", "other"): "point",
    ("who-leads", "turns"): "budget",
    ("who-leads", "evens"): "budget",
    ("pairs-at-other-rates", "turns"): "rate",
    ("pairs-at-other-rates", "open"): "rate",
    ("paired-starts", "open"): "more",
    ("paired-starts", "few"): "more",
    ("paired-starts", "same"): "any",
    ("paired-starts", "level"): "any",
    ("all-right-starts", "two-open"): "more",
    ("lowest-variant", "level"): "any",
    ("lowest-variant", "beside"): "among",
    ("lowest-variant", "open"): "more",
    ("lowest-variant", ""): "take",
    ("lowest-variant", "all"): "take",
    ("best-over-starts", "open"): "more",
    ("best-over-starts", "mostly-level"): "more",
    ("best-over-starts", "own-mostly-level"): "more",
    ("best-over-starts", "level"): "steady",
    ("best-over-starts", "own-level"): "steady",
    ("best-over-starts", "clear"): "point",
    ("best-over-starts", "sure"): "point",
    ("best-over-starts", "own-open"): "more",
    ("best-over-starts", "own-clear"): "train",
    ("best-over-starts", "own-sure"): "train",
    ("paired-starts", "lower-all"): "take",
    ("paired-starts", "lower-sure"): "take",
    ("paired-starts", "lower"): "take",
    ("paired-starts", "higher-all"): "take",
    ("paired-starts", "higher-sure"): "take",
    ("paired-starts", "higher"): "take",
    ("who-leads", "throughout"): "take",
    ("who-leads", "shared"): "take",
    ("who-leads", "one"): "take",
}
"""The form of the advice by rule and form of the finding that it follows from; the first that was
found counts."""


OF_POINTS = ("best-starts-on-validation",)
"""Rules whose subject is a value of a sweep."""

OF_ONE_VALUE = ("point", "peak", "train")
"""Forms that recommend one value of a sweep."""

OF_CHOICE = ("take", "point", "wider", "train", "steady")
"""Forms that recommend what has the lowest loss."""


OF_HELD_OUT = (
    "lowest-on-validation",
    "best-starts-on-validation",
    "starts-on-validation",
    "leads-on-validation",
    "best-on-validation",
)
"""Rules whose finding is of rows that training does not see."""


def advice(parts: Sequence[Observation], limits: Sequence[Observation] = ()) -> Observation | None:
    """The advice that follows from the other parts of an answer; None where nothing does.

    It rests on the runs and the claims of the finding that it follows from. Of a variant that
    differs in several things from another one nothing is known of any of them, of runs of which
    most still fall nobody knows where they would end, and what fits training rows best may do worse
    on others. Where nothing is found because starts are too few, more of them are advised.

    Args:
        parts: of the answer.
        limits: what the experiment does not show.
    """
    by_place = {(o.rule, o.form): o for o in reversed(parts)}
    for place, form in ADVICE.items():
        if (found := by_place.get(place)) is None:
            continue
        facts = _facts(found)
        if form == "take" and (mixed := _mixed(facts, limits)) is not None:
            found, form, facts = mixed, "apart", {}
        elif form == "take" and (alone := _one_start(limits)) is not None:
            found, form, facts = alone, "starts", {}
        elif form == "take" and (unfinished := _unfinished(found, limits)) is not None:
            found, form, facts = unfinished, "longer", {}
        elif form in OF_CHOICE and (unseen := _unseen(found, limits)) is not None:
            found, form, facts = unseen, "unseen", {}
        elif form == "take" and _some_fall(found, limits):
            form = "rounds"
        elif form == "wider":
            found, form, facts = _beyond(found, facts, limits)
        elif form in OF_ONE_VALUE and (risky := _risky(facts, parts)) is not None:
            found, form = risky, "fails"
            facts = {key: risky.facts[key] for key in ("best", "failed", "count")}
        return _advised(found, form, facts)
    few = next((o for o in limits if (o.rule, o.form) == ("paired-starts", "few")), None)
    return None if few is None else _advised(few, "more", {})


def _advised(found: Observation, form: str, facts: Facts) -> Observation:
    return replace(found, rule="advice", form=form, facts=facts, limits=False, relevance=1.0)


def _facts(found: Observation) -> Facts:
    """What an advice names: a variant or a value."""
    preferred = "other" if found.form.startswith("higher") else "subject"
    subject = found.facts.get(preferred, found.facts.get("subjects"))
    best = found.facts.get("best", subject if found.rule in OF_POINTS else None)
    named = {"subject": subject, "best": best}
    return {key: fact for key, fact in named.items() if fact is not None}


def _mixed(facts: Facts, limits: Sequence[Observation]) -> Observation | None:
    """The limit that what is to be taken differs in several things from another variant."""
    taken = facts.get("subject")
    named = taken if isinstance(taken, tuple) else (taken,)
    several = (o for o in limits if o.rule == "several-changes")
    return next((o for o in several if {o.facts["subject"], o.facts["other"]} & {*named}), None)


def _one_start(limits: Sequence[Observation]) -> Observation | None:
    """The limit that everything rests on one start, and that no other was tried."""
    return next((o for o in limits if o.rule == "single-start"), None)


def _unfinished(found: Observation, limits: Sequence[Observation]) -> Observation | None:
    """The limit that at least half of the runs from random starts still fall at the end.

    What rows that are held out decide is not open for it: there a loss may rise long before.
    """
    if found.rule in OF_HELD_OUT:
        return None
    falling = (o for o in limits if (o.rule, o.form) == ("still-falling", "many"))
    return next((o for o in falling if 2 * _count(o, "count") >= _count(o, "total")), None)


def _unseen(found: Observation, limits: Sequence[Observation]) -> Observation | None:
    """The limit that what is changed bears on rows that nobody looked at.

    Larger networks and weaker penalties fit the rows that they are trained on better, and need not
    do so on others.
    """
    if found.rule in OF_HELD_OUT:
        return None
    return next((o for o in limits if o.rule == "unseen-rows"), None)


def _some_fall(found: Observation, limits: Sequence[Observation]) -> bool:
    """Return whether some of the runs still fall at the end, so that more rounds may turn it."""
    return found.rule not in OF_HELD_OUT and any(o.rule == "still-falling" for o in limits)


def _risky(facts: Facts, parts: Sequence[Observation]) -> Observation | None:
    """The finding that some starts fail at the value that is to be taken."""
    fail = (o for o in parts if o.rule == "best-may-fail")
    return next((o for o in fail if o.facts["best"] == facts.get("best")), None)


def _beyond(
    found: Observation, facts: Facts, limits: Sequence[Observation]
) -> tuple[Observation, str, Facts]:
    """What to do at the edge of a range: widen it, unless another experiment has done so."""
    edges = [o for o in limits if o.rule == "edge-of-grid"]
    if not edges:
        return found, "point", facts
    told = next(
        (o for o in edges if o.form == "elsewhere" and o.facts["best"] == facts["best"]), None
    )
    if told is None:
        return found, "wider", facts
    return told, "farther", {key: told.facts[key] for key in ("best", "farther", "experiment")}


def _count(observation: Observation, name: str) -> int:
    fact = observation.facts[name]
    assert isinstance(fact, Count)
    return fact.value
