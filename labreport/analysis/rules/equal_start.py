"""A lead that is there from the start, and what is left of it when two runs start equal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from labreport.analysis import thresholds
from labreport.analysis.observation import (
    Count,
    Facts,
    Observation,
    Rounds,
    Share,
    Source,
    With,
)
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.analysis.rules.comparison import comparable, same_measure
from labreport.analysis.rules.descent import rising, rising_formula


@rule("start-differs", "comparison", 0.65, thresholds=("OTHER_START",))
def start_differs(results: ExperimentResults) -> Iterator[Observation]:
    """A lead that a variant has before the first update, and how fast each closes its gap."""
    budget = results.budgets[0]
    for result in results.singles:
        other = results.against(result)
        if other is None or not comparable(result, other):
            continue
        left, other_left = _left(result, budget), _left(other, budget)
        if left is None or other_left is None:
            continue
        start, other_start = float(result.losses[0]), float(other.losses[0])
        if abs(start - other_start) <= thresholds.OTHER_START * abs(other_start):
            continue
        facts: Facts = {
            "subject": result.subject,
            "other": other.subject,
            "start": result.number(0),
            "other_start": other.number(0),
            "budget": Count(budget),
            "left": left,
            "other_left": other_left,
        }
        apart = "abs(r1.losses[0] - r2.losses[0]) > OTHER_START * abs(r2.losses[0])"
        claims = (cite(apart, (result, other)), *same_measure(result, other))
        yield Observation("start-differs", facts, runs=2, claims=claims)


def _left(result: Result, budget: int) -> Share | None:
    """The share of its first distance from the floor that a run has left; None if it has none."""
    first, later = result.gap(0), result.gap(budget)
    if not first or later is None:
        return None
    formula = f"{result.gap_formula(budget)} / {result.gap_formula(0)}"
    return Share(later / first, result.cite(formula))


@rule(
    "equal-start",
    "comparison",
    0.93,
    thresholds=("OTHER_START", "MOSTLY", "OFTEN_RISING", "ROUNDING"),
    covers=("start-differs",),
)
def equal_start(results: ExperimentResults) -> Iterator[Observation]:
    """A lead that is there from the start, compared once more from an equal loss.

    Plain gradient descent remembers nothing: what follows a step of a run is what training from
    the weights of that step gives. So the run that starts higher is, from where it has come down
    to the other's first loss, a run with an equal start.
    """
    alike: dict[tuple[object, ...], list[_HeadStart]] = {}
    for found in _head_starts(results):
        budgets = tuple(lead.rounds for lead in found.leads)
        alike.setdefault((found.high.subject, found.form, budgets), []).append(found)
    for members in alike.values():
        if len(members) >= MANY:
            yield _together(members)
        else:
            yield from map(_from_equal_loss, members)


MANY = 3
"""Findings that differ in their numbers alone and are told in one sentence."""


def _head_starts(results: ExperimentResults) -> Iterator[_HeadStart]:
    """Pairs of which one starts lower and leads, and the other gets down to its start."""
    for result in results.singles:
        other = results.against(result)
        if other is None or not comparable(result, other):
            continue
        if not (remembers_nothing(result) and remembers_nothing(other)):
            continue
        if not len(result.losses) or not len(other.losses):
            continue
        low, high = sorted((result, other), key=lambda r: float(r.losses[0]))
        start, above = float(low.losses[0]), float(high.losses[0])
        if above - start <= thresholds.OTHER_START * abs(above):
            continue
        # Where losses swing, one round more or less is another lead.
        if _swings(low) or _swings(high):
            continue
        step = high.first_below(start)
        leads = () if step is None else _leads(low, high, step, results.budgets)
        if step is not None and leads:
            yield _HeadStart(low, high, step, leads)


def _swings(result: Result) -> bool:
    """Return whether the loss rises in so many rounds that a single one is little evidence."""
    updates = len(result.losses) - 1
    return int(rising(result, updates).sum()) > thresholds.OFTEN_RISING * updates


@dataclass(frozen=True)
class _Lead:
    """A lead after so many rounds, and what is left of it from an equal loss.

    Attributes:
        rounds: after which the two are compared.
        mine: the loss of the run that starts lower.
        same: that of the other after as many rounds.
        theirs: that of the other after as many rounds from the equal loss.
        late: that of the first as many rounds earlier as the other takes to the equal loss; None
            where the other has not come down to it by then.
    """

    rounds: int
    mine: float
    same: float
    theirs: float
    late: float | None

    @property
    def share(self) -> float:
        """The share of the lead that is gone."""
        return 1 - (self.theirs - self.mine) / (self.same - self.mine)

    @property
    def is_mostly_gone(self) -> bool | None:
        """Whether most of the lead is gone from an equal loss; None where it depends on whose.

        The other one may be given as many rounds more, or the first as many less: where one of them
        has long come to its end, only one of the two tells of the start. A lead over one that has
        not come down to the first's start is there without any training.
        """
        if self.late is None:
            return True if self.share > thresholds.MOSTLY else None
        delayed = (self.late - self.mine) / (self.same - self.mine) > thresholds.MOSTLY
        return delayed if delayed == (self.share > thresholds.MOSTLY) else None

    def formula(self, step: int) -> str:
        """The same of the stored losses; r1 starts lower, r2 comes down to it at ``step``."""
        left = f"(r2.losses[{step + self.rounds}] - r1.losses[{self.rounds}])"
        return f"1 - {left} / {self.lead}"

    def delay_claim(self, step: int) -> str:
        """That most of the lead is gone if the first begins ``step`` rounds later, or is not."""
        if self.late is None:
            return f"r2.losses[{self.rounds}] > r1.losses[0]"
        gone = f"(r1.losses[{self.rounds - step}] - r1.losses[{self.rounds}]) / {self.lead}"
        return f"{gone} {'>' if self.is_mostly_gone else '<='} MOSTLY"

    @property
    def lead(self) -> str:
        return f"(r2.losses[{self.rounds}] - r1.losses[{self.rounds}])"


def _leads(low: Result, high: Result, step: int, budgets: Sequence[int]) -> tuple[_Lead, ...]:
    """Leads after those numbers of rounds for which the other run is long enough."""
    leads = [
        _Lead(
            budget,
            float(low.losses[budget]),
            float(high.losses[budget]),
            float(high.losses[step + budget]),
            float(low.losses[budget - step]) if budget >= step else None,
        )
        for budget in budgets
        if step + budget < len(high.losses) and budget < len(low.losses)
    ]
    # Where there is no lead, there is none that the start could explain.
    leads = [lead for lead in leads if lead.mine < lead.same]
    return tuple(leads) if all(lead.is_mostly_gone is not None for lead in leads) else ()


@dataclass(frozen=True)
class _HeadStart:
    """A run that starts lower than another one and leads.

    Attributes:
        low: the run that starts lower.
        high: the other one.
        step: updates after which the other one has come down to where the first one starts.
        leads: after the numbers of rounds that are compared; at least one.
    """

    low: Result
    high: Result
    step: int
    leads: tuple[_Lead, ...]

    @property
    def form(self) -> str:
        """The form of the sentence that states how much of the leads is gone."""
        mostly = {lead.is_mostly_gone for lead in self.leads}
        if mostly == {True} and all(lead.share >= 1 for lead in self.leads):
            return "gone"
        return "mixed" if len(mostly) > 1 else "mostly" if True in mostly else "kept"

    def cite(self, formula: str) -> Source:
        return cite(formula, (self.low, self.high))

    @property
    def updates(self) -> Count:
        return Count(self.step, self.cite("argmax(wide(r2.losses) <= r1.losses[0])"))

    @property
    def shares(self) -> tuple[Share, ...]:
        """The share of each lead that is gone: none where it has grown, all where it has turned."""
        return tuple(
            Share(
                min(max(lead.share, 0.0), 1.0),
                self.cite(f"min((max(({lead.formula(self.step)}, 0.0)), 1.0))"),
            )
            for lead in self.leads
        )

    @property
    def claims(self) -> tuple[Source, ...]:
        return (
            self.cite("r2.losses[0] - r1.losses[0] > OTHER_START * abs(r2.losses[0])"),
            *(self.cite(f"{lead.lead} > 0") for lead in self.leads),
            *(self.cite(f"{lead.formula(self.step)} {self._bound(lead)}") for lead in self.leads),
            *(self.cite(lead.delay_claim(self.step)) for lead in self.leads),
            *(
                r.cite(f"setting({key!r}) == {value!r}")
                for r in (self.low, self.high)
                for key, value in MEMORYLESS.items()
            ),
            *(r.cite(f"not {_swings_formula(r)}") for r in (self.low, self.high)),
            *same_measure(self.low, self.high),
        )

    def _bound(self, lead: _Lead) -> str:
        if self.form == "gone":
            return ">= 1"
        return "> MOSTLY" if lead.share > thresholds.MOSTLY else "<= MOSTLY"


def _swings_formula(result: Result) -> str:
    updates = len(result.losses) - 1
    return f"count({rising_formula(updates)}) > OFTEN_RISING * {updates}"


def _from_equal_loss(found: _HeadStart) -> Observation:
    low, high, leads, shares = found.low, found.high, found.leads, found.shares
    is_most = [lead.share > thresholds.MOSTLY for lead in leads]
    gone = [lead.share for lead in leads]
    # Of several leads that of which the sentence holds least: all others bear it out the more.
    least = {"mostly": min(gone), "kept": max(gone)}.get(found.form)
    first = is_most.index(True) if least is None else gone.index(least)
    facts: Facts = {
        "subject": low.subject,
        "other": high.subject,
        "updates": found.updates,
        "gone": shares[first],
        "rounds": Count(leads[first].rounds),
    }
    if found.form == "mixed":
        later = next(k for k, lead in enumerate(leads) if is_most[k] != is_most[first])
        facts |= {"left": shares[later], "later": Count(leads[later].rounds)}
    return Observation(
        "equal-start",
        facts,
        runs=2,
        form=found.form,
        strength="explanation",
        claims=found.claims,
    )


def _together(members: Sequence[_HeadStart]) -> Observation:
    """Many that lead over the same run in the same way: one sentence, not one for each."""
    first = members[0]
    # Of leads that are gone altogether, the sentence says just that.
    told = [() if m.form == "gone" else m.shares for m in members]
    facts: Facts = {
        "count": Count(len(members), cite("size(each(rounds))", [m.low for m in members])),
        "subjects": tuple(m.low.subject for m in members),
        "other": first.high.subject,
        "budgets": tuple(Rounds(lead.rounds) for lead in first.leads),
        "leads": tuple(
            With(m.low.subject, (m.low.number(0), m.updates, *shares))
            for m, shares in zip(members, told, strict=True)
        ),
    }
    return Observation(
        "equal-start",
        facts,
        runs=len(members) + 1,
        form=f"{first.form}-many",
        strength="explanation",
        claims=tuple(claim for m in members for claim in m.claims),
    )


MEMORYLESS = {
    "gradients": "cleared",
    "updates": "kept",
    "optimizer.name": "sgd",
    "optimizer.momentum": 0.0,
}
"""Settings with which each step follows from the weights alone, if a round sees all rows."""


def remembers_nothing(result: Result) -> bool:
    """Return whether each step of a run follows from the weights alone."""
    flat = result.run.config.flat()
    alike = all(flat.get(key) == value for key, value in MEMORYLESS.items())
    return alike and result.sees_all_rows
