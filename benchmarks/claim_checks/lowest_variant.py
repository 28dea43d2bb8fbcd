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
    medians = {n: median_loss((r for _, r in m), budget) for n, m in seen.variants.items()}
    counts = {}
    for name in medians:
        if name != best:
            pair = seen.variants[best], seen.variants[name]
            counts[name] = (*lower_and_higher(seen, *pair), len(seed_pairs(seen, *pair)))
    there = None not in medians.values()
    return there and compared_with_rivals(observation, best, medians, counts)


def compared_with_rivals(
    observation: Observation,
    best: Any,
    medians: dict[Any, Any],
    counts: dict[Any, tuple[int, int, int]],
) -> bool:
    """Check who is lowest, by medians and by pairs that are lower, higher, and all of each other.

    Args:
        observation: that says it.
        best: the variant or the point that is said to be the lowest.
        medians: of every variant or point.
        counts: of every one but that.
    """
    unsure = {name for name, count in counts.items() if not _is_sure(count, len(counts))}
    level = not any(below + above for below, above, _ in counts.values())
    told = near(stated(observation, "median"), medians[best])
    told = told and stated(observation, "total") == len(medians)
    told = told and medians[best] == min(medians.values())
    told = told and all(stated(observation, "count") == count for _, _, count in counts.values())
    if observation.form == "level":
        return told and level and near(stated(observation, "highest"), max(medians.values()))
    if observation.form in ("open", "beside"):
        named = {s.variant or s.point for s in subjects_of(observation.facts["others"])}
        beside = not any(sum(counts[name][:2]) for name in unsure)
        told = told and beside == (observation.form == "beside")
        return told and not level and unsure == named
    return told and not unsure and _is_next(observation, medians, counts)


def _is_sure(count: tuple[int, int, int], others: int) -> bool:
    below, above, _ = count
    return below > above and others * coin_toss_probability(below, above) <= 0.05


def _is_next(
    observation: Observation, medians: dict[Any, Any], counts: dict[Any, tuple[int, int, int]]
) -> bool:
    other = observation.facts["other"]
    second = other.variant or other.point
    least, everyone = min(below for below, _, _ in counts.values()), stated(observation, "count")
    return (
        near(stated(observation, "other_median"), medians[second])
        and medians[second] == min(medians[name] for name in counts)
        and stated(observation, "lower") == least
        and (observation.form == "all") == (least == everyone)
    )


CHECKS: dict[str, Check] = {"lowest-variant": lowest_variant}
"""The check by the name of its rule."""
