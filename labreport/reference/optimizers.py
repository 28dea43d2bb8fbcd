"""The update rules of gradient descent and its relatives, written out on a flat vector."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from labreport.reference.array_types import FloatArray

ScalarDtype = Literal["float32", "float64"]

# The constant of Dozat 2016, "Incorporating Nesterov Momentum into Adam".
NADAM_MOMENTUM_BASE = 0.96
# An average no longer than this is too short to rectify: Liu et al. 2020, algorithm 2,
# say 4, torch takes 5.
RADAM_SHORTEST_AVERAGE = 5.0


class UpdateRule(Protocol):
    """An optimizer with its hyper-parameters: a frozen value, whose state is passed around.

    `start(weights)` gives the state before the first update. `step(weights, gradient,
    state)` gives the weights and the state after one update; it changes none of its
    arguments. `weights` and `gradient` are flat, [parameters], and of one dtype.
    """

    def start(self, weights: FloatArray) -> Any: ...

    def step(
        self, weights: FloatArray, gradient: FloatArray, state: Any
    ) -> tuple[FloatArray, Any]: ...


def _with_decay(gradient: FloatArray, weights: FloatArray, weight_decay: float) -> FloatArray:
    """Add the gradient of weight_decay/2 · |w|²; leave the gradient as it is for zero."""
    return gradient + weight_decay * weights if weight_decay != 0 else gradient


def _average(old: FloatArray, new: FloatArray, kept: float) -> FloatArray:
    """Move an exponential average on, keeping a share `kept` of the old value."""
    return kept * old + (1.0 - kept) * new


def _rounded(number: float, dtype: ScalarDtype) -> float:
    """Round the number as a tensor of that dtype would."""
    return float(np.dtype(dtype).type(number))


@dataclass(frozen=True)
class SgdState:
    """The velocity [parameters], or None before the first update."""

    velocity: FloatArray | None


@dataclass(frozen=True, kw_only=True)
class Sgd:
    """Gradient descent, with momentum if asked for (torch.optim.SGD).

    Momentum is that of Sutskever et al. 2013 with the learning rate outside the velocity.
    Raises ValueError for nesterov without momentum or with dampening, as torch does.
    """

    learning_rate: float
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
        gradient = _with_decay(gradient, weights, self.weight_decay)
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
class AdamState:
    """Updates done; averages of the gradient and its square; the largest such square."""

    updates: int
    mean: FloatArray
    mean_square: FloatArray
    largest_mean_square: FloatArray


@dataclass(frozen=True, kw_only=True)
class AdamRule:
    """Kingma and Ba 2015, algorithm 1; amsgrad by Reddi et al. 2018 (torch.optim.Adam)."""

    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    amsgrad: bool = False

    def start(self, weights: FloatArray) -> AdamState:
        zeros = np.zeros_like(weights)
        return AdamState(0, zeros, zeros, zeros)

    def step(
        self, weights: FloatArray, gradient: FloatArray, state: AdamState
    ) -> tuple[FloatArray, AdamState]:
        gradient = _with_decay(gradient, weights, self.weight_decay)
        state = self._observe(gradient, state)
        # torch compares the squares before, not after, their bias is corrected.
        square = state.largest_mean_square if self.amsgrad else state.mean_square
        correction = 1.0 - self.betas[0] ** state.updates
        square_correction = 1.0 - self.betas[1] ** state.updates
        denominator = np.sqrt(square) / math.sqrt(square_correction) + self.eps
        return weights - self.learning_rate / correction * state.mean / denominator, state

    def _observe(self, gradient: FloatArray, state: AdamState) -> AdamState:
        mean_square = _average(state.mean_square, gradient * gradient, self.betas[1])
        return AdamState(
            state.updates + 1,
            _average(state.mean, gradient, self.betas[0]),
            mean_square,
            np.maximum(state.largest_mean_square, mean_square),
        )


@dataclass(frozen=True, kw_only=True)
class AdamWRule:
    """Adam with decoupled decay: Loshchilov and Hutter 2019 (torch.optim.AdamW)."""

    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.01
    amsgrad: bool = False

    def start(self, weights: FloatArray) -> AdamState:
        return self._without_decay().start(weights)

    def step(
        self, weights: FloatArray, gradient: FloatArray, state: AdamState
    ) -> tuple[FloatArray, AdamState]:
        shrunk = (1.0 - self.learning_rate * self.weight_decay) * weights
        return self._without_decay().step(shrunk, gradient, state)

    def _without_decay(self) -> AdamRule:
        return AdamRule(
            learning_rate=self.learning_rate,
            betas=self.betas,
            eps=self.eps,
            amsgrad=self.amsgrad,
        )


@dataclass(frozen=True)
class RmspropState:
    """Averages of the squared gradient and of the gradient, and the velocity."""

    mean_square: FloatArray
    mean: FloatArray
    velocity: FloatArray


@dataclass(frozen=True, kw_only=True)
class Rmsprop:
    """Tieleman and Hinton 2012; centered by Graves 2013 (torch.optim.RMSprop)."""

    learning_rate: float
    alpha: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.0
    momentum: float = 0.0
    centered: bool = False

    def start(self, weights: FloatArray) -> RmspropState:
        zeros = np.zeros_like(weights)
        return RmspropState(zeros, zeros, zeros)

    def step(
        self, weights: FloatArray, gradient: FloatArray, state: RmspropState
    ) -> tuple[FloatArray, RmspropState]:
        gradient = _with_decay(gradient, weights, self.weight_decay)
        mean_square = _average(state.mean_square, gradient * gradient, self.alpha)
        mean = _average(state.mean, gradient, self.alpha)
        # Like torch, nothing keeps a rounded variance from being negative (then NaN).
        square = mean_square - mean * mean if self.centered else mean_square
        velocity = self.momentum * state.velocity + gradient / (np.sqrt(square) + self.eps)
        return weights - self.learning_rate * velocity, RmspropState(mean_square, mean, velocity)


@dataclass(frozen=True)
class AdagradState:
    """Updates done, and the sum of all squared gradients."""

    updates: int
    sum_of_squares: FloatArray


@dataclass(frozen=True, kw_only=True)
class AdagradRule:
    """Duchi, Hazan and Singer 2011, the diagonal form (torch.optim.Adagrad)."""

    learning_rate: float
    learning_rate_decay: float = 0.0
    weight_decay: float = 0.0
    initial_accumulator_value: float = 0.0
    eps: float = 1e-10

    def start(self, weights: FloatArray) -> AdagradState:
        return AdagradState(0, np.full_like(weights, self.initial_accumulator_value))

    def step(
        self, weights: FloatArray, gradient: FloatArray, state: AdagradState
    ) -> tuple[FloatArray, AdagradState]:
        gradient = _with_decay(gradient, weights, self.weight_decay)
        # The first update has the full learning rate: the decay counts earlier updates.
        rate = self.learning_rate / (1.0 + state.updates * self.learning_rate_decay)
        sum_of_squares = state.sum_of_squares + gradient * gradient
        weights = weights - rate * gradient / (np.sqrt(sum_of_squares) + self.eps)
        return weights, AdagradState(state.updates + 1, sum_of_squares)


@dataclass(frozen=True)
class AdadeltaState:
    """Averages of the squared gradient and of the squared update."""

    mean_square_gradient: FloatArray
    mean_square_update: FloatArray


@dataclass(frozen=True, kw_only=True)
class AdadeltaRule:
    """Zeiler 2012, algorithm 1, its update times the learning rate (torch.optim.Adadelta)."""

    learning_rate: float
    rho: float = 0.9
    eps: float = 1e-6
    weight_decay: float = 0.0

    def start(self, weights: FloatArray) -> AdadeltaState:
        zeros = np.zeros_like(weights)
        return AdadeltaState(zeros, zeros)

    def step(
        self, weights: FloatArray, gradient: FloatArray, state: AdadeltaState
    ) -> tuple[FloatArray, AdadeltaState]:
        gradient = _with_decay(gradient, weights, self.weight_decay)
        mean_square_gradient = _average(state.mean_square_gradient, gradient * gradient, self.rho)
        # Zeiler's root mean square has eps under the root, unlike those of the others.
        ratio = np.sqrt(state.mean_square_update + self.eps) / np.sqrt(
            mean_square_gradient + self.eps
        )
        update = ratio * gradient
        mean_square_update = _average(state.mean_square_update, update * update, self.rho)
        weights = weights - self.learning_rate * update
        return weights, AdadeltaState(mean_square_gradient, mean_square_update)


@dataclass(frozen=True)
class AdamaxState:
    """Updates done, the average of the gradient, and its decaying largest magnitude."""

    updates: int
    mean: FloatArray
    largest: FloatArray


@dataclass(frozen=True, kw_only=True)
class AdamaxRule:
    """Kingma and Ba 2015, algorithm 2 (torch.optim.Adamax)."""

    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0

    def start(self, weights: FloatArray) -> AdamaxState:
        zeros = np.zeros_like(weights)
        return AdamaxState(0, zeros, zeros)

    def step(
        self, weights: FloatArray, gradient: FloatArray, state: AdamaxState
    ) -> tuple[FloatArray, AdamaxState]:
        gradient = _with_decay(gradient, weights, self.weight_decay)
        updates = state.updates + 1
        mean = _average(state.mean, gradient, self.betas[0])
        # eps is added to every magnitude that enters the maximum, not to the maximum.
        largest = np.maximum(self.betas[1] * state.largest, np.abs(gradient) + self.eps)
        rate = self.learning_rate / (1.0 - self.betas[0] ** updates)
        return weights - rate * mean / largest, AdamaxState(updates, mean, largest)


@dataclass(frozen=True)
class NadamState:
    """Updates done, the product of all momenta, averages of the gradient and its square."""

    updates: int
    momentum_product: float
    mean: FloatArray
    mean_square: FloatArray


@dataclass(frozen=True, kw_only=True)
class Nadam:
    """Dozat 2016, with his momentum schedule (torch.optim.NAdam).

    torch keeps the product of all momenta in a tensor of its default dtype, whatever
    the dtype of the weights: `scalar_dtype` is that default, single precision unless
    torch.set_default_dtype has changed it. It matters in the eighth digit.
    """

    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    momentum_decay: float = 0.004
    scalar_dtype: ScalarDtype = "float32"

    def start(self, weights: FloatArray) -> NadamState:
        zeros = np.zeros_like(weights)
        return NadamState(0, 1.0, zeros, zeros)

    def step(
        self, weights: FloatArray, gradient: FloatArray, state: NadamState
    ) -> tuple[FloatArray, NadamState]:
        gradient = _with_decay(gradient, weights, self.weight_decay)
        updates = state.updates + 1
        momentum, next_momentum = self._momentum(updates), self._momentum(updates + 1)
        product = self._product(state.momentum_product, momentum)
        mean = _average(state.mean, gradient, self.betas[0])
        mean_square = _average(state.mean_square, gradient * gradient, self.betas[1])
        denominator = np.sqrt(mean_square / (1.0 - self.betas[1] ** updates)) + self.eps
        # The step looks ahead: today's gradient with today's momentum, and the average
        # with the momentum of the next update, each with its own bias correction.
        direction = (1.0 - momentum) / (1.0 - product) * gradient
        direction = direction + next_momentum / (1.0 - product * next_momentum) * mean
        weights = weights - self.learning_rate * direction / denominator
        return weights, NadamState(updates, product, mean, mean_square)

    def _momentum(self, update: int) -> float:
        decay: float = NADAM_MOMENTUM_BASE ** (update * self.momentum_decay)
        return self.betas[0] * (1.0 - 0.5 * decay)

    def _product(self, product: float, momentum: float) -> float:
        # A tensor times a number: torch rounds the number first, then the product.
        return _rounded(product * _rounded(momentum, self.scalar_dtype), self.scalar_dtype)


@dataclass(frozen=True)
class RadamState:
    """Updates done, and averages of the gradient and its square."""

    updates: int
    mean: FloatArray
    mean_square: FloatArray


@dataclass(frozen=True, kw_only=True)
class Radam:
    """Liu et al. 2020, "On the Variance of the Adaptive Learning Rate" (torch.optim.RAdam)."""

    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0

    def start(self, weights: FloatArray) -> RadamState:
        zeros = np.zeros_like(weights)
        return RadamState(0, zeros, zeros)

    def step(
        self, weights: FloatArray, gradient: FloatArray, state: RadamState
    ) -> tuple[FloatArray, RadamState]:
        gradient = _with_decay(gradient, weights, self.weight_decay)
        updates = state.updates + 1
        mean = _average(state.mean, gradient, self.betas[0])
        mean_square = _average(state.mean_square, gradient * gradient, self.betas[1])
        state = RadamState(updates, mean, mean_square)
        direction = mean / (1.0 - self.betas[0] ** updates)
        rectification = self._rectification(updates)
        # Too few updates to know the variance: a step of plain momentum.
        if rectification is not None:
            direction = direction * rectification * self._adaptive_rate(state)
        return weights - self.learning_rate * direction, state

    def lengths(self, updates: int) -> tuple[float, float]:
        """Compute ρ∞ and ρ of algorithm 2: the longest length of the average, and its length."""
        decay = self.betas[1] ** updates
        longest = 2.0 / (1.0 - self.betas[1]) - 1.0
        return longest, longest - 2.0 * updates * decay / (1.0 - decay)

    def _rectification(self, updates: int) -> float | None:
        """Compute r of algorithm 2 from the lengths; None if the average is too short."""
        longest, length = self.lengths(updates)
        if length <= RADAM_SHORTEST_AVERAGE:
            return None
        numerator = (length - 4.0) * (length - 2.0) * longest
        return math.sqrt(numerator / ((longest - 4.0) * (longest - 2.0) * length))

    def _adaptive_rate(self, state: RadamState) -> FloatArray:
        # eps is added before the bias is corrected, and so grows with the correction.
        correction = math.sqrt(1.0 - self.betas[1] ** state.updates)
        return correction / (np.sqrt(state.mean_square) + self.eps)


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
        return AsgdState(0, _rounded(self.learning_rate, self.scalar_dtype))

    def step(
        self, weights: FloatArray, gradient: FloatArray, state: AsgdState
    ) -> tuple[FloatArray, AsgdState]:
        gradient = _with_decay(gradient, weights, self.weight_decay)
        weights = (1.0 - self.lambd * state.rate) * weights - state.rate * gradient
        updates = state.updates + 1
        slowdown: float = (1.0 + self.lambd * self.learning_rate * updates) ** self.alpha
        return weights, AsgdState(
            updates, _rounded(self.learning_rate / slowdown, self.scalar_dtype)
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
    """How far an update magnifies the rounding of its own scalars, which cancel; at least 1.

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
