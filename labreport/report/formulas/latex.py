"""Formulas in LaTeX, which hold no words, so that every language shares them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from labreport.lab.expression import BINDING, Expression, Negative, Numeral, Operation, Symbol
from labreport.report.numbers import setting

NET_INPUT = r"z_j^{(l)} = \sum_i W_{ji}^{(l)} \, a_i^{(l-1)} + b_j^{(l)}"
ACTIVATION = r"a_j^{(l)} = f^{(l)}\left(z_j^{(l)}\right), \quad a^{(0)} = x, \quad o = a^{(L)}"
OUTPUT_DELTA = (
    r"\delta_j^{(L)} = \frac{\partial L}{\partial o_j} \, f^{(L)\prime}\left(z_j^{(L)}\right)"
)
HIDDEN_DELTA = (
    r"\delta_i^{(l)} = f^{(l)\prime}\left(z_i^{(l)}\right)"
    r" \sum_j W_{ji}^{(l+1)} \, \delta_j^{(l+1)}"
)
GRADIENT = (
    r"\frac{\partial L}{\partial W_{ji}^{(l)}} = \delta_j^{(l)} \, a_i^{(l-1)}, \quad"
    r" \frac{\partial L}{\partial b_j^{(l)}} = \delta_j^{(l)}"
)
COUPLED_DELTA = (
    r"\delta_i^{(l)} = \sum_j \frac{\partial L}{\partial a_j^{(l)}} \,"
    r" \frac{\partial a_j^{(l)}}{\partial z_i^{(l)}}"
)
MATRIX_FORM = (
    r"\delta^{(L)} = \nabla_o L \odot f^{(L)\prime}(z^{(L)}), \quad"
    r" \delta^{(l)} = \left( (W^{(l+1)})^T \delta^{(l+1)} \right) \odot f^{(l)\prime}(z^{(l)}),"
    r" \quad"
    r" \frac{\partial L}{\partial W^{(l)}} = \delta^{(l)} (a^{(l-1)})^T"
)


ROOM = 46.0
"""em of a line of equations on an A4 page, beside their number, at nearly their usual size."""

GAP = 2.0
"""em between two equations in one line."""

_GROUP = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"
_FRACTION = re.compile(r"\\frac" + _GROUP + _GROUP)
_INDEX = re.compile(r"[_^]" + _GROUP)
_RELATION = re.compile(r"=|\\leftarrow|\\times|[+-] ")
_NAMED = re.compile(r"([a-z]+)(\d+)(?:_(\d+))?")


def symbol(name: str) -> str:
    """A name of the course in LaTeX: w1 as w with index 1, d_w5 as the derivative by w5."""
    if name.startswith("d_"):
        return derivative(name[2:])
    matched = _NAMED.fullmatch(name.replace(".", "_"))
    if matched is None:
        return name
    letter, first, second = matched.groups()
    return f"{letter}_{{{first}}}" if second is None else f"{letter}_{{{first},{second}}}"


def derivative(name: str) -> str:
    """The derivative of the loss by a parameter."""
    return rf"\frac{{\partial L}}{{\partial {symbol(name)}}}"


def expression(of: Expression, binding: int = 0) -> str:
    """An expression in LaTeX, with no more brackets than it needs.

    Args:
        of: the expression.
        binding: how strongly what stands around it binds.
    """
    match of:
        case Numeral(value):
            return setting(value)
        case Symbol(name):
            return symbol(name)
        case Negative(inner):
            return _bracketed(f"-{expression(inner, 2)}", binding > 1)
        case Operation(left, "/", right):
            return rf"\frac{{{expression(left)}}}{{{expression(right)}}}"
        case Operation(left, "**", right):
            return f"{expression(left, 4)}^{{{expression(right)}}}"
        case Operation(left, operator, right):
            own = BINDING[operator]
            sign = r" \, " if operator == "*" else f" {operator} "
            # a − (b − c) keeps its brackets, (a + b) + c needs none.
            after = own + (operator == "-")
            text = f"{expression(left, own)}{sign}{expression(right, after)}"
            return _bracketed(text, own < binding)


def _bracketed(text: str, needed: bool) -> str:
    return rf"\left({text}\right)" if needed else text


def breadth(line: str) -> float:
    """Estimate how wide a line is set, in em: of a fraction its longer part counts."""
    while (shorter := _FRACTION.sub(lambda m: max(m[1], m[2], key=breadth), line)) != line:
        line = shorter
    small = sum(len(_bare(index)) for index in _INDEX.findall(line))
    return 0.5 * len(_bare(line)) - 0.2 * small + 0.7 * len(_RELATION.findall(line))


def _bare(text: str) -> str:
    """A letter for each sign that is set."""
    return re.sub(r"[\s{}_^&]", "", re.sub(r"\\[A-Za-z]+", "x", text))


def in_columns(lines: Sequence[str], room: float = ROOM) -> list[str]:
    """Equations beside one another, row by row, as many as a line has room for.

    Args:
        lines: an equation each, with an & where it is aligned.
        room: of a line, in em.
    """
    for columns in range(len(lines), 1, -1):
        widths = (max(map(breadth, lines[k::columns])) + GAP for k in range(columns))
        if sum(widths) - GAP <= room:
            break
    else:
        columns = 1
    rows = (lines[k : k + columns] for k in range(0, len(lines), columns))
    return [r" & \quad ".join(row) for row in rows]


def aligned(lines: Sequence[str]) -> str:
    """Several lines, aligned where each has its &."""
    return r"\begin{aligned} " + r" \\ ".join(lines) + r" \end{aligned}"
