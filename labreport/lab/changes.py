"""Keys in which two configurations differ, and whether their losses measure the same."""

from __future__ import annotations

from labreport.lab.configuration import RunConfig
from labreport.lab.lab import TAGS
from labreport.lab.schema.losses import LOSSES
from labreport.lab.schema.model import LabTable

OF_ANY_KIND = ("optimizer.name", "initial.scheme", "optimizer.learning_rate")
"""Keys that every optimizer or every initialiser has: another value is a change by itself."""

QUANTITIES = {
    "bce_with_logits": "bce",
    "multilabel_soft_margin": "bce",
    "smooth_l1": "huber",
}
"""Losses that measure the same of predictions and targets as another one, and that one."""

OF_SUMS = {
    ("bce", "sigmoid"): "bce",
    ("bce_with_logits", "identity"): "bce",
    ("multilabel_soft_margin", "identity"): "bce",
    ("cross_entropy", "identity"): "cross_entropy",
    ("cross_entropy", "log_softmax"): "cross_entropy",
}
"""Losses with the last activation that make one function of the weighted sums of the last layer."""


def differing_keys(one: RunConfig, other: RunConfig) -> tuple[str, ...]:
    """Keys in which the second configuration differs from the first, each a change of its own.

    What another optimizer brings along is part of that one change: its defaults, and values that it
    has no default for. Of another initialiser all values are, for they name one distribution.
    """
    return tuple(
        key
        for key in shown_differences(one, other)
        if _is_chosen(key, _table_of_another_kind(key, one, other))
    )


def shown_differences(one: RunConfig, other: RunConfig) -> tuple[str, ...]:
    """Keys whose values in the second configuration the first and its own defaults do not tell."""
    first, second = one.flat(), other.flat()
    return tuple(
        key
        for key in {**first, **second}
        if first.get(key) != second.get(key)
        and not _is_default(key, _table_of_another_kind(key, one, other))
    )


def _table_of_another_kind(key: str, one: RunConfig, other: RunConfig) -> LabTable | None:
    """The optimizer or initialiser of the second that a key belongs to, if the first's differs."""
    table = key.partition(".")[0]
    if table not in TAGS or type(getattr(one, table)) is type(getattr(other, table)):
        return None
    found: LabTable = getattr(other, table)
    return found


def _is_default(key: str, table: LabTable | None) -> bool:
    """Return whether an optimizer or initialiser has this value without anybody setting it."""
    if table is None:
        return False
    name = key.partition(".")[2]
    field = type(table).model_fields.get(name)
    return field is None or getattr(table, name) == field.default


def _is_chosen(key: str, table: LabTable | None) -> bool:
    """Return whether a value is more than what an optimizer or initialiser cannot do without."""
    if table is None or key in OF_ANY_KIND:
        return True
    if key.startswith("initial."):
        return False
    field = type(table).model_fields[key.partition(".")[2]]
    return not field.is_required() and field.default is not None


def quantity(config: RunConfig) -> str:
    """What a loss measures of predictions and targets: one name for one quantity."""
    if _is_cross_entropy(config):
        return "cross_entropy"
    return QUANTITIES.get(config.loss, config.loss)


def is_one_function(one: RunConfig, other: RunConfig) -> bool:
    """Return whether loss and last activation together are one function in both, written apart."""
    names = [config.network.activations for config in (one, other)]
    functions = [_of_sums(config) for config in (one, other)]
    return names[0][:-1] == names[1][:-1] and functions[0] == functions[1] != ""


def has_same_outputs(one: RunConfig, other: RunConfig) -> bool:
    """Return whether networks of two losses predict by the same functions of their weighted sums.

    A loss of logits over a linear output predicts what a sigmoid gives that another loss is of.
    """
    return _predicting(one) == _predicting(other)


def _predicting(config: RunConfig) -> tuple[str, ...]:
    """Activations by which a network predicts: that of a loss of logits is part of the loss."""
    *hidden, last = config.network.activations
    of_loss = LOSSES[config.loss].prediction
    if last != "identity" and of_loss != "identity":
        return (*hidden, last, of_loss)
    return (*hidden, of_loss if last == "identity" else last)


def _of_sums(config: RunConfig) -> str:
    if _is_cross_entropy(config):
        return "cross_entropy"
    return OF_SUMS.get((config.loss, config.network.activations[-1]), "")


def _is_cross_entropy(config: RunConfig) -> bool:
    """Return whether a divergence is the cross entropy: of one class a row the entropy is 0."""
    if config.loss != "kl_div" or config.network.activations[-1] != "log_softmax":
        return False
    return all(sorted(row) == [0.0] * (len(row) - 1) + [1.0] for row in config.data.targets)
