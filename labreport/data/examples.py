"""Examples as their source gives them, and what can be wrong with a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Matrix = tuple[tuple[float, ...], ...]
"""Rows of numbers; NaN where a value is missing."""

RULE_NAMES = ("moons", "circles", "blobs", "spirals", "xor", "line", "polynomial", "sine")
"""What can be drawn; how, is said in ``generated.py``, which takes longer to import."""

SET_NAMES = ("iris", "wine", "digits", "breast_cancer", "diabetes")
"""Sets that come with scikit-learn."""

MOST_ROWS = 200_000
"""Rows of a source: each of them is held as a tuple of numbers."""

MOST_VALUES = 5_000_000
"""Numbers of a source."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the data of a lab.

    Attributes:
        key: where in ``[base.data]``, as a path: ``("split", "train")``.
        code: names the sentence in the catalogues (``fault.<code>``).
        values: what the sentence mentions, by name.
        allowed: what could stand there instead.
    """

    key: tuple[str, ...]
    code: str
    values: Mapping[str, Any]
    allowed: tuple[str, ...] = ()


class DataError(Exception):
    """Data that cannot be used; it has every problem that was found."""

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("; ".join(f"{p.code} {dict(p.values)}" for p in self.problems))


@dataclass(frozen=True)
class Examples:
    """Rows of inputs with a target each.

    Attributes:
        columns: names of the inputs.
        inputs: [rows][columns], NaN where a value is missing.
        targets: [rows][targets] numbers, or the number [rows] of each row's class.
        names: of the targets.
        classes: names of the classes by their number; none where targets are numbers.
        dropped: rows of the source that were left out, because a value is missing in them.
    """

    columns: tuple[str, ...]
    inputs: Matrix
    targets: Matrix | tuple[int, ...]
    names: tuple[str, ...]
    classes: tuple[str, ...] = ()
    dropped: int = 0


def numbered(labels: Sequence[str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The number of each label, and the labels by number: in order, numbers by their size."""
    classes = sorted(set(labels), key=_order)
    places = {name: number for number, name in enumerate(classes)}
    return tuple(places[label] for label in labels), tuple(classes)


def _order(label: str) -> tuple[int, float, str]:
    try:
        return 0, float(label), label
    except ValueError:
        return 1, 0.0, label
