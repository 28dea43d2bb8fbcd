"""Targets written as the numbers of classes: 2 of three classes is the row 0, 0, 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labreport.lab.lab import Change

OF_SIGNS = frozenset({"soft_margin", "hinge_embedding"})
"""Losses whose targets are 1 and −1, and so no shares of classes."""


def class_numbers(merged: Change) -> tuple[list[int], int] | None:
    """The numbers of the classes and how many classes there are; None if targets are rows.

    One output stands for no class of its own: with it a number is its target.
    """
    found = None if _wants_signs(merged) else _whole_numbers(merged)
    return None if found is None or found[1] == 1 else found


def of_one_output(merged: Change) -> list[int] | None:
    """The target of each row where there is one output and targets are whole numbers."""
    found = _whole_numbers(merged)
    return found[0] if found is not None and found[1] == 1 else None


def are_no_signs(merged: Change) -> bool:
    """Return whether targets are numbers of classes where the loss wants 1 and −1 in rows."""
    found = _whole_numbers(merged)
    return _wants_signs(merged) and found is not None and found[1] > 1


def _wants_signs(merged: Change) -> bool:
    loss = merged.get("loss", "mse")
    return isinstance(loss, str) and loss in OF_SIGNS


def _whole_numbers(merged: Change) -> tuple[list[int], int] | None:
    """Targets that are a whole number for each row, and how many outputs there are."""
    data, network = merged.get("data"), merged.get("network")
    if not isinstance(data, dict) or not isinstance(network, dict):
        return None
    targets, layers = data.get("targets"), network.get("layers")
    if not isinstance(targets, list) or not targets or not isinstance(layers, list | tuple):
        return None
    units = layers[-1] if layers else 0
    if type(units) is not int or units < 1 or not isinstance(merged.get("loss", "mse"), str):
        return None
    return (targets, units) if all(type(target) is int for target in targets) else None


def one_hot(numbers: list[int], classes: int) -> list[list[float]]:
    """A row [classes] for each number: 1 for its class, 0 for the others."""
    rows = [[float(k == number) for k in range(classes)] for number in range(classes)]
    return [rows[number] for number in numbers]


def beyond(merged: Change) -> Iterator[tuple[int, dict[str, Any]]]:
    """Index of each number that no class has, with what a fault says of it."""
    numbers, classes = class_numbers(merged) or ([], 0)
    for index, number in enumerate(numbers):
        if not 0 <= number < classes:
            yield index, {"found": number, "bound": f"0 ≤ … ≤ {classes - 1}"}
