"""The tables of parts: the same names as a lab may use, and torch's own functions behind them."""

import inspect
import typing
from typing import Any

import numpy as np
import pytest
import torch
from training_cases import MODELS
from training_stock import activation_module, loss_module, named, ulps, wants_signs

from labreport.lab.schema import activations, initialisers, losses, optimizers
from labreport.training.operations.activations import ACTIVATIONS
from labreport.training.operations.initialisers import INITIALISERS
from labreport.training.operations.losses import LOSSES
from labreport.training.operations.optimizers import OPTIMIZERS

SCHEMES: dict[str, Any] = {
    typing.get_args(model.model_fields["scheme"].annotation)[0]: model
    for model in typing.get_args(typing.get_args(initialisers.Initial)[0])
}


def test_the_trainer_knows_every_name_that_a_lab_may_use_and_no_other() -> None:
    assert list(ACTIVATIONS) == list(activations.ACTIVATIONS)
    assert list(LOSSES) == list(losses.LOSSES)
    assert list(OPTIMIZERS) == list(MODELS)
    assert list(OPTIMIZERS) == list(optimizers.OPTIMIZER_TITLES)
    assert ["given", *INITIALISERS] == list(SCHEMES)
    assert set(SCHEMES) > initialisers.WITHOUT_CHANCE


# ------------------------------------------------------------------------------------ optimizers

LEFT_OUT = {
    *("params", "maximize", "foreach", "capturable", "differentiable", "fused"),
    "decoupled_weight_decay",  # torch's own AdamW is that
}
SPELT_OUT = {"learning_rate": "lr", "learning_rate_decay": "lr_decay"}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_hyper_parameters_have_torchs_names_and_defaults(name: str) -> None:
    stock = {
        key: parameter.default
        for key, parameter in inspect.signature(named(torch.optim, name)).parameters.items()
        if key not in LEFT_OUT
    }
    fields = MODELS[name].model_fields
    ours = {SPELT_OUT.get(key, key): field.default for key, field in fields.items()}
    del ours["name"]
    assert ours.keys() == stock.keys()
    assert fields["learning_rate"].is_required()  # no default is right for every network
    del ours["lr"], stock["lr"]
    assert ours == {key: tuple(v) if isinstance(v, list) else v for key, v in stock.items()}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_titles_are_torchs(name: str) -> None:
    assert optimizers.OPTIMIZER_TITLES[name] == named(torch.optim, name).__name__


# ----------------------------------------------------------------------------------- activations


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_torchs_modules(name: str) -> None:
    z = torch.linspace(-30, 30, 5 * 4 * 64, dtype=torch.float64)[
        torch.randperm(5 * 4 * 64, generator=torch.Generator().manual_seed(1))
    ].view(5, 4, 64)
    found = ACTIVATIONS[name](z)
    module = activation_module(name)
    wanted = torch.stack([module(z[:, :, run]) for run in range(64)], dim=2)
    assert torch.allclose(found, wanted, rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_what_the_vocabulary_says_of_an_activation_is_true(name: str) -> None:
    facts, function = activations.ACTIVATIONS[name], ACTIVATIONS[name]

    def values(z: torch.Tensor) -> np.ndarray:
        # The other unit stays at 0.
        rows = torch.stack([z, torch.zeros_like(z)], dim=1).unsqueeze(2)
        return function(rows)[:, 0, 0].numpy()

    # As far as float64 tells a limit from what comes near it.
    near = values(torch.linspace(-15, 15, 300_001, dtype=torch.float64))
    far = values(torch.tensor([-1e6, 1e6], dtype=torch.float64))
    for bound, extreme, reached, sign in (
        (facts.low, near.min(), facts.reaches_low, -1),
        (facts.high, near.max(), facts.reaches_high, 1),
    ):
        if np.isinf(bound):
            assert sign * (sign * far).max() * sign > 1e3 or name == "log_softmax"
            assert sign * bound > 0
        elif reached:
            assert extreme == pytest.approx(bound, abs=1e-9)
            assert sign * (extreme - bound) <= 1e-16
        else:
            assert sign * extreme < sign * bound
            assert np.abs(far - bound).min() < 1e-5


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_coupled_units(name: str) -> None:
    z = torch.tensor([[[0.3], [-0.4], [0.9]]], requires_grad=True)
    first = ACTIVATIONS[name](z)[0, 0, 0]
    (gradient,) = torch.autograd.grad(first, z)
    assert bool(gradient[0, 1:].any()) is activations.ACTIVATIONS[name].couples_units


# ---------------------------------------------------------------------------------------- losses


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_torchs_modules(name: str, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(1)
    output, target = (torch.rand(5, 3, 64, generator=generator, dtype=dtype) for _ in range(2))
    if wants_signs(name):
        target = torch.where(target > 0.5, 1.0, -1.0).to(dtype)
    found = LOSSES[name].each(output, target).numpy()
    module = loss_module(name)
    wanted = np.array([module(output[..., n], target[..., n]).item() for n in range(64)])
    assert ulps(found, wanted.astype(found.dtype)) <= 4


@pytest.mark.parametrize("value", [-0.5, -1e-9, 0.0, 0.5, 1.0, 1.0000002, 2.0])
@pytest.mark.parametrize("side", ["output", "target"])
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_refuses_what_torch_refuses_in_torchs_words(
    name: str, side: str, value: float
) -> None:
    pair = {"output": torch.full((2, 3), 0.5), "target": torch.full((2, 3), 0.5)}
    pair[side][1, 2] = value
    try:
        loss_module(name)(pair["output"], pair["target"])
        wanted = ""
    except RuntimeError as error:
        wanted = f"RuntimeError: {error}"
    loss = LOSSES[name]
    stacked = torch.stack([torch.full((2, 3), 0.5), pair[side]], dim=2)
    assert loss.refusals(stacked).tolist() == [False, bool(wanted)]
    assert loss.complaint(pair["output"], pair["target"]) == wanted
