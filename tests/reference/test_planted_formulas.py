"""A sample of right and wrong formulas, planted from the middle to far saturation.

The script plants all of them: ``python benchmarks/planted_formulas.py``.
"""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import planted_formulas
import pytest

EVERY = 61
"""Of some 10 000 cases, each so manieth is tried; no divisor of how many there are of a kind."""


@pytest.fixture(scope="module")
def verdicts() -> list[planted_formulas.Verdict]:
    chosen = itertools.islice(planted_formulas.cases(), 0, None, EVERY)
    with np.errstate(all="ignore"):
        return [verdict for case in chosen for verdict in planted_formulas.verdicts(case)]


def test_no_verdict_contradicts_what_is_so(verdicts: list[planted_formulas.Verdict]) -> None:
    assert [verdict for verdict in verdicts if verdict.is_false] == []


def test_every_mistake_is_planted_where_it_shows(
    verdicts: list[planted_formulas.Verdict],
) -> None:
    wrong = Counter(v.name for v in verdicts if v.expected == "wrong")
    names = ("sign", "double", "hundredth", "zero", "missing", "exchanged", "other-unit")
    assert min(wrong[name] for name in names) > 20
    assert sum(v.expected == "right" for v in verdicts) > 60
