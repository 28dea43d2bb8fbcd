"""How a change is laid over a configuration."""

import copy

import pytest

from labreport.lab.lab import change_at, merge, sweep_axes

SGD = {
    "rounds": 10,
    "optimizer": {"name": "sgd", "learning_rate": 0.5, "momentum": 0.9},
    "initial": {"scheme": "given", "weights": [[[1.0]]]},
    "network": {"layers": [1, 1], "activations": "tanh"},
}


def test_another_optimizer_keeps_the_learning_rate_and_nothing_else() -> None:
    merged = merge(SGD, {"optimizer": {"name": "adam"}})
    assert merged["optimizer"] == {"name": "adam", "learning_rate": 0.5}


def test_another_optimizer_takes_what_the_change_gives() -> None:
    merged = merge(SGD, {"optimizer": {"name": "adam", "learning_rate": 2.0, "eps": 1e-3}})
    assert merged["optimizer"] == {"name": "adam", "learning_rate": 2.0, "eps": 1e-3}


def test_the_same_optimizer_named_again_keeps_everything() -> None:
    merged = merge(SGD, {"optimizer": {"name": "sgd", "momentum": 0.1}})
    assert merged["optimizer"] == {"name": "sgd", "learning_rate": 0.5, "momentum": 0.1}


def test_an_unnamed_optimizer_keeps_everything() -> None:
    merged = merge(SGD, {"optimizer": {"learning_rate": 2.0}})
    assert merged["optimizer"] == {"name": "sgd", "learning_rate": 2.0, "momentum": 0.9}


def test_another_scheme_keeps_nothing() -> None:
    assert merge(SGD, {"initial": {"scheme": "zeros"}})["initial"] == {"scheme": "zeros"}


def test_a_nested_change_leaves_its_neighbours() -> None:
    merged = merge(SGD, {"network": {"activations": "relu"}})
    assert merged == {**SGD, "network": {"layers": [1, 1], "activations": "relu"}}


def test_an_array_is_replaced_whole() -> None:
    assert merge(SGD, {"network": {"layers": [3]}})["network"]["layers"] == [3]


@pytest.mark.parametrize(
    ("base", "change"),
    [({"a": {"b": 1}}, {"a": 2}), ({"a": 2}, {"a": {"b": 1}}), ({}, {"a": {"b": 1}})],
)
def test_a_table_and_a_value_replace_each_other(base: dict, change: dict) -> None:
    assert merge(base, change) == change


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer": {"name": "adam"}},
        {"network": {"layers": [2, 2]}},
        {"initial": {"scheme": "zeros"}},
        {"new": {"table": {"deep": [1]}}},
    ],
)
def test_neither_argument_is_touched(change: dict) -> None:
    base, before, wanted = copy.deepcopy(SGD), copy.deepcopy(SGD), copy.deepcopy(change)
    merged = merge(base, change)
    assert (base, change) == (before, wanted)
    assert merged is not base
    assert merged["optimizer"] is not change.get("optimizer")


def test_swept_keys_are_found_by_their_path() -> None:
    sweep = {
        "rounds": [1, 2],
        "optimizer": {"learning_rate": {"from": 1, "to": 2, "count": 2}, "momentum": [0.1]},
    }
    assert sweep_axes(sweep) == [
        (("rounds",), [1, 2]),
        (("optimizer", "learning_rate"), {"from": 1, "to": 2, "count": 2}),
        (("optimizer", "momentum"), [0.1]),
    ]


def test_keys_are_set_by_their_path() -> None:
    settings = [(("a", "b"), 1), (("a", "c", "d"), 2), (("e",), 3)]
    assert change_at(settings) == {"a": {"b": 1, "c": {"d": 2}}, "e": 3}
    assert change_at([]) == {}
