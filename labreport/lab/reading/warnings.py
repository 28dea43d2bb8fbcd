"""Warnings about what a lab file may state, but hardly means."""

from __future__ import annotations

from collections.abc import Iterator

from labreport.errors import Fault
from labreport.lab.plan import Lab, Plan
from labreport.lab.reading.faults import SourceText
from labreport.lab.reading.look_alikes import skeleton
from labreport.lab.schema.activations import ACTIVATIONS
from labreport.lab.schema.losses import LOSSES
from labreport.lab.schema.optimizers import OPTIMIZER_TITLES
from labreport.lab.squashed import squashed_twice
from labreport.lab.unlearnable import reason


def warnings(lab: Lab, source: SourceText) -> tuple[Fault, ...]:
    """Settings that are no faults, each at its experiment, in the order of the file.

    Args:
        lab: the lab.
        source: its file, for the lines.
    """
    return tuple(_warnings(lab, source))


def _warnings(lab: Lab, source: SourceText) -> Iterator[Fault]:
    for plan in lab.plans:
        found = dict.fromkeys((r, t.variant) for t in plan.trials if (r := reason(t.config)))
        for code in dict.fromkeys(code for code, _ in found):
            names = ", ".join(variant for c, variant in found if c == code)
            place = ("experiment", plan.name)
            values = {"variants": names}
            match code:
                case "cross-entropy":
                    yield source.fault(place, "cross-entropy-of-one-unit", values=values)
                case "softmax" | "log-softmax":
                    yield source.fault(place, "softmax-of-one-unit", values=values)
                case "one-class":
                    yield source.fault(place, "targets-of-one-class", values=values)
        yield from _squashed(plan, source)
        yield from _labels(plan, source)


def _squashed(plan: Plan, source: SourceText) -> Iterator[Fault]:
    """Last activations that a loss applies once more, with the variants that have them."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for trial in plan.trials:
        config = trial.config
        if squashed_twice(config) and reason(config) is None:
            key = (config.loss, config.network.activations[-1])
            found.setdefault(key, {})[trial.variant] = None
    for (loss, last), variants in found.items():
        values = {"variants": ", ".join(variants), "loss": loss, "activation": last}
        values["within"] = LOSSES[loss].prediction
        yield source.fault(("experiment", plan.name), "activation-within-loss", values=values)


NAMED = {
    "optimizer.name": frozenset(OPTIMIZER_TITLES),
    "loss": frozenset(LOSSES),
    "network.activations": frozenset(ACTIVATIONS),
}
"""Keys whose values a label may name, and these values."""


def _labels(plan: Plan, source: SourceText) -> Iterator[Fault]:
    """Labels that are the name of a setting which their variant does not have."""
    for index, variant in enumerate(plan.experiment.variant):
        label = "" if variant.label is None else variant.label.within("en")
        words = skeleton(label).replace("-", "").replace("_", "")
        flat = plan.of(variant.name)[0].config.flat()
        for key, names in NAMED.items():
            value = flat[key]
            own = set(value) if isinstance(value, list) else {value}
            meant = {name for name in names if name.replace("_", "") == words}
            if meant and not meant & own:
                place = ("experiment", plan.name, "variant", index, "label")
                shown = ", ".join(sorted(own))
                values = {"found": variant.name, "label": label, "key": key, "value": shown}
                yield source.fault(place, "label-of-another", values=values)
