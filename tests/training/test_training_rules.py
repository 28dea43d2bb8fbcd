"""Update rules against torch.optim: the same gradients, step by step."""

from typing import Any

import pytest
import torch
from training_cases import CASES, case_id
from training_stock import example, optimizer_of
from whole import pairwise

from labreport.training.family import Family, hyperparameters, optimizer_flags
from labreport.training.operations.optimizers import OPTIMIZERS

STEPS = 200
PARAMETERS = 7
ULPS_A_STEP = 1
"""The operations are torch's, in its order, but one of its kernels may contract two of them into
one rounding. So no step adds more than this, in units of the last place of the largest number on
the parameter's way so far. (Seen: 75 after 200 steps of RMSprop, less than 25 of all others.)"""


def gradients(scale: float, dtype: torch.dtype) -> torch.Tensor:
    """Random gradients [steps, parameters], of which some are 0 now and then, and one always."""
    generator = torch.Generator().manual_seed(1)
    drawn = torch.randn(STEPS, PARAMETERS, generator=generator, dtype=torch.float64) * scale
    drawn[:, -1] = 0
    drawn[::3, -2] = 0
    return drawn.to(dtype)


@pytest.mark.parametrize(
    ("case", "scale", "dtype"),
    pairwise(CASES, (1.0, 1e-4), ("float64", "float32")),
    ids=case_id,
)
def test_rule(case: dict[str, Any], scale: float, dtype: str) -> None:
    kind = getattr(torch, dtype)
    config = example(optimizer={"learning_rate": 0.05, **case}, dtype=dtype)
    start = torch.linspace(-1.5, 2, PARAMETERS, dtype=kind)
    drawn = gradients(scale, kind)

    theirs = start.clone().requires_grad_()
    optimizer = optimizer_of(config, [theirs])
    # Two runs at once, of which the second one has gradients and hyper-parameters of its own.
    other = config.model_copy(
        update={"optimizer": config.optimizer.model_copy(update={"learning_rate": 0.5})}
    )
    ours = torch.stack([start, -start], dim=1)
    rule = OPTIMIZERS[config.optimizer.name](
        ours.clone(),
        hyperparameters(Family((config, other)), 2),
        optimizer_flags(Family((config, other))),
    )

    largest = start.abs()
    for step in range(STEPS):
        theirs.grad = drawn[step].clone()
        optimizer.step()
        rule(ours, torch.stack([drawn[step], drawn[-1 - step]], dim=1), step + 1)
        largest = torch.maximum(largest, theirs.detach().abs())
        away = (ours[:, 0] - theirs.detach()).abs() / (largest * torch.finfo(kind).eps)
        assert away.max() <= ULPS_A_STEP * (step + 1) + 1


def test_the_cases_are_different_ways() -> None:
    drawn = gradients(1.0, torch.float64)
    ways: dict[tuple[float, ...], list[str]] = {}
    for case in CASES:
        config = example(optimizer={"learning_rate": 0.05, **case}, dtype="float64")
        ours = torch.linspace(-1.5, 2, PARAMETERS, dtype=torch.float64).unsqueeze(1)
        rule = OPTIMIZERS[config.optimizer.name](
            ours.clone(), hyperparameters(Family((config,)), 1), optimizer_flags(Family((config,)))
        )
        for step in range(20):
            rule(ours, drawn[step].unsqueeze(1), step + 1)
        ways.setdefault(tuple(ours.flatten().tolist()), []).append(case_id(case))
    assert [alike for alike in ways.values() if len(alike) > 1] == [
        ["adam", "adamw weight_decay=0.0"],
        ["asgd", "asgd t0=2.0"],  # when averaging starts; it moves no weight
    ]
