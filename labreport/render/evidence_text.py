"""The evidence of a statement in words: its numbers at full precision, their formulas and runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite

import numpy as np

from labreport.analysis.formulas.evidence import thresholds_of
from labreport.analysis.formulas.flattened_facts import FlatFact, Leaf, flattened, unit
from labreport.analysis.observation import (
    Count,
    Fact,
    Names,
    Observation,
    OutOf,
    RoundNumber,
    Rounds,
    Subject,
    Verbatim,
)
from labreport.language.array_summary import formula_in_short
from labreport.language.catalogue import Language, Variants
from labreport.render.printed import Basis, Evidence, Reading
from labreport.report import numbers

RunList = tuple[str, ...]
"""Names of the runs that a formula reads, in its order."""

SHOWN_RUNS = 3
"""Runs that a note names; ``observations.json`` has them all."""

FORMULAS_ON_PAPER = 8
"""Formulas of one note that are printed: who computes them again does so from the file."""

DIGITS_OF_A_NAME = 12
"""Of the 64 digits that name a run: among a million runs two that agree in them are unlikely."""


def evidence(
    observation: Observation, number: int, variants: Variants, language: Language
) -> Evidence:
    """The evidence of an observation, in one language.

    Args:
        observation: what is stated.
        number: of its evidence.
        variants: that it names.
        language: to write in.
    """
    text = language.text
    return Evidence(
        number=number,
        anchor=f"claim-{number}",
        note=f"note-{number}",
        label=text("report.evidence", number=number),
        rule=observation.rule,
        looks_for=text(f"rule.{observation.rule}"),
        strength=text(f"strength.{observation.strength}"),
        count=text("evidence.count", count=observation.runs) if observation.runs else "",
        bases=_bases(observation, variants, language),
        thresholds=tuple(
            (name, np.format_float_positional(value, trim="-"))
            for name, value in thresholds_of(observation).items()
        ),
    )


def brief(evidence: Evidence, language: Language) -> Evidence:
    """The same for paper: no numbers without a formula, and no more formulas than are read there.

    The sentence has all digits of the former, and observations.json has all of the latter.
    """
    bases: list[Basis] = []
    room, left_out = FORMULAS_ON_PAPER, 0
    for basis in evidence.bases:
        computed = tuple(r for r in basis.readings if r.formula)
        readings = computed[:room]
        claims = basis.claims[: room - len(readings)]
        room -= len(readings) + len(claims)
        left_out += len(computed) - len(readings) + len(basis.claims) - len(claims)
        if readings or claims:
            bases.append(replace(basis, readings=readings, claims=claims))
    more = language.text("evidence.more-formulas", count=left_out) if left_out else ""
    return replace(evidence, bases=tuple(bases), more=more)


def _bases(observation: Observation, variants: Variants, language: Language) -> tuple[Basis, ...]:
    """Readings and claims, those from the same runs together.

    What must hold for each of several runs by the same formula is written once.
    """
    readings: dict[RunList, list[Reading]] = {}
    for leaf in flattened(observation):
        if leaf.is_measured:
            runs = leaf.source.runs if leaf.source else ()
            readings.setdefault(runs, []).append(
                _reading(observation.rule, variants, leaf, language)
            )
    lists: dict[str, dict[RunList, None]] = {}
    for condition in observation.claims:
        lists.setdefault(condition.formula, {})[condition.runs] = None
    conditions: dict[tuple[RunList, ...], list[str]] = {}
    for formula, of in lists.items():
        conditions.setdefault(tuple(of), []).append(formula_in_short(formula))
    alone = [
        Basis(
            _runs(names, language),
            tuple(readings.get(names, ())),
            tuple(conditions.get((names,), ())),
        )
        for names in dict.fromkeys((*readings, *(of[0] for of in conditions if len(of) == 1)))
    ]
    each = [
        Basis(_each(of, language), (), tuple(formulas))
        for of, formulas in conditions.items()
        if len(of) > 1
    ]
    return (*alone, *each)


def _reading(rule: str, variants: Variants, leaf: FlatFact, language: Language) -> Reading:
    measure = unit(rule, leaf)
    return Reading(
        name=_name(variants, leaf, language),
        value=exact(leaf.fact),
        unit=language.text(f"unit.{measure}") if measure else "",
        formula=formula_in_short(leaf.source.formula) if leaf.source else "",
    )


def _name(variants: Variants, leaf: FlatFact, language: Language) -> str:
    """Name a fact, and what it is about."""
    key = f"fact.{leaf.name}"
    name = language.text(key) if language.has(key) else leaf.name.replace("_", " ")
    if leaf.place:
        name = language.text("evidence.place", name=name, place=leaf.place)
    of = language.text("list.comma").join(_of_whom(fact, variants, language) for fact in leaf.of)
    return language.text("with", what=name, detail=of) if of else name


def exact(fact: Leaf) -> str:
    """A value with all of its digits, as a program would write it."""
    if isinstance(fact, OutOf):
        return f"{fact.value}/{fact.total}"
    if isinstance(fact, Names):
        return ", ".join(fact.values)
    if isinstance(fact, Verbatim):
        return fact.value
    if isinstance(fact, Count | Rounds | RoundNumber):
        return str(fact.value)
    value = getattr(fact, "value")  # noqa: B009, the others of what is measured are numbers
    return repr(float(value)) if isfinite(value) else numbers.measured(value)


def _runs(names: RunList, language: Language) -> str:
    """Name the runs that formulas call r1, r2 and so on."""
    words = _named(names, language)
    return language.text("evidence.group", name=words) if words else ""


def _each(lists: Sequence[RunList], language: Language) -> str:
    """For which runs one after the other a formula holds."""
    shown = [_named(names, language) for names in lists[:SHOWN_RUNS]]
    words = language.text("list.clause").join(shown)
    key = "evidence.each-more" if len(lists) > SHOWN_RUNS else "evidence.each"
    return language.text("evidence.group", name=language.text(key, runs=words, count=len(lists)))


def _named(names: RunList, language: Language) -> str:
    shown = [
        f"r{place} = {name[:DIGITS_OF_A_NAME]}"
        for place, name in enumerate(names[:SHOWN_RUNS], start=1)
    ]
    words = language.text("list.comma").join(shown)
    if len(names) > SHOWN_RUNS:
        words = language.text("evidence.more-runs", runs=words, count=len(names))
    return words


def _of_whom(fact: Fact, variants: Variants, language: Language) -> str:
    """Name what a number is of, without the quotation marks of a sentence."""
    if isinstance(fact, Subject):
        return language.subject(fact, variants)
    return language.fact(fact, variants)
