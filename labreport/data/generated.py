"""Examples drawn by rule: the shapes on which courses show what a network can tell apart.

Moons, circles and blobs are scikit-learn's; the others are written out here. All numbers are
rounded to six decimals, so that no library's last bit reaches a report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labreport.data.examples import Examples

Array = NDArray[np.float64]
DECIMALS = 6


@dataclass(frozen=True)
class Drawn:
    """The settings of a rule.

    Attributes:
        rows: to be drawn.
        noise: standard deviation of the normal noise; of blobs that of each of them.
        seed: of all random numbers.
        classes: of blobs and spirals.
        coefficients: of a line or a polynomial, the constant first.
    """

    rows: int
    noise: float
    seed: int
    classes: int
    coefficients: tuple[float, ...]

    @property
    def generator(self) -> np.random.RandomState:
        """Random numbers that are the same with every version of NumPy."""
        return np.random.RandomState(self.seed)


Points = tuple[Array, NDArray[Any]]
"""Inputs [rows, columns], and the class of each row or its target."""


def _moons(drawn: Drawn) -> Points:
    """Two half circles that reach into one another (scikit-learn's ``make_moons``)."""
    from sklearn.datasets import make_moons

    points: Points = make_moons(drawn.rows, noise=drawn.noise or None, random_state=drawn.seed)
    return points


def _circles(drawn: Drawn) -> Points:
    """A circle of half the radius in another one (scikit-learn's ``make_circles``)."""
    from sklearn.datasets import make_circles

    points: Points = make_circles(
        drawn.rows, noise=drawn.noise or None, random_state=drawn.seed, factor=0.5
    )
    return points


def _blobs(drawn: Drawn) -> Points:
    """A normal cloud a class, around centres on a circle of radius 3."""
    from sklearn.datasets import make_blobs

    angles = 2 * np.pi * np.arange(drawn.classes) / drawn.classes
    centres = 3 * np.column_stack([np.cos(angles), np.sin(angles)])
    points: Points = make_blobs(
        drawn.rows, centers=centres, cluster_std=drawn.noise, random_state=drawn.seed
    )
    return points


def _spirals(drawn: Drawn) -> Points:
    """An arm a class, each of one turn and a half, its radius growing from 0 to 1."""
    random = drawn.generator
    classes = np.arange(drawn.rows) % drawn.classes
    radius = np.sqrt(random.uniform(size=drawn.rows))
    angle = 3 * np.pi * radius + 2 * np.pi * classes / drawn.classes
    points = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return points + random.normal(scale=drawn.noise, size=points.shape), classes


def _xor(drawn: Drawn) -> Points:
    """Clouds around the four corners of a square; opposite corners are one class."""
    random = drawn.generator
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float64)
    chosen = np.arange(drawn.rows) % 4
    points = corners[chosen] + random.normal(scale=drawn.noise, size=(drawn.rows, 2))
    return points, corners[chosen].sum(axis=1).astype(int) % 2


def _polynomial(drawn: Drawn) -> Points:
    """Values of a polynomial between −1 and 1, with noise."""
    random = drawn.generator
    x = random.uniform(-1, 1, size=drawn.rows)
    y = np.polynomial.polynomial.polyval(x, drawn.coefficients)
    return x[:, None], (y + random.normal(scale=drawn.noise, size=drawn.rows))[:, None]


def _sine(drawn: Drawn) -> Points:
    """One period of the sine, sin(2πx) between 0 and 1, with noise."""
    random = drawn.generator
    x = random.uniform(0, 1, size=drawn.rows)
    y = np.sin(2 * np.pi * x) + random.normal(scale=drawn.noise, size=drawn.rows)
    return x[:, None], y[:, None]


@dataclass(frozen=True)
class PointRule:
    """A way of drawing examples.

    Attributes:
        points: that it draws.
        classes: how many there are; 0 where targets are numbers, None where the lab says.
    """

    points: Callable[[Drawn], Points]
    classes: int | None


RULES: dict[str, PointRule] = {
    "moons": PointRule(_moons, 2),
    "circles": PointRule(_circles, 2),
    "blobs": PointRule(_blobs, None),
    "spirals": PointRule(_spirals, None),
    "xor": PointRule(_xor, 2),
    "line": PointRule(_polynomial, 0),
    "polynomial": PointRule(_polynomial, 0),
    "sine": PointRule(_sine, 0),
}


def generate(name: str, drawn: Drawn) -> Examples:
    """Draw the examples of a rule."""
    rule = RULES[name]
    inputs, targets = rule.points(drawn)
    rows = tuple(map(tuple, np.round(inputs, DECIMALS).tolist()))
    columns = tuple(f"x{k}" for k in range(1, len(rows[0]) + 1))
    if rule.classes == 0:
        numbers = tuple(map(tuple, np.round(targets, DECIMALS).tolist()))
        return Examples(columns, rows, numbers, ("y",))
    count = drawn.classes if rule.classes is None else rule.classes
    classes = tuple(str(k) for k in range(count))
    return Examples(columns, rows, tuple(targets.tolist()), ("y",), classes)
