"""The contents of figures, in numbers and words that know no language; drawn elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from labreport.report.phrases import Phrase

Name = TypeVar("Name")
"""A phrase in the report, a string where it is drawn."""

Numbers = TypeVar("Numbers")
"""An array of the report, or of NumPy where it is computed or drawn."""


@dataclass(frozen=True)
class Array:
    """Numbers as a value that equals another with the same ones; None where there is none."""

    shape: tuple[int, ...]
    values: tuple[float | None, ...]

    @classmethod
    def of(cls, numbers: np.ndarray) -> Array:
        """The same numbers as float64."""
        flat = np.asarray(numbers, dtype=np.float64).ravel().tolist()
        return cls(tuple(numbers.shape), tuple(None if isnan(v) else v for v in flat))

    @property
    def numpy(self) -> np.ndarray:
        """The numbers as float64, nan where there is none."""
        filled = [nan if value is None else value for value in self.values]
        return np.array(filled, dtype=np.float64).reshape(self.shape)


class Curve(NamedTuple, Generic[Name, Numbers]):
    """One curve of a figure.

    Attributes:
        name: what it is called.
        values: [steps] float64; index 0 is before any update.
        look: which colour and line style it has; a variant has the same in every figure.
    """

    name: Name
    values: Numbers
    look: int


class Trajectory(NamedTuple, Generic[Name, Numbers]):
    """Numbers of one run by round, a column each.

    Attributes:
        name: of the run.
        columns: names of the numbers.
        values: [steps, columns] float64; index 0 is before any update.
        look: which colour and line style it has.
    """

    name: Name
    columns: tuple[Name, ...]
    values: Numbers
    look: int


class Level(NamedTuple, Generic[Name]):
    """A single number in a figure: what it is called, its value and its look."""

    name: Name
    value: float
    look: int


class SweptSeries(NamedTuple, Generic[Name]):
    """One line over a sweep.

    Attributes:
        name: what it is called.
        values: of the swept key, ascending.
        losses: at each of them; None where a run had ended.
        look: which colour and line style it has.
    """

    name: Name
    values: tuple[float, ...]
    losses: tuple[float | None, ...]
    look: int


class DifferenceCurve(NamedTuple, Generic[Name, Numbers]):
    """The distance of a way of computing gradients from autograd, at some steps."""

    name: Name
    steps: Numbers
    apart: Numbers


@dataclass(frozen=True)
class Written(Generic[Numbers]):
    """The texts on a drawing of a network.

    Attributes:
        weights: a matrix [units, units before] for each layer, written on the lines and drawn as
            their width and sign.
        units: a number [units] at each unit, layer by layer; an empty array for none.
    """

    weights: tuple[Numbers, ...]
    units: tuple[Numbers, ...] = ()


Axes = tuple[Phrase, Phrase]
"""Names of the horizontal and the vertical axis."""

MarkedAxes = tuple[Phrase, Phrase, Phrase]
"""The same, and the name of the levels, the colours or the sizes that are drawn."""


@dataclass(frozen=True)
class CurveDrawing:
    """Curves by round, the first rounds apart; budgets and floors are marked."""

    curves: tuple[Curve[Phrase, Array], ...]
    budgets: tuple[int, ...]
    floors: tuple[float, ...]
    axes: MarkedAxes


@dataclass(frozen=True)
class SweepDrawing:
    """Loss against the swept value."""

    lines: tuple[SweptSeries[Phrase], ...]
    floors: tuple[float, ...]
    axes: MarkedAxes


@dataclass(frozen=True)
class StartsDrawing:
    """Final losses [starts] over random starts, single starts as lines."""

    groups: tuple[Curve[Phrase, Array], ...]
    singles: tuple[Level[Phrase], ...]
    axes: Axes


@dataclass(frozen=True)
class WeightsDrawing:
    """Weights by round, a panel for each of some names."""

    runs: tuple[Trajectory[Phrase, Array], ...]
    names: tuple[str, ...]
    axes: Axes


@dataclass(frozen=True)
class SizesDrawing:
    """Sizes of gradients by round on a logarithmic axis, a panel for each layer."""

    runs: tuple[Trajectory[Phrase, Array], ...]
    names: tuple[Phrase, ...]
    axes: Axes


@dataclass(frozen=True)
class HeatmapDrawing:
    """Sizes of gradients by round and layer as colours; the extent is that of the colours."""

    runs: tuple[Trajectory[Phrase, Array], ...]
    extent: tuple[float, float]
    axes: MarkedAxes


@dataclass(frozen=True)
class DifferenceDrawing:
    """Distances of several ways of computing gradients from autograd, round by round."""

    ways: tuple[DifferenceCurve[Phrase, Array], ...]
    axes: Axes


@dataclass(frozen=True)
class LandscapeDrawing:
    """The loss over two weights, and the ways [steps, 2] of runs over it.

    Attributes:
        names: of the two weights.
        sides: [cells] values of each of them.
        losses: [cells of the second, cells of the first].
        ways: of the runs.
        shades: what the shades are.
    """

    names: tuple[str, str]
    sides: tuple[Array, Array]
    losses: Array
    ways: tuple[Curve[Phrase, Array], ...]
    shades: Phrase


@dataclass(frozen=True)
class NetworkDrawing:
    """A network: units in columns, weights as lines.

    Attributes:
        units: their names, layer by layer.
        row: inputs and targets of the one row; None where there are more.
        written: numbers on lines and at units; None to leave them bare.
    """

    units: tuple[tuple[str, ...], ...]
    row: tuple[tuple[float, ...], tuple[float, ...]] | None
    written: Written[Array] | None


class Points(NamedTuple, Generic[Name, Numbers]):
    """Points [rows, 2] of one kind: a class, or a part of a data set."""

    name: Name
    places: Numbers
    look: int


class Region(NamedTuple, Generic[Name, Numbers]):
    """The class [cells up, cells across] that a run puts each place of a plane into."""

    name: Name
    classes: Numbers


@dataclass(frozen=True)
class RegionsDrawing:
    """Which class each run gives to each place of a plane of two inputs, with the examples.

    Attributes:
        regions: of the runs, a panel each.
        sides: [cells] values of each input.
        points: the examples, class by class.
        axes: names of the inputs.
    """

    regions: tuple[Region[Phrase, Array], ...]
    sides: tuple[Array, Array]
    points: tuple[Points[Phrase, Array], ...]
    axes: Axes


@dataclass(frozen=True)
class FitDrawing:
    """What runs give for each value of one input, with the examples.

    Attributes:
        values: [places] of the input.
        curves: [places] outputs of each run.
        points: the examples, part by part.
        axes: names of input and target.
    """

    values: Array
    curves: tuple[Curve[Phrase, Array], ...]
    points: tuple[Points[Phrase, Array], ...]
    axes: Axes


class Picture(NamedTuple, Generic[Name, Numbers]):
    """A row of data that is a picture [height, width], and what is written above it."""

    name: Name
    pixels: Numbers


@dataclass(frozen=True)
class PicturesDrawing:
    """Small grey pictures, side by side.

    Attributes:
        pictures: in reading order, all of one size.
    """

    pictures: tuple[Picture[Phrase, Array], ...]


Drawing = (
    CurveDrawing
    | SweepDrawing
    | StartsDrawing
    | WeightsDrawing
    | SizesDrawing
    | HeatmapDrawing
    | DifferenceDrawing
    | LandscapeDrawing
    | NetworkDrawing
    | RegionsDrawing
    | FitDrawing
    | PicturesDrawing
)


def kept(value: Any) -> Any:
    """The same value with arrays of the report in place of those of NumPy, and tuples of lists."""
    if isinstance(value, np.ndarray):
        return Array.of(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(kept, value))
    if isinstance(value, list | tuple):
        return tuple(map(kept, value))
    return value


@dataclass(frozen=True)
class Edge:
    """A weight in a drawing: from which unit of which layer to which of the next; its place."""

    layer: int
    source: int
    target: int
    parameter: int


@dataclass(frozen=True)
class Surface:
    """The loss over a plane in the space of all weights, and a run's way on it.

    Attributes:
        horizontal: [cells] distances along one direction of the plane.
        vertical: [cells] along the other.
        losses: [cells × cells] row by row, each row along the first direction.
        path: for each round the two distances.
        share: of the squared distance from the last weights, how much lies in the plane.
    """

    horizontal: tuple[float, ...]
    vertical: tuple[float, ...]
    losses: tuple[float, ...]
    path: tuple[tuple[float, ...], ...]
    share: float


@dataclass(frozen=True)
class Course:
    """A run at some of its rounds.

    Attributes:
        rounds: which these are, ascending.
        losses: at each.
        layers: names of the units, layer by layer.
        units: at each round, layer by layer, what the units give for the one row; or empty.
        edges: the weights as they lie between units.
        names: of the parameters, in reading order.
        weights: at each round, in the order of the names.
        gradients: the same, of the loss by each.
        surface: where the run moved, if that could be drawn.
    """

    rounds: tuple[int, ...]
    losses: tuple[float, ...]
    layers: tuple[tuple[str, ...], ...]
    units: tuple[tuple[tuple[float, ...], ...], ...]
    edges: tuple[Edge, ...]
    names: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...]
    gradients: tuple[tuple[float, ...], ...]
    surface: Surface | None
