"""A formula as it is stated: its name, its equations in LaTeX, and how several stand together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labreport.report.formulas.latex import aligned
from labreport.report.tree import Formula

MOST_LINES = 10
"""Lines of one numbered formula."""

_SYMBOL = re.compile(r"\\[A-Za-z]+|[A-Za-z]")
_TITLE = re.compile(r"\\(?:text|operatorname)\{[^}]*\}|\\(?:begin|end)\{cases\}")


@dataclass(frozen=True)
class StatedFormula:
    """What an activation, a loss or an optimizer computes.

    Attributes:
        title: its name in print, the same in every language; "" where it needs none.
        lines: of equations in LaTeX.
    """

    title: str
    lines: tuple[tuple[str, ...], ...]

    @property
    def equations(self) -> tuple[str, ...]:
        """All equations in their order."""
        return tuple(equation for line in self.lines for equation in line)

    @property
    def symbols(self) -> frozenset[str]:
        """Letters and commands of LaTeX in its equations, without names of functions in words."""
        found = (_SYMBOL.findall(_TITLE.sub(" ", equation)) for equation in self.equations)
        return frozenset(symbol for symbols in found for symbol in symbols)

    @property
    def rows(self) -> list[str]:
        """Its lines as rows of aligned columns: the name in the first, then an equation in each."""
        title = rf"\text{{{self.title}}}" if self.title else ""
        titles = [title, *[""] * (len(self.lines) - 1)]
        return [
            rf"{title} & \quad " + r" && \quad ".join(line)
            for title, line in zip(titles, self.lines, strict=True)
        ]


def together(formulas: Iterable[StatedFormula]) -> list[Formula]:
    """Formulas under one another, as many in a numbered one as it has room for."""
    groups: list[list[str]] = [[]]
    for formula in formulas:
        if groups[-1] and len(groups[-1]) + len(formula.lines) > MOST_LINES:
            groups.append([])
        groups[-1] += formula.rows
    return [Formula(aligned(rows)) for rows in groups]


def cases(*values: Sequence[str]) -> str:
    """Values, each with the condition under which it holds."""
    return r"\begin{cases} " + r" \\ ".join(map(" & ".join, values)) + r" \end{cases}"
