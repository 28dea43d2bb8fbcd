"""The evaluation of a formula over runs: a walk over its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.formulas.formula_functions import FUNCTIONS, OPERATORS
from labreport.analysis.formulas.run_scope import RunScope

Lists = dict[tuple[str, tuple[str, ...]], np.ndarray]
"""Values over all of some runs, by the formula of each and the names of the runs."""

MOST_KEPT = 10_000
"""Numbers of a list that is kept for the next formula with the same."""


class FormulaEvaluation:
    """A walk over the tree of a formula; only what is named here can happen.

    Args:
        scopes: the runs that it reads, in their order.
        names: of these runs.
        lists: values over all runs that were computed before; new ones are added.
    """

    def __init__(
        self, scopes: Sequence[RunScope], names: tuple[str, ...] = (), lists: Lists | None = None
    ) -> None:
        self.scopes = scopes
        self.names = names
        self.lists = {} if lists is None else lists

    def value(self, node: ast.expr | ast.slice, scope: RunScope | None) -> Any:
        """The value of a formula, for a run where it has names without a prefix.

        Raises:
            ValueError: if it has what is not part of a formula.
        """
        evaluate = KINDS.get(type(node))
        if evaluate is None:
            raise ValueError(f"{type(node).__name__} is not part of a formula")
        found = evaluate(self, node, scope)
        # A single number is taken out of its array at full width, as rules do.
        return found.item() if isinstance(found, np.generic) else found

    def _constant(self, node: ast.Constant, scope: RunScope | None) -> Any:
        return node.value

    def _items(self, node: ast.Tuple | ast.List, scope: RunScope | None) -> Any:
        return tuple(self.value(item, scope) for item in node.elts)

    def _slice(self, node: ast.Slice, scope: RunScope | None) -> Any:
        parts = (node.lower, node.upper, node.step)
        return slice(*(None if part is None else self.value(part, scope) for part in parts))

    def _attribute(self, node: ast.Attribute, scope: RunScope | None) -> Any:
        return self._scope(node.value)[node.attr]

    def _subscript(self, node: ast.Subscript, scope: RunScope | None) -> Any:
        return self.value(node.value, scope)[self.value(node.slice, scope)]

    def _binary(self, node: ast.BinOp, scope: RunScope | None) -> Any:
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        with np.errstate(all="ignore"):
            return OPERATORS[type(node.op)](left, right)

    def _unary(self, node: ast.UnaryOp, scope: RunScope | None) -> Any:
        operand = self.value(node.operand, scope)
        return not operand if isinstance(node.op, ast.Not) else OPERATORS[type(node.op)](operand)

    def _boolean(self, node: ast.BoolOp, scope: RunScope | None) -> Any:
        values = (bool(self.value(item, scope)) for item in node.values)
        return all(values) if isinstance(node.op, ast.And) else any(values)

    def _name(self, node: ast.Name, scope: RunScope | None) -> Any:
        name = node.id
        if name.isupper():
            return getattr(thresholds, name)
        if scope is None:
            raise KeyError(f"no run to take {name} from")
        return scope[name]

    def _scope(self, node: ast.expr) -> RunScope:
        if isinstance(node, ast.Name) and node.id[:1] == "r" and node.id[1:].isdigit():
            return self.scopes[int(node.id[1:]) - 1]
        raise ValueError("only runs have parts: r1.losses")

    def _call(self, node: ast.Call, scope: RunScope | None) -> Any:
        if isinstance(node.func, ast.Name) and node.func.id == "each":
            return self._each(*node.args)
        function = (
            FUNCTIONS[node.func.id]
            if isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS
            else self.value(node.func, scope)
        )
        return function(*(self.value(argument, scope) for argument in node.args))

    def _each(self, inner: ast.expr) -> np.ndarray:
        """The values of a formula for each of the runs; the same list is computed once."""
        place = (_text_of(inner), self.names)
        if (known := self.lists.get(place)) is not None:
            return known
        found = np.array([self.value(inner, one) for one in self.scopes])
        found.flags.writeable = False
        if self.names and found.size <= MOST_KEPT:
            self.lists[place] = found
        return found

    def _compare(self, node: ast.Compare, scope: RunScope | None) -> Any:
        values = [self.value(item, scope) for item in (node.left, *node.comparators)]
        parts = [
            OPERATORS[type(op)](left, right)
            for op, left, right in zip(node.ops, values, values[1:], strict=False)
        ]
        result = parts[0]
        for part in parts[1:]:
            result = result & part
        return result


@cache
def _text_of(node: ast.expr) -> str:
    return ast.unparse(node)


KINDS: dict[type[ast.AST], Callable[[FormulaEvaluation, Any, RunScope | None], Any]] = {
    ast.Constant: FormulaEvaluation._constant,
    ast.Tuple: FormulaEvaluation._items,
    ast.List: FormulaEvaluation._items,
    ast.Slice: FormulaEvaluation._slice,
    ast.Name: FormulaEvaluation._name,
    ast.Attribute: FormulaEvaluation._attribute,
    ast.Subscript: FormulaEvaluation._subscript,
    ast.Call: FormulaEvaluation._call,
    ast.BinOp: FormulaEvaluation._binary,
    ast.UnaryOp: FormulaEvaluation._unary,
    ast.BoolOp: FormulaEvaluation._boolean,
    ast.Compare: FormulaEvaluation._compare,
}
"""What a formula may have, with what gives its value."""
