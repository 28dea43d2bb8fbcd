"""What a lab file may say, but hardly means."""

from __future__ import annotations

from collections.abc import Iterator

from labreport.errors import Fault
from labreport.lab.constant_answers import reason
from labreport.lab.faults import Source
from labreport.lab.plan import Lab


def warnings(lab: Lab, source: Source) -> tuple[Fault, ...]:
    """Settings that are no faults, each at its experiment, in the order of the file.

    Args:
        lab: the lab.
        source: its file, for the lines.
    """
    return tuple(_warnings(lab, source))


def _warnings(lab: Lab, source: Source) -> Iterator[Fault]:
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
