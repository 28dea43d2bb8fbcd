"""Biases that are held at given values: there in every sum, and never trained."""

from typing import Any

import numpy as np
import pytest
from training_stock import alone, same_bits, together

from labreport.lab.configuration import RunConfig
from labreport.reference.evaluation import evaluate
from labreport.reference.replay.replay import replay_together, replayable_with
from labreport.runs.run import Environment, Run

# A worked example of the 2-2-2 network that is much copied; its biases are not updated.
PUBLISHED: dict[str, Any] = {
    "data": {"inputs": [[0.05, 0.10]], "targets": [[0.01, 0.99]]},
    "network": {"layers": [2, 2, 2], "activations": "sigmoid", "bias": "held"},
    "initial": {
        "scheme": "given",
        "weights": [[[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45], [0.50, 0.55]]],
        "biases": [[0.35, 0.35], [0.60, 0.60]],
    },
    "optimizer": {"name": "sgd", "learning_rate": 0.5},
    "rounds": 1,
    "dtype": "float64",
}
AFTER = [
    *(0.149780716, 0.19956143, 0.24975114, 0.29950229),
    *(0.35891648, 0.408666186, 0.511301270, 0.561370121),
]


def test_the_published_numbers() -> None:
    trace = alone(RunConfig.model_validate(PUBLISHED))
    assert trace.weights[1] == pytest.approx(AFTER, abs=5e-9)
    assert trace.losses[0] == pytest.approx(0.298371109, abs=5e-10)
    # Published is .291027924, which comes from rounding on the way; of the weights above it is:
    assert trace.losses[1] == pytest.approx(0.291027774, abs=5e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("hidden", [2, 40])
@pytest.mark.parametrize("activation", ["sigmoid", "relu", "softmax"])
def test_both_sides_hold_the_same_biases(dtype: str, hidden: int, activation: str) -> None:
    draw = np.random.default_rng(0)
    rows = 1 if hidden == 2 else 9  # small layers are added up, large ones multiplied
    config = RunConfig.model_validate(
        {
            **PUBLISHED,
            "data": {
                "inputs": draw.normal(size=(rows, 2)).tolist(),
                "targets": draw.normal(size=(rows, 2)).tolist(),
            },
            "network": {
                "layers": [2, hidden, 2],
                "activations": [activation, "identity"],
                "bias": "held",
            },
            "initial": {
                "scheme": "given",
                "weights": [
                    draw.normal(size=(hidden, 2)).tolist(),
                    draw.normal(size=(2, hidden)).tolist(),
                ],
                "biases": [draw.normal(size=hidden).tolist(), [0.3, -0.2]],
            },
            "rounds": 4,
            "dtype": dtype,
        }
    )
    trace = alone(config)
    evaluated = evaluate(config, trace.weights)
    close = {"rtol": 1e-4, "atol": 1e-5} if dtype == "float32" else {"rtol": 1e-10, "atol": 1e-12}
    assert np.allclose(evaluated.losses, trace.losses, **close)
    assert np.allclose(evaluated.gradient, trace.gradients, **close)
    assert trace.weights.shape[1] == 4 * hidden


def test_runs_of_one_family_hold_their_own_biases() -> None:
    other = {**PUBLISHED["initial"], "biases": [[0.1, 0.35], [-0.6, 0.6]]}
    first, second = (
        RunConfig.model_validate({**PUBLISHED, "initial": initial})
        for initial in (PUBLISHED["initial"], other)
    )
    for config, trace in zip((first, second), together((first, second)), strict=True):
        assert same_bits(trace, alone(config))
        assert evaluate(config, trace.weights).losses == pytest.approx(trace.losses)


def test_runs_with_other_held_biases_are_not_replayed_by_those_of_one() -> None:
    others = {**PUBLISHED["initial"], "biases": [[0.1, -0.2], [0.3, 0.4]]}
    configs = [RunConfig.model_validate({**PUBLISHED, "rounds": 40, "dtype": "float32"})]
    configs.append(RunConfig.model_validate(configs[0].model_dump() | {"initial": others}))
    assert replayable_with(held(configs[0])) != replayable_with(held(configs[1]))
    for config in configs:
        assert replay_together([held(config)], True)[0].agrees


def held(config: RunConfig) -> Run:
    return Run(config, alone(config), Environment(1, "test"), "held")
