"""Gradient descent with momentum, its average (ASGD), and steps by signs alone (Rprop)."""

from dataclasses import dataclass

import numpy as np

from labreport.reference.array_types import FloatArray
from labreport.reference.optimizers.update_rule import ScalarDtype, rounded, with_weight_decay


@dataclass(frozen=True)
class SgdState:
    """The velocity [parameters], or None before the first update."""

    velocity: FloatArray | None


@dataclass(frozen=True, kw_only=True)
class Sgd:
    """Gradient descent, with momentum if asked for (torch.optim.SGD).

    Momentum is that of Sutskever et al. 2013 with the learning rate outside the velocity. Of
    several runs with rates of their own the learning rate is an array that fits their weights.
    Raises ValueError for nesterov without momentum or with dampening, as torch does.
    """

    learning_rate: float | FloatArray
    momentum: float = 0.0
    dampening: float = 0.0
    weight_decay: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        if self.nesterov and (self.momentum <= 0 or self.dampening != 0):
            raise ValueError("nesterov needs a positive momentum and no dampening")

    def start(self, weights: FloatArray) -> SgdState:
        return SgdState(None)

    def step(
        self, weights: FloatArray, gradient: FloatArray, state: SgdState
    ) -> tuple[FloatArray, SgdState]:
        gradient = with_weight_decay(gradient, weights, self.weight_decay)
        if self.momentum == 0:
            return weights - self.learning_rate * gradient, state
        velocity = self._velocity(gradient, state)
        direction = gradient + self.momentum * velocity if self.nesterov else velocity
        return weights - self.learning_rate * direction, SgdState(velocity)

    def _velocity(self, gradient: FloatArray, state: SgdState) -> FloatArray:
        # The first velocity is the gradient itself: torch does not dampen it.
        if state.velocity is None:
            return gradient
        return self.momentum * state.velocity + (1.0 - self.dampening) * gradient


@dataclass(frozen=True)
class AsgdState:
    """Updates done, and the learning rate of the next update."""

    updates: int
    rate: float


@dataclass(frozen=True, kw_only=True)
class Asgd:
    """Polyak and Juditsky 1992, as scheduled by Bottou 2012 (torch.optim.ASGD).

    The averaged weights never enter the training (torch keeps them for the caller), so
    that they, and `t0`, which only says when the averaging starts, are not computed here.
    torch keeps the learning rate in a tensor of its default dtype, whatever the dtype of
    the weights: `scalar_dtype` is that default, single precision unless
    torch.set_default_dtype has changed it. It matters in the eighth digit.
    """

    learning_rate: float
    lambd: float = 1e-4
    alpha: float = 0.75
    t0: float = 1e6
    weight_decay: float = 0.0
    scalar_dtype: ScalarDtype = "float32"

    def start(self, weights: FloatArray) -> AsgdState:
        return AsgdState(0, rounded(self.learning_rate, self.scalar_dtype))

    def step(
        self, weights: FloatArray, gradient: FloatArray, state: AsgdState
    ) -> tuple[FloatArray, AsgdState]:
        gradient = with_weight_decay(gradient, weights, self.weight_decay)
        weights = (1.0 - self.lambd * state.rate) * weights - state.rate * gradient
        updates = state.updates + 1
        slowdown: float = (1.0 + self.lambd * self.learning_rate * updates) ** self.alpha
        return weights, AsgdState(
            updates, rounded(self.learning_rate / slowdown, self.scalar_dtype)
        )


@dataclass(frozen=True)
class RpropState:
    """The gradient of the last update, zero where it was ignored, and the step sizes."""

    previous: FloatArray
    sizes: FloatArray


@dataclass(frozen=True, kw_only=True)
class RpropRule:
    """Riedmiller and Braun 1993, as the iRprop⁻ of Igel and Hüsken 2000 (torch.optim.Rprop)."""

    learning_rate: float
    etas: tuple[float, float] = (0.5, 1.2)
    step_sizes: tuple[float, float] = (1e-6, 50.0)

    def start(self, weights: FloatArray) -> RpropState:
        return RpropState(np.zeros_like(weights), np.full_like(weights, self.learning_rate))

    def step(
        self, weights: FloatArray, gradient: FloatArray, state: RpropState
    ) -> tuple[FloatArray, RpropState]:
        shrink, grow = self.etas
        # The product of the two gradients, not of their signs: where it underflows to
        # zero torch sees no change of sign.
        agreement = gradient * state.previous
        sizes = np.where(agreement > 0, grow * state.sizes, state.sizes)
        sizes = np.where(agreement < 0, shrink * state.sizes, sizes)
        sizes = np.clip(sizes, *self.step_sizes)
        # After a change of sign the parameter waits one update, with the smaller step.
        followed = np.where(agreement < 0, np.zeros_like(gradient), gradient)
        return weights - np.sign(followed) * sizes, RpropState(followed, sizes)
