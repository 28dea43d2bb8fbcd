"""The configuration of one training run: every key that determines its numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, TypeAdapter, field_validator, model_validator

from labreport.lab.schema.activations import ACTIVATIONS
from labreport.lab.schema.initialisers import WITHOUT_CHANCE, Given, Initial, Matrix
from labreport.lab.schema.losses import LOSSES
from labreport.lab.schema.model import LabTable
from labreport.lab.schema.model import canonical_json as canonical_json
from labreport.lab.schema.optimizers import Optimizer

if TYPE_CHECKING:
    ActivationName = str
    LossName = str
else:
    ActivationName = Literal[tuple(ACTIVATIONS)]
    LossName = Literal[tuple(LOSSES)]
WIDEST = 4096
MOST_ROUNDS = 1_000_000
Width = Annotated[int, Field(strict=True, ge=1, le=WIDEST)]
Rounds = Annotated[int, Field(strict=True, ge=1, le=MOST_ROUNDS)]
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
BatchSize = Annotated[int, Field(strict=True, ge=1)] | None
BATCH_SIZE: TypeAdapter[int | None] = TypeAdapter(BatchSize)


@dataclass(frozen=True)
class Rows:
    """The examples themselves, which runs of any batch size share; checked, and never changed."""

    inputs: Matrix
    targets: Matrix

    @cached_property
    def digest(self) -> str:
        """SHA-256 of their canonical JSON, 64 hexadecimal digits."""
        text = canonical_json({"inputs": self.inputs, "targets": self.targets})
        return hashlib.sha256(text.encode()).hexdigest()


class Data(LabTable):
    """The examples: a row of inputs and a row of targets each."""

    inputs: Annotated[Matrix, Field(min_length=1)] = Field(description="[rows][input units]")
    targets: Annotated[Matrix, Field(min_length=1)] = Field(
        description="[rows][output units]; or, where there are at least two output units, the "
        "number of each row's class, 0 for the first unit."
    )
    batch_size: BatchSize = Field(
        None, description="Rows that a round sees, in each run's own order; all if left out."
    )

    @classmethod
    def of(cls, rows: Rows) -> Data:
        """All of some rows in each round; the rows are not checked again."""
        data = cls.model_construct(inputs=rows.inputs, targets=rows.targets)
        data.__dict__["rows"] = rows
        return data

    def in_batches(self, size: Any) -> Data:
        """The same rows, shared, in batches of a size. Raises ValidationError if that is none."""
        data = self.model_copy(update={"batch_size": BATCH_SIZE.validate_python(size)})
        data.__dict__["rows"] = self.rows
        return data

    @cached_property
    def rows(self) -> Rows:
        """The rows without the size of their batches."""
        return Rows(self.inputs, self.targets)

    @cached_property
    def canonical(self) -> str:
        """Canonical JSON, which names the rows by their digest and is short however many."""
        return canonical_json({"batch_size": self.batch_size, "rows": self.rows.digest})

    @cached_property
    def widths(self) -> tuple[frozenset[int], frozenset[int]]:
        """Lengths of the rows of inputs, and of those of targets."""
        return frozenset(map(len, self.inputs)), frozenset(map(len, self.targets))

    @property
    def batch_rows(self) -> int:
        """Rows that a round sees."""
        return self.batch_size or len(self.inputs)

    @property
    def rounds_of_a_pass(self) -> int:
        """Rounds in which the rows are gone through once, without those that fill no batch."""
        return len(self.inputs) // self.batch_rows

    @property
    def sees_all_rows(self) -> bool:
        """True if every round sees all rows."""
        return self.batch_rows == len(self.inputs)


class Network(LabTable):
    """A fully connected feed-forward network."""

    layers: Annotated[tuple[Width, ...], Field(min_length=2, max_length=64)] = Field(
        description="Units of each layer, inputs first."
    )
    activations: tuple[ActivationName, ...] = Field(
        description="One a layer of weights; a single name stands for all of them."
    )
    bias: Literal["none", "trained", "zero", "held"] = Field(
        "trained",
        description="none: no bias at all; trained: as any weight; zero: there, but held at 0; "
        "held: there, and held at the given `initial.biases`.",
    )

    @model_validator(mode="before")
    @classmethod
    def _one_name_for_all(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and isinstance(raw.get("activations"), str):
            layers = raw.get("layers")
            count = len(layers) - 1 if isinstance(layers, list | tuple) else 1
            return {**raw, "activations": [raw["activations"]] * max(count, 1)}
        return raw

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Shape [out, in] of each layer's weight matrix."""
        return tuple(
            (target, source) for source, target in zip(self.layers, self.layers[1:], strict=False)
        )

    @property
    def trains_bias(self) -> bool:
        return self.bias == "trained"

    @property
    def holds_bias(self) -> bool:
        """True if each layer has a bias of a given value, which training leaves as it is."""
        return self.bias == "held"

    @property
    def parameter_count(self) -> int:
        return sum(out * (into + self.trains_bias) for out, into in self.shapes)


class RunConfig(LabTable):
    """Everything that determines one training run, fully resolved.

    Two runs with equal configurations give the same numbers; ``digest`` names them.
    """

    data: Data = Field(description="The examples.")
    network: Network = Field(description="The network.")
    initial: Initial = Field(
        default_factory=lambda: _default_initial(), description="The weights before round 1."
    )
    loss: LossName = Field("mse", description="What is minimised.")
    optimizer: Optimizer = Field(description="How a gradient becomes a step.")
    rounds: Rounds = Field(10, description="Number of updates (训练次数).")
    gradients: Literal["cleared", "accumulated"] = Field(
        "cleared",
        description="cleared: as with zero_grad() in each round; accumulated: without it, "
        "the optimizer sees the sum of all gradients so far.",
    )
    updates: Literal["kept", "discarded"] = Field(
        "kept",
        description="kept: each round computes with the weights of the last update; discarded: the "
        "optimizer updates copies, and each round computes with the weights before round 1.",
    )
    dtype: Literal["float32", "float64"] = Field("float32", description="Precision.")
    seed: Seed = Field(0, description="Seed of the run's own random numbers.")

    @field_validator("seed")
    @classmethod
    def _no_seed_without_chance(cls, seed: int, info: Any) -> int:
        initial, data = info.data.get("initial"), info.data.get("data")
        if initial is None or data is None:
            return seed
        return seed if _by_chance(initial, data) else 0

    @property
    def by_chance(self) -> bool:
        """True if any random number is drawn: for the weights, or for the order of the rows."""
        return _by_chance(self.initial, self.data)

    def with_seed(self, seed: int) -> RunConfig:
        """The same run from another random start."""
        if not self.by_chance:
            return self
        return self.model_copy(update={"seed": seed})

    @property
    def canonical(self) -> str:
        """Canonical JSON: the same text for the same configuration, its rows named by their digest.

        Put together from those of its tables, which many runs have in common.
        """
        values = {name: getattr(self, name) for name in sorted(type(self).model_fields)}
        parts = (
            f'"{name}":{value.canonical if isinstance(value, LabTable) else _scalar_json(value)}'
            for name, value in values.items()
        )
        return "{" + ",".join(parts) + "}"

    @property
    def held_biases(self) -> tuple[tuple[float, ...], ...]:
        """The biases that are held, a vector for each layer; empty if none are."""
        biases: tuple[tuple[float, ...], ...] = getattr(self.initial, "biases", None) or ()
        return biases if self.network.holds_bias else ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of this configuration, 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    @cached_property
    def trajectory(self) -> str:
        """Digest of all but the number of rounds: of two with the same, one begins the other."""
        return self.model_copy(update={"rounds": 0}).digest

    def flat(self) -> dict[str, Any]:
        """Every key by its dotted path, with its value."""
        return dict(flatten(self.model_dump(mode="json")))


# Names and numbers of rounds come back in thousands of configurations; 1, 1.0 and true are apart.
_scalar_json = lru_cache(maxsize=4096, typed=True)(canonical_json)


def _by_chance(initial: Initial, data: Data) -> bool:
    return initial.scheme not in WITHOUT_CHANCE or data.batch_size is not None


def _default_initial() -> Initial:
    from labreport.lab.schema.initialisers import LinearDefault

    return LinearDefault(scheme="pytorch")


def flatten(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves of nested tables by dotted path; lists are leaves."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


Misfit = tuple[str, str, dict[str, Any], tuple[str, ...]]
"""Dotted key at fault, code of the fault, its values, and the other keys involved."""


def misfits(config: RunConfig) -> Iterator[Misfit]:
    """Parts of a configuration that are right alone but do not fit each other."""
    network = config.network
    if len(network.activations) != len(network.shapes):
        yield (
            "network.activations",
            "activation-count",
            {"found": len(network.activations), "expected": len(network.shapes)},
            ("network.layers",),
        )
    yield from _misfit_data(config.data, network.layers)
    if network.holds_bias and getattr(config.initial, "biases", None) is None:
        involved = ("initial.biases", "initial.scheme")
        yield "network.bias", "held-without-biases", {"found": config.initial.scheme}, involved
    if isinstance(config.initial, Given):
        yield from _misfit_given(config.initial, network.shapes, network.bias)
    optimizer = config.optimizer
    if (
        optimizer.name == "sgd"
        and optimizer.nesterov
        and (optimizer.momentum == 0 or optimizer.dampening != 0)
    ):
        yield (
            "optimizer.nesterov",
            "nesterov",
            {"momentum": optimizer.momentum, "dampening": optimizer.dampening},
            ("optimizer.momentum", "optimizer.dampening"),
        )


def _misfit_data(data: Data, layers: tuple[int, ...]) -> Iterator[Misfit]:
    inputs, targets = data.widths
    if inputs != {layers[0]}:
        yield from _misfit_rows(data.inputs, "data.inputs", layers[0])
    if targets != {layers[-1]}:
        yield from _misfit_rows(data.targets, "data.targets", layers[-1])
    if len(data.inputs) != len(data.targets):
        yield (
            "data.targets",
            "row-count",
            {"found": len(data.targets), "expected": len(data.inputs)},
            ("data.inputs",),
        )
    size = data.batch_size
    if size is not None and size > len(data.inputs):
        values = {"found": size, "bound": f"≤ {len(data.inputs)}"}
        yield "data.batch_size", "out-of-range", values, ("data.inputs",)


def _misfit_rows(rows: Matrix, key: str, width: int) -> Iterator[Misfit]:
    for index, row in enumerate(rows):
        if len(row) != width:
            yield (
                f"{key}.{index}",
                "row-width",
                {"found": len(row), "expected": width, "row": index + 1},
                ("network.layers", key),
            )


def _misfit_given(
    initial: Given, shapes: tuple[tuple[int, int], ...], bias: str
) -> Iterator[Misfit]:
    involved = ("network.layers", "initial.weights")
    expected = ", ".join(f"{out}×{into}" for out, into in shapes)
    if len(initial.weights) != len(shapes):
        values = {"found": len(initial.weights), "expected": len(shapes), "shapes": expected}
        yield "initial.weights", "weights-count", values, involved
        return
    for index, (matrix, (out, into)) in enumerate(zip(initial.weights, shapes, strict=True)):
        widths = {len(row) for row in matrix}
        if len(matrix) != out or widths != {into}:
            found = f"{len(matrix)}×{'/'.join(str(w) for w in sorted(widths)) or 0}"
            values = {"found": found, "expected": f"{out}×{into}", "layer": index + 1}
            yield f"initial.weights.{index}", "weights-shape", values, involved
    if bias in ("none", "zero") and any(map(any, initial.biases or ())):
        yield "initial.biases", "biases-without-use", {"bias": bias}, ("network.bias",)
    elif initial.biases is not None and tuple(map(len, initial.biases)) != tuple(
        out for out, _ in shapes
    ):
        values = {
            "found": ", ".join(str(len(vector)) for vector in initial.biases),
            "expected": ", ".join(str(out) for out, _ in shapes),
        }
        yield "initial.biases", "biases-shape", values, ("network.layers", "initial.biases")
