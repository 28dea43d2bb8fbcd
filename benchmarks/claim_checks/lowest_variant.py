"""The check of which of three or more variants from random starts is the lowest."""

from __future__ import annotations

from typing import Any

from claim_checks.reading import coin_toss_probability, near, stated, subjects_of
from claim_checks.reliability import lower_and_higher, median_loss, seed_pairs
from claim_checks.seen import Check, Seen
from labreport.analysis.observation import Observation


def lowest_variant(seen: Seen, observation: Observation) -> bool:
    """Check that a variant has the lowest median, and from which others it can be told."""
    best, budget = observation.facts["subject"].variant, stated(observation, "budget")
    rivals = [name for name in seen.variants if name != best]
    medians = {n: median_loss((r for _, r in seen.variants[n]), budget) for n in (best, *rivals)}
    if None in medians.values() or medians[best] != min(medians.values()):
        return False
    counts: dict[str, tuple[int, int]] = {}
    for name in rivals:
        pair = seen.variants[best], seen.variants[name]
        if stated(observation, "count") != len(seed_pairs(seen, *pair)):
            return False
        counts[name] = lower_and_higher(seen, *pair)
    level = {name for name, count in counts.items() if not _is_sure(count, len(rivals))}
    told = near(stated(observation, "median"), medians[best])
    told = told and stated(observation, "total") == len(seen.variants)
    if observation.form == "open":
        return told and level == {s.variant for s in subjects_of(observation.facts["others"])}
    return told and not level and _is_next(observation, medians, counts)


def _is_sure(count: tuple[int, int], others: int) -> bool:
    below, above = count
    return below > above and others * coin_toss_probability(below, above) <= 0.05


def _is_next(
    observation: Observation, medians: dict[str, Any], counts: dict[str, tuple[int, int]]
) -> bool:
    second = observation.facts["other"].variant
    return (
        near(stated(observation, "other_median"), medians[second])
        and medians[second] == min(medians[name] for name in counts)
        and stated(observation, "lower") == min(below for below, _ in counts.values())
    )


CHECKS: dict[str, Check] = {"lowest-variant": lowest_variant}
"""The check by the name of its rule."""
