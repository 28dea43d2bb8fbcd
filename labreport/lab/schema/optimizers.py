"""Optimizers a lab may name, with their hyper-parameters and torch's defaults.

One class an optimizer. The names of the hyper-parameters are torch's, but for ``lr`` and
``lr_decay``, which are spelt out.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool

from labreport.lab.schema.model import Decay, LabTable, NonNegativeReal, PositiveReal, Real

Betas = tuple[Decay, Decay]
Shrink = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, lt=1)]
Grow = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=1)]


class _Optimizer(LabTable):
    learning_rate: NonNegativeReal = Field(description="Step size (学习率).")
    weight_decay: NonNegativeReal = Field(0.0, description="Factor of the L2 penalty.")


class SGD(_Optimizer):
    """Gradient descent, with momentum if asked for."""

    name: Literal["sgd"]
    momentum: NonNegativeReal = Field(0.0, description="Share of the last step that is kept.")
    dampening: Real = Field(0.0, description="Share of the gradient left out of the momentum.")
    nesterov: StrictBool = Field(False, description="Look ahead along the momentum.")


class Adam(_Optimizer):
    """Adam (Kingma and Ba 2015)."""

    name: Literal["adam"]
    betas: Betas = Field((0.9, 0.999), description="Decay of the two moments.")
    eps: PositiveReal = Field(1e-8, description="Keeps the denominator away from 0.")
    amsgrad: StrictBool = Field(False, description="Never let the second moment shrink.")


class AdamW(_Optimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""

    name: Literal["adamw"]
    weight_decay: NonNegativeReal = Field(0.01, description="Share of a weight lost a step.")
    betas: Betas = Field((0.9, 0.999), description="Decay of the two moments.")
    eps: PositiveReal = Field(1e-8, description="Keeps the denominator away from 0.")
    amsgrad: StrictBool = Field(False, description="Never let the second moment shrink.")


class RMSprop(_Optimizer):
    """RMSprop (Hinton 2012)."""

    name: Literal["rmsprop"]
    alpha: Decay = Field(0.99, description="Decay of the squared gradient's average.")
    eps: PositiveReal = Field(1e-8, description="Keeps the denominator away from 0.")
    momentum: NonNegativeReal = Field(0.0, description="Share of the last step that is kept.")
    centered: StrictBool = Field(False, description="Divide by the deviation, not the size.")


class Adagrad(_Optimizer):
    """Adagrad (Duchi, Hazan and Singer 2011)."""

    name: Literal["adagrad"]
    learning_rate_decay: NonNegativeReal = Field(0.0, description="Slows the steps over time.")
    initial_accumulator_value: NonNegativeReal = Field(0.0, description="Starts the sum.")
    eps: PositiveReal = Field(1e-10, description="Keeps the denominator away from 0.")


class Adadelta(_Optimizer):
    """Adadelta (Zeiler 2012)."""

    name: Literal["adadelta"]
    rho: Decay = Field(0.9, description="Decay of both averages.")
    eps: PositiveReal = Field(1e-6, description="Keeps both roots away from 0.")


class Adamax(_Optimizer):
    """Adamax, Adam by the infinity norm (Kingma and Ba 2015)."""

    name: Literal["adamax"]
    betas: Betas = Field((0.9, 0.999), description="Decay of the moment and the norm.")
    eps: PositiveReal = Field(1e-8, description="Keeps the norm away from 0.")


class NAdam(_Optimizer):
    """Adam with Nesterov momentum (Dozat 2016)."""

    name: Literal["nadam"]
    betas: Betas = Field((0.9, 0.999), description="Decay of the two moments.")
    eps: PositiveReal = Field(1e-8, description="Keeps the denominator away from 0.")
    momentum_decay: NonNegativeReal = Field(0.004, description="Schedule of the momentum.")


class RAdam(_Optimizer):
    """Rectified Adam (Liu et al. 2020)."""

    name: Literal["radam"]
    betas: Betas = Field((0.9, 0.999), description="Decay of the two moments.")
    eps: PositiveReal = Field(1e-8, description="Keeps the denominator away from 0.")


class ASGD(_Optimizer):
    """Averaged gradient descent (Polyak and Juditsky 1992)."""

    name: Literal["asgd"]
    lambd: NonNegativeReal = Field(1e-4, description="Decay term.")
    alpha: NonNegativeReal = Field(0.75, description="Power of the step size's decay.")
    t0: NonNegativeReal = Field(1e6, description="Step at which averaging starts.")


class Rprop(LabTable):
    """Resilient backpropagation (Riedmiller and Braun 1993)."""

    name: Literal["rprop"]
    learning_rate: NonNegativeReal = Field(description="First step size (学习率).")
    etas: tuple[Shrink, Grow] = Field((0.5, 1.2), description="Shrink and grow.")
    step_sizes: tuple[PositiveReal, PositiveReal] = Field(
        (1e-6, 50.0), description="Smallest and largest step."
    )


Optimizer = Annotated[
    SGD | Adam | AdamW | RMSprop | Adagrad | Adadelta | Adamax | NAdam | RAdam | ASGD | Rprop,
    Field(discriminator="name"),
]

# The name of an optimizer in print, the same in every language.
OPTIMIZER_TITLES: dict[str, str] = {
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
    "adamax": "Adamax",
    "nadam": "NAdam",
    "radam": "RAdam",
    "asgd": "ASGD",
    "rprop": "Rprop",
}
