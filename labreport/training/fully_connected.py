"""A fully connected network for many runs at once.

Small layers keep the runs along the last axis, so that they become long vector operations. Large
layers keep them along the first, where a batched matrix product does the work. Which one it is
depends on the layers' shapes alone, never on how many runs there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from labreport.lab.configuration import Network, RunConfig
from labreport.lab.size import is_multiplied_alone
from labreport.training.operations.activations import ACTIVATIONS
from labreport.training.operations.initialisers import draw_layer


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
class TrainedLayer:
    """A layer's parameters as leaves of the graph, and what it applies.

    Attributes:
        weight: [out, in, runs], or [runs, out, in] where layers are large.
        bias: [out, runs], or [runs, 1, out]; None if there is none, or it is 0.
        activation: name of the activation.
        trains_bias: whether the bias is a leaf; a held one is a constant.
    """

    weight: Tensor
    bias: Tensor | None
    activation: str
    trains_bias: bool = True

    def leaves(self) -> tuple[Tensor, ...]:
        """Parameters in the order in which they are stored."""
        if self.bias is None or not self.trains_bias:
            return (self.weight,)
        return (self.weight, self.bias)


class Parameters:
    """Parameters of all runs: one flat tensor, and the layers as views into it.

    Attributes:
        flat: [parameters, runs]; changing it in place changes the layers.
        layers: of the network, inputs first.
    """

    def __init__(
        self, network: Network, rows: int, initial: Tensor, held: Tensor | None = None
    ) -> None:
        """Take initial parameters [parameters, runs] of a network that sees so many rows.

        Args:
            network: the network.
            rows: that a round sees.
            initial: its parameters.
            held: biases [units of all layers, runs] that are not trained; None if there are none.
        """
        self.runs_first = is_multiplied_alone(network, rows)
        # Elementwise updates do not mind which axis is contiguous; the layers do.
        self.flat = initial.t().contiguous().t() if self.runs_first else initial.contiguous()
        built: list[TrainedLayer] = []
        start, constant = 0, 0
        for (out, into), activation in zip(network.shapes, network.activations, strict=True):
            weight = self._leaf(start, start + out * into, (out, into))
            start += out * into
            bias = None
            if network.trains_bias:
                bias = self._leaf(start, start + out, (1, out) if self.runs_first else (out,))
                start += out
            elif held is not None:
                part = held[constant : constant + out]
                bias = part.t().unsqueeze(1).contiguous() if self.runs_first else part.contiguous()
                constant += out
            built.append(TrainedLayer(weight, bias, activation, network.trains_bias))
        self.layers = tuple(built)
        self._leaves = tuple(leaf for layer in built for leaf in layer.leaves())

    def _leaf(self, start: int, end: int, shape: tuple[int, ...]) -> Tensor:
        part = self.flat[start:end]
        runs = self.flat.shape[1]
        view = part.t().view(runs, *shape) if self.runs_first else part.view(*shape, runs)
        return view.detach().requires_grad_()

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs of all runs.

        Args:
            inputs: [rows, in, runs], or [in, runs] for a single row.

        Returns:
            [rows, out, runs], or [out, runs].
        """
        if self.runs_first:
            return self._forward_by_matrices(inputs)
        # A strided input would send elementwise operations to other kernels.
        activation = inputs.contiguous()
        for layer in self.layers:
            # Multiply and add up, not matmul: the order of the sums then depends on the
            # layer's shape alone, and a run's numbers do not depend on the others.
            total = (layer.weight * activation.unsqueeze(-3)).sum(dim=-2)
            if layer.bias is not None:
                total = total + layer.bias
            activation = ACTIVATIONS[layer.activation](total)
        return activation

    def _forward_by_matrices(self, inputs: Tensor) -> Tensor:
        single = inputs.dim() == 2
        activation = (inputs.unsqueeze(0) if single else inputs).permute(2, 0, 1)
        for layer in self.layers:
            total = activation @ layer.weight.transpose(1, 2)
            if layer.bias is not None:
                total = total + layer.bias
            # Activations that couple units want them last but one: [runs, units, rows].
            activation = ACTIVATIONS[layer.activation](total.transpose(1, 2)).transpose(1, 2)
        outputs = activation.permute(1, 2, 0)
        return outputs.squeeze(0) if single else outputs

    def gradient(self, losses: Tensor, out: Tensor | None = None) -> Tensor:
        """Gradient [parameters, runs] of losses [runs], written to ``out`` if that is given.

        The sum of the losses is differentiated: runs do not see one another, so each run's
        gradient is that of its own loss.
        """
        parts = torch.autograd.grad(losses.sum(), self._leaves)
        if self.runs_first:
            flat = torch.cat([part.flatten(1) for part in parts], dim=1).t()
            return flat if out is None else out.copy_(flat)
        rows: Iterable[Tensor] = (part.flatten(0, -2) for part in parts)
        return torch.cat(list(rows), out=out)
