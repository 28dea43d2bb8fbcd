"""What a gradient check may say: one run, and formulas in the names of its network."""

from __future__ import annotations

from typing import Protocol

from labreport.lab.configuration import Network, RunConfig
from labreport.lab.expression import NotAFormulaError, parse, symbols
from labreport.lab.faults import Location, nearest
from labreport.lab.lab import Experiment, Formula
from labreport.lab.naming import names_as_read, unit_names

DERIVATIVE = "d_"
"""In front of a weight's name: the derivative of the loss by it."""


class Blame(Protocol):
    """Notes a fault at a location of the lab file."""

    def __call__(self, location: Location, code: str, **details: object) -> None: ...


def known_names(network: Network, replaced: tuple[str, ...]) -> tuple[str, ...]:
    """Names that formulas may use: all but the derivatives that are themselves replaced."""
    parameters = names_as_read(network)
    units = unit_names(network)
    targets = tuple(f"y{number}" for number in range(1, network.layers[-1] + 1))
    flat = tuple(name.replace(".", "_") for layer in units for name in layer)
    derivatives = tuple(f"{DERIVATIVE}{name}" for name in parameters if name not in replaced)
    return (*parameters, *flat, *targets, *derivatives)


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
    names = [formula.name for formula in experiment.formula]
    for index, formula in enumerate(experiment.formula):
        place = (*here, "formula", index)
        if formula.name in names[:index]:
            blame((*place, "name"), "duplicate", values={"found": formula.name})
        _check_formula((*place, "derivatives"), formula, config.network, blame)


def _check_formula(place: Location, formula: Formula, network: Network, blame: Blame) -> None:
    parameters = names_as_read(network)
    known = known_names(network, tuple(formula.derivatives))
    for weight, text in formula.derivatives.items():
        here = (*place, weight)
        if weight not in parameters:
            near = nearest(weight, parameters)
            blame(here, "unknown-name", values={"found": weight}, allowed=parameters, nearest=near)
        try:
            used = symbols(parse(text))
        except NotAFormulaError as error:
            blame(here, "not-a-formula", values={"found": str(error)})
            continue
        for name in used:
            if name not in known:
                near = nearest(name, known)
                blame(here, "unknown-name", values={"found": name}, allowed=known, nearest=near)
