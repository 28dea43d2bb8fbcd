"""Formulas as a lab writes them: ``(d_w5 + d_w6) * h1 * (1 - h1) * x1``, and nothing else.

Sums, products, quotients and whole powers of numbers and names. They are read with Python's own
parser and never run as Python: what is not arithmetic is refused.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Operator = Literal["+", "-", "*", "/", "**"]

LONGEST = 500
"""Characters of a formula; the longest of a 2-2-2 network has about 60."""

LONGEST_NUMBER = 30
"""Characters of a number that a fault repeats."""

DEEPEST = 6
"""Brackets, signs, fractions and powers inside one another: typesetting takes twice the time or
more for each, and nobody can read as many."""

_OPERATORS: dict[type[ast.operator], Operator] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
}
_LARGEST_POWER = 8
_LARGEST_NUMBER = 1e9
"""Beyond it a formula is no longer one about weights, and powers of it overflow."""
_LARGEST_VALUE = 1e30
"""Of a part without names: what is beyond it may be infinite in float32."""

BINDING: dict[Operator, int] = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 3}
"""The precedence of each operator."""


class NotAFormulaError(ValueError):
    """The text is no formula; the message names the part that is at fault.

    Attributes:
        code: of the fault that it is.
    """

    def __init__(self, part: str, code: str = "not-a-formula") -> None:
        super().__init__(part)
        self.code = code


@dataclass(frozen=True)
class Numeral:
    value: float


@dataclass(frozen=True)
class Symbol:
    name: str


@dataclass(frozen=True)
class Negative:
    of: Expression


@dataclass(frozen=True)
class Operation:
    left: Expression
    operator: Operator
    right: Expression


Expression = Numeral | Symbol | Negative | Operation


def parse(text: str) -> Expression:
    """The expression that a text states.

    Raises:
        NotAFormulaError: if it is too long, or is anything but arithmetic.
    """
    if len(text) > LONGEST:
        raise NotAFormulaError(f"{text[:40]}…", "formula-too-long")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NotAFormulaError(text) from None
    read = _read(tree.body, text.strip())
    if _depth(read) > DEEPEST:
        raise NotAFormulaError(f"{text[:40]}…" if len(text) > 40 else text, "formula-too-deep")
    return read


def _depth(of: Expression, binding: int = 0) -> int:
    """Levels of brackets, signs, fractions and powers; a sum of many terms is one level.

    Args:
        of: the expression.
        binding: how strongly what stands around it binds, as in ``report/formulas/latex.py``.
    """
    match of:
        case Numeral() | Symbol():
            return 0
        case Negative(inner):
            return 1 + _depth(inner, 2)
        case Operation(left, "/" | "**", right):
            return 1 + max(_depth(left), _depth(right))
        case Operation(left, operator, right):
            own = BINDING[operator]
            inner_depth = max(_depth(left, own), _depth(right, own + (operator == "-")))
            return inner_depth + (own < binding)


def _read(node: ast.expr, text: str) -> Expression:
    match node:
        case ast.Constant(value=int() | float() as value) if _is_number(value):
            return Numeral(float(value))
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            raise NotAFormulaError(_short(ast.get_source_segment(text, node)), "formula-number")
        case ast.Name(id=name):
            return Symbol(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Negative(_read(operand, text))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            operator = _OPERATORS[type(op)]
            exponent = _read(right, text)
            if operator == "**" and not _is_small_power(exponent):
                raise NotAFormulaError(ast.get_source_segment(text, node) or text, "formula-power")
            made = Operation(_read(left, text), operator, exponent)
            _check_constants(made, ast.get_source_segment(text, node) or text)
            return made
    raise NotAFormulaError(ast.get_source_segment(text, node) or text)


def _short(part: str | None) -> str:
    """A number as it was written; of a long one its beginning."""
    written = part or ""
    return written if len(written) <= LONGEST_NUMBER else f"{written[:LONGEST_NUMBER]}…"


def _check_constants(made: Operation, part: str) -> None:
    """Refuse what no weights can change: a division by 0, and numbers too large to compute with.

    Raises:
        NotAFormulaError: with the part of the text that says so.
    """
    if made.operator == "/" and constant(made.right) == 0:
        raise NotAFormulaError(part, "formula-divides-by-zero")
    value = constant(made)
    if value is not None and not abs(value) <= _LARGEST_VALUE:
        raise NotAFormulaError(part, "formula-too-large")


def constant(of: Expression) -> float | None:
    """The value of an expression without names; None if it has any, infinity if it overflows."""
    match of:
        case Numeral(value):
            return value
        case Symbol():
            return None
        case Negative(inner):
            within = constant(inner)
            return None if within is None else -within
        case Operation(left, operator, right):
            first, second = constant(left), constant(right)
            if operator == "**" and second == 0:
                return 1.0
            if first is None or second is None:
                return None
            try:
                return float(_operate(first, operator, second))
            except (OverflowError, ZeroDivisionError):
                return math.inf


def _is_number(value: float) -> bool:
    return not isinstance(value, bool) and abs(value) <= _LARGEST_NUMBER


def _is_small_power(exponent: Expression) -> bool:
    return (
        isinstance(exponent, Numeral)
        and exponent.value == int(exponent.value)
        and 0 <= exponent.value <= _LARGEST_POWER
    )


def symbols(expression: Expression) -> tuple[str, ...]:
    """The names in an expression, each once, in the order in which they stand."""
    match expression:
        case Numeral():
            return ()
        case Symbol(name):
            return (name,)
        case Negative(of):
            return symbols(of)
        case Operation(left, _, right):
            return tuple(dict.fromkeys((*symbols(left), *symbols(right))))


def evaluate(expression: Expression, values: Mapping[str, Any]) -> Any:
    """The value of an expression; names stand for numbers, or for arrays of one shape."""
    match expression:
        case Numeral(value):
            return value
        case Symbol(name):
            return values[name]
        case Negative(of):
            return -evaluate(of, values)
        case Operation(left, operator, right):
            return _operate(evaluate(left, values), operator, evaluate(right, values))


def _operate(first: Any, operator: Operator, second: Any) -> Any:
    match operator:
        case "+":
            return first + second
        case "-":
            return first - second
        case "*":
            return first * second
        case "/":
            return first / second
        case "**":
            return first**second


def rounding_of(expression: Expression, values: Mapping[str, Any]) -> tuple[Any, Any]:
    """The value of an expression, and how many units of rounding its operations may add to it.

    A running error analysis of the operations as they stand, with names taken as exact (Higham
    2002, "Accuracy and Stability of Numerical Algorithms", section 3.3).
    """
    match expression:
        case Numeral(value):
            return value, 0.0
        case Symbol(name):
            return values[name], 0.0
        case Negative(of):
            value, error = rounding_of(of, values)
            return -value, error
        case Operation(left, operator, right):
            first, first_error = rounding_of(left, values)
            second, second_error = rounding_of(right, values)
            match operator:
                case "+" | "-":
                    value = first + second if operator == "+" else first - second
                    error = first_error + second_error
                case "*":
                    value = first * second
                    error = first_error * abs(second) + second_error * abs(first)
                case "/":
                    value = first / second
                    error = (first_error + second_error * abs(value)) / abs(second)
                case "**":
                    value = first**second
                    error = first_error * second * abs(first) ** max(second - 1.0, 0.0)
            return value, error + abs(value)
