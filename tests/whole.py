"""How much is tried: a part of what is alike by default, all of it with LABREPORT_TESTS=all.

The part keeps every kind of lab, document and processor; what is left out repeats it on more of the
same. All of it is what a machine tries at night.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any, TypeVar

Kind = TypeVar("Kind")

PART = 7
"""Of so many combinations one is tried; prime, so that options that take turns meet all others."""

WHOLE = os.environ.get("LABREPORT_TESTS") == "all"


def ends(kinds: Sequence[Kind]) -> tuple[Kind, ...]:
    """All of these kinds, or the first and the last."""
    return tuple(kinds) if WHOLE or len(kinds) < 3 else (kinds[0], kinds[-1])


def some(kinds: Sequence[Kind], *chosen: Kind) -> tuple[Kind, ...]:
    """All of these kinds, or those that were chosen of them."""
    assert set(chosen) <= set(kinds)
    return tuple(kinds) if WHOLE else chosen


def pairwise(*options: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Combinations of options: all, or of the last ones one in turn with each of the others.

    So of two options any two values meet, as long as the last option is that of fewest values.
    """
    values = [tuple(option) for option in options]
    places = product(*(range(len(option)) for option in values))
    return [
        tuple(option[k] for option, k in zip(values, place, strict=True))
        for place in places
        if WHOLE or sum(place) % len(values[-1]) == 0
    ]


def turns(combinations: Iterable[Kind], first: int) -> tuple[tuple[int, Kind], ...]:
    """Combinations of all options, numbered on from a first turn: all, or one in seven.

    The turn says which of further options it is that a combination is tried with. Where first
    turns differ by one, parts differ, and seven of them have all combinations between them.
    """
    numbered = enumerate(combinations, start=first)
    return tuple((turn, one) for turn, one in numbered if WHOLE or turn % PART == 0)


def affordable(text: str) -> str:
    """A lab, or the same without the controls that test its conclusions from further runs."""
    if WHOLE:
        return text
    return 'robustness = "none"\n' + re.sub(r"^robustness = .*\n", "", text, flags=re.MULTILINE)
