"""The formulas of what the runs of a lab use, and what their symbols mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from labreport.lab.configuration import RunConfig
from labreport.report.formulas.activation_formulas import ACTIVATION_FORMULAS
from labreport.report.formulas.loss_formulas import ERROR_TERMS, LOSS_FORMULAS
from labreport.report.formulas.optimizer_formulas import (
    DECAYED_GRADIENT,
    GRADIENT,
    has_decayed_gradient,
    optimizer_formula,
)
from labreport.report.formulas.stated_formula import together
from labreport.report.formulas.symbols import Use, meanings
from labreport.report.phrases import passage
from labreport.report.tree import Block, Paragraph


def activation_formulas(configs: Sequence[RunConfig]) -> list[Block]:
    """Each activation with its derivative."""
    names = dict.fromkeys(name for config in configs for name in config.network.activations)
    return _stated(Use(ACTIVATION_FORMULAS[name]) for name in names)


def loss_formulas(configs: Sequence[RunConfig]) -> list[Block]:
    """Each loss with its derivative."""
    names = dict.fromkeys(config.loss for config in configs)
    return _stated(Use(LOSS_FORMULAS[name]) for name in names)


def error_terms(configs: Sequence[RunConfig]) -> list[Block]:
    """δ of the last layer by loss, where runs with MSE and with cross entropy have sigmoids there.

    Empty where not both occur: there is nothing to compare.
    """
    used = dict.fromkeys(c.loss for c in configs if _gives_probabilities(c))
    if "mse" not in used or len(used) < 2:
        return []
    return [*together(ERROR_TERMS[loss] for loss in used)]


def _gives_probabilities(config: RunConfig) -> bool:
    """Return whether the outputs, or what the loss makes of them, are sigmoids."""
    logits = config.loss == "bce_with_logits"
    last = "identity" if logits else "sigmoid"
    return config.loss in ERROR_TERMS and config.network.activations[-1] == last


def optimizer_formulas(configs: Sequence[RunConfig]) -> list[Block]:
    """The gradient and each optimizer's update of it."""
    optimizers = list(dict.fromkeys(config.optimizer for config in configs))
    decayed = any(map(has_decayed_gradient, optimizers))
    gradient = DECAYED_GRADIENT if decayed else GRADIENT
    return _stated(
        [
            *(Use(gradient, optimizer) for optimizer in optimizers),
            *(Use(optimizer_formula(optimizer), optimizer) for optimizer in optimizers),
        ]
    )


def _stated(uses: Iterable[Use]) -> list[Block]:
    """Formulas, each once, and after them what their symbols mean."""
    there = list(uses)
    told = meanings(there)
    blocks: list[Block] = [*together(dict.fromkeys(use.formula for use in there))]
    return [*blocks, Paragraph(passage(told))] if told else blocks
