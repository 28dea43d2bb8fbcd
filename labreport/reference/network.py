"""The forward pass of a feed-forward network, and back-propagation through it.

Every array may have further axes in front: the same network at many steps of a training, say, with
weights [steps, out, in]. Each is then worked on by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from labreport.reference.activations import ACTIVATIONS, Activation
from labreport.reference.activations import SIMPLIFIED as SIMPLIFIED_ACTIVATIONS
from labreport.reference.array_types import FloatArray
from labreport.reference.losses.all_losses import LOSSES
from labreport.reference.losses.simplified import SIMPLIFIED, SIMPLIFIED_SLOPES


@dataclass(frozen=True)
class LayerParameters:
    """One fully connected layer: weight [out, in], and bias [out] or None for no bias."""

    weight: FloatArray
    bias: FloatArray | None = None


@dataclass(frozen=True)
class ForwardPass:
    """The results of the forward pass of a batch that back-propagation needs.

    `pre_activations` holds z of every layer, each [rows, out]. `activations` holds the
    inputs [rows, in] first, then a of every layer, each [rows, out]: one more entry.
    """

    pre_activations: tuple[FloatArray, ...]
    activations: tuple[FloatArray, ...]

    @property
    def output(self) -> FloatArray:
        """The activation of the last layer, [rows, out]."""
        return self.activations[-1]


@dataclass(frozen=True)
class Gradients:
    """The derivatives of the loss, one entry a layer, the first layer first.

    `deltas` are dL/dz, each [rows, out]; `weights` are dL/dW, each [out, in];
    `biases` are dL/db, each [out], whether or not the layer has a bias.
    """

    deltas: tuple[FloatArray, ...]
    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]


def forward(
    parameters: Sequence[LayerParameters],
    activations: Sequence[str],
    inputs: FloatArray,
    adjusted: Callable[[str, FloatArray, FloatArray], FloatArray] | None = None,
) -> ForwardPass:
    """Evaluate the network on `inputs` [rows, in].

    `activations` names one row of ACTIVATIONS per layer. With `adjusted`, what it makes of a name,
    of z and of the activation takes the place of the activation, layer by layer. Raises
    ValueError where there is not one name per layer, and KeyError on a name that the table does
    not have.
    """
    pre_activations: list[FloatArray] = []
    values = [inputs]
    for layer, name in zip(parameters, activations, strict=True):
        pre_activation = values[-1] @ np.swapaxes(layer.weight, -1, -2)
        if layer.bias is not None:
            pre_activation = pre_activation + layer.bias[..., np.newaxis, :]
        pre_activations.append(pre_activation)
        value = ACTIVATIONS[name].value(pre_activation)
        values.append(value if adjusted is None else adjusted(name, pre_activation, value))
    return ForwardPass(tuple(pre_activations), tuple(values))


def backward(
    forward_pass: ForwardPass,
    parameters: Sequence[LayerParameters],
    activations: Sequence[str],
    loss: str,
    targets: FloatArray,
    simplified: bool = False,
) -> Gradients:
    """Differentiate the loss with respect to every parameter, by back-propagation.

    The arguments are those of the forward pass, its result, the name of a row of LOSSES
    and the targets [rows, out]. The equations are those of Rumelhart, Hinton and
    Williams 1986, in the matrix form of Nielsen 2015 ("Neural Networks and Deep
    Learning", chapter 2, BP1 to BP4). With `simplified`, factors and terms that cancel are left
    out (the tables SIMPLIFIED of losses and activations), and with them the clamp that torch
    puts on one of them. Raises KeyError on an unknown name.
    """
    deltas = _all_deltas(forward_pass, parameters, activations, loss, targets, simplified)
    layer_inputs = forward_pass.activations[:-1]
    return Gradients(
        deltas=deltas,
        weights=tuple(
            _sum_of_outer_products(delta, layer_input)
            for delta, layer_input in zip(deltas, layer_inputs, strict=True)
        ),
        # A bias is the weight of an input that is always one.
        biases=tuple(delta.sum(axis=-2) for delta in deltas),
    )


def _all_deltas(
    forward_pass: ForwardPass,
    parameters: Sequence[LayerParameters],
    activations: Sequence[str],
    loss: str,
    targets: FloatArray,
    simplified: bool,
) -> tuple[FloatArray, ...]:
    """δ = dL/dz of every layer: the output layer's first, then each from the next one's."""
    last = len(parameters) - 1
    # δ of the output layer: what the loss says of the output, through its activation.
    short = SIMPLIFIED.get((loss, activations[last])) if simplified else None
    if short is not None:
        deltas = [short[0](forward_pass.pre_activations[last], targets)]
    else:
        slope = LOSSES[loss].gradient
        if simplified and loss in SIMPLIFIED_SLOPES:
            slope = SIMPLIFIED_SLOPES[loss][0]
        upstream = slope(forward_pass.output, targets)
        deltas = [_through_activation(forward_pass, activations, last, upstream, simplified)]
    # δ of a hidden layer: δ of the next layer, through its weights and this activation.
    for layer in range(last - 1, -1, -1):
        upstream = deltas[0] @ parameters[layer + 1].weight
        delta = _through_activation(forward_pass, activations, layer, upstream, simplified)
        deltas.insert(0, delta)
    return tuple(deltas)


def _activation(name: str, simplified: bool) -> Activation:
    short = SIMPLIFIED_ACTIVATIONS.get(name) if simplified else None
    return short or ACTIVATIONS[name]


def _through_activation(
    forward_pass: ForwardPass,
    activations: Sequence[str],
    layer: int,
    upstream: FloatArray,
    simplified: bool,
) -> FloatArray:
    """Turn dL/da of a layer into its dL/dz, both [rows, out]."""
    return _activation(activations[layer], simplified).pullback(
        forward_pass.pre_activations[layer], forward_pass.activations[layer + 1], upstream
    )


def _sum_of_outer_products(delta: FloatArray, layer_input: FloatArray) -> FloatArray:
    """Sum the outer products of δ and the layer's input over the rows: [out, in]."""
    return np.swapaxes(delta, -1, -2) @ layer_input


def absolute_terms(
    forward_pass: ForwardPass,
    parameters: Sequence[LayerParameters],
    activations: Sequence[str],
    loss: str,
    targets: FloatArray,
    simplified: bool = False,
) -> Gradients:
    """Add up the absolute values of the terms behind each derivative, in the shapes of `backward`.

    A derivative is a sum over rows and units. Its rounding error is in proportion to the absolute
    terms, and not to the sum, which may be next to nothing where they cancel (Higham 2002,
    "Accuracy and Stability of Numerical Algorithms", section 3.1). What rounding of an activation
    does to the derivative of that activation is not in it: 1 − a² where a is next to 1.
    """
    last = len(parameters) - 1
    short = SIMPLIFIED.get((loss, activations[last])) if simplified else None
    sizes: list[FloatArray] = []
    for layer in range(last, -1, -1):
        z, a = forward_pass.pre_activations[layer], forward_pass.activations[layer + 1]
        if layer == last and short is not None:
            sizes.insert(0, short[1](z, targets))
            continue
        if layer == last:
            slope_terms = LOSSES[loss].slope_terms
            if simplified and loss in SIMPLIFIED_SLOPES:
                slope_terms = SIMPLIFIED_SLOPES[loss][1]
            size = np.abs(slope_terms(forward_pass.output, targets))
        else:
            size = sizes[0] @ np.abs(parameters[layer + 1].weight)
        sizes.insert(0, _activation(activations[layer], simplified).size(z, a, size))
    return Gradients(
        deltas=tuple(sizes),
        weights=tuple(
            _sum_of_outer_products(terms, np.abs(layer_input))
            for terms, layer_input in zip(sizes, forward_pass.activations[:-1], strict=True)
        ),
        biases=tuple(terms.sum(axis=-2) for terms in sizes),
    )
