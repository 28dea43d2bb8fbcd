"""Reasons for a difference: of the findings that could be one those that the runs bear out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.answers.mechanisms import has_come_to_floor
from labreport.analysis.answers.single_runs import pair_at_end
from labreport.analysis.comparing import from_other_starts, is_lower
from labreport.analysis.observation import Observation, Subject
from labreport.analysis.results import ExperimentResults, Result
from labreport.analysis.rule import REGISTERED, SIZEABLE, part_of
from labreport.analysis.standings import Standing, standing_when_continued, standings

MOST_REASONS = 2
"""Reasons that an answer gives: more are details."""

LEAST_REASON = 0.7
"""Relevance of a reason that stands beside another one."""

OF_PAIRS = ("beyond-linear",)
"""Rules of why one variant is below another, which is no reason beside two others."""

LEVEL = ("level", "same")
"""Forms of verdicts that tell of no difference: what all have in common is a reason for that."""


def reasons(
    results: ExperimentResults, parts: Sequence[Observation], findings: Sequence[Observation]
) -> list[Observation]:
    """The reasons for a difference, the most relevant first.

    What all that are compared have in common is none, nor what is about a small part only, nor
    what holds nobody back who is behind.

    Args:
        results: of the experiment.
        parts: of its answer so far: verdict and effect.
        findings: all of them, the most relevant first.
    """
    found = [o for o in findings if part_of(o) == "reason" and o.effect >= SIZEABLE]
    both = compared(results, parts)
    is_level = any(part_of(o) == "verdict" and o.form in LEVEL for o in parts)
    own = [o for o in found if is_level or not _is_shared(results, both, o, found)]
    telling = [o for o in own if _is_borne_out(results, o, findings)]
    first = [o for i, o in enumerate(telling) if o.rule not in {p.rule for p in telling[:i]}]
    strong = [o for o in first if o.relevance >= LEAST_REASON]
    return strong[:MOST_REASONS] or first[:1]


def compared(results: ExperimentResults, parts: Sequence[Observation]) -> frozenset[str]:
    """The two variants that an answer compares; none where it compares no two."""
    for part in parts:
        if part_of(part) == "verdict" and (pair := named_pair(part)):
            return pair
    at_end = pair_at_end(results)
    return frozenset((at_end[0].variant, at_end[1].variant) if at_end else ())


def named_pair(observation: Observation) -> frozenset[str]:
    """The two variants that a finding compares; none where it compares no two."""
    pair = observation.facts.get("subject"), observation.facts.get("other")
    named = [one.variant for one in pair if isinstance(one, Subject)]
    return frozenset(named if len(named) == len(pair) else ())


def _is_shared(
    results: ExperimentResults,
    pair: frozenset[str],
    reason: Observation,
    found: Sequence[Observation],
) -> bool:
    """Return whether a finding is of every variant alike, or of both that are compared.

    What is told of the starts of each variant for itself is the same of those that it is told of.
    """
    named = _named(reason)
    if pair and reason.rule in OF_PAIRS and named_pair(reason) != pair:
        return True
    if reason.strength == "statistical":
        alike = (o for o in found if (o.rule, o.form) == (reason.rule, reason.form))
        named = set().union(*map(_named, alike))
    everyone = {r.variant for r in results.results}
    is_alone = len(results.results) == 1
    both = bool(pair) and pair <= named
    return bool(named) and not is_alone and (both or everyone <= named)


def _named(observation: Observation) -> set[str]:
    """The variants that a finding is about."""
    fact = observation.facts.get("subject", observation.facts.get("subjects", ()))
    subjects = fact if isinstance(fact, tuple) else (fact,)
    return {s.variant for s in subjects if isinstance(s, Subject) and not s.point}


def _is_borne_out(
    results: ExperimentResults, reason: Observation, findings: Sequence[Observation]
) -> bool:
    """Return whether the runs leave a finding to be a reason."""
    needed = REGISTERED[reason.rule].borne_out_by
    if needed and not any(_bears_out(results, o) for o in findings if o.rule in needed):
        return False
    has = REGISTERED[reason.rule].hinders
    return has is None or _holds_back(results, reason, has)


def _bears_out(results: ExperimentResults, finding: Observation) -> bool:
    """Return whether a finding says that a larger step, or the best, makes up for the difference.

    Of variants each at its best it does where the one that all are compared with is not behind.
    """
    if finding.rule != "each-at-its-best":
        return finding.form == ""
    first = Subject(next(iter(results.swept)))
    named = finding.facts["subjects"]
    return isinstance(named, tuple) and first in named


def _holds_back(
    results: ExperimentResults, hindrance: Observation, has: Callable[[Result], bool]
) -> bool:
    """Return whether all who are named and compared at the end are behind because of it.

    Not where who leads has it as well, nor who has come to its floor, nor who is as often behind
    without it.
    """
    found = standings(results)
    if not found or not found[-1].others:
        return True
    last, named = found[-1], _named(hindrance)
    if any(r.variant in named or has(r) for r in last.first):
        return False
    held = [r for r in last.others if r.variant in named]
    return all(
        not has_come_to_floor(r, results.last) and _explains(results, last, r, has) for r in held
    )


def _explains(
    results: ExperimentResults, last: Standing, behind: Result, has: Callable[[Result], bool]
) -> bool:
    """Return whether other starts and longer training leave a hindrance to be why one is behind.

    From starts that have it most are behind; from others, if there are enough, not as many. Nor
    is it the reason of one that leads when it is trained for longer. A run of which no weight ever
    moves needs no other starts: with them it would be another one.
    """
    weights = behind.run.trace.weights
    if not np.any(weights != weights[:1]):
        return True
    later = standing_when_continued(results)
    if later is not None and later.others:
        leading = {r.variant for r in later.first}
        if behind.variant in leading and last.first[0].variant not in leading:
            return False
    pairs = from_other_starts(results, last.first[0], behind, last.measure)
    if pairs is None or not all(other.run.trace.is_whole for _, other in pairs.pairs):
        return True
    with_it = [pair for pair in pairs.pairs if has(pair[1])]
    without = [pair for pair in pairs.pairs if pair not in with_it]
    return _mostly_behind(last, with_it) is not False and not _mostly_behind(last, without)


def _mostly_behind(last: Standing, pairs: Sequence[tuple[Result, Result]]) -> bool | None:
    """Return whether the second of most pairs is behind the first; None of too few pairs."""
    if len(pairs) < thresholds.FEWEST_PAIRS:
        return None
    behind = sum(is_lower(ahead, other, last.measure) for ahead, other in pairs)
    return behind >= thresholds.MOSTLY_STARTS * len(pairs)
