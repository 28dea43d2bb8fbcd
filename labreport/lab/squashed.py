"""Outputs that are probabilities already, and of which a loss takes softmax or sigmoid again."""

from __future__ import annotations

from labreport.lab.configuration import RunConfig
from labreport.lab.schema.losses import LOSSES

PROBABILITIES = ("softmax", "sigmoid")
"""What makes probabilities of outputs, as an activation or within a loss."""


def squashed_twice(config: RunConfig) -> bool:
    """Return whether the last activation and the loss both make probabilities of the outputs.

    The log-softmax of a log-softmax is the same once more, and does no harm.
    """
    within = LOSSES[config.loss].prediction
    return within in PROBABILITIES and config.network.activations[-1] in PROBABILITIES
