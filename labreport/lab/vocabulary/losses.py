"""Losses a lab may name, and what each compares."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Loss:
    """What is true of a loss, whoever computes it.

    Attributes:
        title: its name in print, the same in every language.
        compares_logits: outputs are taken before a sigmoid or softmax, so they are not
            themselves comparable with the targets.
    """

    title: str
    compares_logits: bool = False


LOSSES: dict[str, Loss] = {
    "mse": Loss("MSE"),
    "l1": Loss("L1"),
    "smooth_l1": Loss("smooth L1"),
    "huber": Loss("Huber"),
    "bce": Loss("BCE"),
    "bce_with_logits": Loss("BCE with logits", compares_logits=True),
    "cross_entropy": Loss("cross entropy", compares_logits=True),
    "kl_div": Loss("KL divergence", compares_logits=True),
    "poisson_nll": Loss("Poisson NLL", compares_logits=True),
    "soft_margin": Loss("soft margin", compares_logits=True),
    "multilabel_soft_margin": Loss("multi-label soft margin", compares_logits=True),
    "hinge_embedding": Loss("hinge embedding", compares_logits=True),
}
