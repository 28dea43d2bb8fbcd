"""Activation functions and their hand-derived pullbacks, as one literal table."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from labreport.reference.array_types import FloatArray

LEAKY_RELU_SLOPE = 0.01
SOFTPLUS_THRESHOLD = 20.0

# Klambauer et al. 2017, "Self-Normalizing Neural Networks".
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946

# torch holds this derivative in single precision even for float64 arrays, which is
# 3e-8 away from 1/6; a second opinion on torch has to repeat it.
HARDSIGMOID_SLOPE = float(np.float32(1.0 / 6.0))


@dataclass(frozen=True)
class Activation:
    """An activation function and the chain rule through it.

    `value(pre_activation)` maps z [rows, units] to a [rows, units].
    `pullback(pre_activation, value, upstream)` maps dL/da [rows, units] to dL/dz
    [rows, units], where `value` is what `value(pre_activation)` returned. Both keep the
    dtype they are given. At a kink the pullback takes the side that torch takes.
    `size(pre_activation, value, upstream)`, with an upstream of absolute values, is the sum of the
    absolute values of what the pullback adds up: its rounding error is in proportion to that.
    `value_size(z, a)` is the same of the value.
    """

    value: Callable[[FloatArray], FloatArray]
    pullback: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
    size: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
    value_size: Callable[[FloatArray, FloatArray], FloatArray] = lambda z, a: np.abs(a)


def sigmoid(pre_activation: FloatArray) -> FloatArray:
    """Return the logistic function of every element, without overflow on either side."""
    decay = np.exp(-np.abs(pre_activation))
    return np.where(pre_activation >= 0, 1.0 / (1.0 + decay), decay / (1.0 + decay))


def log_sigmoid(pre_activation: FloatArray) -> FloatArray:
    """Return the logarithm of the logistic function of every element, without overflow."""
    return np.minimum(pre_activation, 0.0) - np.log1p(np.exp(-np.abs(pre_activation)))


def log_softmax(pre_activation: FloatArray) -> FloatArray:
    """Return the logarithm of the softmax over the units of each row, [rows, units]."""
    # Softmax does not change when a constant is added to a row: taking the maximum
    # away keeps every exponential at or below one.
    shifted = pre_activation - _largest_of_row(pre_activation)
    return shifted - np.log(_sum_of_row(np.exp(shifted)))


def softmax(pre_activation: FloatArray) -> FloatArray:
    """Return the softmax over the units of each row, [rows, units]."""
    exponentials = np.exp(pre_activation - _largest_of_row(pre_activation))
    return exponentials / _sum_of_row(exponentials)


def _largest_of_row(values: FloatArray) -> FloatArray:
    largest: FloatArray = np.max(values, axis=-1, keepdims=True)
    return largest


def _sum_of_row(values: FloatArray) -> FloatArray:
    total: FloatArray = np.sum(values, axis=-1, keepdims=True)
    return total


def _softmax_pullback(
    pre_activation: FloatArray, value: FloatArray, upstream: FloatArray
) -> FloatArray:
    # The Jacobian of a row is diag(p) - p pᵀ (Bishop 2006, equation 4.106).
    return value * (upstream - _sum_of_row(upstream * value))


def _softmax_pairs(
    pre_activation: FloatArray, value: FloatArray, upstream: FloatArray
) -> FloatArray:
    # p_i Σ_j p_j (u_i − u_j) is the same, as Σ_j p_j is 1; and it keeps its digits where one p is
    # next to 1, which leaves none to 1 − p.
    apart = upstream[..., :, np.newaxis] - upstream[..., np.newaxis, :]
    return value * (apart @ value[..., np.newaxis])[..., 0]


def _softmax_pairs_size(z: FloatArray, value: FloatArray, upstream: FloatArray) -> FloatArray:
    both = upstream[..., :, np.newaxis] + upstream[..., np.newaxis, :]
    units = np.arange(value.shape[-1])
    both[..., units, units] = 0.0
    return value * (both @ value[..., np.newaxis])[..., 0]


def of_others(values: FloatArray) -> FloatArray:
    """Of each unit, the sum over the other units of its row."""
    units = values.shape[-1]
    others: FloatArray = values @ (1.0 - np.eye(units, dtype=values.dtype))
    return others


def _log_softmax_pairs(
    pre_activation: FloatArray, value: FloatArray, upstream: FloatArray
) -> FloatArray:
    # 1 − p is the sum of the others.
    p = np.exp(value)
    return upstream * of_others(p) - p * of_others(upstream)


def _log_softmax_pairs_size(z: FloatArray, value: FloatArray, upstream: FloatArray) -> FloatArray:
    p = np.exp(value)
    return upstream * of_others(p) + p * of_others(upstream)


def _log_softmax_pullback(
    pre_activation: FloatArray, value: FloatArray, upstream: FloatArray
) -> FloatArray:
    # The Jacobian of a row is I - 1 pᵀ.
    return upstream - np.exp(value) * _sum_of_row(upstream)


def _softmax_size(z: FloatArray, value: FloatArray, upstream: FloatArray) -> FloatArray:
    return value * (upstream + _sum_of_row(upstream * value))


def _log_softmax_value_size(z: FloatArray, value: FloatArray) -> FloatArray:
    # z minus the logarithm of a sum.
    sizes: FloatArray = 1.0 + _largest_of_row(np.abs(z)) + np.abs(value)
    return sizes


def _log_softmax_size(z: FloatArray, value: FloatArray, upstream: FloatArray) -> FloatArray:
    return upstream + np.exp(value) * _sum_of_row(upstream)


def _unitwise(
    value: Callable[[FloatArray], FloatArray],
    derivative: Callable[[FloatArray, FloatArray], FloatArray],
    terms: Callable[[FloatArray], FloatArray] | None = None,
    value_terms: Callable[[FloatArray], FloatArray] | None = None,
) -> Activation:
    """Build an activation whose Jacobian is diagonal; `derivative(z, a)` is that diagonal.

    `terms(z)` are the absolute terms that torch adds up for it, and `value_terms(z)` those of the
    value, where some of them may cancel.
    """

    def pullback(pre_activation: FloatArray, out: FloatArray, upstream: FloatArray) -> FloatArray:
        diagonal = derivative(pre_activation, out)
        return upstream * diagonal.astype(pre_activation.dtype, copy=False)

    def size(pre_activation: FloatArray, out: FloatArray, upstream: FloatArray) -> FloatArray:
        if terms is not None:
            return upstream * terms(pre_activation)
        return np.abs(pullback(pre_activation, out, upstream))

    def value_size(pre_activation: FloatArray, out: FloatArray) -> FloatArray:
        return np.abs(out) if value_terms is None else value_terms(pre_activation)

    return Activation(value, pullback, size, value_size)


def _identity(z: FloatArray) -> FloatArray:
    return z.copy()


def _identity_derivative(z: FloatArray, a: FloatArray) -> FloatArray:
    return np.ones_like(z)


def _sigmoid_derivative(z: FloatArray, a: FloatArray) -> FloatArray:
    return a * (1.0 - a)


def _tanh(z: FloatArray) -> FloatArray:
    return np.tanh(z)


def _tanh_derivative(z: FloatArray, a: FloatArray) -> FloatArray:
    return 1.0 - a * a


def _tanh_terms(z: FloatArray) -> FloatArray:
    # 1 − a², of which little is left where a is next to 1.
    terms: FloatArray = 1.0 + np.square(np.tanh(z))
    return terms


def _relu(z: FloatArray) -> FloatArray:
    return np.maximum(z, 0.0)


def _relu_derivative(z: FloatArray, a: FloatArray) -> FloatArray:
    return np.where(z > 0, 1.0, 0.0)


def _leaky_relu(z: FloatArray) -> FloatArray:
    return np.where(z > 0, z, LEAKY_RELU_SLOPE * z)


def _leaky_relu_derivative(z: FloatArray, a: FloatArray) -> FloatArray:
    return np.where(z > 0, 1.0, LEAKY_RELU_SLOPE)


def _elu(z: FloatArray) -> FloatArray:
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0.0)))


def _elu_derivative(z: FloatArray, a: FloatArray) -> FloatArray:
    return np.where(z > 0, 1.0, np.exp(np.minimum(z, 0.0)))


def _selu(z: FloatArray) -> FloatArray:
    return np.where(z > 0, SELU_SCALE * z, SELU_SCALE * SELU_ALPHA * np.expm1(np.minimum(z, 0.0)))


def _selu_derivative(z: FloatArray, a: FloatArray) -> FloatArray:
    left = SELU_SCALE * SELU_ALPHA * np.exp(np.minimum(z, 0.0))
    return np.where(z > 0, SELU_SCALE, left)


_error_function = np.vectorize(math.erf, otypes=[np.float64])


def _normal_cumulative(z: FloatArray) -> FloatArray:
    """Φ(z), the cumulative distribution of the standard normal."""
    # NumPy has no error function, and scipy is not a dependency: the C library's erf,
    # one element at a time, is exact to the last bits and fast enough for small networks.
    # 1 + erf, not erfc: torch cancels to an exact zero in the left tail, and so must this.
    error_function: FloatArray = _error_function(z * math.sqrt(0.5)).astype(z.dtype)
    return 0.5 * (1.0 + error_function)


def _gelu(z: FloatArray) -> FloatArray:
    return z * _normal_cumulative(z)


def _gelu_derivative(z: FloatArray, a: FloatArray) -> FloatArray:
    density = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    return _normal_cumulative(z) + z * density


def _gelu_terms(z: FloatArray) -> FloatArray:
    # 1 + erf, of which little is left far to the left.
    return 1.0 + np.abs(z) * np.exp(-0.5 * z * z)


def _silu(z: FloatArray) -> FloatArray:
    return z * sigmoid(z)


def _silu_derivative(z: FloatArray, a: FloatArray) -> FloatArray:
    gate = sigmoid(z)
    # Far from 0, a value that has been rounded to 0 comes of a gate that has, and so has the slope.
    slope: FloatArray = np.where((a == 0) & (z < -1), 0.0, gate * (1.0 + z * (1.0 - gate)))
    return slope.astype(z.dtype, copy=False)


def _silu_terms(z: FloatArray) -> FloatArray:
    gate = sigmoid(z)
    terms: FloatArray = gate * (1.0 + np.abs(z) * (1.0 - gate))
    return terms


def _softplus(z: FloatArray) -> FloatArray:
    # Beyond the threshold torch returns z itself: the function jumps there by 2e-9.
    return np.where(z > SOFTPLUS_THRESHOLD, z, np.log1p(np.exp(np.minimum(z, SOFTPLUS_THRESHOLD))))


def _softplus_derivative(z: FloatArray, a: FloatArray) -> FloatArray:
    return np.where(z > SOFTPLUS_THRESHOLD, 1.0, sigmoid(z))


def _softsign(z: FloatArray) -> FloatArray:
    return z / (1.0 + np.abs(z))


def _softsign_derivative(z: FloatArray, a: FloatArray) -> FloatArray:
    return 1.0 / np.square(1.0 + np.abs(z))


def _softsign_terms(z: FloatArray) -> FloatArray:
    # Torch differentiates the quotient: 1/(1 + |z|) − |z|/(1 + |z|)².
    width = 1.0 + np.abs(z)
    terms: FloatArray = 1.0 / width + np.abs(z) / np.square(width)
    return terms


def _hardtanh(z: FloatArray) -> FloatArray:
    return np.clip(z, -1.0, 1.0)


def _hardtanh_derivative(z: FloatArray, a: FloatArray) -> FloatArray:
    return np.where((z > -1.0) & (z < 1.0), 1.0, 0.0)


def _relu6(z: FloatArray) -> FloatArray:
    return np.clip(z, 0.0, 6.0)


def _relu6_derivative(z: FloatArray, a: FloatArray) -> FloatArray:
    return np.where((z > 0.0) & (z < 6.0), 1.0, 0.0)


def _hardsigmoid(z: FloatArray) -> FloatArray:
    sixths: FloatArray = np.clip(z + 3.0, 0.0, 6.0)
    return sixths / 6.0


def _hardsigmoid_sizes(z: FloatArray) -> FloatArray:
    # z + 3, of which little may be left.
    sizes: FloatArray = (np.abs(z) + 3.0) / 6.0
    return sizes


def _hardsigmoid_derivative(z: FloatArray, a: FloatArray) -> FloatArray:
    return np.where((z > -3.0) & (z < 3.0), HARDSIGMOID_SLOPE, 0.0)


def _tanh_of_softplus(z: FloatArray) -> FloatArray:
    # Mish takes the softplus without the threshold of the softplus activation.
    return np.tanh(np.logaddexp(z, np.zeros_like(z)))


def _mish(z: FloatArray) -> FloatArray:
    return z * _tanh_of_softplus(z)


def _mish_derivative(z: FloatArray, a: FloatArray) -> FloatArray:
    gate = _tanh_of_softplus(z)
    return gate + z * sigmoid(z) * (1.0 - gate * gate)


def _mish_terms(z: FloatArray) -> FloatArray:
    terms: FloatArray = np.abs(_tanh_of_softplus(z)) + np.abs(z) * sigmoid(z)
    return terms


# The functions are those of the torch.nn modules of the same names, with their defaults.
ACTIVATIONS: dict[str, Activation] = {
    "identity": _unitwise(_identity, _identity_derivative),
    "sigmoid": _unitwise(sigmoid, _sigmoid_derivative),
    "tanh": _unitwise(_tanh, _tanh_derivative, _tanh_terms),
    "relu": _unitwise(_relu, _relu_derivative),
    "leaky_relu": _unitwise(_leaky_relu, _leaky_relu_derivative),
    "elu": _unitwise(_elu, _elu_derivative),
    "selu": _unitwise(_selu, _selu_derivative),
    "gelu": _unitwise(_gelu, _gelu_derivative, _gelu_terms, np.abs),
    "silu": _unitwise(_silu, _silu_derivative, _silu_terms),
    "softplus": _unitwise(_softplus, _softplus_derivative),
    "softsign": _unitwise(_softsign, _softsign_derivative, _softsign_terms),
    "hardtanh": _unitwise(_hardtanh, _hardtanh_derivative),
    "relu6": _unitwise(_relu6, _relu6_derivative),
    "hardsigmoid": _unitwise(_hardsigmoid, _hardsigmoid_derivative, None, _hardsigmoid_sizes),
    "mish": _unitwise(_mish, _mish_derivative, _mish_terms),
    "softmax": Activation(softmax, _softmax_pullback, _softmax_size),
    "log_softmax": Activation(
        log_softmax, _log_softmax_pullback, _log_softmax_size, _log_softmax_value_size
    ),
}


def _sigmoid_slope(z: FloatArray, a: FloatArray) -> FloatArray:
    # σ(z) σ(−z): 1 − a has no digits left where a is next to 1.
    return sigmoid(z) * sigmoid(-z)


def _tanh_slope(z: FloatArray, a: FloatArray) -> FloatArray:
    # 1 − tanh² is 4 σ(2z) σ(−2z).
    return 4.0 * sigmoid(2.0 * z) * sigmoid(-2.0 * z)


_complementary_error_function = np.vectorize(math.erfc, otypes=[np.float64])


def _gelu_slope(z: FloatArray, a: FloatArray) -> FloatArray:
    # Φ(z) by erfc, which keeps its digits far to the left, where 1 + erf has none.
    cumulative: FloatArray = 0.5 * _complementary_error_function(-z * math.sqrt(0.5))
    return cumulative.astype(z.dtype) + z * np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


SIMPLIFIED: dict[str, Activation] = {
    "gelu": _unitwise(_gelu, _gelu_slope),
    "sigmoid": _unitwise(sigmoid, _sigmoid_slope),
    "tanh": _unitwise(_tanh, _tanh_slope),
    "softmax": Activation(softmax, _softmax_pairs, _softmax_pairs_size),
    "log_softmax": Activation(log_softmax, _log_softmax_pairs, _log_softmax_pairs_size),
}
"""Activations with a pullback that keeps its digits where the usual one, which is torch's, cancels.
That of softmax takes units × units numbers a row."""
