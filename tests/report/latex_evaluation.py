"""Evaluates the LaTeX of stated formulas, as a reader would who knows what the symbols mean.

Letters side by side are multiplied. Arrays have an axis for each letter that counts: r the rows,
i or k the units of a row, and j the units once more.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from typing import Any

import numpy as np

Values = dict[str, Any]

_TOKEN = re.compile(r"\\\\|\\[A-Za-z]+|[A-Za-z]|\d+(?:\.\d+)?|[^\s]")
_SPACES = {r"\quad", r"\left", r"\right"}
_AXES: dict[str, Any] = {"r": 0, "k": (0, 1), "j": 2}
_OPEN = {"(": ")", "[": "]", "{": "}", "|": "|"}
_RELATIONS = {
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
    r"\leq": operator.le,
    r"\geq": operator.ge,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    r"\tanh": np.tanh,
    r"\ln": np.log,
    r"\max": np.maximum,
    r"\min": np.minimum,
    r"\sigma": lambda z: 1 / (1 + np.exp(-z)),
    r"\Phi": lambda z: 0.5 * (1 + np.vectorize(math.erf)(z / math.sqrt(2))),
    r"\varphi": lambda z: np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi),
    r"\operatorname": np.sign,
}


def evaluated(equation: str, values: Values) -> Any:
    """The right side of an equation."""
    right = re.split(r" (?:=|\\leftarrow) ", equation, maxsplit=1)[1]
    reader = _Reader(right, values)
    with np.errstate(all="ignore"):
        found = reader.sum()
    assert reader.next == "", reader.rest
    return found


def left(equation: str) -> str:
    """The name on the left side of an equation, without braces."""
    return re.sub(r"[{}]", "", re.split(r" (?:=|\\leftarrow) ", equation, maxsplit=1)[0])


class _Reader:
    def __init__(self, latex: str, values: Values) -> None:
        self.rest = [t for t in _TOKEN.findall(latex) if t not in _SPACES]
        self.values = values
        self.closing = [""]

    @property
    def next(self) -> str:
        return self.rest[0] if self.rest else ""

    def take(self, *expected: str) -> str:
        token = self.rest.pop(0)
        assert not expected or token in expected, (token, expected)
        return token

    def sum(self) -> Any:
        total = 0.0
        sign = 1.0
        if self.next == "-":
            self.take()
            sign = -1.0
        total = sign * self.product()
        while self.next in ("+", "-"):
            sign = 1.0 if self.take() == "+" else -1.0
            total = total + sign * self.product()
        return total

    def product(self) -> Any:
        found = self.power()
        while self._goes_on():
            found = found * self.power()
        return found

    def _goes_on(self) -> bool:
        ends = {"", "+", "-", ",", "&", r"\\", r"\end", *_RELATIONS, ")", "]", "}"}
        return self.next not in ends and self.next != self.closing[-1]

    def power(self) -> Any:
        base = self.factor()
        if self.next == "^":
            self.take()
            return base ** (self.group() if self.next == "{" else self.factor())
        return base

    def group(self) -> Any:
        opened = self.take(*_OPEN)
        self.closing.append(_OPEN[opened])
        found = self.sum()
        self.take(self.closing.pop())
        return abs(found) if opened == "|" else found

    def factor(self) -> Any:
        token = self.next
        if token in _OPEN:
            return self.group()
        self.take()
        if token[0].isdigit():
            return float(token)
        if token == r"\frac":
            return self.group() / self.group()
        if token == r"\sqrt":
            return np.sqrt(self.group())
        if token == r"\sum":
            self.take("_")
            axis = _AXES[self.take()]
            return np.sum(self.product(), axis=axis, keepdims=True)
        if token == r"\begin":
            return self.cases()
        if token in _FUNCTIONS:
            return self.function(token)
        return self.values[token + self.subscript()]

    def function(self, name: str) -> Any:
        if name == r"\operatorname":
            assert "".join(self.rest[:5]) == "{sgn}"
            del self.rest[:5]
        self.take("(")
        self.closing.append(")")
        arguments = [self.sum()]
        while self.next == ",":
            self.take()
            arguments.append(self.sum())
        self.take(self.closing.pop())
        return _FUNCTIONS[name](*arguments)

    def subscript(self) -> str:
        if self.next != "_":
            return ""
        self.take()
        if self.next != "{":
            return f"_{self.take()}"
        end = self.rest.index("}")
        inner, self.rest = self.rest[1:end], self.rest[end + 1 :]
        return f"_{''.join(inner)}"

    def cases(self) -> Any:
        self.rest = self.rest[len("{cases}") :]
        values, conditions = [], []
        while True:
            values.append(self.sum())
            self.take("&")
            conditions.append(self.condition())
            if self.take(r"\\", r"\end") == r"\end":
                break
        self.rest = self.rest[len("{cases}") :]
        # Of each place one case holds, and no two.
        shape = np.broadcast_shapes(*map(np.shape, (*values, *conditions)))
        held = [np.broadcast_to(c, shape) for c in conditions]
        assert (np.sum(held, axis=0) == 1).all()
        return np.select(held, [np.broadcast_to(v, shape) for v in values], np.nan)

    def condition(self) -> Any:
        first = self.sum()
        found = _RELATIONS[self.take(*_RELATIONS)](first, self.sum())
        while self.next == ",":
            self.take()
            found = found & self.condition()
        return found
