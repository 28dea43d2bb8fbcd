"""The order in which the trained parameters of a network form one flat vector.

As in ``network``, every array may have further axes in front.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from labreport.reference.array_types import FloatArray
from labreport.reference.network import Gradients, LayerParameters

BiasPolicy: TypeAlias = Literal["none", "trained", "zero", "held"]


def apply_bias_policy(
    layers: Sequence[LayerParameters], bias: BiasPolicy, dtype: DTypeLike
) -> tuple[LayerParameters, ...]:
    """Give the layers in `dtype`, with the biases that the policy asks for.

    "none": no layer has a bias. "trained": every layer has one. "zero": every layer has
    one, which is zero and stays so. "held": every layer has one, which stays as it is.
    Raises ValueError where the layers contradict the policy: a bias under "none", none
    under "trained" or "held", a bias other than zero under "zero"; and on an unknown policy.
    """
    if bias not in ("none", "trained", "zero", "held"):
        raise ValueError(f"unknown bias policy {bias!r}")
    return tuple(_with_policy(layer, bias, dtype) for layer in layers)


def _with_policy(layer: LayerParameters, bias: BiasPolicy, dtype: DTypeLike) -> LayerParameters:
    weight = np.array(layer.weight, dtype=dtype)
    if bias == "none":
        if layer.bias is not None:
            raise ValueError('bias policy "none", but a layer has a bias')
        return LayerParameters(weight, None)
    if bias == "zero":
        if layer.bias is not None and np.any(layer.bias):
            raise ValueError('bias policy "zero", but a layer has a bias other than zero')
        return LayerParameters(weight, np.zeros(weight.shape[0], dtype=dtype))
    if layer.bias is None:
        raise ValueError(f'bias policy "{bias}", but a layer has no bias')
    return LayerParameters(weight, np.array(layer.bias, dtype=dtype))


def flatten_parameters(layers: Sequence[LayerParameters], bias: BiasPolicy) -> FloatArray:
    """Line the trained parameters up as one vector [parameters].

    For each layer, the first one first: the weight [out, in] row by row, then the bias,
    if it is trained.
    """
    return _concatenate(((layer.weight, layer.bias) for layer in layers), bias)


def flatten_gradients(gradients: Gradients, bias: BiasPolicy) -> FloatArray:
    """Line the derivatives of the loss up in the order of `flatten_parameters`."""
    return _concatenate(zip(gradients.weights, gradients.biases, strict=True), bias)


def _concatenate(
    pairs: Iterable[tuple[FloatArray, FloatArray | None]], bias: BiasPolicy
) -> FloatArray:
    parts: list[FloatArray] = []
    for weight, bias_values in pairs:
        parts.append(weight.reshape(*weight.shape[:-2], -1))
        if bias == "trained" and bias_values is not None:
            parts.append(bias_values)
    return np.concatenate(parts, axis=-1)


def restore_parameters(
    flat: FloatArray, like: Sequence[LayerParameters], bias: BiasPolicy
) -> tuple[LayerParameters, ...]:
    """Undo `flatten_parameters`: layers of the shapes of `like`, values from `flat`.

    Biases that are not trained are those of `like`.
    """
    layers: list[LayerParameters] = []
    start = 0
    in_front = flat.shape[:-1]
    for layer in like:
        end = start + layer.weight.size
        weight = flat[..., start:end].reshape(*in_front, *layer.weight.shape)
        bias_values = layer.bias
        if bias == "trained" and layer.bias is not None:
            start, end = end, end + layer.bias.size
            bias_values = flat[..., start:end]
        layers.append(LayerParameters(weight, bias_values))
        start = end
    return tuple(layers)
