"""An observation: one computed statement, as facts. Sentences are made of it elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from labreport.lab.plan import Point

Strength = Literal["exact", "statistical", "explanation"]


@dataclass(frozen=True)
class Subject:
    """The subject of an observation: a variant, a point of a sweep, or both."""

    variant: str
    point: Point = ()


@dataclass(frozen=True)
class Source:
    """A formula that computes something again from the stored arrays of runs.

    Attributes:
        formula: in the language of ``analysis/formulas/evidence.py``: ``losses[10] - floor``.
        runs: names of the stored runs that it reads; in the formula r1, r2, … in this order.
    """

    formula: str
    runs: tuple[str, ...]


Origin = Source | None
"""The source of a fact; None where the lab file states it, as it states budgets."""


@dataclass(frozen=True)
class Number:
    """A measured number at full precision, and how to compute it again.

    ``digits`` are printed, if not as many as tell it from the other numbers of its sentence.
    """

    value: float
    source: Origin = field(default=None, compare=False)
    digits: int | None = None


@dataclass(frozen=True)
class Setting:
    """A number that somebody chose, printed as short as it can be written."""

    value: float
    source: Origin = field(default=None, compare=False)


@dataclass(frozen=True)
class Share:
    """A fraction, printed as a percentage."""

    value: float
    source: Origin = field(default=None, compare=False)


@dataclass(frozen=True)
class Count:
    """A whole number: rounds, runs, seeds."""

    value: int
    source: Origin = field(default=None, compare=False)


@dataclass(frozen=True)
class OutOf:
    """So many of so many, printed as 5/13."""

    value: int
    total: int
    source: Origin = field(default=None, compare=False)


@dataclass(frozen=True)
class Rounds:
    """A number of rounds, printed with its unit."""

    value: int
    source: Origin = field(default=None, compare=False)


@dataclass(frozen=True)
class Names:
    """Names that are the same in every language: w1, h2, o1."""

    values: tuple[str, ...]
    source: Origin = field(default=None, compare=False)


@dataclass(frozen=True)
class Verbatim:
    """Text that is quoted word for word."""

    value: str
    source: Origin = field(default=None, compare=False)


@dataclass(frozen=True)
class Keys:
    """Keys of the configuration, by dotted path."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """A name of the vocabulary: an activation, a loss, an optimizer, an initialiser."""

    kind: Literal["activation", "loss", "optimizer", "initial"]
    name: str


@dataclass(frozen=True)
class Wording:
    """Words of the lab itself, in each language; a name stands in quotation marks."""

    zh: str
    en: str
    is_name: bool = False

    def within(self, language: str) -> str:
        """The words in a language."""
        return self.en if language == "en" else self.zh


@dataclass(frozen=True)
class RoundNumber:
    """One round, counted from 1: round 41."""

    value: int
    source: Origin = field(default=None, compare=False)


@dataclass(frozen=True)
class From:
    """A point of a sweep and all larger ones."""

    start: Subject


@dataclass(frozen=True)
class UpTo:
    """A variant at a point of a sweep and at all smaller ones."""

    end: Subject


@dataclass(frozen=True)
class With:
    """Something with a detail in brackets: a variant and its loss."""

    what: Fact
    detail: Fact


Fact = (
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
    | With
    | tuple["Fact", ...]
)


Facts = dict[str, Fact]


@dataclass(frozen=True)
class Observation:
    """A finding of a rule.

    Attributes:
        rule: name of the rule.
        form: which of the rule's sentences states it; "" for a rule with one sentence.
        facts: by the name that the sentence uses.
        runs: number of runs that it rests on.
        strength: ``exact`` is arithmetic on these runs, ``statistical`` speaks of replicates,
            ``explanation`` names a mechanism that a run of its own has tested.
        relevance: 0 … 1, how directly it answers the experiment's question; the table of rules
            says how much for each rule.
        effect: 0 … 1, how large the part of the run is that it is about: the share of its
            parameters, units or rounds. A finding about a hundredth of a network answers less.
        limits: whether it says what the experiment does not show.
        claims: what must be true for the sentence to hold, in formulas that give true or false;
            a name in capitals is a threshold.
    """

    rule: str
    facts: Mapping[str, Fact]
    runs: int
    relevance: float = 0.0
    form: str = ""
    strength: Strength = "exact"
    limits: bool = False
    claims: tuple[Source, ...] = ()
    effect: float = 1.0

    @property
    def message(self) -> str:
        """Key of its sentence in the catalogues."""
        return f"observation.{self.rule}" + (f".{self.form}" if self.form else "")

    @property
    def words(self) -> tuple[object, ...]:
        """The content of its sentence: the same for two that state the same."""
        facts = {name: _as_printed(fact) for name, fact in self.facts.items()}
        return (self.message, tuple(sorted(facts.items(), key=lambda item: item[0])))


def _as_printed(fact: Fact) -> Fact:
    """A fact whose numbers have no more digits than are printed, where that is stated."""
    match fact:
        case Number(value, _, int(digits)):
            return Number(float(f"{value:.{digits - 1}e}"), digits=digits)
        case With(what, detail):
            return With(_as_printed(what), _as_printed(detail))
        case tuple():
            return tuple(map(_as_printed, fact))
        case _:
            return fact
