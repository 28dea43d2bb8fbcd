"""Activations a lab may name, and the outputs that each can give."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True)
class Activation:
    """The properties of an activation, whoever computes it.

    Attributes:
        low: infimum of its outputs.
        high: supremum of its outputs.
        reaches_low: whether some finite input gives ``low``.
        reaches_high: whether some finite input gives ``high``.
        couples_units: whether a unit's output depends on the other units of its layer.
    """

    low: float
    high: float
    reaches_low: bool = False
    reaches_high: bool = False
    couples_units: bool = False


# Minima of gelu, silu and mish: z·Φ(z) at z ≈ −0.7518, z·σ(z) at z ≈ −1.2785,
# z·tanh(softplus(z)) at z ≈ −1.1924, each the root of its derivative, by bisection.
ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation(-inf, inf),
    "sigmoid": Activation(0.0, 1.0),
    "tanh": Activation(-1.0, 1.0),
    "relu": Activation(0.0, inf, reaches_low=True),
    "leaky_relu": Activation(-inf, inf),
    "elu": Activation(-1.0, inf),
    "selu": Activation(-1.7580993408473766, inf),
    "gelu": Activation(-0.16997120747990369, inf, reaches_low=True),
    "silu": Activation(-0.27846454276107380, inf, reaches_low=True),
    "mish": Activation(-0.30884341301725043, inf, reaches_low=True),
    "softplus": Activation(0.0, inf),
    "softsign": Activation(-1.0, 1.0),
    "hardtanh": Activation(-1.0, 1.0, reaches_low=True, reaches_high=True),
    "relu6": Activation(0.0, 6.0, reaches_low=True, reaches_high=True),
    "hardsigmoid": Activation(0.0, 1.0, reaches_low=True, reaches_high=True),
    "softmax": Activation(0.0, 1.0, couples_units=True),
    "log_softmax": Activation(-inf, 0.0, couples_units=True),
}
