"""Check all of a lab file in one pass, and resolve every run."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from labreport.errors import Fault, InputError
from labreport.lab.class_targets import beyond, class_numbers
from labreport.lab.configuration import RunConfig, misfits
from labreport.lab.formula_checks import check_formulas
from labreport.lab.lab import (
    Change,
    Experiment,
    LabFile,
    Range,
    Seeds,
    Variant,
    change_at,
    merge,
    sweep_axes,
)
from labreport.lab.plan import AppendixPlan, Lab, Plan, Trial
from labreport.lab.reading.faults import (
    MAXIMUM_FAULTS,
    Location,
    Mismatch,
    SourceText,
    findings,
    holds,
    nearest,
)
from labreport.lab.reading.look_alikes import skeleton
from labreport.lab.reading.toml_file import parse, read
from labreport.lab.shared import Shared

MAXIMUM_RUNS = 20_000
"""Runs of a lab, resolved one by one, in some 50 µs each, before anything is trained."""

MAXIMUM_NUMBERS = 50_000_000
"""Numbers of the data and given weights of all runs together, which all go into digests."""

FEW_STARTS = 50
"""Random starts whose weights are kept for every round; of more, only losses are."""

RECORDS = 20
"""About so many records of their weights are kept for each of a larger number of starts."""

PLACEHOLDERS: dict[str, Any] = {
    "data": {"inputs": [[0.0]], "targets": [[0.0]]},
    "data.inputs": [[0.0]],
    "data.targets": [[0.0]],
    "network": {"layers": [1, 1], "activations": "identity"},
    "network.layers": [1, 1],
    "network.activations": "identity",
    "optimizer": {"name": "sgd", "learning_rate": 1.0},
    "optimizer.name": "sgd",
    "optimizer.learning_rate": 1.0,
}
"""Stand in for a required key of the base that is at fault, so that the rest can be checked."""


STAND_INS = ("title", "label", "value")
"""Texts that a table must have; without one, the rest of the table is checked all the same."""


@dataclass(frozen=True)
class Settings:
    """Some keys of a configuration, and the table of the file in which they stand."""

    place: Location
    change: Change

    def at(self, path: Location) -> Location:
        """Where in the file a key of the configuration stands, or would stand."""
        return (*self.place, *path)


@dataclass(frozen=True)
class SweptValue(Settings):
    """One value of a swept key, and where the value stands."""

    path: tuple[str, ...]
    value: Any
    value_place: Location

    def at(self, path: Location) -> Location:
        return self.value_place if has(self.change, path) else super().at(path)


def load(path: Path) -> Lab:
    """The lab in a file.

    Raises:
        InputError: with every fault of the file, in the order of its lines.
    """
    source = read(path)
    return _LabReader(source, parse(source)).lab()


class _LabReader:
    """One pass over a lab file, which collects its faults as it goes."""

    def __init__(self, source: SourceText, raw: dict[str, Any]) -> None:
        self.source = source
        self.raw = raw
        self.faults: dict[tuple[Location, str], Fault] = {}
        self.consequences: dict[tuple[Location, str], Fault] = {}
        self.unsound: set[str] = set()
        self.shared = Shared()
        self.runs = 0
        self.numbers = 0

    def lab(self) -> Lab:
        file = self._file()
        base = self._sound(Settings(("base",), _table(self.raw.get("base"))))
        self._check_worked_row(file, base)
        plans = tuple(self._plans(file, [base])) if file else ()
        appendices = tuple(self._appendices(file, base)) if file else ()
        if self.faults or self.consequences or file is None:
            raise InputError(self._told())
        return Lab(
            file.languages,
            file.cover,
            file.purpose,
            self.shared.resolve(base.change),
            plans,
            appendices,
            file,
        )

    def _check_worked_row(self, file: LabFile | None, base: Settings) -> None:
        """Note a row for the worked example that the base's data do not have."""
        row, inputs = file.worked_row if file else None, base.change.get("data", {}).get("inputs")
        if row is not None and isinstance(inputs, list | tuple) and row > len(inputs):
            values = {"found": row, "bound": f"≤ {len(inputs)}"}
            self._fault(("worked_row",), "out-of-range", values=values)

    def _told(self) -> list[Fault]:
        """What is wrong, in the order of the file; consequences only if there is nothing else."""
        faults = self.faults or self.consequences
        told = sorted(faults.values(), key=lambda f: (f.line, f.column, f.key))
        if len(told) == MAXIMUM_FAULTS:
            told.append(Fault("more-faults", {"limit": MAXIMUM_FAULTS}, self.source.path))
        return told

    def _blame(self, location: Location, finding: Mismatch) -> None:
        self._fault(
            location,
            finding.code,
            values=finding.values,
            allowed=finding.allowed,
            nearest=finding.nearest,
        )

    def _fault(self, location: Location, code: str, **details: Any) -> None:
        key = (location, code)
        if key not in self.faults:
            self.faults[key] = self.source.fault(location, code, **details)
        if len(self.faults) == MAXIMUM_FAULTS:
            raise InputError(self._told())

    def _consequence(self, location: Location, code: str, **details: Any) -> None:
        """A fault that may only follow from others, and so is told when there are none."""
        if not self.faults:
            self.consequences[location, code] = self.source.fault(location, code, **details)

    def _file(self) -> LabFile | None:
        """The file's own tables; whatever is at fault is taken out, so that the rest is seen."""
        raw = self.raw
        taken: list[Location] = []
        for _ in range(3):
            try:
                return LabFile.model_validate(raw)
            except ValidationError as error:
                found = findings(error.errors(include_url=False), LabFile, raw)
            for finding in found:
                # What is missing only because something in it was taken out is no fault.
                if not any(_leads_to(finding.location, other) for other in taken):
                    self._blame(finding.location, finding)
            for finding in found:
                taken.append(finding.location)
                stands_in = finding.code == "missing-key" and finding.location[-1] in STAND_INS
                change = _standing_in if stands_in else without
                raw = change(raw, finding.location)
        return None

    def _sound(self, *layers: Settings) -> Settings:
        """The last layer without its faults, after they have been noted."""
        *outer, last = layers
        for _ in range(3):
            merged = _merged([*outer, last])
            try:
                config = self.shared.resolve(merged)
            except ValidationError as error:
                found = _found(error, merged)
            else:
                # A change may need another one to fit: that is checked when all are merged.
                if not outer:
                    self._fit(config, [last])
                return last
            for finding in found:
                owner = _owner([*outer, last], finding)
                self._blame(owner.at(finding.location), finding)
                if owner is last:
                    change = self._mended(last.change, finding.location, is_base=not outer)
                    last = replace(last, change=change)
        return last

    def _mended(self, change: Change, location: Location, *, is_base: bool) -> Change:
        """A change without the key at fault; the base gets a stand-in if it needs that key."""
        if location[0] == "initial":
            # Its keys depend on one another: what is left of it would be called incomplete.
            location = location[:1]
        if has(change, location):
            change = cast(Change, without(change, location))
        for length in range(len(location), 0, -1):
            key = ".".join(str(part) for part in location[:length])
            if is_base and key in PLACEHOLDERS:
                self.unsound.add(key)
                return merge(change, change_at([(key.split("."), PLACEHOLDERS[key])]))
        return change

    def _fit(self, config: RunConfig, layers: Sequence[Settings]) -> None:
        for key, code, values, involved in misfits(config):
            if any(other.startswith(bad) for other in (key, *involved) for bad in self.unsound):
                continue
            places = [_path(key), *(_path(other) for other in involved)]
            owners = [
                (index, place)
                for place in places
                for index, layer in enumerate(layers)
                if has(layer.change, place)
            ]
            index, place = max(owners, key=lambda pair: pair[0], default=(0, places[0]))
            layer = layers[index]
            place = places[0] if has(layer.change, places[0]) else place
            self._fault(layer.at(place), code, values={**values, "of": key})

    def _appendices(self, file: LabFile, base: Settings) -> Iterator[AppendixPlan]:
        for name, appendix in file.appendix.items():
            change = self._sound(base, Settings(("appendix", name, "change"), appendix.change))
            yield AppendixPlan(name, appendix.title, tuple(self._plans(file, [base, change])))

    def _plans(self, file: LabFile, bases: list[Settings]) -> Iterator[Plan]:
        for name, experiment in file.experiment.items():
            plan = self._plan(name, experiment, bases)
            if plan is not None:
                yield plan

    def _plan(self, name: str, experiment: Experiment, bases: list[Settings]) -> Plan | None:
        here: Location = ("experiment", name)
        self._names(here, experiment)
        common = self._sound(*bases, Settings((*here, "change"), experiment.change))
        trials: list[Trial] = []
        axes: dict[str, dict[str, Any]] = {}
        for index, variant in enumerate(experiment.variants):
            place: Location = (*here, "variant", index)
            layers = [*bases, common]
            layers.append(self._sound(*layers, Settings((*place, "change"), variant.change)))
            swept_at = here if variant.sweep is None else place
            sweep = experiment.sweep if variant.sweep is None else variant.sweep
            seeded_at = here if variant.seeds is None else place
            seeds_of = experiment.seeds if variant.seeds is None else variant.seeds
            self._count(here, layers, extent(sweep), _number_of(seeds_of))
            swept = self._axes((*swept_at, "sweep"), sweep)
            seeds = self._seeds(seeded_at, seeds_of)
            for axis in swept:
                merged_axis = axes.setdefault(".".join(axis[0].path), {})
                merged_axis.update({repr(choice.value): choice.value for choice in axis})
            every = experiment.record_every
            trials += self._trials(place, variant, seeds, every, layers, swept)
        if self.faults:
            return None
        base = self.shared.resolve(_merged(bases))
        check_formulas(here, experiment, trials[0].config, self._fault)
        if experiment.seeds is not None and all(trial.seed is None for trial in trials):
            idle = {"scheme": trials[0].config.initial.scheme}
            self._consequence((*here, "seeds"), "seeds-without-chance", values=idle)
        budgets = self._budgets(here, experiment, trials)
        merged_axes = tuple((key, tuple(values.values())) for key, values in axes.items())
        return Plan(name, experiment, base, tuple(trials), budgets, merged_axes)

    def _count(self, here: Location, layers: list[Settings], points: int, starts: int) -> None:
        """Refuse, before any is resolved, more runs than can be: those of the whole lab so far.

        Raises:
            InputError: with this fault and all before it; to go on would take as long as to allow.
        """
        self.runs += points * starts
        self.numbers += points * numbers_of(_merged(layers))
        if self.runs > MAXIMUM_RUNS:
            values = {"found": self.runs, "limit": MAXIMUM_RUNS}
            self._fault((*here, "sweep"), "too-many-runs", values=values)
            raise InputError(self._told())
        if self.numbers > MAXIMUM_NUMBERS:
            values = {"found": self.numbers, "limit": MAXIMUM_NUMBERS}
            self._fault((*here, "sweep"), "too-many-numbers", values=values)
            raise InputError(self._told())

    def _names(self, here: Location, experiment: Experiment) -> None:
        names = [variant.name for variant in experiment.variant]
        places = {name: index for index, name in reversed(list(enumerate(names)))}
        labels: dict[tuple[str, str], str] = {}
        told: set[tuple[str, str]] = set()
        for index, variant in enumerate(experiment.variant):
            place: Location = (*here, "variant", index)
            if places[variant.name] != index:
                self._fault((*place, "name"), "duplicate", values={"found": variant.name})
            # Two variants with one label would be one and the same in every sentence.
            for code in ("zh", "en") if variant.label else ():
                label = variant.label.within(code) if variant.label else ""
                other = labels.setdefault((code, skeleton(label)), label) if label else label
                if label and label == other and (code, label) in told:
                    self._fault((*place, "label"), "duplicate", values={"found": label})
                elif label != other:
                    values = {"found": label, "other": other}
                    self._fault((*place, "label"), "look-alike", values=values)
                told.add((code, label))
            against = variant.against
            if against == variant.name:
                self._fault((*place, "against"), "against-itself", values={"found": against})
            elif against is not None and against not in places:
                others = tuple(name for name in names if name != variant.name)
                self._fault(
                    (*place, "against"),
                    "unknown-name",
                    values={"found": variant.against},
                    allowed=others,
                    nearest=nearest(variant.against, others),
                )
        self._circles(here, experiment)

    def _circles(self, here: Location, experiment: Experiment) -> None:
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
                self._fault(place, "against-cycle", values={"found": name})

    def _axes(self, here: Location, sweep: Change) -> list[tuple[SweptValue, ...]]:
        """The values of each swept key; a key whose values are at fault is left out."""
        axes = []
        for path, written in sweep_axes(sweep):
            place = (*here, *path)
            axis = tuple(
                SweptValue(
                    place=here,
                    change=change_at([(path, value)]),
                    path=path,
                    value=value,
                    value_place=(*place, index) if isinstance(written, list) else place,
                )
                for index, value in enumerate(self._values(place, written))
            )
            if axis:
                axes.append(axis)
        return axes

    def _values(self, place: Location, written: Any) -> tuple[Any, ...]:
        if isinstance(written, dict):
            try:
                values = Range.model_validate(written).values()
                return values if self._different(place, values) else ()
            except ValidationError as error:
                for finding in findings(error.errors(include_url=False), Range, written):
                    self._blame((*place, *finding.location), finding)
                return ()
        if (
            not isinstance(written, list)
            or not written
            or any(isinstance(v, dict) for v in written)
        ):
            self._fault(place, "sweep-values", values={})
            return ()
        values = tuple(_frozen(value) for value in written)
        return values if self._different(place, values, elements=True) else ()

    def _different(self, place: Location, values: Sequence[Any], *, elements: bool = False) -> bool:
        """Whether no value stands twice: 1 and 1.0 are one value to a run, and one run."""
        first: dict[Any, int] = {}
        different = True
        for index, value in enumerate(values):
            known = first.setdefault(_alike(value), index)
            if known != index:
                different = False
                where = (*place, index) if elements else place
                twice = {"found": value, "first": known + 1}
                self._fault(where, "duplicate-value", values=twice)
        return different

    def _seeds(self, here: Location, seeds: Seeds | None) -> tuple[int | None, ...]:
        """The seeds of an experiment or a variant; None alone if it has none."""
        if seeds is None:
            return (None,)
        if isinstance(seeds, int):
            return tuple(range(seeds))
        self._different((*here, "seeds"), seeds, elements=True)
        return tuple(dict.fromkeys(seeds))

    def _trials(
        self,
        place: Location,
        variant: Variant,
        seeds: tuple[int | None, ...],
        record_every: int | None,
        layers: list[Settings],
        axes: list[tuple[SweptValue, ...]],
    ) -> Iterator[Trial]:
        merged = _merged(layers)
        for chosen in itertools.product(*axes):
            change = change_at([(choice.path, choice.value) for choice in chosen])
            config = self._resolved(merge(merged, change), [*layers, *chosen])
            if config is None:
                continue
            point = tuple((".".join(choice.path), choice.value) for choice in chosen)
            by_chance = config.by_chance
            if variant.seeds is not None and not by_chance:
                values = {"scheme": config.initial.scheme}
                self._consequence((*place, "seeds"), "seeds-without-chance", values=values)
            stride = _stride(record_every, len(seeds), config.rounds)
            if by_chance and seeds != (None,):
                for seed in seeds:
                    if seed is not None:
                        yield Trial(variant.name, point, seed, config.with_seed(seed), stride)
            else:
                yield Trial(variant.name, point, None, config)

    def _resolved(self, merged: Change, layers: list[Settings]) -> RunConfig | None:
        """The configuration of a run, if nothing is wrong with it."""
        try:
            config = self.shared.resolve(merged)
        except ValidationError as error:
            for finding in _found(error, merged):
                owner = _owner(layers, finding)
                # A key that is not there is at fault itself, once for all of its values.
                is_key = finding.code == "unknown-key"
                place = (*owner.place, *finding.location) if is_key else owner.at(finding.location)
                self._blame(place, finding)
            return None
        self._fit(config, layers)
        return config

    def _budgets(
        self, here: Location, experiment: Experiment, trials: list[Trial]
    ) -> tuple[int, ...]:
        rounds = [trial.config.rounds for trial in trials]
        if experiment.budgets is None:
            # Variants are compared after as many rounds as all of them have; where the rounds
            # themselves are swept, each point is read at its own last one.
            swept = any("rounds" in dict(trial.point) for trial in trials)
            return (max(rounds) if swept else min(rounds),)
        for index, budget in enumerate(experiment.budgets):
            if budget > min(rounds):
                values = {"found": budget, "bound": f"≤ {min(rounds)}"}
                self._consequence((*here, "budgets", index), "out-of-range", values=values)
        return tuple(sorted(set(experiment.budgets)))


def extent(sweep: Change) -> int:
    """Points of a sweep, from the counts alone; 1 for a key whose values are at fault."""
    counts = (
        written.get("count", 1) if isinstance(written, dict) else written
        for _, written in sweep_axes(sweep)
    )
    sizes = (len(c) if isinstance(c, list) else c for c in counts)
    return math.prod(max(size, 1) if type(size) is int else 1 for size in sizes)


def numbers_of(merged: Change) -> int:
    """Numbers in the data and given weights of a configuration, whether or not it is sound."""
    data, initial = _table(merged.get("data")), _table(merged.get("initial"))
    return sum(map(_numbers_in, (data.get("inputs"), data.get("targets"), initial.get("weights"))))


def _numbers_in(raw: Any) -> int:
    return sum(map(_numbers_in, raw)) if isinstance(raw, list) else 1


def _number_of(seeds: Seeds | None) -> int:
    if seeds is None:
        return 1
    return seeds if isinstance(seeds, int) else len(seeds)


def _found(error: ValidationError, merged: Change) -> list[Mismatch]:
    """What is wrong with a configuration; of targets that are classes, which there are not."""
    found = findings(error.errors(include_url=False), RunConfig, merged)
    if class_numbers(merged) is None:
        return found
    others = [finding for finding in found if finding.location[:2] != ("data", "targets")]
    classes = (
        Mismatch(("data", "targets", index), "out-of-range", values)
        for index, values in beyond(merged)
    )
    return [*others, *itertools.islice(classes, MAXIMUM_FAULTS)]


def _stride(written: int | None, starts: int, rounds: int) -> int:
    """How often the weights of random starts are recorded: in full as long as they are few."""
    if written is not None:
        return written
    return 1 if starts <= FEW_STARTS else max(1, rounds // RECORDS)


def _table(raw: Any) -> Change:
    return raw if isinstance(raw, dict) else {}


def _merged(layers: Sequence[Settings]) -> Change:
    merged: Change = {}
    for layer in layers:
        merged = merge(merged, layer.change)
    return merged


def _path(key: str) -> Location:
    return tuple(int(part) if part.isdigit() else part for part in key.split("."))


def _frozen(value: Any) -> Any:
    """Arrays as tuples, so that a point of a sweep can be looked up."""
    return tuple(_frozen(part) for part in value) if isinstance(value, list) else value


def _alike(value: Any) -> Any:
    """What two values have in common if a run cannot tell them apart; true is not 1."""
    if isinstance(value, tuple):
        return tuple(_alike(part) for part in value)
    return (type(value), repr(value)) if isinstance(value, bool | dict) else value


def _leads_to(location: Location, other: Location) -> bool:
    return other[: len(location)] == location


def has(raw: Any, location: Location) -> bool:
    """Whether nested tables and arrays have a value at a location."""
    for part in location:
        if not holds(raw, part):
            return False
        raw = raw[part]
    return True


def _standing_in(container: Any, location: Location) -> Any:
    """Tables and arrays with a text at a place that has none; none of them is touched."""
    if not location:
        return "…"
    part, rest = location[0], location[1:]
    if isinstance(container, dict):
        return {**container, part: _standing_in(container.get(part, {}), rest)}
    if isinstance(container, list) and isinstance(part, int) and part < len(container):
        return [*container[:part], _standing_in(container[part], rest), *container[part + 1 :]]
    return container


def without(raw: Any, location: Location) -> Any:
    """A copy of nested tables with one value taken out, if it is still there.

    A value inside an array of numbers or names takes the whole array out, because a shortened
    array would be another one; a key of a table inside an array takes out that key. Where a key
    is missing, the table that lacks it is taken out.
    """
    head, *rest = location
    if isinstance(raw, list):
        copy = list(raw)
        copy[int(head)] = without(raw[int(head)], tuple(rest))
        return copy
    inner = raw.get(head)
    table, *inside = _table_within(inner, rest)
    if isinstance(table, dict) and inside:
        if inside[0] in table:
            return {**raw, head: without(inner, tuple(rest))}
        if len(inside) > 1:
            return raw
    return {key: value for key, value in raw.items() if key != head}


def _table_within(inner: Any, rest: Sequence[str | int]) -> tuple[Any, ...]:
    """The table that the rest of a location is about, and what is left of the location then."""
    if isinstance(inner, list) and rest and isinstance(rest[0], int) and rest[0] < len(inner):
        return inner[rest[0]], *rest[1:]
    return inner, *rest


def _owner(layers: Sequence[Settings], finding: Mismatch) -> Settings:
    """The innermost layer that sets the key at fault, or the nearest table around it."""
    location = finding.location
    # A key that is missing is not set by any layer, or was, before another one reset its table.
    for length in range(len(location) - (finding.code == "missing-key"), 0, -1):
        for layer in reversed(layers):
            if has(layer.change, location[:length]):
                return layer
    return layers[-1]
