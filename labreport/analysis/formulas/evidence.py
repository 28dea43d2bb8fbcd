"""Formulas over stored runs: what a fact was computed with, and what a claim rests on.

A formula is arithmetic, comparisons and a few functions over the arrays of a run, as text that
anyone can follow with the stored file at hand: ``losses[10] - floor``. Names without a prefix
belong to the first run, ``r2.losses`` to the second; ``each(losses[10])`` is the list over all
runs. Rules compute their numbers in code of their own; what is written here is computed apart
from that, so a mistake in either of the two comes to light.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from math import isnan
from typing import Any

from labreport.analysis import thresholds
from labreport.analysis.formulas.formula_evaluation import FormulaEvaluation, Lists
from labreport.analysis.formulas.run_scope import RunScope
from labreport.analysis.observation import Fact, Names, Observation, Source, With
from labreport.analysis.results import ExperimentResults
from labreport.data.data_set import DataSet
from labreport.reference.gradient_check.check_result import GradientCheck
from labreport.runs.run import Run

TOLERANCE = 1e-9
"""Relative difference that two orders of the same sum can make in float64, with room to spare."""


HIDDEN_IN = {"allowance": "ROUNDING", "classes_at": "ROUNDING", "ties_at": "ROUNDING"}
"""Names of a run that stand for an expression with a threshold in it."""


class FormulaError(ValueError):
    """A formula that is none, or that reads what was not stored."""


@dataclass(frozen=True)
class Known:
    """The runs and the gradient check that formulas may read.

    Attributes:
        runs: stored runs by name.
        check: of the experiment, if it is a gradient check.
        data_sets: that runs were trained on, by the name of the run.
        lists: what formulas have read of several runs so far, which others may read again.
    """

    runs: Mapping[str, Run]
    check: GradientCheck | None = None
    data_sets: Mapping[str, DataSet] = field(default_factory=dict)
    lists: Lists = field(default_factory=dict, compare=False, repr=False)


def known_of(results: ExperimentResults) -> Known:
    """Return what formulas of an experiment's observations may read."""
    others = (r.run for other in results.elsewhere for r in other.results)
    runs = (*others, *(r.run for r in results.results), *results.controls.values())
    return Known({run.name: run for run in runs}, results.check, data_sets_of(results))


def data_sets_of(results: ExperimentResults) -> dict[str, DataSet]:
    """The data sets of an experiment's runs and of their controls, by the name of the run."""
    made = [(r.run, r.trial.data_set) for r in results.results if r.trial.data_set is not None]
    of_rows = {run.config.data.rows.digest: data_set for run, data_set in made}
    controls = [
        (run, of_rows[rows])
        for run in (results.controls.values() if of_rows else ())
        if (rows := run.config.data.rows.digest) in of_rows
    ]
    return {run.name: data_set for run, data_set in (*controls, *made)}


def evaluate(source: Source, known: Known) -> Any:
    """The value of a formula: a number, a truth, or an array of them.

    Raises:
        FormulaError: if the formula is malformed, or names what its runs do not have.
    """
    try:
        scopes = [
            RunScope(known.runs[name], known.check, known.data_sets.get(name))
            for name in source.runs
        ]
        evaluation = FormulaEvaluation(scopes, source.runs, known.lists)
        return evaluation.value(_parsed(source.formula), scopes[0] if scopes else None)
    except (LookupError, TypeError, SyntaxError, ValueError, ZeroDivisionError) as error:
        raise FormulaError(f"{source.formula}: {error}") from error


def thresholds_of(observation: Observation) -> dict[str, float]:
    """The thresholds that an observation's claims name, in the order in which they appear."""
    names = (name for claim in observation.claims for name in _thresholds_in(claim.formula))
    return {name: getattr(thresholds, name) for name in names}


@cache
def _thresholds_in(formula: str) -> tuple[str, ...]:
    """The names of thresholds in a formula."""
    nodes = list(ast.walk(_parsed(formula)))
    written = [node.id for node in nodes if isinstance(node, ast.Name)]
    written += [node.attr for node in nodes if isinstance(node, ast.Attribute)]
    names = (HIDDEN_IN.get(name, name) for name in written)
    return tuple(name for name in names if name.isupper())


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
    """Return whether two values are equal to within rounding."""
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
