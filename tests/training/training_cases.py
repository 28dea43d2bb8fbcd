"""Every optimizer with every one of its keys at a value that is not the default."""

from __future__ import annotations

import typing
from typing import Any

from labreport.lab.schema.optimizers import Optimizer

MODELS: dict[str, Any] = {
    typing.get_args(model.model_fields["name"].annotation)[0]: model
    for model in typing.get_args(typing.get_args(Optimizer)[0])
}
"""The table of each optimizer that a lab may name."""

ANOTHER: dict[str, Any] = {
    "weight_decay": 0.1,
    "momentum": 0.9,
    "dampening": 0.3,
    "nesterov": True,
    "betas": [0.5, 0.6],
    "eps": 1e-3,
    "amsgrad": True,
    "alpha": 0.5,
    "centered": True,
    "learning_rate_decay": 0.1,
    "initial_accumulator_value": 0.1,
    "rho": 0.5,
    "momentum_decay": 0.5,
    "lambd": 0.1,
    "t0": 2.0,
    "etas": [0.3, 1.5],
    "step_sizes": [0.001, 0.02],
}
"""A value for each key that no optimizer has by default."""

NEEDS: dict[str, dict[str, Any]] = {"nesterov": {"momentum": 0.9}, "dampening": {"momentum": 0.9}}
"""Keys without which another one changes nothing or is refused."""

TOGETHER: list[dict[str, Any]] = [
    {"name": "sgd", "momentum": 0.9, "weight_decay": 0.1},
    {"name": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    {"name": "sgd", "momentum": 1.0},
    *(
        {"name": name, "amsgrad": True, "weight_decay": 0.1, "betas": [0.8, 0.9]}
        for name in ("adam", "adamw")
    ),
    {"name": "rmsprop", "momentum": 0.9, "weight_decay": 0.1},
    {"name": "rmsprop", "momentum": 0.9, "centered": True},
    {"name": "rmsprop", "centered": True, "weight_decay": 0.1},
    {"name": "rmsprop", "momentum": 0.9, "centered": True, "weight_decay": 0.1},
    {"name": "radam", "betas": [0.9, 0.3]},  # never rectified
    {"name": "radam", "betas": [0.0, 0.9]},
    {"name": "adam", "betas": [0.0, 0.0]},
    {"name": "adamw", "weight_decay": 0.0},
    {"name": "asgd", "lambd": 0.1, "alpha": 0.0},
    {"name": "adagrad", "learning_rate_decay": 0.1, "initial_accumulator_value": 0.1},
]


def _cases() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = []
    for name, model in MODELS.items():
        cases.append({"name": name})
        for key in model.model_fields:
            if key not in ("name", "learning_rate"):
                needed = {k: v for k, v in NEEDS.get(key, {}).items() if k in model.model_fields}
                cases.append({"name": name, **needed, key: ANOTHER[key]})
    return cases + TOGETHER


CASES = _cases()


def case_id(case: Any) -> str | None:
    """The name of a case; of another value that is tried with it, None: its own."""
    if not isinstance(case, dict):
        return None
    return " ".join(f"{key}={value}" for key, value in case.items()).removeprefix("name=")
