"""Initial weights, by torch.nn.init, from a generator of the run's own."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import init

from labreport.lab.schema import initialisers as scheme

Draw = Callable[..., object]

INITIALISERS: dict[str, Draw] = {
    "zeros": lambda weight, chosen, generator: init.zeros_(weight),
    "ones": lambda weight, chosen, generator: init.ones_(weight),
    "constant": lambda weight, chosen, generator: init.constant_(weight, chosen.value),
    "uniform": lambda weight, chosen, generator: init.uniform_(
        weight, chosen.low, chosen.high, generator=generator
    ),
    "normal": lambda weight, chosen, generator: init.normal_(
        weight, chosen.mean, chosen.standard_deviation, generator=generator
    ),
    "truncated_normal": lambda weight, chosen, generator: init.trunc_normal_(
        weight, chosen.mean, chosen.standard_deviation, generator=generator
    ),
    "xavier_uniform": lambda weight, chosen, generator: init.xavier_uniform_(
        weight, chosen.gain, generator=generator
    ),
    "xavier_normal": lambda weight, chosen, generator: init.xavier_normal_(
        weight, chosen.gain, generator=generator
    ),
    "kaiming_uniform": lambda weight, chosen, generator: init.kaiming_uniform_(
        weight, nonlinearity="relu", generator=generator
    ),
    "kaiming_normal": lambda weight, chosen, generator: init.kaiming_normal_(
        weight, nonlinearity="relu", generator=generator
    ),
    "orthogonal": lambda weight, chosen, generator: init.orthogonal_(
        weight, chosen.gain, generator=generator
    ),
    "pytorch": lambda weight, chosen, generator: init.kaiming_uniform_(
        weight, a=math.sqrt(5), generator=generator
    ),
}


def draw_layer(
    chosen: scheme.Initial, shape: tuple[int, int], layer: int, has_bias: bool, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Initial weight [out, in] and bias [out] of one layer, float32 as torch.nn.Linear has them.

    The bias is 0, but with the scheme "pytorch" it is drawn as torch.nn.Linear draws it (after
    the weight, uniform within ±1/√fan-in); a network without bias draws nothing for it, so that a
    seed gives the very numbers of the stock modules. Values written in the lab file stay float64.
    """
    if isinstance(chosen, scheme.Given):
        weight = torch.tensor(chosen.weights[layer], dtype=torch.float64)
        written = chosen.biases[layer] if chosen.biases else [0.0] * shape[0]
        return weight, torch.tensor(written, dtype=torch.float64)
    kind = torch.float32  # whatever torch's global default is
    weight, bias = torch.empty(shape, dtype=kind), torch.zeros(shape[0], dtype=kind)
    INITIALISERS[chosen.scheme](weight, chosen, generator)
    if chosen.scheme == "pytorch" and has_bias:
        bound = 1 / math.sqrt(shape[1])
        init.uniform_(bias, -bound, bound, generator=generator)
    return weight, bias
