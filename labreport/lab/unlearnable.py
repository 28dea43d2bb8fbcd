"""Configurations that cannot learn anything from their rows, and why, told from the keys alone."""

from __future__ import annotations

from typing import Literal

from labreport.lab.configuration import RunConfig

Reason = Literal["cross-entropy", "softmax", "log-softmax", "one-class"]
"""Why: ``cross-entropy`` of one unit is 0 whatever the weights, because the softmax of one unit is
1; an activation ``softmax`` or ``log-softmax`` of one unit is 1 or 0 for the same reason; with
targets of ``one-class`` an answer that does not depend on the inputs is right."""

FEWEST_ROWS = 4
"""Two rows that are told apart are no classifier, and two of one class are no data set."""

OF_CLASSES = frozenset({"bce", "bce_with_logits", "cross_entropy"})
"""Losses whose targets 0 and 1 stand for classes."""


def reason(config: RunConfig) -> Reason | None:
    """Return why a configuration cannot learn anything from its rows; None where it may."""
    units, last = config.network.layers[-1], config.network.activations[-1]
    if units == 1 and config.loss == "cross_entropy":
        return "cross-entropy"
    if units == 1 and last in ("softmax", "log_softmax"):
        return "softmax" if last == "softmax" else "log-softmax"
    return "one-class" if _is_one_class(config) else None


def has_no_loss(config: RunConfig) -> bool:
    """Return whether the loss is 0 whatever the weights, so that it tells nothing about a run."""
    return reason(config) == "cross-entropy"


def _is_one_class(config: RunConfig) -> bool:
    targets = config.data.targets
    first = targets[0]
    is_class = len(first) == 1 or sum(first) == 1
    return (
        config.loss in OF_CLASSES
        and len(targets) >= FEWEST_ROWS
        and is_class
        and all(value in (0, 1) for value in first)
        and all(row == first for row in targets)
    )
