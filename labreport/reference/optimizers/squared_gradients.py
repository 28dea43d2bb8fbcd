"""Update rules that divide by the root of squared gradients: Adagrad, RMSprop and Adadelta."""

from dataclasses import dataclass

import numpy as np

from labreport.reference.array_types import FloatArray
from labreport.reference.optimizers.update_rule import moving_average, with_weight_decay


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
        gradient = with_weight_decay(gradient, weights, self.weight_decay)
        # The first update has the full learning rate: the decay counts earlier updates.
        rate = self.learning_rate / (1.0 + state.updates * self.learning_rate_decay)
        sum_of_squares = state.sum_of_squares + gradient * gradient
        weights = weights - rate * gradient / (np.sqrt(sum_of_squares) + self.eps)
        return weights, AdagradState(state.updates + 1, sum_of_squares)


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
        gradient = with_weight_decay(gradient, weights, self.weight_decay)
        mean_square = moving_average(state.mean_square, gradient * gradient, self.alpha)
        mean = moving_average(state.mean, gradient, self.alpha)
        # Like torch, nothing keeps a rounded variance from being negative (then NaN).
        square = mean_square - mean * mean if self.centered else mean_square
        velocity = self.momentum * state.velocity + gradient / (np.sqrt(square) + self.eps)
        return weights - self.learning_rate * velocity, RmspropState(mean_square, mean, velocity)


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
        gradient = with_weight_decay(gradient, weights, self.weight_decay)
        mean_square_gradient = moving_average(
            state.mean_square_gradient, gradient * gradient, self.rho
        )
        # Zeiler's root mean square has eps under the root, unlike those of the others.
        ratio = np.sqrt(state.mean_square_update + self.eps) / np.sqrt(
            mean_square_gradient + self.eps
        )
        update = ratio * gradient
        mean_square_update = moving_average(state.mean_square_update, update * update, self.rho)
        weights = weights - self.learning_rate * update
        return weights, AdadeltaState(mean_square_gradient, mean_square_update)
