"""How much is tried: a part of what is alike by default, all of it with LABREPORT_TESTS=all.

The part keeps every kind of lab, document and processor; what is left out repeats it on more of the
same. All of it is what a machine tries at night.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import cycle, product
from typing import TypeVar

Kind = TypeVar("Kind")
Other = TypeVar("Other")

WHOLE = os.environ.get("LABREPORT_TESTS") == "all"


def ends(kinds: Sequence[Kind]) -> tuple[Kind, ...]:
    """All of these kinds, or the first and the last."""
    return tuple(kinds) if WHOLE or len(kinds) < 3 else (kinds[0], kinds[-1])


def some(kinds: Sequence[Kind], *chosen: Kind) -> tuple[Kind, ...]:
    """All of these kinds, or those that were chosen of them."""
    assert set(chosen) <= set(kinds)
    return tuple(kinds) if WHOLE else chosen


def pairs(kinds: Sequence[Kind], others: Sequence[Other]) -> tuple[tuple[Kind, Other], ...]:
    """Each of these kinds with each of the others, or with one of them in turn."""
    return tuple(product(kinds, others) if WHOLE else zip(kinds, cycle(others), strict=False))


def affordable(text: str) -> str:
    """A lab, or the same without the controls that test its conclusions from further runs."""
    if WHOLE:
        return text
    return 'robustness = "none"\n' + re.sub(r"^robustness = .*\n", "", text, flags=re.MULTILINE)
