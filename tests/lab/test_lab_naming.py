"""The course's names for weights, biases and units."""

import pytest

from labreport.lab.configuration import Network
from labreport.lab.naming import display_order, parameter_names, unit_names


def network(*layers: int, bias: str = "none") -> Network:
    return Network.model_validate({"layers": layers, "activations": "tanh", "bias": bias})


@pytest.mark.parametrize("bias", ["none", "zero"])
def test_the_courses_network(bias: str) -> None:
    # fc1.weight = [[w1, w3], [w2, w4]], fc2.weight = [[w5, w7], [w6, w8]], stored row by row
    names = parameter_names(network(2, 2, 2, bias=bias))
    assert names == ("w1", "w3", "w2", "w4", "w5", "w7", "w6", "w8")


def test_trained_biases_follow_the_weights_of_their_layer() -> None:
    names = parameter_names(network(2, 2, 1, bias="trained"))
    assert names == ("w1", "w3", "w2", "w4", "b1", "b2", "w5", "w6", "b3")


def test_layers_that_are_not_square() -> None:
    # Three inputs, two units: w1 and w2 leave x1, w3 and w4 leave x2, w5 and w6 leave x3.
    assert parameter_names(network(3, 2)) == ("w1", "w3", "w5", "w2", "w4", "w6")
    assert parameter_names(network(1, 3)) == ("w1", "w2", "w3")


def test_a_deeper_network_numbers_through() -> None:
    names = parameter_names(network(1, 2, 1, 2))
    assert names == ("w1", "w2", "w3", "w4", "w5", "w6")


@pytest.mark.parametrize("bias", ["none", "zero", "trained"])
@pytest.mark.parametrize("layers", [(1, 1), (2, 2, 2), (3, 5, 4), (2, 12, 1), (4, 3, 2, 1)])
def test_each_parameter_has_a_name_of_its_own(layers: tuple[int, ...], bias: str) -> None:
    chosen = network(*layers, bias=bias)
    names = parameter_names(chosen)
    assert len(set(names)) == len(names) == chosen.parameter_count
    shown = [names[position] for position in display_order(chosen)]
    weights = sum(out * into for out, into in chosen.shapes)
    biases = sum(layers[1:]) if bias == "trained" else 0
    assert shown == [
        *(f"w{number}" for number in range(1, weights + 1)),
        *(f"b{number}" for number in range(1, biases + 1)),
    ]


def test_units() -> None:
    assert unit_names(network(2, 2, 2)) == (("x1", "x2"), ("h1", "h2"), ("o1", "o2"))
    assert unit_names(network(1, 2)) == (("x1",), ("o1", "o2"))
    assert unit_names(network(1, 2, 1, 1)) == (("x1",), ("h1.1", "h1.2"), ("h2.1",), ("o1",))
