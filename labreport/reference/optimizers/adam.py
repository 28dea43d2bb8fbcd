"""The Adam family: update rules with moving averages of the gradient and of its size."""

import math
from dataclasses import dataclass

import numpy as np

from labreport.reference.array_types import FloatArray
from labreport.reference.optimizers.update_rule import (
    ScalarDtype,
    moving_average,
    rounded,
    with_weight_decay,
)

# The constant of Dozat 2016, "Incorporating Nesterov Momentum into Adam".
NADAM_MOMENTUM_BASE = 0.96

# An average no longer than this is too short to rectify: Liu et al. 2020, algorithm 2,
# say 4, torch takes 5.
RADAM_SHORTEST_AVERAGE = 5.0


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
        gradient = with_weight_decay(gradient, weights, self.weight_decay)
        state = self._observe(gradient, state)
        # torch compares the squares before, not after, their bias is corrected.
        square = state.largest_mean_square if self.amsgrad else state.mean_square
        correction = 1.0 - self.betas[0] ** state.updates
        square_correction = 1.0 - self.betas[1] ** state.updates
        denominator = np.sqrt(square) / math.sqrt(square_correction) + self.eps
        return weights - self.learning_rate / correction * state.mean / denominator, state

    def _observe(self, gradient: FloatArray, state: AdamState) -> AdamState:
        mean_square = moving_average(state.mean_square, gradient * gradient, self.betas[1])
        return AdamState(
            state.updates + 1,
            moving_average(state.mean, gradient, self.betas[0]),
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
        gradient = with_weight_decay(gradient, weights, self.weight_decay)
        updates = state.updates + 1
        mean = moving_average(state.mean, gradient, self.betas[0])
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
        gradient = with_weight_decay(gradient, weights, self.weight_decay)
        updates = state.updates + 1
        momentum, next_momentum = self._momentum(updates), self._momentum(updates + 1)
        product = self._product(state.momentum_product, momentum)
        mean = moving_average(state.mean, gradient, self.betas[0])
        mean_square = moving_average(state.mean_square, gradient * gradient, self.betas[1])
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
        return rounded(product * rounded(momentum, self.scalar_dtype), self.scalar_dtype)


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
        gradient = with_weight_decay(gradient, weights, self.weight_decay)
        updates = state.updates + 1
        mean = moving_average(state.mean, gradient, self.betas[0])
        mean_square = moving_average(state.mean_square, gradient * gradient, self.betas[1])
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
