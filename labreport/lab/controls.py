"""Controls: runs beside those of the lab, made to test why a run went as it did.

An explanation in the report has been tested by a run that differs in the one thing that is said to
be the reason. What is a control of a run follows from its configuration alone, so that controls
are trained with all other runs, before anything is known of the results.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from labreport.lab.configuration import RunConfig
from labreport.lab.lab import merge
from labreport.lab.schema.activations import ACTIVATIONS

Kind = Literal["momentum", "linear-output", "other-starts"]

STARTS = 20
"""Random starts that a start is compared with: if none of them does what it did, fewer than one
in seven starts does at 95 % confidence (the rule of three)."""

MOST_WORK = 10_000_000
"""Parameters × rows × rounds up to which a run is repeated from other starts: some seconds."""

DISTANCES = frozenset({"mse", "l1", "smooth_l1", "huber"})
"""Losses that a linear output can bring to their minimum at any target."""


@dataclass(frozen=True)
class Control:
    """Runs that test one explanation of what another run did."""

    kind: Kind
    configurations: tuple[RunConfig, ...]


def controls(config: RunConfig) -> tuple[Control, ...]:
    """The controls of a run; there are none where there is nothing of their kind to explain."""
    found = ((kind, make(config)) for kind, make in KINDS.items())
    return tuple(Control(kind, made) for kind, made in found if made)


def momentum(config: RunConfig) -> tuple[RunConfig, ...]:
    """Test whether gradients that are never cleared are SGD with a momentum of 1.

    The sum of all gradients is the velocity of a ball without friction: v ← 1 · v + g.
    """
    optimizer = config.optimizer
    if config.gradients != "accumulated" or optimizer.name != "sgd":
        return ()
    if optimizer.momentum or optimizer.weight_decay:
        return ()
    change = {"gradients": "cleared", "optimizer": {"momentum": 1.0, "dampening": 0.0}}
    return (changed(config, change),)


def linear_output(config: RunConfig) -> tuple[RunConfig, ...]:
    """Test whether it is the range of the last activation that keeps a target out of reach."""
    last = ACTIVATIONS[config.network.activations[-1]]
    inside = all(last.low <= target <= last.high for row in config.data.targets for target in row)
    if inside or config.loss not in DISTANCES:
        return ()
    activations = [*config.network.activations[:-1], "identity"]
    return (changed(config, {"network": {"activations": activations}}),)


def other_starts(config: RunConfig) -> tuple[RunConfig, ...]:
    """Test whether it is the start that silences units with ReLU."""
    rows = len(config.data.inputs)
    work = config.network.parameter_count * rows * config.rounds
    if "relu" not in config.network.activations or work > MOST_WORK:
        return ()
    if config.network.holds_bias:
        return ()  # A start is drawn without the biases that are held.
    drawn = changed(config, {"initial": {"scheme": "pytorch"}})
    return tuple(drawn.with_seed(seed) for seed in range(STARTS))


def changed(config: RunConfig, change: dict[str, Any]) -> RunConfig:
    """The same run with some keys changed; data that are not are one object in both."""
    shared = {} if "data" in change else {"data": config.data}
    rest = merge(config.model_dump(mode="json", exclude=set(shared)), change)
    return RunConfig.model_validate({**rest, **shared})


KINDS: dict[Kind, Callable[[RunConfig], tuple[RunConfig, ...]]] = {
    "momentum": momentum,
    "linear-output": linear_output,
    "other-starts": other_starts,
}
