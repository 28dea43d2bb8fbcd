"""The answer to the question of an experiment, put together from its findings, part by part."""

from __future__ import annotations

from collections.abc import Sequence

from labreport.analysis.answers.advice import advice
from labreport.analysis.answers.reasons import named_pair, reasons
from labreport.analysis.observation import Observation
from labreport.analysis.passes import is_one_trajectory
from labreport.analysis.results import ExperimentResults
from labreport.analysis.rule import PARTS, part_of

OF_PAIRS = (
    "pairs-at-other-rates",
    "pairs-by-round",
    "solved-less-often",
    "validation-at-other-rates",
)
"""Scopes of a verdict on the same two variants from random starts, and of no other."""

OF_ALL = ("best-rounds",)
"""Scopes of whoever is first among all that are compared."""

OF_SEVERAL = ("lowest-variant", "lowest-on-validation", "best-starts-on-validation")
"""Verdicts on three or more variants, or on values, from random starts."""

TURNS_ROUND = (
    ("leads-longer", "joined"),
    ("best-rounds", ""),
    ("best-rounds", "starts"),
    ("overfits-starts", ""),
    ("leads-longer", "turns"),
    ("pairs-by-round", ""),
    ("rounding-decides", ""),
    ("own-ends", ""),
    ("own-ends", "level"),
    ("own-ends", "validation"),
    ("accuracy-on-validation", "same"),
    ("accuracy-on-validation", "turned"),
    ("kept-rounds", ""),
    ("kept-rounds", "many"),
)
"""Findings without which an answer would mislead: they stand in it beside others of their part."""


def answers_of(
    results: ExperimentResults, findings: list[Observation], limits: Sequence[Observation]
) -> list[Observation]:
    """The answer: of each part the most relevant finding that can be it, and the advice.

    Where nothing says what happened, the most relevant finding of all stands in its place.
    """
    parts: list[Observation] = []
    for part in PARTS[:-1]:
        found = [o for o in findings if part_of(o) == part]
        if part == "reason":
            parts += reasons(results, parts, findings)
        else:
            if part == "scope":
                found = [o for o in found if _is_about(o, parts)]
            parts += [o for i, o in enumerate(found) if not i or (o.rule, o.form) in TURNS_ROUND]
    # What would turn the answer round counts for the advice also where another part says more.
    scopes = [o for o in findings if part_of(o) == "scope" and o not in parts]
    scopes = [o for o in scopes if _is_about(o, parts)]
    advised = advice([*parts, *scopes], limits)
    if advised is None and not any(part_of(o) in ("verdict", "effect") for o in parts):
        return findings[:1]
    asks = _asks_why(results) and not _tells_no_difference(parts)
    if asks and not any(part_of(o) == "reason" for o in parts):
        place = sum(PARTS.index(part_of(o) or "advice") < PARTS.index("reason") for o in parts)
        parts.insert(place, Observation("no-reason", {}, 0))
    return [*parts, *([advised] if advised else [])]


def _is_about(scope: Observation, parts: Sequence[Observation]) -> bool:
    """Return whether a finding is about no other two variants than those of the verdict."""
    pair = next((named_pair(o) for o in parts if part_of(o) == "verdict"), frozenset())
    if scope.rule in OF_ALL:
        return True
    if any(o.rule in OF_SEVERAL for o in parts) and not pair:
        return scope.rule not in OF_PAIRS
    if scope.rule in OF_PAIRS:
        return named_pair(scope) == pair
    return not pair or named_pair(scope) in (pair, frozenset())


def _asks_why(results: ExperimentResults) -> bool:
    """Return whether runs are compared whose difference has a reason that can be asked for."""
    trained = {(r.variant, r.point) for r in results.results}
    of_rounds = results.sweeps_rounds or is_one_trajectory(results)
    return results.check is None and not of_rounds and len(trained) > 1


NO_DIFFERENCE = (
    ("all-right-starts", "two-open"),
    ("best-over-starts", "open"),
    ("best-over-starts", "level"),
    ("best-over-starts", "mostly-level"),
    ("best-point", "level"),
    ("best-on-validation", "level"),
    ("best-starts-on-validation", "level"),
    ("leads-on-validation", "level"),
    ("lowest-on-validation", "level"),
    ("lowest-variant", "level"),
    ("paired-starts", "few"),
    ("paired-starts", "level"),
    ("paired-starts", "open"),
    ("paired-starts", "same"),
    ("starts-on-validation", "level"),
    ("starts-on-validation", "open"),
    ("sweep-shape", "level"),
    ("who-leads", "level"),
)
"""Findings, by rule and form, that tell of no difference whose reason could be asked for."""


def _tells_no_difference(parts: Sequence[Observation]) -> bool:
    """Return whether the answer so far tells of no difference."""
    telling = [o for o in parts if part_of(o) == "verdict"]
    telling = telling or [o for o in parts if part_of(o) == "effect"]
    return any((o.rule, o.form) in NO_DIFFERENCE for o in telling)
