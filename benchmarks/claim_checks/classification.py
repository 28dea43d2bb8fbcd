"""Checks of rules on the classes that outputs stand for."""

from __future__ import annotations

import numpy as np

from claim_checks.losses import (
    ROUNDING_UNITS,
    has_reached,
    loss_at,
    predictions_at,
    rounding_beside,
)
from claim_checks.reading import coin_toss_probability, first_variant, listed, near, stated, value
from claim_checks.seen import Check, Seen
from labreport.analysis.observation import Observation
from labreport.runs.run import Run


def own_classes(run: Run) -> np.ndarray:
    """Return the classes that the targets of all rows stand for."""
    targets = np.array(run.config.data.targets)
    return np.asarray(targets[:, 0] > 0.5 if targets.shape[1] == 1 else targets.argmax(axis=1))


def answered_classes(run: Run, budget: int, units: float = 16.0) -> np.ndarray:
    """Return the classes of all rows; -1 where so many units of rounding decide."""
    outputs = run.trace.outputs_at(budget)
    assert outputs is not None
    slack = units * ROUNDING_UNITS[run.config.dtype]
    if outputs.shape[1] == 1:
        yes = predictions_at(run, budget)[:, 0]
        return np.array([-1 if abs(p - 0.5) <= slack / 2 else int(p > 0.5) for p in yes])
    made = []
    for row in outputs.astype(float):
        second, first = sorted(row)[-2:]
        made.append(-1 if first - second <= slack * np.abs(row).max() else int(row.argmax()))
    return np.array(made)


def has_ties(run: Run, budget: int) -> bool:
    """Check that rounding decides the class of a row."""
    return bool((answered_classes(run, budget) < 0).any())


def share_of_right_answers(run: Run, budget: int) -> float:
    """Return the share of rows that are put into their own class."""
    return float(np.mean(own_classes(run) == answered_classes(run, budget)))


def is_classes(run: Run) -> bool:
    """Check that targets are classes."""
    targets = np.array(run.config.data.targets)
    fine = np.isin(targets, (0, 1)).all()
    # Margins compare with ±1: 0 is no class of theirs.
    fine = fine and run.config.loss not in ("soft_margin", "hinge_embedding")
    return bool(fine and (targets.shape[1] == 1 or (targets.sum(axis=1) == 1).all()))


def share_right(seen: Seen, observation: Observation) -> bool:
    """Check the share of right classes of each variant."""
    budget = stated(observation, "budget")
    told = [(seen.run(w.what), value(w.detail)) for w in listed(observation, "shares")]
    shares = [share for _, share in told]
    if shares != sorted(shares, reverse=True) or (observation.form == "one") != (len(told) == 1):
        return False
    if (observation.form == "level") != (len(told) > 1 and shares[0] == shares[-1]):
        return False
    if observation.form in ("two", "several"):
        for name, key, extreme in (("first", "share", max), ("last", "other_share", min)):
            named = {run.name for s in listed(observation, name) for run in seen.runs(s)}
            if named != {run.name for run, share in told if share == extreme(shares)}:
                return False
            if stated(observation, key) != extreme(shares):
                return False
    # One number for all rows and one most frequent class: all must have the same targets.
    for run, share in told:
        _, counts = np.unique(own_classes(run), return_counts=True)
        if not is_classes(run) or not near(share, share_of_right_answers(run, budget)):
            return False
        if stated(observation, "rows") != len(own_classes(run)):
            return False
        if not near(stated(observation, "largest"), counts.max() / counts.sum()):
            return False
    return True


def share_right_swept(seen: Seen, observation: Observation) -> bool:
    """Check which points of a sweep have the largest share of right classes."""
    budget = stated(observation, "budget")
    members = seen.swept[first_variant(observation.facts["subject"])]
    there = [(t, share_of_right_answers(r, budget)) for t, r in members if has_reached(r, budget)]
    top = max(share for _, share in there)
    reached = {t.point for t, share in there if share == top}
    told = {s.point for s in listed(observation, "points")}
    if observation.form == "range":
        low, high = (observation.facts[k].point[0][1] for k in ("lowest", "highest"))
        within = {t.point for t, _ in there if low <= t.point[0][1] <= high}
        if within != reached or len(within) < 3:
            return False
    return (
        near(stated(observation, "share"), top)
        and stated(observation, "total") == len(there)
        and stated(observation, "count") == len(reached)
        and told == reached
        and not any(has_ties(r, budget) for _, r in members if has_reached(r, budget))
    )


def share_right_starts(seen: Seen, observation: Observation) -> bool:
    """Check the shares of right classes over all starts that got so far.

    Where the outputs of one are missing, nothing may be said.
    """
    budget = stated(observation, "budget")
    for told in listed(observation, "shares"):
        runs = [run for _, run in seen.variants[told.what.variant]]
        shares = [share_of_right_answers(r, budget) for r in runs if has_reached(r, budget)]
        said = [value(n) for n in told.detail]
        mine = (float(np.median(shares)), min(shares), max(shares))
        if not all(near(a, b) for a, b in zip(said, mine, strict=True)):
            return False
    if observation.form == "later" and not _differed_before(seen, observation):
        return False
    return _names_the_best_and_the_worst(observation)


def all_right_starts(seen: Seen, observation: Observation) -> bool:
    """Check from how many starts of each all rows are put into their own class."""
    budget = stated(observation, "budget")
    groups: dict[tuple[str, object], list[bool]] = {}
    for name, members in seen.variants.items():
        if name in seen.singles:
            continue
        for trial, run in sorted(members, key=lambda member: member[0].seed or 0):
            right = has_reached(run, budget) and all_surely_right(run, budget)
            groups.setdefault((name, trial.point), []).append(right)
    alone = len(seen.variants) == 1
    rates = {
        ("" if alone else name, point): sum(right) / len(right)
        for (name, point), right in groups.items()
    }
    kinds = {"every": {1.0}, "none": {0.0}, "some": {*rates.values()} - {0.0, 1.0}}
    most, fewest = max(rates.values()), min(rates.values())
    kinds |= {"first": {most}, "last": {fewest}, "between": {*rates.values()} - {most, fewest}}
    for key, wanted in kinds.items():
        if key in observation.facts:
            told = {(s.variant, s.point) for s in listed(observation, key)}
            if told != {place for place, rate in rates.items() if rate in wanted}:
                return False
    if "most" not in observation.facts:
        return True
    told_rates = [observation.facts[key] for key in ("most", "fewest")]
    if [fact.value / fact.total for fact in told_rates] != [most, fewest]:  # type: ignore[union-attr]
        return False
    if len(groups) > 2:
        return True
    one, other = groups.values()
    differ = [a for a, b in zip(one, other, strict=True) if a != b]
    p = coin_toss_probability(sum(differ), len(differ) - sum(differ))
    return (p <= 0.05) == (observation.form == "two")


def all_surely_right(run: Run, budget: int) -> bool:
    """Return whether every row is in its own class, and none by a convention for ties."""
    return share_of_right_answers(run, budget) == 1 and not has_ties(run, budget)


def _differed_before(seen: Seen, observation: Observation) -> bool:
    """Check the median shares of two variants at the earlier number of rounds."""
    early = stated(observation, "early")
    found = []
    for name in ("ahead", "behind"):
        runs = [run for _, run in seen.variants[observation.facts[name].variant]]
        found.append(float(np.median([share_of_right_answers(r, early) for r in runs])))
    told = [stated(observation, key) for key in ("early_middle", "early_other")]
    return found[0] > found[1] and all(near(a, b) for a, b in zip(told, found, strict=True))


def _names_the_best_and_the_worst(observation: Observation) -> bool:
    """Check who has the highest and the lowest median and worst share."""
    told = {
        w.what.variant: tuple(value(n) for n in w.detail) for w in listed(observation, "shares")
    }
    ranked = sorted(told.values(), key=lambda shares: shares[:2])
    ends = (("first", ("middle", "least"), -1), ("last", ("other_middle", "other_least"), 0))
    if observation.form != "several":
        is_level = len(told) > 1 and ranked[0][:2] == ranked[-1][:2]
        return (
            is_level == (observation.form in ("level", "later"))
            and tuple(stated(observation, key) for key in ("middle", "least", "most"))
            in told.values()
        )
    return ranked[0][:2] < ranked[-1][:2] and all(
        {s.variant for s in listed(observation, name)}
        == {v for v, shares in told.items() if shares[:2] == ranked[place][:2]}
        and tuple(stated(observation, key) for key in keys) == ranked[place][:2]
        for name, keys, place in ends
    )


def loss_against_share(seen: Seen, observation: Observation) -> bool:
    """Check that the lowest loss is not the best classifier."""
    budget = stated(observation, "budget")
    low, best = seen.run(observation.facts["subject"]), seen.run(observation.facts["other"])
    there = [r for r in seen.singles.values() if has_reached(r, budget) and is_classes(r)]
    there = [r for r in there if not has_ties(r, budget)]
    # "The lowest loss is not the best classifier": nobody with that loss classifies as well.
    least = min(loss_at(r, budget) for r in there)
    top = max(share_of_right_answers(r, budget) for r in there)
    # What rounding alone may add to the lowest loss is as low.
    as_low = least + max(rounding_beside(r, least) for r in there)
    lowest = [share_of_right_answers(r, budget) for r in there if loss_at(r, budget) <= as_low]
    return (
        stated(observation, "loss") == loss_at(low, budget) <= as_low
        and stated(observation, "other_loss") == loss_at(best, budget)
        and near(stated(observation, "share"), share_of_right_answers(low, budget))
        and near(stated(observation, "other_share"), share_of_right_answers(best, budget))
        and share_of_right_answers(best, budget) == top > max(lowest)
    )


def level_answers(seen: Seen, observation: Observation) -> bool:
    """Check of how many rows rounding alone decides the class."""
    budget = stated(observation, "budget")
    for told in listed(observation, "ties"):
        run, (count, share) = seen.run(told.what), told.detail
        made = answered_classes(run, budget)
        # At just so many units, rounding decides even on which side of them a difference is.
        least, most = ((answered_classes(run, budget, units) < 0).sum() for units in (15.5, 16.5))
        if not (least <= value(count) <= most) or not value(count):
            return False
        outputs = run.trace.outputs_at(budget)
        assert outputs is not None
        slack = 16 * ROUNDING_UNITS[run.config.dtype]
        first = [
            0
            if outputs.shape[1] == 1
            else int(np.argmax(row >= row.max() - slack * abs(row).max()))
            for row in outputs.astype(float)
        ]
        counted = np.where(made < 0, first, made)
        apart = abs(value(share) - float(np.mean(own_classes(run) == counted)))
        if apart > (most - least + 1e-6) / len(made):
            return False
    return True


def mistaken(seen: Seen, observation: Observation) -> bool:
    """Check which class is most often taken for which other."""
    budget = stated(observation, "budget")
    told = tuple(_class_named(seen, observation.facts[k].values[0]) for k in ("own", "other"))
    for subject in listed(observation, "subjects"):
        run = seen.run(subject)
        own, made = own_classes(run), answered_classes(run, budget)
        taken = [(int(a), int(b)) for a, b in zip(own, made, strict=True) if a != b and b >= 0]
        if any(taken.count(pair) >= taken.count(told) for pair in {*taken} - {told}):
            return False
        if ({*taken} == {told}) != (observation.form == "only"):
            return False
    return True


def _class_named(seen: Seen, name: str) -> int:
    """The number of a class: as its data set names it, else that of its output unit."""
    data_set = seen.pairs[0][0].data_set
    if data_set is not None and name in data_set.classes:
        return data_set.classes.index(name)
    return int(name[1:]) - 1


CHECKS: dict[str, Check] = {
    "share-right": share_right,
    "share-right-swept": share_right_swept,
    "share-right-starts": share_right_starts,
    "all-right-starts": all_right_starts,
    "loss-against-share": loss_against_share,
    "mistaken": mistaken,
    "level-answers": level_answers,
}
"""Checks by the name of their rule."""
