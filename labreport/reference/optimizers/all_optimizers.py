"""The table of update rules by name, and how far each magnifies the rounding of its scalars."""

from collections.abc import Callable

from labreport.reference.optimizers.adam import (
    RADAM_SHORTEST_AVERAGE,
    AdamaxRule,
    AdamRule,
    AdamWRule,
    Nadam,
    Radam,
)
from labreport.reference.optimizers.gradient_descent import Asgd, RpropRule, Sgd
from labreport.reference.optimizers.squared_gradients import AdadeltaRule, AdagradRule, Rmsprop
from labreport.reference.optimizers.update_rule import UpdateRule

OPTIMIZERS: dict[str, Callable[..., UpdateRule]] = {
    "sgd": Sgd,
    "adam": AdamRule,
    "adamw": AdamWRule,
    "rmsprop": Rmsprop,
    "adagrad": AdagradRule,
    "adadelta": AdadeltaRule,
    "adamax": AdamaxRule,
    "nadam": Nadam,
    "radam": Radam,
    "asgd": Asgd,
    "rprop": RpropRule,
}


def cancellation(rule: UpdateRule, updates: int) -> float:
    """Return how far an update magnifies the rounding of its own scalars, which cancel; at least 1.

    The power in 1 − βᵗ is rounded in proportion to itself, and so is each of the two lengths of
    which RAdam takes the difference.
    """
    betas: tuple[float, float] = getattr(rule, "betas", (0.0, 0.0))
    found = max(1.0 / (1.0 - beta**updates) for beta in betas)
    if isinstance(rule, Radam):
        longest, length = rule.lengths(updates)
        if length > RADAM_SHORTEST_AVERAGE:
            # The smallest factor of the numerator is ρ − 4.
            found = max(found, longest / (length - 4.0))
    return found
