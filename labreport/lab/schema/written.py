"""The data and the network as a lab writes them: what they stand for is found out when it is read.

A run's own configuration has rows of numbers and the units of every layer; here stand a file, a
rule or a bundled set in place of the rows, and hidden layers alone in place of all.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool

from labreport.data.examples import RULE_NAMES, SET_NAMES
from labreport.lab.configuration import (
    ActivationName,
    BatchSize,
    Network,
    Rounds,
    RunConfig,
    Width,
)
from labreport.lab.schema.initialisers import Matrix
from labreport.lab.schema.model import LabTable, NonNegativeReal, PositiveReal, Real

Line = Annotated[str, Field(min_length=1, max_length=300)]
ColumnNames = Annotated[tuple[Line, ...], Field(min_length=1)]
Size = Annotated[int, Field(strict=True, ge=1)] | Annotated[PositiveReal, Field(lt=1)]


class DrawnExamples(LabTable):
    """Examples that are drawn by rule, the same on every machine."""

    name: Literal[RULE_NAMES] = Field(description="The rule.")  # type: ignore[valid-type]
    rows: Annotated[int, Field(strict=True, ge=2, le=100_000)] = Field(
        200, description="How many are drawn."
    )
    noise: NonNegativeReal = Field(
        0.1, description="Standard deviation of the noise; of `blobs` that of each cloud."
    )
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**32)] = Field(
        0, description="Of all that is drawn."
    )
    classes: Annotated[int, Field(strict=True, ge=2, le=20)] = Field(
        3, description="Of `blobs` and `spirals`."
    )
    coefficients: Annotated[tuple[Real, ...], Field(min_length=1, max_length=20)] = Field(
        (1.0, 2.0), description="Of `line` and `polynomial`, the constant first."
    )


class Split(LabTable):
    """How rows are shared out: numbers of rows, or shares, which add up to all of them."""

    train: Size = Field(description="Rows, or share of them, to train on.")
    validation: Size | None = Field(None, description="To compare and to choose by.")
    test: Size | None = Field(None, description="To tell, once, how good the choice is.")
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**32)] = Field(
        0, description="Of the order in which rows are dealt."
    )
    stratified: StrictBool = Field(
        True, description="Every part has as large a share of every class."
    )


class WrittenData(LabTable):
    """The examples: rows in the file, or where they come from; and what is done with them."""

    inputs: Annotated[Matrix, Field(min_length=1)] | None = Field(
        None, description="[rows][input units]"
    )
    targets: (
        Annotated[Matrix, Field(min_length=1)]
        | Annotated[tuple[Annotated[int, Field(strict=True)], ...], Field(min_length=1)]
        | Annotated[tuple[Line, ...], Field(min_length=1)]
        | None
    ) = Field(
        None,
        description="[rows][output units]; or the class of each row: its number, 0 for the first "
        "unit where there are at least two, or its name. Of a single output unit whole numbers are "
        "its targets.",
    )
    file: Line | None = Field(
        None,
        description="A `.csv` with a header, an `.npz` with inputs and targets, or an `.npy` with "
        "the target in its last column; as seen from the lab file.",
    )
    target: Line | ColumnNames | None = Field(
        None, description="Column of a `.csv` to be predicted, or several; the last if left out."
    )
    columns: ColumnNames | None = Field(
        None, description="Columns that are inputs; all others if left out."
    )
    missing: Literal["refuse", "drop", "mean"] = Field(
        "refuse",
        description="Where a value is missing: refuse the file, drop the row, or take the mean of "
        "the training rows.",
    )
    set: Literal[SET_NAMES] | None = Field(  # type: ignore[valid-type]
        None, description="A data set that comes with scikit-learn."
    )
    rule: DrawnExamples | None = Field(None, description="Examples that are drawn by rule.")
    split: Split | None = Field(None, description="How rows are shared out; all train if left out.")
    standardise: StrictBool = Field(
        False, description="Inputs get mean 0 and standard deviation 1, by the training rows."
    )
    degree: Annotated[int, Field(strict=True, ge=1, le=30)] = Field(
        1, description="Up to which powers and products of inputs are inputs, too."
    )
    keep: Literal["last", "best"] = Field(
        "last",
        description="Which weights of a run count on rows held out: those after the last round, or "
        "after the round with the lowest loss on the validation rows.",
    )
    patience: Rounds | None = Field(
        None,
        description='With `keep = "best"`: after so many rounds without a lower loss on the '
        "validation rows no later round counts, as with early stopping.",
    )
    predict: Annotated[Matrix, Field(min_length=1, max_length=10)] | None = Field(
        None,
        description="[rows][columns]: rows as the source has them, before any scaling, whose "
        "targets are to be predicted. Each run that is compared alone tells what it predicts.",
    )
    batch_size: BatchSize = Field(
        None,
        description="Rows that a round sees, in each run's own order; those that fill no batch at "
        "the end of a pass are left out of it. All if left out.",
    )


class WrittenNetwork(Network):
    """A fully connected feed-forward network."""

    layers: Annotated[tuple[Width, ...], Field(min_length=2, max_length=64)] | None = Field(  # type: ignore[assignment]
        None, description="Units of each layer, inputs first; or `hidden`."
    )
    activations: tuple[ActivationName, ...] = Field(
        description="One a layer of weights; a single name stands for all of them, and two beside "
        "`hidden` for all hidden layers and the output."
    )
    hidden: Annotated[tuple[Width, ...], Field(max_length=62)] | None = Field(
        None,
        description="Units of the hidden layers alone, in place of `layers`: inputs and outputs "
        "are as many as the data have.",
    )


class WrittenConfig(RunConfig):
    """What determines a run, as a lab writes it."""

    data: WrittenData = Field(description="The examples.")  # type: ignore[assignment]
    network: WrittenNetwork = Field(description="The network.")
    epochs: Rounds | None = Field(
        None, description="Passes through all rows, in place of `rounds`."
    )
