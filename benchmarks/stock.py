"""Plain loops over stock torch, brute-force floors and Hessians: what sentences are held against.

Nothing here is shared with the trainer, the floors or the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from labreport.lab.configuration import RunConfig


class Hardsigmoid(nn.Module):
    """As torch defines it; its own kernel has no second derivative."""

    def forward(self, values: Tensor) -> Tensor:
        """A straight line through a half, cut at 0 and 1."""
        return nn.functional.relu6(values + 3) / 6


MODULES: dict[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "softplus": nn.Softplus,
    "softsign": nn.Softsign,
    "hardtanh": nn.Hardtanh,
    "relu6": nn.ReLU6,
    "hardsigmoid": Hardsigmoid,
    "softmax": lambda: nn.Softmax(dim=-1),
    "log_softmax": lambda: nn.LogSoftmax(dim=-1),
}

LOSSES: dict[str, Callable[[], nn.Module]] = {
    "mse": nn.MSELoss,
    "l1": nn.L1Loss,
    "smooth_l1": nn.SmoothL1Loss,
    "huber": nn.HuberLoss,
    "bce": nn.BCELoss,
    "bce_with_logits": nn.BCEWithLogitsLoss,
    "cross_entropy": nn.CrossEntropyLoss,
    "kl_div": lambda: nn.KLDivLoss(reduction="batchmean"),
    "poisson_nll": nn.PoissonNLLLoss,
    "soft_margin": nn.SoftMarginLoss,
    "multilabel_soft_margin": nn.MultiLabelSoftMarginLoss,
    "hinge_embedding": nn.HingeEmbeddingLoss,
}

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
    "adadelta": torch.optim.Adadelta,
    "adamax": torch.optim.Adamax,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "asgd": torch.optim.ASGD,
    "rprop": torch.optim.Rprop,
}

TORCH_NAMES = {"learning_rate": "lr", "learning_rate_decay": "lr_decay"}


def network(config: RunConfig, flat: np.ndarray, dtype: str) -> nn.Sequential:
    """Stock modules with these weights, in stored order."""
    kind = getattr(torch, dtype)
    modules: list[nn.Module] = []
    start = 0
    for (out, into), name in zip(config.network.shapes, config.network.activations, strict=True):
        layer = nn.Linear(into, out, bias=config.network.bias == "trained", dtype=kind)
        for parameter in layer.parameters():
            values = flat[start : start + parameter.numel()].astype(dtype)
            parameter.data = torch.from_numpy(values).reshape(parameter.shape).clone()
            start += parameter.numel()
        modules += [layer, MODULES[name]()]
    return nn.Sequential(*modules)


@dataclass
class Told:
    """What a plain loop gave: lists by step, and the error that ended it, if there was one."""

    losses: list[float]
    weights: list[np.ndarray]
    gradients: list[np.ndarray]
    error: str = ""

    def add(self, loss: float, weights: np.ndarray, gradient: np.ndarray) -> bool:
        """Add what one step gave, and return whether all of it is finite."""
        self.losses.append(loss)
        self.weights.append(weights)
        self.gradients.append(gradient)
        return bool(np.isfinite([loss, *weights, *gradient]).all())


Rewrite = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Weights and their gradient, flat: the gradient that is used instead."""


def train(
    config: RunConfig,
    flat: np.ndarray,
    rounds: int,
    dtype: str | None = None,
    rewrite: Rewrite | None = None,
) -> Told:
    """Train from these weights on all rows, as a beginner would write it."""
    dtype = dtype or config.dtype
    net = network(config, flat, dtype)
    optimizer = _optimizer(config, net)
    kind = getattr(torch, dtype)
    inputs = torch.tensor(config.data.inputs, dtype=kind)
    targets = torch.tensor(config.data.targets, dtype=kind)
    loss_of = LOSSES[config.loss]()
    told = Told([], [], [])
    summed: list[Tensor] | None = None
    originals = [p.detach().clone() for p in net.parameters()]
    for step in range(rounds + 1):
        optimizer.zero_grad()
        try:
            loss = loss_of(net(inputs), targets)
        except (RuntimeError, ValueError) as error:
            told.error = f"{type(error).__name__}: {error}"
            return told
        loss.backward()
        parameters = list(net.parameters())
        weights = torch.cat([p.detach().flatten() for p in parameters]).numpy().copy()
        gradient = torch.cat([_gradient(p).flatten() for p in parameters]).numpy().copy()
        if rewrite is not None:
            gradient = rewrite(weights, gradient)
        if not told.add(float(loss.detach()), weights, gradient) or step == rounds:
            break
        if rewrite is not None:
            _set_gradient(parameters, torch.from_numpy(gradient.astype(dtype)))
        if config.gradients == "accumulated":
            summed = _add_gradient(parameters, summed)
        optimizer.step()
        if config.updates == "discarded":
            for parameter, original in zip(parameters, originals, strict=True):
                parameter.data = original.clone()
    return told


def _optimizer(config: RunConfig, net: nn.Module) -> torch.optim.Optimizer:
    """Return torch's optimizer of a network, with the settings of a configuration."""
    values = {
        TORCH_NAMES.get(key, key): value
        for key, value in config.optimizer.model_dump().items()
        if key != "name"
    }
    return OPTIMIZERS[config.optimizer.name](net.parameters(), **values)


def _set_gradient(parameters: Sequence[Tensor], flat: Tensor) -> None:
    """Give each parameter its part of a flat gradient."""
    sizes = [p.numel() for p in parameters]
    for p, part in zip(parameters, flat.split(sizes), strict=True):
        p.grad = part.reshape(p.shape).clone()


def _add_gradient(parameters: Sequence[Tensor], summed: list[Tensor] | None) -> list[Tensor]:
    """Return the sum of all gradients so far, which the parameters get in place of the new one."""
    now = [_gradient(p).clone() for p in parameters]
    # The sum in torch's order: what is there, plus the new gradient.
    summed = now if summed is None else [s + g for s, g in zip(summed, now, strict=True)]
    for p, total in zip(parameters, summed, strict=True):
        p.grad = total.clone()
    return summed


def _gradient(parameter: Tensor) -> Tensor:
    """Return the gradient of a parameter, which is 0 where the loss does not depend on it."""
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def largest_eigenvalue(config: RunConfig, flat: np.ndarray) -> float:
    """The largest eigenvalue of the Hessian over all rows, by autograd twice; nan if it fails."""
    net = network(config, flat, "float64")
    shapes = [p.shape for p in net.parameters()]
    names = [name for name, _ in net.named_parameters()]
    inputs = torch.tensor(config.data.inputs, dtype=torch.float64)
    targets = torch.tensor(config.data.targets, dtype=torch.float64)
    loss_of = LOSSES[config.loss]()

    def loss(values: Tensor) -> Tensor:
        parts = values.split([shape.numel() for shape in shapes])
        named = {n: v.reshape(s) for n, v, s in zip(names, parts, shapes, strict=True)}
        return loss_of(torch.func.functional_call(net, named, (inputs,)), targets)

    start = torch.from_numpy(flat.astype(np.float64))
    hessian = torch.autograd.functional.hessian(loss, start)
    if not hessian.isfinite().all():
        # Where an output is rounded to the end of its range, torch divides by 0.
        return float("nan")
    return float(torch.linalg.eigvalsh((hessian + hessian.T) / 2)[-1])


def passes(config: RunConfig, flat: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Weighted sums and outputs [rows, units] of each layer, float64."""
    values = torch.tensor(config.data.inputs, dtype=torch.float64)
    modules = list(network(config, flat, "float64"))
    with torch.no_grad():
        for linear, activation in zip(modules[::2], modules[1::2], strict=True):
            sums = linear(values)
            values = activation(sums)
            yield sums.numpy(), values.numpy()


# --- floors ------------------------------------------------------------------------------------

FAR = 1e5
"""Outputs farther from 0 than this are not tried."""


@cache
def output_range(activation: str) -> tuple[float, float]:
    """Least and greatest output of an activation of one unit, by trying inputs."""
    inputs = torch.cat(
        [
            torch.linspace(-40, 40, 800_001, dtype=torch.float64),
            torch.tensor([-1e6, 1e6], dtype=torch.float64),
        ]
    )
    outputs = MODULES[activation]()(inputs)
    low, high = float(outputs.min()), float(outputs.max())
    # What still grows at the ends has no bound; softsign is within a millionth of its own.
    rounded = [round(v) if abs(v - round(v)) < 2e-6 else v for v in (low, high)]
    return (
        -np.inf if low < -1e3 else float(rounded[0]),
        np.inf if high > 1e3 else float(rounded[1]),
    )


@cache
def _lowest_of_one(loss: str, target: float, low: float, high: float) -> tuple[float, float]:
    """The infimum of a loss of one output, and where, by trials ever finer around the best."""
    bottom, top = max(low, -FAR), min(high, FAR)
    if loss == "poisson_nll":
        top = min(top, 50.0)
    if loss == "bce":
        bottom, top = max(bottom, 0.0), min(top, 1.0)

    def values(outputs: Tensor) -> Tensor:
        wanted = torch.full_like(outputs, target)
        if loss == "bce":
            return nn.BCELoss(reduction="none")(outputs, wanted)
        if loss == "multilabel_soft_margin":
            return nn.BCEWithLogitsLoss(reduction="none")(outputs, wanted)
        if loss == "soft_margin":
            return nn.functional.softplus(-wanted * outputs, threshold=1e9)
        if loss == "kl_div":
            return nn.KLDivLoss(reduction="none")(outputs, wanted)
        return LOSSES[loss]().__class__(reduction="none")(outputs, wanted)

    lowest, where = np.inf, np.nan
    for _ in range(14):
        grid = torch.linspace(bottom, top, 2001, dtype=torch.float64).clamp(bottom, top)
        found = values(grid)
        at = int(found.argmin())
        if float(found[at]) < lowest:
            lowest, where = float(found[at]), float(grid[at])
        bottom, top = float(grid[max(at - 1, 0)]), float(grid[min(at + 1, 2000)])
    # A loss that falls as steeply to the end as half-way has no lower bound.
    for end, bound in ((low, -FAR), (high, FAR)):
        if np.isinf(end) and loss != "bce" and not (loss == "poisson_nll" and bound > 0):
            ends = values(torch.tensor([bound / 4, bound / 2, bound], dtype=torch.float64))
            before, after = float(ends[0] - ends[1]), float(ends[1] - ends[2])
            if after > max(1e-3, 1.5 * before):
                return -np.inf, float(end)
    return lowest, where


@cache
def lowest_loss(loss: str, targets: tuple[tuple[float, ...], ...], activation: str) -> float | None:
    """The lowest loss that outputs within the range of the last activation can have.

    None where outputs of a layer depend on one another in a way that is not tried here.
    """
    if activation in ("softmax", "log_softmax"):
        return _lowest_coupled(loss, targets, activation)
    low, high = output_range(activation)
    if loss == "cross_entropy":
        # With a negative target it may fall for ever, along ways that are not tried here.
        if any(t < 0 for row in targets for t in row):
            return None
        return float(np.mean([_lowest_cross_entropy(row, low, high) for row in targets]))
    if loss == "bce" and any(not 0 <= t <= 1 for row in targets for t in row):
        return None
    each = [[_lowest_of_one(loss, t, low, high)[0] for t in row] for row in targets]
    # The divergence is a sum over units, everything else a mean.
    return float(np.mean(np.sum(each, axis=1) if loss == "kl_div" else each))


def _lowest_coupled(
    loss: str, targets: tuple[tuple[float, ...], ...], activation: str
) -> float | None:
    """With a probability for each unit: where targets are such, or for squares."""
    if activation == "log_softmax" and loss == "cross_entropy":
        # Any differences of outputs are to be had, as without it.
        return lowest_loss(loss, targets, "identity")
    if activation == "log_softmax":
        are_shares = all(min(row) >= 0 and abs(sum(row) - 1) < 1e-9 for row in targets)
        return 0.0 if loss == "kl_div" and are_shares else None
    if loss == "cross_entropy":
        found = [_lowest_of_one_class(row) for row in targets]
        return None if None in found else float(np.mean(np.array(found, dtype=float)))
    if loss == "mse":
        return float(np.mean([_nearest_probabilities(np.array(row)) for row in targets]))
    if loss == "bce" and any(not 0 <= t <= 1 for row in targets for t in row):
        return None
    each = [[_lowest_of_one(loss, t, 0.0, 1.0) for t in row] for row in targets]
    # The best of each unit by itself is to be had only where these are probabilities together, or
    # where a class alone is as good.
    lowest = [[value for value, _ in row] for row in each]
    for row, best, wanted in zip(each, lowest, targets, strict=True):
        together = abs(sum(where for _, where in row) - 1) <= 1e-6
        if not together and not _is_best_at_a_class(loss, wanted, sum(best)):
            return None
    return float(np.mean(np.sum(lowest, axis=1) if loss == "kl_div" else lowest))


def _lowest_of_one_class(row: tuple[float, ...]) -> float | None:
    """The cross entropy of a row with one class where its unit alone is 1; None of other rows.

    It is convex in the outputs, and no step from there to any other class lowers it.
    """
    if min(row) < 0 or sum(t > 0 for t in row) > 1:
        return None
    outputs = torch.zeros(len(row), dtype=torch.float64)
    outputs[int(np.argmax(row))] = 1.0
    return float(LOSSES["cross_entropy"]()(outputs[None], torch.tensor([row], dtype=torch.float64)))


def _is_best_at_a_class(loss: str, targets: tuple[float, ...], lowest: float) -> bool:
    """Return whether one class alone gives a row a loss as low as this sum of units."""
    module = LOSSES[loss]()
    for unit in range(len(targets)):
        outputs = torch.zeros(len(targets), dtype=torch.float64)
        outputs[unit] = 1.0
        wanted = torch.tensor(targets, dtype=torch.float64)
        found = sum(float(module(o[None], t[None])) for o, t in zip(outputs, wanted, strict=True))
        if abs(found - lowest) <= 1e-12 * max(1.0, abs(lowest)):
            return True
    return False


def _nearest_probabilities(row: np.ndarray) -> float:
    """Mean squared distance of a row from the nearest probabilities: subtract, cut at 0."""
    low, high = row.min() - 2, row.max()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(row - middle, 0).sum() > 1 else (low, middle)
    return float(np.mean((np.maximum(row - high, 0) - row) ** 2))


@cache
def _lowest_cross_entropy(row: tuple[float, ...], low: float, high: float) -> float:
    """By moving one output at a time to where it is best, until nothing is gained.

    With the others held, T log(C + exp(o)) − t o is least where exp(o) = t C / (T − t). From the
    middle and from far up: where outputs end below alone, all go up, ever more slowly.
    """
    return min(_moved_one_by_one(row, low, high, start) for start in (0.0, 600.0))


def _moved_one_by_one(row: tuple[float, ...], low: float, high: float, start: float) -> float:
    target = np.array(row)
    total = float(target.sum())
    bottom, top = max(low, -700.0), min(high, 700.0)
    shares = np.log(np.maximum(target, 1e-300) / total) if total else np.zeros(len(row))
    outputs = np.clip(shares + start, bottom, top)

    def value() -> float:
        most = outputs.max()
        return float(total * (most + np.log(np.exp(outputs - most).sum())) - outputs @ target)

    best = value()
    for _ in range(20_000):
        before = best
        for unit in range(len(row)):
            others = np.exp(np.delete(outputs, unit)).sum()
            share = target[unit] / total if total else 0.0
            if share <= 0 or others == 0:
                outputs[unit] = bottom if others else outputs[unit]
            elif share >= 1:
                outputs[unit] = top
            else:
                outputs[unit] = np.clip(np.log(others * share / (1 - share)), bottom, top)
        best = value()
        if before - best <= 1e-15 * max(1.0, abs(best)):
            break
    return best
