"""Ways to set the initial weights that a lab may name: torch.nn.init, by its own names."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from labreport.lab.schema.model import LabTable, PositiveReal, Real

Vector = tuple[Real, ...]
Matrix = tuple[Vector, ...]


def _none_of(written: object) -> object:
    """Nothing in place of an empty list, by which a change takes the base's biases away."""
    return None if written in ([], ()) else written


class Given(LabTable):
    """Weights written in the lab file."""

    scheme: Literal["given"]
    weights: tuple[Matrix, ...] = Field(
        description="One matrix a layer, a row for each unit of the layer (torch's weight)."
    )
    biases: Annotated[tuple[Vector, ...] | None, BeforeValidator(_none_of)] = Field(
        None, description="One vector a layer; zeros if left out, or if an empty list."
    )


class Zeros(LabTable):
    """Every weight 0."""

    scheme: Literal["zeros"]


class Ones(LabTable):
    """Every weight 1."""

    scheme: Literal["ones"]


class Constant(LabTable):
    """Every weight the same."""

    scheme: Literal["constant"]
    value: Real = Field(description="The value of every weight.")


class Uniform(LabTable):
    """Uniform between two values."""

    scheme: Literal["uniform"]
    low: Real = Field(0.0, description="Lower end.")
    high: Real = Field(1.0, description="Upper end.")


class Normal(LabTable):
    """Normal."""

    scheme: Literal["normal"]
    mean: Real = Field(0.0, description="Mean.")
    standard_deviation: PositiveReal = Field(1.0, description="Standard deviation.")


class TruncatedNormal(LabTable):
    """Normal, cut at two standard deviations from 0 by torch's defaults."""

    scheme: Literal["truncated_normal"]
    mean: Real = Field(0.0, description="Mean.")
    standard_deviation: PositiveReal = Field(1.0, description="Standard deviation.")


class XavierUniform(LabTable):
    """Uniform, scaled by fan-in and fan-out (Glorot and Bengio 2010)."""

    scheme: Literal["xavier_uniform"]
    gain: PositiveReal = Field(1.0, description="Scale.")


class XavierNormal(LabTable):
    """Normal, scaled by fan-in and fan-out (Glorot and Bengio 2010)."""

    scheme: Literal["xavier_normal"]
    gain: PositiveReal = Field(1.0, description="Scale.")


class KaimingUniform(LabTable):
    """Uniform, scaled by fan-in for ReLU (He et al. 2015)."""

    scheme: Literal["kaiming_uniform"]


class KaimingNormal(LabTable):
    """Normal, scaled by fan-in for ReLU (He et al. 2015)."""

    scheme: Literal["kaiming_normal"]


class Orthogonal(LabTable):
    """A random orthogonal matrix (Saxe, McClelland and Ganguli 2014)."""

    scheme: Literal["orthogonal"]
    gain: PositiveReal = Field(1.0, description="Scale.")


class LinearDefault(LabTable):
    """What torch.nn.Linear does when nobody sets its weights: uniform within ±1/√fan-in.

    With float64 the numbers are those of float32, widened, as model.double() gives them.
    """

    scheme: Literal["pytorch"]


Initial = Annotated[
    Given
    | Zeros
    | Ones
    | Constant
    | Uniform
    | Normal
    | TruncatedNormal
    | XavierUniform
    | XavierNormal
    | KaimingUniform
    | KaimingNormal
    | Orthogonal
    | LinearDefault,
    Field(discriminator="scheme"),
]

# Schemes that draw no random number, so that a seed changes nothing.
WITHOUT_CHANCE = frozenset({"given", "zeros", "ones", "constant"})
