"""Losses, by torch's functions, on tensors [rows, units, runs] or [units, runs]; one value a run.

Each is the mean that the ``torch.nn`` module of that name takes by default, over rows and units,
but for cross entropy, which torch averages over rows alone, and the KL divergence, where the
sum is divided by the rows ("batchmean": torch's default there is not the divergence).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

Comparison = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Loss:
    """A loss as computed for many runs at once, and by torch's own module for one.

    Attributes:
        each: output and target [..., units, runs] → losses [runs].
        module: the stock module, on output and target [rows, units].
        domain: interval outside of which torch raises an error instead of computing, if any.
    """

    each: Comparison
    module: Callable[[], nn.Module]
    domain: tuple[float, float] | None = None

    def refusals(self, values: Tensor) -> Tensor:
        """Mark the runs [runs] that have an output or a target that the loss does not take."""
        low, high = self.domain or (-torch.inf, torch.inf)
        return ~((values >= low) & (values <= high)).flatten(0, -2).all(dim=0)

    def complaint(self, output: Tensor, target: Tensor) -> str:
        """Return torch's error, word for word, for this output and target; "" for none."""
        try:
            self.module()(output, target)
        except (RuntimeError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        return ""


def over_runs(terms: Tensor) -> Tensor:
    """Mean [runs] of terms [..., runs]."""
    return terms.flatten(0, -2).mean(dim=0)


def _mean(elementwise: Callable[..., Tensor], **options: object) -> Comparison:
    return lambda output, target: over_runs(
        elementwise(output, target, reduction="none", **options)
    )


LOSSES: dict[str, Loss] = {
    "mse": Loss(_mean(functional.mse_loss), nn.MSELoss),
    "l1": Loss(_mean(functional.l1_loss), nn.L1Loss),
    "smooth_l1": Loss(_mean(functional.smooth_l1_loss), nn.SmoothL1Loss),
    "huber": Loss(_mean(functional.huber_loss), nn.HuberLoss),
    "bce": Loss(_mean(functional.binary_cross_entropy), nn.BCELoss, domain=(0.0, 1.0)),
    "bce_with_logits": Loss(
        _mean(functional.binary_cross_entropy_with_logits), nn.BCEWithLogitsLoss
    ),
    "cross_entropy": Loss(
        lambda output, target: (
            -over_runs((functional.log_softmax(output, dim=-2) * target).sum(dim=-2, keepdim=True))
        ),
        nn.CrossEntropyLoss,
    ),
    "kl_div": Loss(
        lambda output, target: over_runs(
            functional.kl_div(output, target, reduction="none").sum(dim=-2, keepdim=True)
        ),
        lambda: nn.KLDivLoss(reduction="batchmean"),
    ),
    "poisson_nll": Loss(_mean(functional.poisson_nll_loss), nn.PoissonNLLLoss),
    "soft_margin": Loss(_mean(functional.soft_margin_loss), nn.SoftMarginLoss),
    "multilabel_soft_margin": Loss(
        lambda output, target: (
            -over_runs(
                target * functional.logsigmoid(output)
                + (1 - target) * functional.logsigmoid(-output)
            )
        ),
        nn.MultiLabelSoftMarginLoss,
    ),
    "hinge_embedding": Loss(_mean(functional.hinge_embedding_loss), nn.HingeEmbeddingLoss),
}
