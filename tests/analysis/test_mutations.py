"""Whatever is changed under an observation, its rule and its formulas notice it together.

An observation was made by a rule, and can be computed again by its formulas. When a stored number
is changed, when a run takes another one's place, or when a threshold is moved, then either both
notice, the rule because it says something else now, the formulas because one of them fails; or the
change cannot matter to what is said, as that of a number in the midst to a maximum, and neither
does. What one of the two notices alone would be a mistake in the other.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_rules  # noqa: F401 (its cases)
from cases import CASES, Case
from concluded_labs import LABS
from mutations import Lab, Mutation, failed, is_among, mutated, numbers, read_by, runs_of, swaps

from labreport.analysis import thresholds
from labreport.analysis.conclusions import LAB_RULES, conclude
from labreport.analysis.evidence import thresholds_of
from labreport.analysis.observation import Observation
from labreport.analysis.observe import RULES

for _ in Path(__file__).parent.glob("cases_*.py"):
    import_module(_.stem)

FIRING = [case for case in CASES if case.form is not None]

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
            said = is_among(observation, say(other))
        wrong = next(failed(observation, other), None)
        if said == (wrong is not None):
            which = f"only formulas notice: {wrong.formula}" if wrong else "only the rule notices"
            found.append(f"{observation.message}: {which}: {change}")
    return found


@pytest.mark.parametrize("case", FIRING, ids=str)
def test_rule_and_formulas_notice_the_same_changes(case: Case) -> None:
    lab = (case.build(),)
    draw = random.Random(str(case))
    say = of_rule(case.rule)
    for observation in say(lab):
        changes = numbers(lab, observation, draw, NUMBERS) + swaps(lab, observation, draw, SWAPS)
        assert survivors(lab, say, observation, changes) == []


@pytest.mark.parametrize("build", LABS, ids=lambda build: build.__name__)
def test_rules_of_the_whole_lab_and_their_formulas_do_too(build: Callable[[], Lab]) -> None:
    lab = build()
    draw = random.Random(build.__name__)
    for observation in [o for _, o in conclude(lab)]:
        changes = numbers(lab, observation, draw, NUMBERS) + swaps(lab, observation, draw, SWAPS)
        assert survivors(lab, of_lab_rule(observation.rule), observation, changes) == []
