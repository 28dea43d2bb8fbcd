"""The table of losses by name.

They are those of the torch.nn modules with their defaults, except kl_div, which takes reduction
"batchmean" (torch's "mean" is not the divergence, as its page says).
"""

from labreport.reference.losses.binary_classification import (
    BINARY_CROSS_ENTROPY,
    BINARY_CROSS_ENTROPY_WITH_LOGITS,
    HINGE_EMBEDDING,
    MULTILABEL_SOFT_MARGIN,
    SOFT_MARGIN,
)
from labreport.reference.losses.distributions import CROSS_ENTROPY, DIVERGENCE
from labreport.reference.losses.loss import Loss
from labreport.reference.losses.regression import (
    ABSOLUTE_ERROR,
    POISSON,
    SMOOTH_ABSOLUTE_ERROR,
    SQUARED_ERROR,
)

LOSSES: dict[str, Loss] = {
    "mse": SQUARED_ERROR,
    "l1": ABSOLUTE_ERROR,
    "smooth_l1": SMOOTH_ABSOLUTE_ERROR,
    "huber": SMOOTH_ABSOLUTE_ERROR,
    "bce": BINARY_CROSS_ENTROPY,
    "bce_with_logits": BINARY_CROSS_ENTROPY_WITH_LOGITS,
    "cross_entropy": CROSS_ENTROPY,
    "kl_div": DIVERGENCE,
    "poisson_nll": POISSON,
    "soft_margin": SOFT_MARGIN,
    "multilabel_soft_margin": MULTILABEL_SOFT_MARGIN,
    "hinge_embedding": HINGE_EMBEDDING,
}
