"""Names and positions of weights, biases and units."""

from __future__ import annotations

import numpy as np

from labreport.lab.configuration import RunConfig
from labreport.runs.run import Run


def parameter_names(config: RunConfig) -> list[str]:
    """Return the names of parameters in stored order: units numbered from where weights come."""
    names, weights, biases = [], 0, 0
    for out, into in config.network.shapes:
        numbers = np.arange(out * into).reshape(into, out).T + weights + 1
        names += [f"w{n}" for n in numbers.ravel()]
        weights += out * into
        if config.network.bias == "trained":
            names += [f"b{biases + k + 1}" for k in range(out)]
            biases += out
    return names


def unit_name(config: RunConfig, layer: int, unit: int) -> str:
    """Return the name of a unit, as h1, h2.1 or o1; layers are counted from 0."""
    depth = len(config.network.shapes)
    if layer == depth - 1:
        return f"o{unit + 1}"
    return f"h{unit + 1}" if depth == 2 else f"h{layer + 1}.{unit + 1}"


def layer_positions(config: RunConfig) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return of each layer the positions of weights [out, in] and of biases [out or 0]."""
    found, start = [], 0
    for out, into in config.network.shapes:
        weights = np.arange(start, start + out * into).reshape(out, into)
        start += out * into
        count = out if config.network.bias == "trained" else 0
        found.append((weights, np.arange(start, start + count)))
        start += count
    return found


def untouched_parameters(run: Run) -> set[str]:
    """Return the names of parameters without a gradient and without a move in any round."""
    still = (run.trace.gradients == 0).all(axis=0) & (np.ptp(run.trace.weights, axis=0) == 0)
    return {n for n, s in zip(parameter_names(run.config), still, strict=True) if s}
