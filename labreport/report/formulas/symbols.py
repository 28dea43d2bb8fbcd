"""What the symbols of the stated formulas mean, each said once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labreport.lab.schema.optimizers import Optimizer
from labreport.report.formulas.stated_formula import StatedFormula
from labreport.report.phrases import Phrase, configured, listed, text


@dataclass(frozen=True)
class DefinedSymbol:
    """A symbol: its key in the catalogues (``symbol.<key>``) and the settings that it stands for.

    The text of one that stands for a setting has the values that the lab gives it.
    """

    key: str
    settings: tuple[str, ...] = ()


SYMBOLS: dict[str, DefinedSymbol] = {
    r"\sigma": DefinedSymbol("sigma"),
    r"\Phi": DefinedSymbol("normal-distribution"),
    "I": DefinedSymbol("unit-matrix"),
    "n": DefinedSymbol("n"),
    "N": DefinedSymbol("examples"),
    "w": DefinedSymbol("w"),
    "g": DefinedSymbol("g"),
    r"\lambda": DefinedSymbol("weight-decay", ("weight_decay",)),
    "v": DefinedSymbol("velocity"),
    r"\mu": DefinedSymbol("momentum", ("momentum",)),
    r"\tau": DefinedSymbol("dampening", ("dampening",)),
    "m": DefinedSymbol("average"),
    "s": DefinedSymbol("squares"),
    r"\beta": DefinedSymbol("betas", ("betas",)),
    r"\alpha": DefinedSymbol("alpha", ("alpha",)),
    r"\rho": DefinedSymbol("rho", ("rho",)),
    r"\varepsilon": DefinedSymbol("eps", ("eps",)),
    "t": DefinedSymbol("t"),
    "S": DefinedSymbol("largest-squares"),
    "Q": DefinedSymbol("sum-of-squares", ("initial_accumulator_value",)),
    r"\kappa": DefinedSymbol("learning-rate-decay", ("learning_rate_decay",)),
    "D": DefinedSymbol("squared-steps"),
    "u": DefinedSymbol("largest-gradient"),
    r"\psi": DefinedSymbol("momentum-decay", ("momentum_decay",)),
    "P": DefinedSymbol("momentum-product"),
    r"\omega": DefinedSymbol("length-of-average"),
    r"\gamma": DefinedSymbol("lambd", ("lambd",)),
    "q": DefinedSymbol("power", ("alpha",)),
    r"\xi": DefinedSymbol("steps", ("etas", "step_sizes")),
    "G": DefinedSymbol("last-gradient"),
}
"""By what stands in LaTeX, in the order in which they are told."""


@dataclass(frozen=True)
class Use:
    """A formula that a lab uses; of an optimizer also its settings."""

    formula: StatedFormula
    optimizer: Optimizer | None = None


def meanings(uses: Sequence[Use]) -> list[Phrase]:
    """A sentence on each symbol in what is used, with the values that its settings have there."""
    found: list[Phrase] = []
    for symbol, defined in SYMBOLS.items():
        there = [use.optimizer for use in uses if symbol in use.formula.symbols]
        if there:
            values = {name: _values(name, there) for name in defined.settings}
            found.append(text(f"symbol.{defined.key}", **values))
    return found


def _values(setting: str, optimizers: Iterable[Optimizer | None]) -> Phrase:
    """The distinct values of a setting."""
    given = (
        configured(f"optimizer.{setting}", getattr(optimizer, setting))
        for optimizer in optimizers
        if hasattr(optimizer, setting)
    )
    return listed(dict.fromkeys(given), "clauses")
