"""Rows shared out to training, validation and test, each class in proportion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import floor, isclose

import numpy as np

from labreport.data.examples import DataError, Problem

PARTS = ("train", "validation", "test")

Places = dict[str, tuple[int, ...]]
"""Rows of each part by their place among all, in ascending order."""


def split(
    sizes: Mapping[str, float | int], seed: int, rows: int, classes: Sequence[int] | None
) -> Places:
    """Share out rows.

    Args:
        sizes: numbers of rows, or shares, of the parts that there are.
        seed: of the order in which they are dealt.
        rows: how many there are.
        classes: of each row, if each part is to have as large a share of every class.

    Raises:
        DataError: if the sizes do not add up, or a class has too few rows for every part to get
            some.
    """
    counts = _counts(sizes, rows)
    _check_classes(counts, classes)
    left = np.arange(rows)
    found: Places = {}
    for part in [part for part in PARTS[::-1] if part in counts][:-1]:
        left, taken = _taken(left, counts[part], seed, classes)
        found[part] = taken
    found["train"] = tuple(left.tolist())
    return {part: found[part] for part in PARTS if part in found}


def _taken(
    left: np.ndarray, count: int, seed: int, classes: Sequence[int] | None
) -> tuple[np.ndarray, tuple[int, ...]]:
    """Rows that are left, and those that were taken from them, both ascending."""
    from sklearn.model_selection import train_test_split

    by_class = None if classes is None else np.asarray(classes)[left]
    rest, taken = train_test_split(left, test_size=count, random_state=seed, stratify=by_class)
    return np.sort(rest), tuple(np.sort(taken).tolist())


def _counts(sizes: Mapping[str, float | int], rows: int) -> dict[str, int]:
    """Rows of each part. Raises DataError where they are not all rows."""
    shares = [size for size in sizes.values() if isinstance(size, float)]
    if shares and len(shares) < len(sizes):
        raise DataError(Problem(("split",), "split-mixed", {}))
    total = sum(sizes.values())
    if shares:
        if not isclose(total, 1, abs_tol=1e-9):
            raise DataError(Problem(("split",), "split-shares", {"found": f"{total:g}"}))
        counts = {part: floor(size * rows + 0.5) for part, size in sizes.items()}
        counts["train"] = rows - sum(n for part, n in counts.items() if part != "train")
    else:
        if total != rows:
            raise DataError(Problem(("split",), "split-counts", {"found": total, "expected": rows}))
        counts = {part: int(size) for part, size in sizes.items()}
    empty = [part for part, count in counts.items() if count < 1]
    if empty:
        values = {"parts": ", ".join(empty), "rows": rows}
        raise DataError(Problem(("split",), "split-empty", values))
    return counts


def _check_classes(counts: Mapping[str, int], classes: Sequence[int] | None) -> None:
    """Raises DataError where a class cannot be in every part."""
    if classes is None:
        return
    sizes = Counter(classes)
    fewest = min(sizes.values())
    smallest = min(counts.values())
    if fewest < len(counts) or smallest < len(sizes):
        values = {"rows": fewest, "parts": len(counts), "classes": len(sizes), "part": smallest}
        raise DataError(Problem(("split",), "split-classes", values))
