"""A data set as a lab uses it: rows for training and rows held out, scaled and encoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import comb

import numpy as np

from labreport.data.examples import DataError, Examples, Matrix, Problem, numbered
from labreport.data.split import PARTS as PARTS
from labreport.data.split import split


@dataclass(frozen=True)
class DataPart:
    """The rows of one part of a data set.

    Attributes:
        inputs: [rows][inputs].
        targets: [rows][output units].
    """

    inputs: Matrix
    targets: Matrix

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Origin:
    """Where a data set comes from.

    Attributes:
        kind: ``inline``, ``file``, ``set`` or ``rule``.
        name: of the file, the set or the rule.
        settings: of a rule, by name.
        digest: SHA-256 of a file, or of rows in the lab file.
    """

    kind: str
    name: str
    settings: Mapping[str, object] = field(default_factory=dict)
    digest: str = ""


@dataclass(frozen=True, eq=False)
class DataSet:
    """Examples of one table of data, ready for a network.

    Attributes:
        origin: where they come from.
        columns: names of the inputs as the source has them.
        degree: up to which their powers and products are inputs of the network, too.
        features: names of the inputs of the network; the columns come first.
        targets: names of the targets.
        classes: names of the classes by their number; none where targets are numbers.
        parts: by name, ``train`` first.
        places: of the rows of each part, among all rows of the source that were not left out.
        means: subtracted from each input, if they are standardised.
        deviations: that each input is divided by, then.
        constant: inputs that are the same in every row of the training part.
        dropped: rows of the source that were left out.
        filled: missing values that the mean of the training part stands for.
        picture: height and width of the picture that a row of the source is; None of other data.
        keeps_best: whether of a run the weights of the round with the lowest loss on the validation
            rows count, and not the last ones.
        patience: rounds without a lower one after which no later round counts; None for no end.
        asked: rows [rows][columns] of the source whose targets the lab asks for.
    """

    origin: Origin
    columns: tuple[str, ...]
    degree: int
    features: tuple[str, ...]
    targets: tuple[str, ...]
    classes: tuple[str, ...]
    parts: Mapping[str, DataPart]
    places: Mapping[str, tuple[int, ...]]
    means: tuple[float, ...] = ()
    deviations: tuple[float, ...] = ()
    constant: tuple[str, ...] = ()
    dropped: int = 0
    filled: int = 0
    picture: tuple[int, int] | None = None
    keeps_best: bool = False
    patience: int | None = None
    asked: Matrix = ()

    @property
    def train(self) -> DataPart:
        return self.parts["train"]

    @property
    def held_out(self) -> tuple[str, ...]:
        """Names of the parts that training does not see."""
        return tuple(name for name in self.parts if name != "train")

    def inputs_of(self, columns: np.ndarray) -> np.ndarray:
        """What the network gets [rows, features] for values [rows, columns] of the source."""
        expanded, _ = _expanded(columns, self.columns, self.degree)
        if not self.means:
            return expanded
        scaled: np.ndarray = (expanded - np.array(self.means)) / np.array(self.deviations)
        return scaled

    def columns_of(self, part: str) -> np.ndarray:
        """The values [rows, columns] of a part as the source has them, before any scaling."""
        inputs = np.array(self.parts[part].inputs)
        if self.means:
            inputs = inputs * np.array(self.deviations) + np.array(self.means)
        found: np.ndarray = inputs[:, : len(self.columns)]
        return found

    @property
    def source(self) -> tuple[object, ...]:
        """Equal for data sets whose rows are the same before anything is done with them."""
        origin = self.origin
        settings = tuple(sorted(origin.settings.items()))
        return (origin.kind, origin.name, settings, origin.digest, self.columns, self.dropped)

    @cached_property
    def class_counts(self) -> Mapping[str, tuple[int, ...]]:
        """Rows of each class in each part; empty where targets are numbers."""
        if not self.classes:
            return {}
        return {name: self._counted(part) for name, part in self.parts.items()}

    def _counted(self, part: DataPart) -> tuple[int, ...]:
        targets = np.asarray(part.targets)
        single = targets.shape[1] == 1
        found = (targets[:, 0] > 0).astype(int) if single else targets.argmax(axis=1)
        return tuple(np.bincount(found, minlength=len(self.classes)).tolist())


@dataclass(frozen=True)
class Preparation:
    """What is done with the rows of a source.

    Attributes:
        sizes: of the parts; empty if all rows are for training.
        seed: of the split.
        stratified: whether every part has as large a share of every class.
        standardise: whether inputs get a mean of 0 and a standard deviation of 1 in training.
        degree: up to which powers and products of the inputs are inputs, too.
    """

    sizes: Mapping[str, float | int] = field(default_factory=dict)
    seed: int = 0
    stratified: bool = True
    standardise: bool = False
    degree: int = 1


@dataclass(frozen=True)
class Outputs:
    """What the network and its loss want of targets.

    Attributes:
        count: units of the network.
        signs: whether the loss wants 1 and −1 for two classes.
        of_two: whether the loss is one for two classes.
    """

    count: int
    signs: bool = False
    of_two: bool = False


MOST_FEATURES = 4096
"""Inputs of a network."""


def prepare(
    examples: Examples, origin: Origin, preparation: Preparation, outputs: Outputs
) -> DataSet:
    """Split, complete, expand and scale examples, all by what the training part says, and encode.

    Args:
        examples: of the source.
        origin: what it is.
        preparation: what is done with them.
        outputs: what the network wants.

    Raises:
        DataError: if the split or the classes do not fit, or numbers overflow.
    """
    examples = _with_classes(examples, outputs.count, of_two=outputs.of_two)
    _check_outputs(examples, outputs.count)
    places = _places(examples, preparation)
    train = np.asarray(places["train"])
    inputs = np.asarray(examples.inputs, dtype=np.float64)
    missing = np.isnan(inputs)
    with np.errstate(all="ignore"):
        inputs = _filled(inputs, missing, train, examples.columns)
        inputs, features = _expanded(inputs, examples.columns, preparation.degree)
        scaling = _scaled(inputs, train, features, standardise=preparation.standardise)
    _refuse_overflow(scaling[:3])
    targets = _encoded(examples, outputs.count, signs=outputs.signs)
    return DataSet(
        origin,
        examples.columns,
        preparation.degree,
        features,
        examples.names,
        examples.classes,
        {name: _part(scaling[0], targets, rows) for name, rows in places.items()},
        places,
        *scaling[1:],
        examples.dropped,
        int(missing.sum()),
        examples.picture,
    )


def asking(data_set: DataSet, rows: Matrix) -> DataSet:
    """A data set with rows [rows][columns] of its source whose targets are asked for.

    Raises:
        DataError: if they have other columns than the source, or overflow.
    """
    for place, row in enumerate(rows):
        if len(row) != len(data_set.columns):
            values = {"found": len(row), "expected": len(data_set.columns)}
            raise DataError(Problem(("predict", place), "data-columns", values, data_set.columns))
    if rows and not _is_finite(data_set, np.array(rows)):
        raise DataError(Problem(("predict",), "data-overflow", {}))
    return replace(data_set, asked=rows)


def _is_finite(data_set: DataSet, rows: np.ndarray) -> bool:
    """Return whether what the network gets for rows of the source is finite."""
    try:
        with np.errstate(all="ignore"):
            return bool(np.isfinite(data_set.inputs_of(rows)).all())
    except DataError:
        return False


def _refuse_overflow(scaling: Sequence[np.ndarray | Sequence[float]]) -> None:
    """Raises DataError where inputs, means or deviations are not finite, or a deviation is 0."""
    if not all(np.isfinite(part).all() for part in scaling) or 0.0 in scaling[2]:
        raise DataError(Problem((), "data-overflow", {}))


def _part(inputs: np.ndarray, targets: Matrix, rows: tuple[int, ...]) -> DataPart:
    """The rows of a part, by their places."""
    chosen = inputs[np.asarray(rows)].tolist()
    return DataPart(tuple(map(tuple, chosen)), tuple(targets[place] for place in rows))


def output_count(examples: Examples, *, one_each: bool) -> int:
    """Output units that the targets of examples need.

    Args:
        examples: of the source.
        one_each: whether the loss wants a unit for every class, also where there are two.
    """
    if not examples.classes:
        rows = examples.targets
        single = isinstance(rows[0], tuple) and len(rows[0]) == 1
        if one_each and single and _are_whole(examples):
            return len({row[0] for row in rows if isinstance(row, tuple)})
        return len(rows[0]) if isinstance(rows[0], tuple) else 1
    return len(examples.classes) if one_each or len(examples.classes) > 2 else 1


def _are_whole(examples: Examples) -> bool:
    return all(isinstance(row, tuple) and row[0] == int(row[0]) for row in examples.targets)


def _with_classes(examples: Examples, outputs: int, *, of_two: bool) -> Examples:
    """Examples whose targets are classes, if they are whole numbers and there are several units.

    Of a loss for two classes also where there are two such numbers and one unit.
    """
    rows = examples.targets
    single = not examples.classes and isinstance(rows[0], tuple) and len(rows[0]) == 1
    if not single or not _are_whole(examples):
        return examples
    values = {row[0] for row in rows if isinstance(row, tuple)}
    if outputs < 2 and not (of_two and len(values) == 2):
        return examples
    labels = [str(int(row[0])) for row in rows if isinstance(row, tuple)]
    numbers, classes = numbered(labels)
    return Examples(
        examples.columns, examples.inputs, numbers, examples.names, classes, examples.dropped
    )


def _check_outputs(examples: Examples, outputs: int) -> None:
    """Raises DataError where the network has another number of output units than targets need."""
    if not examples.classes:
        row = examples.targets[0]
        expected = len(row) if isinstance(row, tuple) else 1
        if expected != outputs:
            values = {"found": outputs, "expected": expected}
            raise DataError(Problem((), "data-outputs", values))
        return
    count = len(examples.classes)
    if count < 2:
        raise DataError(Problem(("target",), "data-one-class", {"found": examples.classes[0]}))
    if outputs != count and (outputs, count) != (1, 2):
        raise DataError(Problem((), "data-class-outputs", {"found": outputs, "expected": count}))


def _places(examples: Examples, preparation: Preparation) -> Mapping[str, tuple[int, ...]]:
    rows = len(examples.inputs)
    if not preparation.sizes:
        return {"train": tuple(range(rows))}
    numbers = examples.targets if examples.classes and preparation.stratified else None
    classes = None if numbers is None else [n for n in numbers if isinstance(n, int)]
    return split(preparation.sizes, preparation.seed, rows, classes)


def _filled(
    inputs: np.ndarray, missing: np.ndarray, train: np.ndarray, columns: tuple[str, ...]
) -> np.ndarray:
    """Inputs with the mean of the training part in place of what is missing.

    Raises:
        DataError: if a column has no value in the training part.
    """
    if not missing.any():
        return inputs
    empty = missing[train].all(axis=0)
    if empty.any():
        found = ", ".join(np.asarray(columns)[empty])
        raise DataError(Problem(("missing",), "data-column-empty", {"found": found}))
    means = np.nanmean(inputs[train], axis=0)
    return np.where(missing, means, inputs)


def _expanded(
    inputs: np.ndarray, columns: tuple[str, ...], degree: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Inputs with their powers and products up to a degree (scikit-learn's features)."""
    if degree == 1:
        return inputs, columns
    # All products of at most so many of them, the empty one aside.
    count = comb(len(columns) + degree, degree) - 1
    if count > MOST_FEATURES:
        values = {"found": count, "bound": f"≤ {MOST_FEATURES}"}
        raise DataError(Problem(("degree",), "out-of-range", values))
    from sklearn.preprocessing import PolynomialFeatures

    if not np.isfinite(np.abs(inputs).max() ** float(degree)):
        raise DataError(Problem(("degree",), "data-overflow", {}))
    features = PolynomialFeatures(degree, include_bias=False).fit(inputs)
    names = tuple(str(name) for name in features.get_feature_names_out(columns))
    expanded: np.ndarray = features.transform(inputs)
    return expanded, names


def _scaled(
    inputs: np.ndarray, train: np.ndarray, features: tuple[str, ...], *, standardise: bool
) -> tuple[np.ndarray, tuple[float, ...], tuple[float, ...], tuple[str, ...]]:
    """Inputs with the mean and deviation of training taken out, these, and constant inputs."""
    spread = np.ptp(inputs[train], axis=0)
    constant = tuple(name for name, size in zip(features, spread, strict=True) if size == 0)
    if not standardise:
        return inputs, (), (), constant
    # A constant input is exactly 0 everywhere in training, whatever it is divided by.
    means = np.where(spread == 0, inputs[train][0], inputs[train].mean(axis=0))
    deviations = np.where(spread == 0, 1.0, inputs[train].std(axis=0))
    scaled = (inputs - means) / deviations
    return scaled, tuple(means.tolist()), tuple(deviations.tolist()), constant


def _encoded(examples: Examples, outputs: int, *, signs: bool) -> Matrix:
    """Targets [rows][units]: a 1 at the unit of the class; of one unit 0 or −1, and 1."""
    if not examples.classes:
        return tuple(row for row in examples.targets if isinstance(row, tuple))
    if outputs == 1:
        rows: list[tuple[float, ...]] = [(-1.0 if signs else 0.0,), (1.0,)]
    else:
        low = -1.0 if signs else 0.0
        units = range(outputs)
        rows = [tuple(1.0 if k == number else low for k in units) for number in units]
    return tuple(rows[number] for number in examples.targets if isinstance(number, int))
