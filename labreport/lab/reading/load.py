"""Check all of a lab file in one pass, and resolve every run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from labreport.errors import InputError
from labreport.lab.controls import MOST_CONTROLS, MOST_OF_EXPERIMENT, ROBUSTNESS
from labreport.lab.formula_checks import check_formulas
from labreport.lab.lab import Experiment, LabFile, Variant, change_at, merge, sweep_axes
from labreport.lab.plan import AppendixPlan, Lab, Plan, Trial
from labreport.lab.reading.configurations import ConfigurationReader
from labreport.lab.reading.extent import Extent, points_of, starts_of
from labreport.lab.reading.fault_log import FaultLog
from labreport.lab.reading.faults import Location, SourceText, findings
from labreport.lab.reading.headings import check_headings
from labreport.lab.reading.layers import Settings, SweptValue, merged_layers
from labreport.lab.reading.raw_tables import table_or_empty, with_stand_in, without
from labreport.lab.reading.sweeps import are_different, read_axes, read_seeds
from labreport.lab.reading.toml_file import parse, read
from labreport.lab.reading.variants import check_variants

FEW_STARTS = 50
"""Random starts whose weights are kept for every round; of more, only losses are."""

RECORDS = 20
"""About so many records of their weights are kept for each of a larger number of starts."""

STAND_INS = ("title", "label", "value")
"""Texts that a table must have; without one, the rest of the table is checked all the same."""


def load(path: Path) -> Lab:
    """The lab in a file.

    Raises:
        InputError: with every fault of the file, in the order of its lines.
    """
    return lab_of(read(path))


def lab_of(source: SourceText) -> Lab:
    """The lab in the text of a file. Raises InputError as `load` does."""
    return _LabReader(source, parse(source)).lab()


class _LabReader:
    """One pass over a lab file, which collects its faults as it goes."""

    def __init__(self, source: SourceText, raw: dict[str, Any]) -> None:
        self._raw = raw
        self._log = FaultLog(source)
        self._configurations = ConfigurationReader(self._log)
        self._extent = Extent(self._log)

    def lab(self) -> Lab:
        file = self._file()
        if file is not None and not self._log.has_faults:
            check_headings(file, self._log)
        base = self._configurations.sound(
            Settings(("base",), table_or_empty(self._raw.get("base")))
        )
        self._check_worked_row(file, base)
        plans = tuple(self._plans(file, [base])) if file else ()
        appendices = tuple(self._appendices(file, base)) if file else ()
        if file is None or not self._log.is_empty:
            raise InputError(self._log.told())
        config = self._configurations.resolve(base.change)
        return Lab(
            file.languages,
            file.cover,
            file.purpose,
            config,
            plans,
            appendices,
            file,
            self._configurations.data_set(config),
            self._configurations.files,
        )

    def _check_worked_row(self, file: LabFile | None, base: Settings) -> None:
        """Note a row for the worked example that the base's data do not have."""
        row, inputs = file.worked_row if file else None, base.change.get("data", {}).get("inputs")
        if row is not None and isinstance(inputs, list | tuple) and row > len(inputs):
            values = {"found": row, "bound": f"≤ {len(inputs)}"}
            self._log.fault(("worked_row",), "out-of-range", values=values)

    def _file(self) -> LabFile | None:
        """The file's own tables; whatever is at fault is taken out, so that the rest is seen."""
        raw = self._raw
        taken: list[Location] = []
        for _ in range(3):
            try:
                return LabFile.model_validate(raw)
            except ValidationError as error:
                found = findings(error.errors(include_url=False), LabFile, raw)
            for finding in found:
                # What is missing only because something in it was taken out is no fault.
                if not any(_leads_to(finding.location, other) for other in taken):
                    self._log.blame(finding.location, finding)
            for finding in found:
                taken.append(finding.location)
                stands_in = finding.code == "missing-key" and finding.location[-1] in STAND_INS
                change = with_stand_in if stands_in else without
                raw = change(raw, finding.location)
        return None

    def _appendices(self, file: LabFile, base: Settings) -> Iterator[AppendixPlan]:
        for name, appendix in file.appendix.items():
            change = self._configurations.sound(
                base, Settings(("appendix", name, "change"), appendix.change)
            )
            # An appendix concludes little; its numbers have the digits that they deserve.
            kinds = tuple(kind for kind in ROBUSTNESS[file.robustness] if kind == "rounding")
            plans = (replace(p, repeated=kinds) for p in self._plans(file, [base, change]))
            yield AppendixPlan(name, appendix.title, tuple(plans))

    def _plans(self, file: LabFile, bases: list[Settings]) -> Iterator[Plan]:
        for name, experiment in file.experiment.items():
            plan = self._plan(file, name, experiment, bases)
            if plan is not None:
                yield plan

    def _plan(
        self, file: LabFile, name: str, experiment: Experiment, bases: list[Settings]
    ) -> Plan | None:
        here: Location = ("experiment", name)
        check_variants(here, experiment, self._log)
        swept_keys = {
            path
            for sweep in (experiment.sweep, *(v.sweep for v in experiment.variants if v.sweep))
            for path, _ in sweep_axes(sweep)
        }
        written = Settings((*here, "change"), experiment.change)
        common = self._configurations.sound(*bases, written, swept=swept_keys)
        trials: list[Trial] = []
        axes: dict[str, dict[str, Any]] = {}
        for index, variant in enumerate(experiment.variants):
            place: Location = (*here, "variant", index)
            layers = [*bases, common]
            written = Settings((*place, "change"), variant.change)
            layers.append(self._configurations.sound(*layers, written, swept=swept_keys))
            swept_at = here if variant.sweep is None else place
            sweep = experiment.sweep if variant.sweep is None else variant.sweep
            seeded_at = here if variant.seeds is None else place
            seeds_of = experiment.seeds if variant.seeds is None else variant.seeds
            self._extent.add(here, layers, points_of(sweep), starts_of(seeds_of))
            swept = read_axes((*swept_at, "sweep"), sweep, self._log)
            seeds = read_seeds(seeded_at, seeds_of, self._log)
            for axis in swept:
                merged_axis = axes.setdefault(".".join(axis[0].path), {})
                merged_axis.update({repr(choice.value): choice.value for choice in axis})
            trials += self._trials(place, variant, seeds, experiment.record_every, layers, swept)
        if self._log.has_faults:
            return None
        base = self._configurations.resolve(merged_layers(bases))
        check_formulas(here, experiment, trials[0].config, self._log.fault)
        self._check_chance(here, experiment, trials)
        budgets = self._budgets(here, experiment, trials)
        merged_axes = tuple((key, tuple(values.values())) for key, values in axes.items())
        kinds = ROBUSTNESS[file.robustness]
        share = min(MOST_OF_EXPERIMENT, MOST_CONTROLS // len(file.experiment))
        return Plan(name, experiment, base, tuple(trials), budgets, merged_axes, kinds, share)

    def _check_chance(self, here: Location, experiment: Experiment, trials: list[Trial]) -> None:
        """Report seeds of an experiment in which nothing is drawn."""
        if experiment.seeds is not None and all(trial.seed is None for trial in trials):
            idle = {"scheme": trials[0].config.initial.scheme}
            self._log.consequence((*here, "seeds"), "seeds-without-chance", values=idle)

    def _trials(
        self,
        place: Location,
        variant: Variant,
        seeds: tuple[int | None, ...],
        record_every: int | None,
        layers: list[Settings],
        axes: list[tuple[SweptValue, ...]],
    ) -> Iterator[Trial]:
        merged = merged_layers(layers)
        for chosen in itertools.product(*axes):
            change = change_at([(choice.path, choice.value) for choice in chosen])
            config = self._configurations.resolved(merge(merged, change), [*layers, *chosen])
            if config is None:
                continue
            point = tuple((".".join(choice.path), choice.value) for choice in chosen)
            by_chance = config.by_chance
            if variant.seeds is not None and not by_chance:
                values = {"scheme": config.initial.scheme}
                self._log.consequence((*place, "seeds"), "seeds-without-chance", values=values)
            stride = _stride(record_every, len(seeds), config.rounds)
            alone = Trial(
                variant.name, point, None, config, 1, self._configurations.data_set(config)
            )
            if by_chance and seeds != (None,):
                for seed in seeds:
                    if seed is not None:
                        config = config.with_seed(seed)
                        yield replace(alone, seed=seed, config=config, stride=stride)
            else:
                yield alone

    def _budgets(
        self, here: Location, experiment: Experiment, trials: list[Trial]
    ) -> tuple[int, ...]:
        rounds = [trial.config.rounds for trial in trials]
        swept = any("rounds" in dict(trial.point) for trial in trials)
        if experiment.budgets is None:
            # Variants are compared after as many rounds as all of them have; where the rounds
            # themselves are swept, each point is read at its own last one.
            return (max(rounds) if swept else min(rounds),)
        are_different((*here, "budgets"), experiment.budgets, self._log, elements=True)
        for index, budget in enumerate(experiment.budgets):
            if budget > min(rounds):
                code = "budget-of-swept-rounds" if swept else "out-of-range"
                values = {"found": budget, "bound": f"≤ {min(rounds)}", "most": max(rounds)}
                self._log.consequence((*here, "budgets", index), code, values=values)
        return tuple(sorted(experiment.budgets))


def _stride(written: int | None, starts: int, rounds: int) -> int:
    """Choose the stride for the weights of random starts: 1 as long as the starts are few."""
    if written is not None:
        return written
    return 1 if starts <= FEW_STARTS else max(1, rounds // RECORDS)


def _leads_to(location: Location, other: Location) -> bool:
    return other[: len(location)] == location
