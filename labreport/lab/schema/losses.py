"""Losses a lab may name, and what each compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Prediction = Literal["identity", "softmax", "sigmoid", "exp", ""]


@dataclass(frozen=True)
class Loss:
    """The properties of a loss, whoever computes it.

    Attributes:
        title: its name in print, the same in every language.
        prediction: what makes of outputs a prediction that is to equal the targets: the
            outputs themselves (``identity``), their ``softmax`` over the units, ``sigmoid`` or
            ``exp``; "" for margins, which are to be large and equal nothing.
    """

    title: str
    prediction: Prediction = "identity"


LOSSES: dict[str, Loss] = {
    "mse": Loss("MSE"),
    "l1": Loss("L1"),
    "smooth_l1": Loss("smooth L1"),
    "huber": Loss("Huber"),
    "bce": Loss("BCE"),
    "bce_with_logits": Loss("BCE with logits", "sigmoid"),
    "cross_entropy": Loss("cross entropy", "softmax"),
    "kl_div": Loss("KL divergence", "exp"),
    "poisson_nll": Loss("Poisson NLL", "exp"),
    "soft_margin": Loss("soft margin", ""),
    "multilabel_soft_margin": Loss("multi-label soft margin", "sigmoid"),
    "hinge_embedding": Loss("hinge embedding", ""),
}
