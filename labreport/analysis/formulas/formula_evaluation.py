"""The evaluation of a formula over runs: a walk over its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.formulas.formula_functions import FUNCTIONS, OPERATORS
from labreport.analysis.formulas.run_scope import RunScope


class FormulaEvaluation:
    """A walk over the tree of a formula; only what is named here can happen."""

    def __init__(self, scopes: Sequence[RunScope]) -> None:
        self.scopes = scopes

    def value(self, node: ast.expr | ast.slice, scope: RunScope | None) -> Any:
        found = self._value(node, scope)
        # A single number is taken out of its array at full width, as rules do.
        return found.item() if isinstance(found, np.generic) else found

    def _value(self, node: Any, scope: RunScope | None) -> Any:
        match node:
            case ast.Constant():
                return node.value
            case ast.Tuple() | ast.List():
                return tuple(self.value(item, scope) for item in node.elts)
            case ast.Slice():
                parts = (node.lower, node.upper, node.step)
                return slice(*(None if p is None else self.value(p, scope) for p in parts))
            case ast.Name():
                return self._name(node.id, scope)
            case ast.Attribute():
                return self._scope(node.value)[node.attr]
            case ast.Subscript():
                return self.value(node.value, scope)[self.value(node.slice, scope)]
            case ast.Call():
                return self._call(node, scope)
            case ast.BinOp():
                left, right = self.value(node.left, scope), self.value(node.right, scope)
                with np.errstate(all="ignore"):
                    return OPERATORS[type(node.op)](left, right)
            case ast.UnaryOp(op=ast.Not()):
                return not self.value(node.operand, scope)
            case ast.UnaryOp():
                return OPERATORS[type(node.op)](self.value(node.operand, scope))
            case ast.BoolOp():
                values = (bool(self.value(item, scope)) for item in node.values)
                return all(values) if isinstance(node.op, ast.And) else any(values)
            case ast.Compare():
                return self._compare(node, scope)
        raise ValueError(f"{type(node).__name__} is not part of a formula")

    def _name(self, name: str, scope: RunScope | None) -> Any:
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
            (inner,) = node.args
            return np.array([self.value(inner, one) for one in self.scopes])
        function = (
            FUNCTIONS[node.func.id]
            if isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS
            else self.value(node.func, scope)
        )
        return function(*(self.value(argument, scope) for argument in node.args))

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
