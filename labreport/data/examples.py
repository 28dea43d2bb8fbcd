"""Examples as their source gives them, and what can be wrong with a source."""

from __future__ import annotations

import re
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

    key: tuple[str | int, ...]
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
        picture: height and width of the picture that a row is, row by row; None of other data.
    """

    columns: tuple[str, ...]
    inputs: Matrix
    targets: Matrix | tuple[int, ...]
    names: tuple[str, ...]
    classes: tuple[str, ...] = ()
    dropped: int = 0
    picture: tuple[int, int] | None = None


MOST_CLASSES = 1000
"""Classes of a data set: a network has an output for each."""

LONGEST_NAME = 100
"""Characters of the name of a column or a class, which tables and figures have room for."""

# Control characters would reach terminals, and marks that turn the direction of writing round would
# show a name as another one.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def check_names(key: str, names: Sequence[str]) -> None:
    """Raises DataError for a name that cannot be printed as it is."""
    problems = []
    for name in dict.fromkeys(names):
        if UNPRINTABLE.search(name):
            problems.append(Problem((key,), "data-control-character", {"found": ascii(name[:40])}))
        elif len(name) > LONGEST_NAME:
            values = {"found": f"{name[:20]}…", "limit": LONGEST_NAME}
            problems.append(Problem((key,), "data-long-name", values))
    if problems:
        raise DataError(problems[:20])


def numbered(labels: Sequence[str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The number of each label, and the labels by number: in order, numbers by their size.

    Raises:
        DataError: if there are more than a network may have outputs for.
    """
    classes = sorted(set(labels), key=_order)
    if len(classes) > MOST_CLASSES:
        values = {"found": len(classes), "limit": MOST_CLASSES}
        raise DataError(Problem(("target",), "data-too-many-classes", values))
    places = {name: number for number, name in enumerate(classes)}
    return tuple(places[label] for label in labels), tuple(classes)


def _order(label: str) -> tuple[int, float, str]:
    try:
        return 0, float(label), label
    except ValueError:
        return 1, 0.0, label
