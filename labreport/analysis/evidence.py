"""Formulas over stored runs: what a fact was computed with, and what a claim rests on.

A formula is arithmetic, comparisons and a few functions over the arrays of a run, as text that
anyone can follow with the stored file at hand: ``losses[10] - floor``. Names without a prefix
belong to the first run, ``r2.losses`` to the second; ``each(losses[10])`` is the list over all
runs. Rules compute their numbers in code of their own; what is written here is computed apart
from that, so a mistake in either of the two comes to light.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import isnan
from typing import Any

import numpy as np

from labreport.analysis import statistics, thresholds
from labreport.analysis.floor import floor
from labreport.analysis.norms import norms
from labreport.analysis.observation import Fact, Names, Observation, Source, With
from labreport.analysis.results import SMALLEST_SCALE, ExperimentResults
from labreport.lab.naming import parameter_names
from labreport.lab.schema.losses import LOSSES
from labreport.reference.curvature import largest_curvature
from labreport.reference.evaluation import data_of, layers_of
from labreport.reference.gradient_check.result import CheckedFormula, GradientCheck
from labreport.reference.network import forward
from labreport.runs.run import Array, Run

TOLERANCE = 1e-9
"""Relative difference that two orders of the same sum can make in float64, with room to spare."""


HIDDEN_IN = {"allowance": "ROUNDING", "classes_at": "ROUNDING", "ties_at": "ROUNDING"}
"""Names of a run that stand for an expression with a threshold in it."""


class FormulaError(ValueError):
    """A formula that is none, or that reads what was not stored."""


@dataclass(frozen=True)
class Known:
    """What formulas may read.

    Attributes:
        runs: stored runs by name.
        check: of the experiment, if it is a gradient check.
    """

    runs: Mapping[str, Run]
    check: GradientCheck | None = None


def known_of(results: ExperimentResults) -> Known:
    """What formulas of an experiment's observations may read."""
    runs = (*(r.run for r in results.results), *results.controls.values())
    return Known({run.name: run for run in runs}, results.check)


def evaluate(source: Source, known: Known) -> Any:
    """The value of a formula: a number, a truth, or an array of them.

    Raises:
        FormulaError: if the formula is malformed, or names what its runs do not have.
    """
    try:
        scopes = [_Scope(known.runs[name], known.check) for name in source.runs]
        return _Evaluation(scopes).value(_parsed(source.formula), scopes[0] if scopes else None)
    except (LookupError, TypeError, SyntaxError, ValueError, ZeroDivisionError) as error:
        raise FormulaError(f"{source.formula}: {error}") from error


def thresholds_of(observation: Observation) -> dict[str, float]:
    """The thresholds that an observation's claims name, in the order in which they appear."""
    nodes = [node for c in observation.claims for node in ast.walk(_parsed(c.formula))]
    written = [node.id for node in nodes if isinstance(node, ast.Name)]
    written += [node.attr for node in nodes if isinstance(node, ast.Attribute)]
    names = [HIDDEN_IN.get(name, name) for name in written]
    return {name: getattr(thresholds, name) for name in names if name.isupper()}


def sourced(fact: Fact, path: str) -> Iterator[tuple[str, Any, Source]]:
    """Every number inside a fact that comes from runs: where it stands, its value, its source."""
    if isinstance(fact, tuple):
        for position, inner in enumerate(fact, 1):
            yield from sourced(inner, f"{path}.{position}")
    elif isinstance(fact, With):
        # The pair is one thing with a detail: the detail is what was measured.
        yield from sourced(fact.what, path)
        yield from sourced(fact.detail, path)
    else:
        source = getattr(fact, "source", None)
        if source is not None:
            yield path, fact.values if isinstance(fact, Names) else fact.value, source  # type: ignore[union-attr]


@dataclass(frozen=True)
class Failure:
    """A fact that its formula does not give, or a claim that is not true."""

    observation: Observation
    what: str
    formula: str
    said: Any
    found: Any


def failures(observation: Observation, known: Known) -> Iterator[Failure]:
    """Recompute every fact of an observation and test every claim."""
    for name, fact in observation.facts.items():
        for path, said, source in sourced(fact, name):
            found = _tried(source, known)
            if not same(said, found):
                yield Failure(observation, path, source.formula, said, found)
    for claim in observation.claims:
        found = _tried(claim, known)
        if found is not True:
            yield Failure(observation, "claim", claim.formula, True, found)


def _tried(source: Source, known: Known) -> Any:
    try:
        return evaluate(source, known)
    except FormulaError as error:
        return error


def same(said: Any, found: Any) -> bool:
    """Whether two values are the same but for rounding."""
    if isinstance(found, FormulaError):
        return False
    if isinstance(said, tuple | str):
        return bool(said == found)
    one, other = float(said), float(found)
    if isnan(one) or isnan(other):
        return isnan(one) and isnan(other)
    return one == other or abs(one - other) <= TOLERANCE * max(abs(one), abs(other))


@cache
def _parsed(formula: str) -> ast.expr:
    return ast.parse(formula, mode="eval").body


class _Scope:
    """What the names of a formula mean for one run; arrays in the precision of the run."""

    def __init__(self, run: Run, check: GradientCheck | None) -> None:
        self._run = run
        self._check = check
        self._trace = run.trace

    def __getitem__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(type(self), name):
            raise KeyError(f"no such name: {name}")
        return getattr(self, name)

    @property
    def losses(self) -> Array:
        return self._run.losses

    @property
    def round_losses(self) -> Array:
        """The loss of each round over the rows that this round sees."""
        return self._trace.losses

    @property
    def weights(self) -> Array:
        return self._trace.weights

    @property
    def gradients(self) -> Array:
        return self._trace.gradients

    @property
    def outputs(self) -> Array:
        return self._trace.outputs

    @property
    def recorded(self) -> Any:
        return self._trace.recorded

    @property
    def inputs(self) -> Array:
        return np.array(self._run.config.data.inputs, dtype=self._run.config.dtype)

    @property
    def targets(self) -> Array:
        return np.array(self._run.config.data.targets, dtype=self._run.config.dtype)

    @property
    def floor(self) -> float:
        value = floor(self._run.config).value
        if value is None:
            raise ValueError("no floor is known")
        return value

    @property
    def allowance(self) -> float:
        """Distance from the floor that rounding alone can explain."""
        scale = max(abs(self.floor), SMALLEST_SCALE)
        return thresholds.ROUNDING * self.precision * scale

    @property
    def given_targets(self) -> Array:
        """Targets [rows, units] as the lab file gives them, not rounded to the run's precision."""
        return np.array(self._run.config.data.targets, dtype=np.float64)

    @property
    def learning_rate(self) -> float:
        return self._run.config.optimizer.learning_rate

    @property
    def rounds(self) -> int:
        """Updates that were made."""
        return self._trace.rounds

    @property
    def ending(self) -> str:
        return self._trace.ending.kind

    @property
    def ending_step(self) -> int:
        return self._trace.ending.step

    @property
    def message(self) -> str:
        return self._trace.ending.message

    @property
    def precision(self) -> float:
        """Distance of 1 from the next larger number of the run's type."""
        return float(np.finfo(self._run.config.dtype).eps)

    @property
    def names(self) -> tuple[str, ...]:
        return parameter_names(self._run.config.network)

    def weights_at(self, step: int) -> Array:
        return _there(self._trace.weights_at(step))

    def gradients_at(self, step: int) -> Array:
        return _there(self._trace.gradients_at(step))

    def outputs_at(self, step: int) -> Array:
        return _there(self._trace.outputs_at(step))

    def predictions_at(self, step: int) -> Array:
        """What the outputs say of the targets: probabilities where outputs are logits."""
        return self._predictions(self.outputs_at(step))

    def _predictions(self, outputs: Array) -> Array:
        wide = outputs.astype(np.float64)
        match LOSSES[self._run.config.loss].prediction:
            case "identity":
                return outputs
            case "softmax":
                exponentials = np.exp(wide - np.max(wide, axis=-1, keepdims=True))
                return _array(exponentials / np.sum(exponentials, axis=-1, keepdims=True))
            case "sigmoid":
                # By the powers that do not overflow; a square of what is left of a target tells
                # apart what any other way of computing it would round.
                powers = np.exp(-np.abs(wide))
                return _array(np.where(wide >= 0, 1.0, powers) / (1 + powers))
            case "exp":
                with np.errstate(over="ignore"):
                    return _array(np.exp(wide))
        raise ValueError("margins predict no number")

    def classes_at(self, step: int) -> Array:
        """The class [rows] that each row is put into, counted from 0.

        Where outputs are level but for ``ROUNDING`` units of rounding, the first of the level ones;
        of a single unit, 0.
        """
        outputs = self.outputs_at(step).astype(np.float64)
        unit = thresholds.ROUNDING * self.precision
        if outputs.shape[1] == 1:
            return _array((self._predictions(outputs)[:, 0] - 0.5 > unit * 0.5).astype(int))
        return _array(np.argmax(_ahead(outputs, unit), axis=1))

    def ties_at(self, step: int) -> Array:
        """Whether rounding or convention alone puts each row [rows] into its class."""
        outputs = self.outputs_at(step).astype(np.float64)
        unit = thresholds.ROUNDING * self.precision
        if outputs.shape[1] == 1:
            return _array(abs(self._predictions(outputs)[:, 0] - 0.5) <= unit * 0.5)
        return _array(np.sum(_ahead(outputs, unit), axis=1) > 1)

    @property
    def classes(self) -> Array:
        """The class [rows] that each row belongs to, counted from 0."""
        targets = self.given_targets
        first = targets[:, 0].astype(int)
        return _array(first if targets.shape[1] == 1 else np.argmax(targets, axis=1))

    def sums_at(self, layer: int, step: int) -> Array:
        """Weighted sums [rows, units] of a layer, counted from 1."""
        config = self._run.config
        layers = layers_of(config, self.weights_at(step))
        with np.errstate(all="ignore"):
            passed = forward(layers, config.network.activations, data_of(config, np.float64)[0])
        sums: Array = passed.pre_activations[layer - 1]
        return sums

    @property
    def dead_units(self) -> int:
        """Units with ReLU that are silent from the start.

        Their weighted sum is at most 0 for every row at the start, and their incoming weights have
        a gradient of exactly 0 in every round.
        """
        network, count, start = self._run.config.network, 0, 0
        for layer, (units, inputs) in enumerate(network.shapes, 1):
            here = np.arange(start, start + units * inputs).reshape(units, inputs)
            start += units * (inputs + network.trains_bias)
            if network.activations[layer - 1] == "relu":
                quiet = (self.gradients[:, here] == 0).all(axis=(0, 2))
                count += int(((self.sums_at(layer, 0) <= 0).all(axis=0) & quiet).sum())
        return count

    def curvature_at(self, step: int) -> float:
        """The largest eigenvalue of the Hessian of the loss over all rows."""
        return largest_curvature(self._run.config, self.weights_at(step))

    def curvatures_at(self, steps: Sequence[int]) -> Array:
        """That at several steps."""
        return np.array([self.curvature_at(step) for step in steps])

    @property
    def sees_all_rows(self) -> bool:
        """Whether the loss of every round is over all rows."""
        return self._run.config.data.sees_all_rows

    def setting(self, key: str) -> Any:
        """What the run's configuration has for a dotted key; None where it has no such key."""
        return self._run.config.flat().get(key)

    def apart(self, way: str) -> Array:
        """Largest differences [looked at] of a way of computing gradients.

        ``by hand`` and ``by differences`` from autograd, the name of a formula from by hand;
        relative to the derivative, or to what its rounding allows where that is more.
        """
        ways = {"by hand": self._checked.hand, "by differences": self._checked.differences}
        return ways[way].apart if way in ways else self._formula(way).way.apart

    def felt(self, name: str) -> Array:
        """Of each derivative that a formula replaces, the largest of any round, in such units."""
        return self._formula(name).felt

    @property
    def tolerance(self) -> float:
        """Difference from which on a way of computing gradients is another one."""
        return self._checked.tolerance

    @property
    def run_tolerance(self) -> float:
        """The same beside autograd, which has the precision of the run."""
        return self._checked.run_tolerance

    @property
    def by_hand(self) -> Array:
        """Gradients [steps, parameters] derived by hand, in float64."""
        return self._checked.hand.gradients

    @property
    def left_out(self) -> Array:
        """1 at steps [steps] where one of autograd's derivatives is compared with nothing."""
        found: Array = np.any(self._checked.left_out, axis=1).astype(np.float64)
        return found

    @property
    def clamped(self) -> Array:
        """1 at steps [steps] where clamps or rounding decide one of autograd's derivatives."""
        found: Array = np.any(self._checked.clamped, axis=1).astype(np.float64)
        return found

    def by_formula(self, name: str) -> Array:
        """Gradients [steps, parameters] by a formula of the lab."""
        return self._formula(name).way.gradients

    def trained_by(self, name: str) -> Array:
        """Losses of a training with a formula of the lab."""
        return self._formula(name).training.losses

    def gradients_by(self, name: str) -> Array:
        """Gradients [steps, parameters] of that training."""
        return self._formula(name).training.gradients

    @property
    def trained_right(self) -> Array:
        """Losses of the same training with the chain rule."""
        return self._checked.truth.losses

    @property
    def gradients_right(self) -> Array:
        """Gradients [steps, parameters] of that training."""
        return self._checked.truth.gradients

    @property
    def _checked(self) -> GradientCheck:
        if self._check is None:
            raise ValueError("no gradient check")
        return self._check

    def _formula(self, name: str) -> CheckedFormula:
        return next(c for c in self._checked.formulas if c.formula.name == name)


def _ahead(outputs: Array, unit: float) -> Array:
    """Which outputs [rows, units] are the largest of their row, but for rounding."""
    scale = np.max(np.abs(outputs), axis=1, keepdims=True)
    room = unit * np.where(np.isfinite(scale), scale, 0.0)
    found: Array = outputs >= np.max(outputs, axis=1, keepdims=True) - room
    return found


def _array(values: Any) -> Array:
    found: Array = np.asarray(values)
    return found


def _there(values: Array | None) -> Array:
    if values is None:
        raise ValueError("not recorded at that step")
    return values


def _rounds_alike(made: Any, right: Any, decimals: int) -> int:
    """For how many rounds two lists of numbers look the same when they are rounded."""
    both = min(len(made), len(right))
    alike = np.all(np.round(made[:both], decimals) == np.round(right[:both], decimals), axis=1)
    return both if alike.all() else int(np.argmin(alike))


def _standard_deviation(values: Any) -> Any:
    with np.errstate(over="ignore"):
        return np.std(values, ddof=1)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "all": lambda values: bool(np.all(values)),
    "across": lambda values: np.sum(values, axis=-1),
    "any": lambda values: bool(np.any(values)),
    "average_row": lambda values: np.mean(values, axis=0),
    "argmax": lambda values: int(np.argmax(values)),
    "argmin": lambda values: int(np.argmin(values)),
    "axis_argmax": lambda values: np.argmax(values, axis=-1),
    "count": lambda values: int(np.sum(values)),
    "deviation": _standard_deviation,
    "dot": lambda one, other: np.sum(one * other, axis=-1),
    "every_round": lambda values: np.all(values, axis=0),
    "difference": lambda values: np.diff(values, axis=0),
    "exp": np.exp,
    "in_any": lambda values: np.any(values, axis=-1),
    "larger": np.maximum,
    "last_true": lambda values: int(np.flatnonzero(values)[-1]),
    "log": np.log,
    "max": np.max,
    "mean": np.mean,
    "median": np.median,
    "median_interval": statistics.median_interval,
    "min": np.min,
    "most_frequent": lambda values: int(np.bincount(values).argmax()),
    "norm": norms,
    "quantile": np.quantile,
    "rounds_alike": _rounds_alike,
    "sign": np.sign,
    "sign_test": statistics.sign_test,
    "size": np.size,
    "smallest_p": statistics.smallest_p,
    "starts_needed": statistics.starts_needed,
    "spread": lambda values: np.ptp(values, axis=0),
    "sqrt": np.sqrt,
    "sum": np.sum,
    "wide": lambda values: np.asarray(values, dtype=np.float64),
}
"""What formulas may call; ``norm``, ``dot``, ``across`` and ``in_any`` are over the last axis,
``difference``, ``spread`` and ``average_row`` over the first, ``deviation`` divides by n − 1."""

OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
}


class _Evaluation:
    """A walk over the tree of a formula; only what is named here can happen."""

    def __init__(self, scopes: Sequence[_Scope]) -> None:
        self.scopes = scopes

    def value(self, node: ast.expr | ast.slice, scope: _Scope | None) -> Any:
        found = self._value(node, scope)
        # A single number is taken out of its array at full width, as rules do.
        return found.item() if isinstance(found, np.generic) else found

    def _value(self, node: Any, scope: _Scope | None) -> Any:
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

    def _name(self, name: str, scope: _Scope | None) -> Any:
        if name.isupper():
            return getattr(thresholds, name)
        if scope is None:
            raise KeyError(f"no run to take {name} from")
        return scope[name]

    def _scope(self, node: ast.expr) -> _Scope:
        if isinstance(node, ast.Name) and node.id[:1] == "r" and node.id[1:].isdigit():
            return self.scopes[int(node.id[1:]) - 1]
        raise ValueError("only runs have parts: r1.losses")

    def _call(self, node: ast.Call, scope: _Scope | None) -> Any:
        if isinstance(node.func, ast.Name) and node.func.id == "each":
            (inner,) = node.args
            return np.array([self.value(inner, one) for one in self.scopes])
        function = (
            FUNCTIONS[node.func.id]
            if isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS
            else self.value(node.func, scope)
        )
        return function(*(self.value(argument, scope) for argument in node.args))

    def _compare(self, node: ast.Compare, scope: _Scope | None) -> Any:
        values = [self.value(item, scope) for item in (node.left, *node.comparators)]
        parts = [
            OPERATORS[type(op)](left, right)
            for op, left, right in zip(node.ops, values, values[1:], strict=False)
        ]
        result = parts[0]
        for part in parts[1:]:
            result = result & part
        return result
