"""Checks of a gradient check: one run, and formulas in the names of its network."""

from __future__ import annotations

from typing import Protocol

from labreport.lab.configuration import Network, RunConfig
from labreport.lab.expression import NotAFormulaError, parse, symbols
from labreport.lab.lab import Experiment, Formula
from labreport.lab.naming import names_as_read, unit_names
from labreport.lab.reading.faults import Location, nearest

DERIVATIVE = "d_"
"""In front of a weight's name: the derivative of the loss by it."""


MOST_PARAMETERS = 3000
"""Parameters of a network whose gradients are checked: differences take two forward passes for
each, and each has a name; 64-32-10 has 2410."""


class Blame(Protocol):
    """Notes a fault at a location of the lab file."""

    def __call__(self, location: Location, code: str, **details: object) -> None: ...


def _names(network: Network) -> tuple[str, ...]:
    """Names that a formula which replaces nothing may use."""
    parameters = names_as_read(network)
    units = unit_names(network)
    targets = tuple(f"y{number}" for number in range(1, network.layers[-1] + 1))
    flat = tuple(name.replace(".", "_") for layer in units for name in layer)
    return (*parameters, *flat, *targets, *(f"{DERIVATIVE}{name}" for name in parameters))


def check_formulas(here: Location, experiment: Experiment, config: RunConfig, blame: Blame) -> None:
    """Note what is wrong with the formulas of an experiment, of which ``config`` is a run."""
    if experiment.kind != "gradient-check":
        if experiment.formula:
            blame((*here, "formula"), "formula-without-check", values={})
        return
    for key in ("variant", "sweep", "seeds"):
        if getattr(experiment, key):
            blame((*here, key), "check-of-one-run", values={"found": key})
    if config.data.batch_size is not None:
        blame((*here, "kind"), "check-of-batches", values={})
    if experiment.formula and len(config.data.inputs) > 1:
        blame((*here, "formula"), "formula-rows", values={"found": len(config.data.inputs)})
    if config.network.parameter_count > MOST_PARAMETERS:
        values = {"found": config.network.parameter_count, "limit": MOST_PARAMETERS}
        blame((*here, "kind"), "check-of-many-parameters", values=values)
        return
    names = [formula.name for formula in experiment.formula]
    parameters = names_as_read(config.network)
    every = dict.fromkeys(_names(config.network))
    for index, formula in enumerate(experiment.formula):
        place = (*here, "formula", index)
        if formula.name in names[:index]:
            blame((*place, "name"), "duplicate", values={"found": formula.name})
        _check_formula((*place, "derivatives"), formula, parameters, every, blame)


def _check_formula(
    place: Location,
    formula: Formula,
    parameters: tuple[str, ...],
    every: dict[str, None],
    blame: Blame,
) -> None:
    unknown = {f"{DERIVATIVE}{name}" for name in formula.derivatives}
    known = tuple(name for name in every if name not in unknown)
    for weight, text in formula.derivatives.items():
        here = (*place, weight)
        if f"{DERIVATIVE}{weight}" not in every:
            near = nearest(weight, parameters)
            blame(here, "unknown-name", values={"found": weight}, allowed=parameters, nearest=near)
        try:
            used = symbols(parse(text))
        except NotAFormulaError as error:
            blame(here, error.code, values={"found": str(error)})
            continue
        for name in used:
            if name not in every or name in unknown:
                near = nearest(name, known)
                blame(here, "unknown-name", values={"found": name}, allowed=known, nearest=near)
