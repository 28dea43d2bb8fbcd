"""A fully connected network for many runs at once: runs lie along the last axis.

So small layers become long vector operations, and one line of arithmetic serves all runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from labreport.lab.configuration import Network, RunConfig
from labreport.training.parts.activations import ACTIVATIONS
from labreport.training.parts.initialisers import draw_layer


def initial_parameters(config: RunConfig) -> Tensor:
    """Flat initial parameters [parameters] of one run: [out, in] row by row, then the bias."""
    network = config.network
    generator = torch.Generator().manual_seed(config.seed)
    flat: list[Tensor] = []
    for layer, shape in enumerate(network.shapes):
        has_bias = network.bias != "none"
        weight, bias = draw_layer(config.initial, shape, layer, has_bias, generator)
        flat.append(weight.flatten())
        if network.trains_bias:
            flat.append(bias)
    return torch.cat(flat).to(getattr(torch, config.dtype))


@dataclass(frozen=True)
class Layer:
    """Where a layer lies in the flat parameters, and what it applies."""

    shape: tuple[int, int]
    start: int
    trains_bias: bool
    activation: str

    def forward(self, parameters: Tensor, below: Tensor) -> Tensor:
        """Activations [rows, out, runs] from those below [rows, in, runs]."""
        out, into = self.shape
        end = self.start + out * into
        weight = parameters[self.start : end].view(out, into, -1)
        # Multiply and add up, not matmul: the order of the sums then depends on the layer's
        # shape alone, and a run's numbers do not depend on how many others there are.
        total = (weight * below.unsqueeze(1)).sum(dim=2)
        if self.trains_bias:
            total = total + parameters[end : end + out]
        return ACTIVATIONS[self.activation](total)


def layers(network: Network) -> tuple[Layer, ...]:
    """The layers of a network, inputs first."""
    built: list[Layer] = []
    start = 0
    for shape, activation in zip(network.shapes, network.activations, strict=True):
        built.append(Layer(shape, start, network.trains_bias, activation))
        start += shape[0] * (shape[1] + network.trains_bias)
    return tuple(built)


def forward(built: tuple[Layer, ...], parameters: Tensor, inputs: Tensor) -> Tensor:
    """Outputs [rows, out, runs] of all runs.

    Args:
        built: the layers.
        parameters: [parameters, runs].
        inputs: [rows, in, runs].
    """
    activation = inputs
    for layer in built:
        activation = layer.forward(parameters, activation)
    return activation
