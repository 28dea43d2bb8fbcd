"""The facts of an observation one by one: facts are nested, a table and a file are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from labreport.analysis.observation import (
    Count,
    Fact,
    From,
    Keys,
    Names,
    Number,
    Observation,
    OutOf,
    Part,
    RoundNumber,
    Rounds,
    Setting,
    Share,
    Source,
    Subject,
    UpTo,
    Verbatim,
    With,
    Wording,
)

Leaf = (
    Subject
    | Number
    | Setting
    | Share
    | Count
    | Rounds
    | OutOf
    | Names
    | Verbatim
    | Keys
    | Part
    | Wording
    | RoundNumber
    | From
    | UpTo
)
"""A fact that holds no other."""

NUMERIC = (Number, Setting, Share, Count, Rounds, OutOf, RoundNumber)

UNITS: Mapping[str, str] = {
    "Count.alive": "starts",
    "Count.below": "runs",
    "Count.budget": "rounds",
    "Count.end": "rounds",
    "Count.ended": "starts",
    "Count.leads": "updates",
    "Count.needed": "pairs",
    "Count.other_wins": "starts",
    "Count.parameters": "parameters",
    "Count.rounds": "rounds",
    "Count.rows": "rows",
    "Count.seen": "rows",
    "Count.ties": "rows",
    "Count.untied": "pairs",
    "Count.updates": "updates",
    "Count.wins": "starts",
    "Number.after": "loss",
    "Number.at_value": "loss",
    "Number.before": "loss",
    "Number.best": "loss",
    "Number.better": "loss",
    "Number.deviation": "loss",
    "Number.distances": "loss",
    "Number.end": "loss",
    "Number.ends": "loss",
    "Number.errors": "squared-error",
    "Number.final": "loss",
    "Number.first": "loss",
    "Number.floor": "loss",
    "Number.highest": "loss",
    "Number.last": "loss",
    "Number.leaders": "loss",
    "Number.leads": "loss",
    "Number.least": "loss",
    "Number.level": "loss",
    "Number.loss": "loss",
    "Number.losses": "loss",
    "Number.lowest": "loss",
    "Number.mean": "loss",
    "Number.median": "loss",
    "Number.medians": "loss",
    "Number.mine": "loss",
    "Number.optimum": "loss",
    "Number.other_loss": "loss",
    "Number.other_median": "loss",
    "Number.other_start": "loss",
    "Number.own_training": "loss",
    "Number.ranges": "loss",
    "Number.ranking": "loss",
    "Number.same": "loss",
    "Number.score": "r-squared",
    "Number.scores": "r-squared",
    "Number.seen_score": "r-squared",
    "Number.spreads": "loss",
    "Number.start": "loss",
    "Number.subjects": "loss",
    "Number.theirs": "loss",
    "Number.there": "loss",
    "Number.training": "loss",
    "Number.value": "loss",
    "Number.width": "loss",
    "OutOf.diverged": "starts",
    "OutOf.rises": "rounds",
    "OutOf.starts": "starts",
    "Rounds": "rounds",
    "all-runs.completed": "runs",
    "all-runs.count": "runs",
    "all-runs.diverged": "runs",
    "all-runs.experiments": "experiments",
    "all-runs.refused": "runs",
    "best-at-own-end.total": "points",
    "best-on-validation.total": "points",
    "best-over-starts.alike": "points",
    "best-over-starts.count": "pairs",
    "best-over-starts.even": "pairs",
    "best-over-starts.lower": "pairs",
    "best-over-starts.points": "points",
    "budget-decides.count": "experiments",
    "budget-decides.total": "experiments",
    "chosen-on-test.count": "variants",
    "clamped-gradients.count": "weight-sets",
    "clamped-gradients.total": "weight-sets",
    "common-measure.other_value": "squared-error",
    "common-measure.value": "squared-error",
    "diverged.count": "runs",
    "diverged.total": "runs",
    "equal-start.count": "variants",
    "falling-loss.count": "formulas",
    "falling-loss.right": "loss",
    "first-step.factor": "learning-rate",
    "gradients-agree.count": "parameters",
    "gradients-agree.rounds": "weight-sets",
    "larger-step.count": "points",
    "larger-step-starts.lower": "starts",
    "linear-optimum.count": "runs",
    "linear-optimum.total": "runs",
    "loss-falls-anyway.count": "formulas",
    "at-same-values-starts.count": "starts",
    "best-may-fail.count": "starts",
    "best-may-fail.failed": "starts",
    "layer-gradients-starts.count": "starts",
    "usable-values.count": "points",
    "usable-values.fewest": "points",
    "usable-values.points": "points",
    "lowest-error.count": "runs",
    "lowest-error.subject": "squared-error",
    "kept-rounds.count": "runs",
    "kept-rounds.earliest": "rounds",
    "kept-rounds.latest": "rounds",
    "near-floor.count": "runs",
    "near-floor.near": "runs",
    "lowest-variant.count": "pairs",
    "lowest-variant.lower": "pairs",
    "lowest-variant.total": "variants",
    "best-starts-on-validation.count": "pairs",
    "best-starts-on-validation.lower": "pairs",
    "best-starts-on-validation.total": "points",
    "best-rounds.count": "pairs",
    "dead-values.count": "hidden-units",
    "best-rounds.lower": "pairs",
    "lowest-on-validation.count": "pairs",
    "lowest-on-validation.lower": "pairs",
    "lowest-on-validation.total": "variants",
    "overfits-starts.count": "starts",
    "overfits-starts.least": "starts",
    "paired-starts.count": "pairs",
    "paired-starts.even": "pairs",
    "paired-starts.high": "loss",
    "paired-starts.low": "loss",
    "paired-starts.lower": "pairs",
    "pairs-at-other-rates.count": "pairs",
    "pairs-at-other-rates.half": "pairs",
    "pairs-at-other-rates.twice": "pairs",
    "validation-at-other-rates.count": "pairs",
    "validation-at-other-rates.half": "pairs",
    "validation-at-other-rates.twice": "pairs",
    "ends-over-starts.count": "starts",
    "ends-over-starts.lower": "starts",
    "all-right-starts.count": "starts",
    "own-ends.passes": "passes",
    "speed-over-starts.count": "starts",
    "pairs-by-round.count": "pairs",
    "pairs-by-round.early_higher": "pairs",
    "pairs-by-round.early_lower": "pairs",
    "pairs-by-round.lower": "pairs",
    "pairs-needed.count": "pairs",
    "pairs-needed.even": "pairs",
    "pairs-needed.lower": "pairs",
    "path.count": "variants",
    "place-among-starts.better": "starts",
    "place-among-starts.count": "starts",
    "revived.count": "starts",
    "right-formula.count": "formulas",
    "right-formula.total": "formulas",
    "rises.count": "points",
    "rises.total": "points",
    "several-changes.count": "keys",
    "share-right-swept.count": "points",
    "share-right-swept.total": "points",
    "silent-together.count": "runs",
    "silent-together.total": "runs",
    "silent-weights.count": "parameters",
    "silent-weights.total": "parameters",
    "single-start.count": "runs",
    "spread.count": "starts",
    "spread.total": "runs",
    "start-decides.count": "experiments",
    "start-decides.total": "experiments",
    "step-decides.count": "experiments",
    "step-decides.total": "experiments",
    "still-falling.count": "runs",
    "stuck-points.count": "points",
    "stuck-points.total": "points",
    "stuck-together.count": "runs",
    "stuck-together.total": "runs",
    "threshold.arrived": "updates",
    "worse-than-start.count": "runs",
    "worse-than-start.total": "runs",
}
"""Units by rule and fact; where all rules agree, by type and fact, or by type alone. What is not
here has no unit, or none that is known."""


@dataclass(frozen=True)
class FlatFact:
    """One fact that holds no other, where it stands.

    Attributes:
        name: of the fact that it is part of.
        path: its name, and its places in tuples, counted from 1: ``leaders.2``.
        fact: the fact itself.
        of: what it is said of, as facts: the variant in brackets before whose loss it stands.
        place: its place among bare numbers of a tuple; 0 where it needs none.
        is_label: whether it only says of what another fact is told.
    """

    name: str
    path: str
    fact: Leaf
    of: tuple[Fact, ...] = ()
    place: int = 0
    is_label: bool = False

    @property
    def source(self) -> Source | None:
        """The source from which to compute it again; None where nothing was computed."""
        source = getattr(self.fact, "source", None)
        return source if isinstance(source, Source) else None

    @property
    def is_measured(self) -> bool:
        """True if it is a number, or a name or text that was found in runs."""
        return not self.is_label and (isinstance(self.fact, NUMERIC) or self.source is not None)


def flattened(observation: Observation) -> Iterator[FlatFact]:
    """Every fact of an observation that holds no other, in the order of the facts."""
    for name, fact in observation.facts.items():
        yield from _leaves(fact, FlatFact(name, name, Verbatim("")))


def _leaves(fact: Fact, at: FlatFact) -> Iterator[FlatFact]:
    if isinstance(fact, tuple):
        bare = sum(_is_bare(inner) for inner in fact)
        of = at.of
        for place, inner in enumerate(fact, 1):
            path = f"{at.path}.{place}"
            numbered = place if bare > 1 and _is_bare(inner) else 0
            is_label = bare > 0 and _is_word(inner)
            here = FlatFact(at.name, path, at.fact, of, numbered, at.is_label or is_label)
            yield from _leaves(inner, here)
            of = (*of, inner) if is_label else of
    elif isinstance(fact, With):
        label = getattr(fact.what, "source", None) is None
        yield from _leaves(fact.what, FlatFact(at.name, at.path, at.fact, at.of, is_label=label))
        of = (*at.of, fact.what)
        yield from _leaves(
            fact.detail, FlatFact(at.name, at.path, at.fact, of, is_label=at.is_label)
        )
    else:
        yield FlatFact(at.name, at.path, fact, at.of, at.place, at.is_label)


def _is_bare(fact: Fact) -> bool:
    return isinstance(fact, NUMERIC)


def _is_word(fact: Fact) -> bool:
    """Return whether it holds no other fact, and nothing of it was found in runs."""
    holds_no_other = not isinstance(fact, tuple | With) and not _is_bare(fact)
    return holds_no_other and getattr(fact, "source", None) is None


def unit(rule: str, leaf: FlatFact) -> str:
    """The unit of a fact, ``unit.<name>`` in the catalogues; "" for none."""
    if not _is_bare(leaf.fact):
        return ""
    kind = type(leaf.fact).__name__
    keys = (f"{rule}.{leaf.name}", f"{kind}.{leaf.name}", kind)
    return next((UNITS[key] for key in keys if key in UNITS), "")
