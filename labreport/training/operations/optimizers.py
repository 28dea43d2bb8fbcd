"""Update rules of torch.optim for many runs at once, each run with its own hyper-parameters.

Tensors are [parameters, runs]. The arithmetic follows torch's single-tensor code operation by
operation: what torch keeps as a Python float is computed here in float64, one value a run, and
rounded to the run's precision where torch would hand it to a kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

Hyperparameters = Mapping[str, Tensor]
"""Each float64 [runs]; a pair of numbers is two entries, ``betas.0`` and ``betas.1``."""

Rule = Callable[[Tensor, Tensor, int], None]
"""Parameters [parameters, runs] (changed in place), their gradients, and the step from 1."""


def sgd(like: Tensor, h: Hyperparameters, flags: frozenset[str]) -> Rule:
    """torch.optim.SGD."""
    rate, momentum = h["learning_rate"].to(like), h["momentum"].to(like)
    # Without momentum torch leaves the dampening out as well.
    fresh = torch.where(h["momentum"] == 0, 1.0, 1 - h["dampening"]).to(like)
    decay = _decay(like, h, flags)
    buffer = torch.zeros_like(like)

    def step(parameters: Tensor, gradient: Tensor, number: int) -> None:
        gradient = decay(parameters, gradient)
        if "momentum" in flags:
            if number == 1:
                buffer.copy_(gradient)
            else:
                buffer.mul_(momentum).addcmul_(gradient, fresh)
            gradient = gradient.addcmul(buffer, momentum) if "nesterov" in flags else buffer
        parameters.addcmul_(gradient, rate, value=-1)

    return step


def adam(like: Tensor, h: Hyperparameters, flags: frozenset[str]) -> Rule:
    """torch.optim.Adam."""
    return _adam(like, h, flags, _decay(like, h, flags))


def adamw(like: Tensor, h: Hyperparameters, flags: frozenset[str]) -> Rule:
    """torch.optim.AdamW: the decay acts on the weights and leaves the moments alone."""
    shrink = (1 - h["learning_rate"] * h["weight_decay"]).to(like)

    def decoupled(parameters: Tensor, gradient: Tensor) -> Tensor:
        parameters.mul_(shrink)
        return gradient

    return _adam(like, h, flags, decoupled if "weight_decay" in flags else _as_it_is)


def _adam(
    like: Tensor,
    h: Hyperparameters,
    flags: frozenset[str],
    decay: Callable[[Tensor, Tensor], Tensor],
) -> Rule:
    moments = _Moments(like, h)
    eps = h["eps"].to(like)
    largest = torch.zeros_like(like)

    def step(parameters: Tensor, gradient: Tensor, number: int) -> None:
        gradient = decay(parameters, gradient)
        moments.update(gradient)
        second = moments.second
        if "amsgrad" in flags:
            second = torch.maximum(largest, second, out=largest)
        size = (h["learning_rate"] / (1 - moments.beta1**number)).to(like)
        correction = (1 - moments.beta2**number).sqrt().to(like)
        denominator = second.sqrt().div_(correction).add_(eps)
        parameters.addcdiv_(moments.first * size, denominator, value=-1)

    return step


def rmsprop(like: Tensor, h: Hyperparameters, flags: frozenset[str]) -> Rule:
    """torch.optim.RMSprop."""
    rate, alpha = h["learning_rate"].to(like), h["alpha"].to(like)
    fresh, eps, momentum = (1 - h["alpha"]).to(like), h["eps"].to(like), h["momentum"].to(like)
    decay = _decay(like, h, flags)
    square, mean, buffer = (torch.zeros_like(like) for _ in range(3))

    def step(parameters: Tensor, gradient: Tensor, number: int) -> None:
        gradient = decay(parameters, gradient)
        square.mul_(alpha).add_(gradient * gradient * fresh)
        if "centered" in flags:
            mean.lerp_(gradient, fresh.expand_as(mean))
            size = square.addcmul(mean, mean, value=-1).sqrt_().add_(eps)
        else:
            size = square.sqrt().add_(eps)
        if "momentum" in flags:
            buffer.mul_(momentum).addcdiv_(gradient, size)
            parameters.addcmul_(buffer, rate, value=-1)
        else:
            parameters.addcdiv_(gradient * rate, size, value=-1)

    return step


def adagrad(like: Tensor, h: Hyperparameters, flags: frozenset[str]) -> Rule:
    """torch.optim.Adagrad."""
    eps = h["eps"].to(like)
    decay = _decay(like, h, flags)
    total = h["initial_accumulator_value"].to(like).expand_as(like).clone()

    def step(parameters: Tensor, gradient: Tensor, number: int) -> None:
        gradient = decay(parameters, gradient)
        rate = (h["learning_rate"] / (1 + (number - 1) * h["learning_rate_decay"])).to(like)
        total.addcmul_(gradient, gradient)
        parameters.addcdiv_(gradient * rate, total.sqrt().add_(eps), value=-1)

    return step


def adadelta(like: Tensor, h: Hyperparameters, flags: frozenset[str]) -> Rule:
    """torch.optim.Adadelta."""
    rate, rho, eps = h["learning_rate"].to(like), h["rho"].to(like), h["eps"].to(like)
    fresh = (1 - h["rho"]).to(like)
    decay = _decay(like, h, flags)
    square, moved = torch.zeros_like(like), torch.zeros_like(like)

    def step(parameters: Tensor, gradient: Tensor, number: int) -> None:
        gradient = decay(parameters, gradient)
        square.mul_(rho).add_(gradient * gradient * fresh)
        delta = moved.add(eps).sqrt_().div_(square.add(eps).sqrt_()).mul_(gradient)
        moved.mul_(rho).add_(delta * delta * fresh)
        parameters.addcmul_(delta, rate, value=-1)

    return step


def adamax(like: Tensor, h: Hyperparameters, flags: frozenset[str]) -> Rule:
    """torch.optim.Adamax."""
    eps, keep = h["eps"].to(like), h["betas.1"].to(like)
    fresh = (1 - h["betas.0"]).to(like)
    decay = _decay(like, h, flags)
    first, norm = torch.zeros_like(like), torch.zeros_like(like)

    def step(parameters: Tensor, gradient: Tensor, number: int) -> None:
        gradient = decay(parameters, gradient)
        first.lerp_(gradient, fresh.expand_as(first))
        torch.maximum(norm.mul_(keep), gradient.abs().add_(eps), out=norm)
        size = (h["learning_rate"] / (1 - h["betas.0"] ** number)).to(like)
        parameters.addcdiv_(first * size, norm, value=-1)

    return step


def nadam(like: Tensor, h: Hyperparameters, flags: frozenset[str]) -> Rule:
    """torch.optim.NAdam."""
    moments = _Moments(like, h)
    eps = h["eps"].to(like)
    decay = _decay(like, h, flags)
    # torch keeps the product of the momenta as a float32 tensor, whatever the precision.
    product = torch.ones_like(h["eps"], dtype=torch.float32)

    def momentum(number: int) -> Tensor:
        return h["betas.0"] * (1 - 0.5 * 0.96 ** (number * h["momentum_decay"]))

    def step(parameters: Tensor, gradient: Tensor, number: int) -> None:
        gradient = decay(parameters, gradient)
        now, following = momentum(number), momentum(number + 1)
        product.mul_(now.float())
        moments.update(gradient)
        denominator = moments.second.div((1 - moments.beta2**number).to(like)).sqrt_().add_(eps)
        done = product.double()
        by_gradient = (h["learning_rate"] * (1 - now) / (1 - done)).to(like)
        by_moment = (h["learning_rate"] * following / (1 - done * following)).to(like)
        parameters.addcdiv_(gradient * by_gradient, denominator, value=-1)
        parameters.addcdiv_(moments.first * by_moment, denominator, value=-1)

    return step


def radam(like: Tensor, h: Hyperparameters, flags: frozenset[str]) -> Rule:
    """torch.optim.RAdam."""
    moments = _Moments(like, h)
    rate, eps = h["learning_rate"].to(like), h["eps"].to(like)
    decay = _decay(like, h, flags)
    longest = 2 / (1 - moments.beta2) - 1

    def step(parameters: Tensor, gradient: Tensor, number: int) -> None:
        gradient = decay(parameters, gradient)
        moments.update(gradient)
        correction = 1 - moments.beta2**number
        length = longest - 2 * number * moments.beta2**number / correction
        rectified = length > 5
        safe = torch.where(rectified, length, 6.0)
        rectifier = (
            (safe - 4) * (safe - 2) * longest / ((longest - 4) * (longest - 2) * safe)
        ).sqrt()
        move = moments.first / (1 - moments.beta1**number).to(like) * rate
        adapted = correction.sqrt().to(like) / moments.second.sqrt().add_(eps)
        scaled = move * adapted * rectifier.to(like)
        parameters.sub_(torch.where(rectified, scaled, move))

    return step


def asgd(like: Tensor, h: Hyperparameters, flags: frozenset[str]) -> Rule:
    """torch.optim.ASGD; the average of the weights, which training never reads, is left out."""
    decay = _decay(like, h, flags)
    # torch keeps the step size as a float32 tensor, whatever the precision of the weights.
    size = h["learning_rate"].float()

    def step(parameters: Tensor, gradient: Tensor, number: int) -> None:
        gradient = decay(parameters, gradient)
        now = size.double()
        parameters.mul_((1 - h["lambd"] * now).to(like))
        parameters.addcmul_(gradient, now.to(like), value=-1)
        slower = (1 + h["lambd"] * h["learning_rate"] * number) ** h["alpha"]
        size.copy_(h["learning_rate"] / slower)

    return step


def rprop(like: Tensor, h: Hyperparameters, flags: frozenset[str]) -> Rule:
    """torch.optim.Rprop."""
    shrink, grow = h["etas.0"].to(like), h["etas.1"].to(like)
    smallest, largest = h["step_sizes.0"].to(like), h["step_sizes.1"].to(like)
    size = h["learning_rate"].to(like).expand_as(like).clone()
    previous = torch.zeros_like(like)

    def step(parameters: Tensor, gradient: Tensor, number: int) -> None:
        agreement = gradient * previous
        factor = torch.where(agreement > 0, grow, torch.where(agreement < 0, shrink, 1.0))
        size.mul_(factor).clamp_(smallest.expand_as(size), largest.expand_as(size))
        gradient = torch.where(agreement < 0, 0.0, gradient)
        parameters.addcmul_(gradient.sign(), size, value=-1)
        previous.copy_(gradient)

    return step


class _Moments:
    """First and second moment of the gradient, as Adam and its relatives keep them."""

    def __init__(self, like: Tensor, h: Hyperparameters) -> None:
        self.beta1, self.beta2 = h["betas.0"], h["betas.1"]
        self.first, self.second = torch.zeros_like(like), torch.zeros_like(like)
        self._fresh1 = (1 - self.beta1).to(like).expand_as(like)
        self._keep2, self._fresh2 = self.beta2.to(like), (1 - self.beta2).to(like)

    def update(self, gradient: Tensor) -> None:
        self.first.lerp_(gradient, self._fresh1)
        self.second.mul_(self._keep2).add_(gradient * self._fresh2 * gradient)


def _as_it_is(parameters: Tensor, gradient: Tensor) -> Tensor:
    return gradient


def _decay(
    like: Tensor, h: Hyperparameters, flags: frozenset[str]
) -> Callable[[Tensor, Tensor], Tensor]:
    """The L2 penalty's share of the gradient."""
    if "weight_decay" not in flags:
        return _as_it_is
    factor = h["weight_decay"].to(like)
    return lambda parameters, gradient: gradient.addcmul(parameters, factor)


OPTIMIZERS: dict[str, Callable[[Tensor, Hyperparameters, frozenset[str]], Rule]] = {
    "sgd": sgd,
    "adam": adam,
    "adamw": adamw,
    "rmsprop": rmsprop,
    "adagrad": adagrad,
    "adadelta": adadelta,
    "adamax": adamax,
    "nadam": nadam,
    "radam": radam,
    "asgd": asgd,
    "rprop": rprop,
}
