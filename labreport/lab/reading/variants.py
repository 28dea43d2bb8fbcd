"""The names and labels of variants, and which variant each is compared with."""

from __future__ import annotations

from labreport.lab.lab import TAGS, Experiment, sweep_axes
from labreport.lab.reading.fault_log import FaultLog
from labreport.lab.reading.faults import Location, nearest
from labreport.lab.reading.look_alikes import skeleton
from labreport.lab.reading.raw_tables import has


def check_variants(here: Location, experiment: Experiment, log: FaultLog) -> None:
    """Note names, labels and comparisons that are wrong among the variants of an experiment."""
    names = [variant.name for variant in experiment.variant]
    places = {name: index for index, name in reversed(list(enumerate(names)))}
    labels: dict[tuple[str, str], str] = {}
    told: set[tuple[str, str]] = set()
    for index, variant in enumerate(experiment.variant):
        place: Location = (*here, "variant", index)
        if places[variant.name] != index:
            log.fault((*place, "name"), "duplicate", values={"found": variant.name})
        # Two variants with one label would be one and the same in every sentence.
        for code in ("zh", "en") if variant.label else ():
            label = variant.label.within(code) if variant.label else ""
            other = labels.setdefault((code, skeleton(label)), label) if label else label
            if label and label == other and (code, label) in told:
                log.fault((*place, "label"), "duplicate", values={"found": label})
            elif label != other:
                values = {"found": label, "other": other}
                log.fault((*place, "label"), "look-alike", values=values)
            told.add((code, label))
        against = variant.against
        if against == variant.name:
            log.fault((*place, "against"), "against-itself", values={"found": against})
        elif against is not None and against not in places:
            others = tuple(name for name in names if name != variant.name)
            log.fault(
                (*place, "against"),
                "unknown-name",
                values={"found": variant.against},
                allowed=others,
                nearest=nearest(variant.against, others),
            )
    _refuse_circles(here, experiment, log)
    _refuse_overridden(here, experiment, log)


def _refuse_circles(here: Location, experiment: Experiment, log: FaultLog) -> None:
    """Refuse variants that are each compared with the next one, round in a circle."""
    to = {variant.name: variant.against for variant in experiment.variant}
    places = {variant.name: index for index, variant in enumerate(experiment.variant)}
    seen: set[str] = set()
    for start in to:
        way: dict[str, None] = {}
        name: str | None = start
        while name in to and name not in seen:
            seen.add(name)
            way[name] = None
            name = to[name]
        if name in way and to[name] != name:
            place = (*here, "variant", places[name], "against")
            log.fault(place, "against-cycle", values={"found": name})


def _refuse_overridden(here: Location, experiment: Experiment, log: FaultLog) -> None:
    """Refuse keys that are set in a table whose sweep sets them again at every point.

    A name on which other keys depend does more: it brings their defaults back.
    """
    tables = [(here, experiment.change, experiment.sweep)]
    for index, variant in enumerate(experiment.variant):
        sweep = experiment.sweep if variant.sweep is None else variant.sweep
        tables.append(((*here, "variant", index), variant.change, sweep))
    for place, change, sweep in tables:
        for path, _ in sweep_axes(sweep):
            if has(change, path) and TAGS.get(path[0]) != path[-1]:
                log.fault(
                    (*place, "change", *path), "set-and-swept", values={"key": ".".join(path)}
                )
