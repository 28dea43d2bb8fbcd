"""Whatever is changed under an observation, its rule and its formulas notice it together.

An observation was made by a rule, and can be computed again by its formulas. When a stored number
is changed, when a run takes another one's place, or when a threshold is moved, then either both
notice, the rule because it says something else now, the formulas because one of them fails; or the
change cannot matter to what is said, as that of a number in the midst to a maximum, and neither
does. What one of the two notices alone would be a mistake in the other.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_rules  # noqa: F401 (its cases)
from cases import CASES, Case, made, said
from concluded_labs import LABS, conclude, less_than_chance
from mutations import (
    Lab,
    Mutation,
    failed,
    is_among,
    is_meant_among,
    mutated,
    numbers,
    runs_of,
    swaps,
)

from labreport.analysis import thresholds
from labreport.analysis.formulas.evidence import sourced, thresholds_of
from labreport.analysis.lab_rules.conclusions import LAB_RULES
from labreport.analysis.observation import Observation
from labreport.analysis.observe import RULES
from labreport.analysis.results import ExperimentResults

for _ in Path(__file__).parent.glob("cases_*.py"):
    import_module(_.stem)

FIRING = [case for case in CASES if case.form is not None]

CONSEQUENCES = {"sum(each(count(losses < floor - allowance))) == 0"}
"""Claims that follow from what a rule says, and are no condition of it: no run may lie below its
floor. A number that is changed so that one does breaks the claim, and the rule need not look."""

NUMBERS, SWAPS = 12, 4
"""Changes of each kind that are tried with each observation."""

Say = Callable[[Lab], Sequence[Observation]]
"""What a rule says of a lab."""


def of_rule(rule: str) -> Say:
    return lambda lab: list(RULES[rule](lab[0]))


def of_lab_rule(rule: str) -> Say:
    return lambda lab: [o for _, o in conclude(lab) if o.rule == rule]


def survivors(
    lab: Lab, say: Say, observation: Observation, changes: Sequence[Mutation]
) -> list[str]:
    """Changes that the rule notices and the formulas do not, or the other way round."""
    found = []
    for change in changes:
        other = mutated(lab, change)
        with np.errstate(all="ignore"):
            said = say(other)
        wrong = [f for f in failed(observation, other) if f.formula not in CONSEQUENCES]
        if not wrong and not is_among(observation, said):
            found.append(f"{observation.message}: only the rule notices: {change}")
        # Of two runs that changed places a rule may say the same, but of each what is the other's.
        if wrong and is_meant_among(observation, said):
            found.append(f"{observation.message}: only {wrong[0].formula} notices: {change}")
    return found


@pytest.mark.parametrize("case", FIRING, ids=str)
def test_rule_and_formulas_notice_the_same_changes(case: Case) -> None:
    lab = (made(case.build),)
    draw = random.Random(str(case))
    say = of_rule(case.rule)
    for observation in said(case.build)[case.rule]:
        changes = numbers(lab, observation, draw, NUMBERS) + swaps(lab, observation, draw, SWAPS)
        assert survivors(lab, say, observation, changes) == []


@pytest.mark.parametrize("build", LABS, ids=lambda build: build.__name__)
def test_rules_of_the_whole_lab_and_their_formulas_do_too(build: Callable[[], Lab]) -> None:
    lab = build()
    draw = random.Random(build.__name__)
    for observation in [o for _, o in conclude(lab)]:
        changes = numbers(lab, observation, draw, NUMBERS) + swaps(lab, observation, draw, SWAPS)
        assert survivors(lab, of_lab_rule(observation.rule), observation, changes) == []


# --- thresholds --------------------------------------------------------------------------------

TRIED: dict[str, tuple[Any, ...]] = {
    "SIGNIFICANCE": (1e-300, 1.0),
    "CONFIDENCE": (0.05, 1 - 1e-12),
    "POWER": (0.05, 1 - 1e-12),
    # Rounding is 16 units of 2e-16: far beyond any of the losses here.
    "ROUNDING": (1e30, -1e30),
}
"""Values to which a threshold is moved; all others a million times down and up, and below 0, past
what was measured as exactly 0."""

SPOKEN_OF = {"MIDDLE", "ENOUGH_STARTS"}
"""Thresholds that say which starts stand for chance: they decide what is told, and what is told
is true of those starts wherever they stand, so no claim can fail with them."""


def deciding(observation: Observation) -> list[str]:
    """The thresholds of what is a condition for saying it."""
    claims = tuple(c for c in observation.claims if c.formula not in CONSEQUENCES)
    return list(thresholds_of(replace(observation, claims=claims)))


def moved(name: str) -> tuple[Any, ...]:
    value = getattr(thresholds, name)
    return TRIED.get(name) or (value / 1e6, value * 1e6, -value)


def matters(
    lab: Lab, say: Say, observation: Observation, name: str, patch: pytest.MonkeyPatch
) -> bool:
    """Whether the rule says something else with another threshold, and what it said fails."""
    for value in moved(name):
        with patch.context() as there:
            there.setattr(thresholds, name, value)
            # Results keep what they have computed, with the thresholds of then.
            again = mutated_nowhere(lab)
            with np.errstate(all="ignore"):
                said = is_among(observation, say(again))
            if not said and next(failed(observation, again), None) is not None:
                return True
    return False


def mutated_nowhere(lab: Lab) -> Lab:
    name = next(iter(runs_of(lab)))
    return mutated(lab, Mutation(name, other=name))


@pytest.mark.parametrize("case", FIRING, ids=str)
def test_every_threshold_of_a_claim_decides(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = (made(case.build),)
    say = of_rule(case.rule)
    for observation in said(case.build)[case.rule]:
        for name in deciding(observation):
            assert matters(lab, say, observation, name, monkeypatch), name


@pytest.mark.parametrize("build", LABS, ids=lambda build: build.__name__)
def test_every_threshold_of_a_conclusion_does(
    build: Callable[[], Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = build()
    for observation in [o for _, o in conclude(lab)]:
        say = of_lab_rule(observation.rule)
        for name in deciding(observation):
            assert matters(lab, say, observation, name, monkeypatch), name


@pytest.mark.parametrize(("name", "value"), [("MIDDLE", (0.25, 0.75)), ("ENOUGH_STARTS", 21)])
def test_which_starts_stand_for_chance_changes_what_is_said(
    name: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = of_lab_rule("change-against-chance")
    (before,) = say(less_than_chance())
    monkeypatch.setattr(thresholds, name, value)
    assert not is_among(before, say(less_than_chance()))


def test_no_threshold_is_left_out() -> None:
    observations = [o for case in FIRING for o in said(case.build)[case.rule]]
    observations += [o for build in LABS for _, o in conclude(build())]
    named = {name for o in observations for name in thresholds_of(o)}
    assert named | SPOKEN_OF == {name for name in vars(thresholds) if name.isupper()}


# --- what a formula reads at a place -----------------------------------------------------------


def read_places(observation: Observation, lab: Lab) -> list[Mutation]:
    """Numbers that facts are, as ``losses[10]`` is one, each a little larger."""
    runs = runs_of(lab)
    found = []
    for name, fact in observation.facts.items():
        for _, _, source in sourced(fact, name):
            match = re.fullmatch(
                r"(losses|weights|gradients)\[(-?\d+)(?:, (\d+))?\]", source.formula
            )
            if match is None:
                continue
            array, *written = match.groups()
            trace = runs[source.runs[0]].trace
            values = getattr(trace, array)
            place = tuple(int(k) % n for k, n in zip(written, values.shape, strict=False) if k)
            if array == "losses" and len(trace.overall):
                # Of mini-batches the losses over all rows are an array of their own.
                array, place = "overall", (list(trace.measured).index(place[0]),)
                values = trace.overall
            if len(place) == values.ndim:
                found.append(Mutation(source.runs[0], array, place, 0.125))
    return found


@pytest.mark.parametrize("case", FIRING, ids=str)
def test_a_number_that_is_told_cannot_change_unnoticed(case: Case) -> None:
    lab = (made(case.build),)
    for observation in said(case.build)[case.rule]:
        for change in read_places(observation, lab):
            other = mutated(lab, change)
            with np.errstate(all="ignore"):
                assert not is_among(observation, of_rule(case.rule)(other)), change
            assert next(failed(observation, other), None) is not None, change


# --- the lab that ships with the tool ----------------------------------------------------------

MOST_SHIPPED = 25
"""Observations of the shipped lab that are tried: some of its runs have a thousand rounds."""


def test_observations_of_the_shipped_lab(shipped_build: Any) -> None:
    draw = random.Random(1)
    measured = shipped_build.measured
    everything = [
        (results, observation)
        for results in measured.experiments
        for observation in of_everything(results)
    ]
    found = []
    for results, observation in draw.sample(everything, min(MOST_SHIPPED, len(everything))):
        lab, say = (results,), of_rule(observation.rule)
        changes = numbers(lab, observation, draw, 2) + swaps(lab, observation, draw, 1)
        found += survivors(lab, say, observation, changes)
    assert found == []


def of_everything(results: ExperimentResults) -> list[Observation]:
    return [o for rule in RULES.values() for o in rule(results)]


def test_each_rule_of_the_whole_lab_is_tried() -> None:
    assert {o.rule for build in LABS for _, o in conclude(build())} == set(LAB_RULES)
