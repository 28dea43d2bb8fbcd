"""The course's names for weights, biases and units: w1…w8, h1, h2, o1, o2."""

from __future__ import annotations

from labreport.lab.configuration import Network


def parameter_names(network: Network) -> tuple[str, ...]:
    """Name of each parameter in stored order: [out, in] row by row, then trained biases.

    Weights are numbered through the whole network: layer by layer, and within a layer by the
    unit that they come from, then by the unit that they go to. So in a 2-2-2 network w1 and w2
    leave x1, w3 and w4 leave x2, and fc1.weight = [[w1, w3], [w2, w4]].
    """
    names: list[str] = []
    first_weight, first_bias = 1, 1
    for out, into in network.shapes:
        names += [f"w{first_weight + i * out + o}" for o in range(out) for i in range(into)]
        first_weight += out * into
        if network.trains_bias:
            names += [f"b{first_bias + o}" for o in range(out)]
            first_bias += out
    return tuple(names)


def display_order(network: Network) -> tuple[int, ...]:
    """Stored positions in the order in which people read them: all weights, then all biases."""
    names = parameter_names(network)
    return tuple(sorted(range(len(names)), key=lambda k: (names[k][0] != "w", int(names[k][1:]))))


def names_as_read(network: Network) -> tuple[str, ...]:
    """Names of the parameters in the order in which people read them."""
    names = parameter_names(network)
    return tuple(names[position] for position in display_order(network))


def unit_names(network: Network) -> tuple[tuple[str, ...], ...]:
    """Name of each unit, layer by layer: x1, h1 (h1.1 if there are several hidden layers), o1."""
    hidden = len(network.layers) - 2
    named = [tuple(f"x{unit + 1}" for unit in range(network.layers[0]))]
    for layer in range(1, hidden + 1):
        mark = "h" if hidden == 1 else f"h{layer}."
        named.append(tuple(f"{mark}{unit + 1}" for unit in range(network.layers[layer])))
    named.append(tuple(f"o{unit + 1}" for unit in range(network.layers[-1])))
    return tuple(named)
