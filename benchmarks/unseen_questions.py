"""What is asked of a sentence: runs that it has not seen, and which of them contradict it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from claim_checks import Effort, Seen
from claim_checks.answers.levels import by_loss, is_ahead, rivals
from claim_checks.losses import (
    ROUNDING_UNITS,
    above_floor,
    came_most_of_the_way,
    has_reached,
    loss_at,
)
from claim_checks.reading import stated
from claim_checks.seen import continued, other_starts, runs_at_points
from claim_checks.silent_weights import has_dead_unit

from labreport.analysis.attach import attach
from labreport.analysis.observation import Observation, Subject
from labreport.analysis.observe import observe
from labreport.lab.configuration import RunConfig
from labreport.lab.plan import Lab
from labreport.runs.run import Run

FRESH = range(1000, 1030)
"""Seeds that no control has."""

TIMES = 3
"""Of the rounds that a sentence on longer training speaks of."""

NUDGES = (5, -5)
"""Units in the last place of single precision by which a learning rate is moved."""

Judge = Callable[[Sequence[Run]], bool]
"""Whether runs from one start, in the order of their configurations, contradict a sentence."""


@dataclass(frozen=True)
class Question:
    """A sentence, and the runs that it is asked of.

    Attributes:
        kind: of the sentence.
        told: how many starts the sentence rests on, and how many of them contradict it; None where
            it speaks of the runs themselves.
        cases: configurations from one start each.
        budgets: rounds at which their outputs are needed.
        contradicts: whether their runs contradict it.
    """

    kind: str
    told: tuple[int, int] | None
    cases: tuple[tuple[RunConfig, ...], ...]
    budgets: tuple[int, ...]
    contradicts: Judge


def from_fresh_starts(seen: Seen, runs: Sequence[Run]) -> tuple[tuple[RunConfig, ...], ...]:
    """The same runs together from starts that none of the controls has."""
    like = [next(iter(other_starts(seen, run).values())).config for run in runs]
    return tuple(tuple(c.model_copy(update={"seed": s}) for c in like) for s in FRESH)


def over_starts(seen: Seen, observation: Observation) -> Iterator[Question]:
    """Ask which of two is ahead."""
    if observation.rule == "tuned-over-starts":
        return  # Of each start its own best value: that would be another sweep from each.
    pair = seen.run(observation.facts["subject"]), seen.run(observation.facts["other"])
    budget = stated(observation, "budget")
    everyone = [r for members in seen.swept.values() for _, r in members]
    if observation.rule == "holds-over-starts":
        everyone = list(rivals(seen, pair[0], budget).values())
    losses = by_loss(everyone)
    count, lower, higher = (stated(observation, key) for key in ("count", "lower", "higher"))
    against = {"all": count - lower, "mostly": count - lower, "reversed": count - higher}
    against["level"] = against["still-level"] = lower + higher

    def contradicts(runs: Sequence[Run]) -> bool:
        ahead, behind = (
            is_ahead(*one, budget, losses) for one in ((runs[0], runs[1]), (runs[1], runs[0]))
        )
        form = observation.form
        return (
            ahead or behind
            if form.endswith("level")
            else not (behind if form == "reversed" else ahead)
        )

    if observation.form in against:
        told = (count, against[observation.form])
        kind = f"{observation.rule}.{observation.form}"
        yield Question(kind, told, from_fresh_starts(seen, pair), (budget,), contradicts)


def paired(seen: Seen, observation: Observation) -> Iterator[Question]:
    """Ask which of two variants is lower from the same start."""
    side = observation.form.partition("-")[0]
    if side not in ("lower", "higher"):
        return
    pair = [
        seen.variants[observation.facts[name].variant][0][1]  # type: ignore[union-attr]
        for name in ("subject", "other")
    ]
    count, lower, even = (stated(observation, key) for key in ("count", "lower", "even"))
    budget = stated(observation, "budget")
    above = count - lower - even

    def contradicts(runs: Sequence[Run]) -> bool:
        mine, theirs = runs if side == "lower" else runs[::-1]
        return is_ahead(theirs, mine, budget, True)

    like = [run.config for run in pair]
    cases = tuple(tuple(c.model_copy(update={"seed": seed}) for c in like) for seed in FRESH)
    told = (count, above if side == "lower" else lower)
    yield Question("paired-starts", told, cases, (budget,), contradicts)


def in_other_roundings(runs: Sequence[RunConfig]) -> tuple[tuple[RunConfig, ...], ...]:
    """The same runs together in double precision, and with a step that is a little larger or less.

    What is said of a run in double precision is not said of one that rounds more coarsely.
    """
    return (
        *((tuple(c.model_copy(update={"dtype": "float64"}) for c in runs),)
          if any(c.dtype == "float32" for c in runs) else ()),
        *(tuple(_nudged(c, units) for c in runs) for units in NUDGES),
    )  # fmt: skip


def _nudged(config: RunConfig, units: int) -> RunConfig:
    rate = config.optimizer.learning_rate * (1 + units * ROUNDING_UNITS["float32"])
    optimizer = config.optimizer.model_copy(update={"learning_rate": rate})
    return config.model_copy(update={"optimizer": optimizer})


def leads(seen: Seen, observation: Observation) -> Iterator[Question]:
    """Ask who leads, of the same runs in other roundings."""
    named = seen.runs(observation.facts["subjects"])
    is_later = observation.rule == "leads-longer"
    end = stated(observation, "budget")
    field = rivals(seen, named[0], end)
    rounds = stated(observation, "rounds") if is_later else end
    losses, ours = by_loss(field.values()), {run.config.digest for run in named}
    budgets = seen.plan.budgets if observation.form == "throughout" and not is_later else (rounds,)
    like = [run.config for run in field.values()]
    is_ours = [config.digest in ours for config in like]
    if is_later:
        like = [config.model_copy(update={"rounds": rounds}) for config in like]

    def contradicts(runs: Sequence[Run]) -> bool:
        first = [run for run, mine in zip(runs, is_ours, strict=True) if mine]
        others = [run for run, mine in zip(runs, is_ours, strict=True) if not mine]
        return any(
            is_ahead(other, run, budget, losses)
            for budget in budgets
            for other in (runs if observation.form == "level" else others)
            for run in first
        )

    kind = f"{observation.rule}.{observation.form}".rstrip(".")
    yield Question(kind, None, in_other_roundings(like), budgets, contradicts)


def reaches(seen: Seen, observation: Observation) -> Iterator[Question]:
    """Ask whether safe variants come near their floor, and how often the other one does not."""
    budget, count = stated(observation, "budget"), stated(observation, "count")

    def contradicts(runs: Sequence[Run]) -> bool:
        return not came_most_of_the_way(runs[0], budget)

    for run in seen.runs(observation.facts["safe"]):
        cases = from_fresh_starts(seen, [run])
        yield Question("reaches-from-starts, safe", (count, 0), cases, (budget,), contradicts)
    failed = stated(observation, "failed")
    cases = from_fresh_starts(seen, [seen.run(observation.facts["subject"])])

    def arrives(runs: Sequence[Run]) -> bool:
        return came_most_of_the_way(runs[0], budget)

    told = (count, count - failed)
    yield Question("reaches-from-starts, failing", told, cases, (budget,), arrives)


def best_from_starts(seen: Seen, observation: Observation) -> Iterator[Question]:
    """Ask whether the best value lies where it is said to."""
    ((_, members),) = seen.swept.items()
    budget, facts = stated(observation, "budget"), observation.facts
    values = [float(trial.point[0][1]) for trial, _ in members]
    low, high = (_value(facts[name]) for name in ("lowest", "highest"))

    def contradicts(runs: Sequence[Run]) -> bool:
        there = [(loss_at(r, budget), v) for r, v in zip(runs, values, strict=True)
                 if has_reached(r, budget)]  # fmt: skip
        return not low <= min(there)[1] <= high

    cases = from_fresh_starts(seen, [r for _, r in members])
    kind = f"best-from-starts.{observation.form}".rstrip(".")
    yield Question(kind, (stated(observation, "count"), 0), cases, (budget,), contradicts)


def _value(fact: object) -> float:
    assert isinstance(fact, Subject)
    return float(fact.point[0][1])  # type: ignore[arg-type]


def revived(seen: Seen, observation: Observation) -> Iterator[Question]:
    """Ask whether a unit is dead after training."""
    count, dead = stated(observation, "count"), stated(observation, "dead")
    for run in seen.runs(observation.facts["subject"]):
        if observation.form == "some":
            continue
        told = (count, dead if observation.form == "all" else count - dead)

        def contradicts(runs: Sequence[Run]) -> bool:
            # The rule counts starts that came to their end.
            ended = runs[0].trace.ending.kind == "completed"
            return ended and has_dead_unit(runs[0]) == (observation.form == "all")

        cases = from_fresh_starts(seen, [run])
        yield Question(f"revived.{observation.form}", told, cases, (), contradicts)


def stays(seen: Seen, observation: Observation) -> Iterator[Question]:
    """Ask whether runs stay where they are for three times as many rounds."""
    # What swings is said to come lower still, and not to stay.
    if "longer" not in observation.facts or observation.form == "swings":
        return
    budget, rounds = stated(observation, "budget"), stated(observation, "longer")
    name = "subjects" if observation.rule == "stuck-points" else "subject"
    told = observation.facts[name]
    named = runs_at_points(seen, told) if name == "subjects" else seen.runs(told)
    for run in named:
        if continued(seen, run, rounds) is None:
            continue
        long = run.config.model_copy(update={"rounds": TIMES * rounds})
        home, room = loss_at(run, budget), 0.01 * above_floor(run, budget)

        def contradicts(
            runs: Sequence[Run], home: float = home, room: float = room, last: int = TIMES * rounds
        ) -> bool:
            losses = runs[0].losses[budget:].astype(float)
            return not has_reached(runs[0], last) or float(abs(losses - home).max()) > room

        cases = ((long,), *in_other_roundings([long]))
        yield Question(observation.rule, None, cases, (), contradicts)


def point_over_starts(seen: Seen, observation: Observation) -> Iterator[Question]:
    """Ask whether the best point of a sweep is the lowest, or level with it, as often."""
    if observation.form:
        return
    ((_, members),) = seen.swept.items()
    budget, count = stated(observation, "budget"), stated(observation, "count")
    place = [trial.point for trial, _ in members].index(observation.facts["best"].point)  # type: ignore[union-attr]
    losses = by_loss(run for _, run in members)

    def contradicts(runs: Sequence[Run]) -> bool:
        return any(is_ahead(run, runs[place], budget, losses) for run in runs)

    told = (count, count - stated(observation, "wins"))
    cases = from_fresh_starts(seen, [run for _, run in members])
    yield Question("point-over-starts", told, cases, (budget,), contradicts)


ASKED: Mapping[str, Callable[[Seen, Observation], Iterator[Question]]] = {
    "who-leads": leads,
    "leads-longer": leads,
    "paired-starts": paired,
    "holds-over-starts": over_starts,
    "tuned-over-starts": over_starts,
    "reaches-from-starts": reaches,
    "best-from-starts": best_from_starts,
    "point-over-starts": point_over_starts,
    "revived": revived,
    "stuck": stays,
    "stuck-points": stays,
    "overshoot": stays,
}
"""What is asked of a sentence, by its rule."""


def questions(one: Lab, runs: Mapping[str, Run]) -> Iterator[Question]:
    """Ask what is to be asked of a lab."""
    mine = {config.digest: runs[config.digest] for config in one.configurations()}
    controls = {config.digest for config in one.controls}
    for plan in one.plans:
        results = attach(plan, mine, controls)
        seen = Seen(plan, [(r.trial, r.run) for r in results.results], mine, Effort())
        seen = seen.without_constant_losses()
        for observation in observe(results):
            yield from ASKED.get(observation.rule, lambda *_: iter(()))(seen, observation)
