"""The runs of every experiment: variants × sweep × seeds, each fully resolved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from labreport.lab.configuration import RunConfig
from labreport.lab.controls import (
    MOST_OF_EXPERIMENT,
    ROBUSTNESS,
    STARTS,
    Compared,
    Control,
    Kind,
    linear_output,
    reasons,
    repetitions,
)
from labreport.lab.lab import Cover, Experiment, LabFile, Text, Variant
from labreport.lab.schedule import Schedule

if TYPE_CHECKING:
    from labreport.data.data_set import DataSet

Recording = tuple[RunConfig, Schedule]
"""A run, and at which steps it is to be recorded, at least."""

Point = tuple[tuple[str, Any], ...]
"""The place of a trial in a sweep: dotted key and value, one pair an axis."""


@dataclass(frozen=True)
class Trial:
    """One run in its place in an experiment.

    Attributes:
        variant: name of its variant.
        point: where in a sweep it stands.
        seed: of a random start; None for a run that stands for itself.
        config: all that determines its numbers.
        stride: how often its weights are to be recorded, at least.
        data_set: whose training part its rows are; None where they stand in the lab as they are.
    """

    variant: str
    point: Point
    seed: int | None
    config: RunConfig
    stride: int = 1
    data_set: DataSet | None = None


@dataclass(frozen=True)
class Plan:
    """An experiment with all of its runs resolved.

    Attributes:
        name: of the experiment.
        experiment: as written.
        base: the configuration that it starts from (the lab's, or an appendix').
        trials: every run, variant by variant, point by point, seed by seed.
        budgets: rounds after which results are compared, ascending.
        axes: swept keys and their values, in the order of the file; of all variants together.
        repeated: kinds of controls that test whether its conclusions survive.
        most_controls: of each of these kinds.
    """

    name: str
    experiment: Experiment
    base: RunConfig
    trials: tuple[Trial, ...]
    budgets: tuple[int, ...]
    axes: tuple[tuple[str, tuple[Any, ...]], ...]
    repeated: tuple[Kind, ...] = ROBUSTNESS["full"]
    most_controls: int = MOST_OF_EXPERIMENT

    @property
    def variants(self) -> tuple[Variant, ...]:
        return self.experiment.variants

    def variant(self, name: str) -> Variant:
        return next(variant for variant in self.variants if variant.name == name)

    def of(self, variant: str) -> tuple[Trial, ...]:
        """The trials of one variant."""
        return self._by_variant[variant]

    @cached_property
    def _by_variant(self) -> dict[str, tuple[Trial, ...]]:
        grouped: dict[str, list[Trial]] = {variant.name: [] for variant in self.variants}
        for trial in self.trials:
            grouped[trial.variant].append(trial)
        return {name: tuple(trials) for name, trials in grouped.items()}

    @cached_property
    def compared(self) -> Compared:
        """The runs that conclusions are drawn from; none of a gradient check."""
        is_check = self.experiment.kind == "gradient-check"
        singles, swept, replicated = [], [], []
        for trials in () if is_check else self._by_variant.values():
            if len(trials) == 1:
                singles.append(trials[0].config)
            elif all(trial.seed is None for trial in trials):
                swept += [trial.config for trial in trials]
            elif len({trial.point for trial in trials}) == 1:
                replicated += [trial.config for trial in trials[:STARTS]]
        return Compared(tuple(singles), tuple(swept), tuple(replicated), self.budgets)

    @cached_property
    def controls(self) -> tuple[Control, ...]:
        """Runs that test what is concluded from it, whether or not the lab trains them."""
        return (*reasons(self.compared), *self.survival)

    @property
    def survival(self) -> tuple[Control, ...]:
        """Those that test whether what is concluded survives."""
        return tuple(repetitions(self.compared, self.repeated, self.most_controls))

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """Every run of it with its schedule."""
        return tuple(
            (trial.config, Schedule.of(trial.config, trial.stride, self.budgets))
            for trial in self.trials
        )

    def against(self, variant: Variant) -> Variant | None:
        """The variant that this one is compared with; None for the first one."""
        if variant.against is not None:
            return self.variant(variant.against)
        first = self.variants[0]
        return None if variant.name == first.name else first


def distinct(recordings: Iterable[Recording]) -> tuple[Recording, ...]:
    """Every distinct run once, with a schedule that covers all of its own.

    A run that one experiment shows in full and another one thinned is recorded in full.
    """
    found: dict[str, Recording] = {}
    for config, schedule in recordings:
        known = found.get(config.digest, (config, schedule))
        found[config.digest] = (config, schedule.with_(known[1]))
    return tuple(found.values())


@dataclass(frozen=True)
class AppendixPlan:
    """All experiments once more on a changed base."""

    name: str
    title: Text
    plans: tuple[Plan, ...]


@dataclass(frozen=True)
class Lab:
    """A checked lab: what it says of itself, and every run of every experiment.

    Attributes:
        languages: of its report.
        cover: of its report.
        purpose: as written.
        base: the configuration that experiments start from.
        plans: the experiments.
        appendices: all experiments once more on a changed base.
        file: as written.
        data_set: that the base trains on; None where its rows stand in the lab as they are.
        data_files: SHA-256 of each file with examples, as the lab names it.
    """

    languages: tuple[str, ...]
    cover: Cover
    purpose: Text | None
    base: RunConfig
    plans: tuple[Plan, ...]
    appendices: tuple[AppendixPlan, ...]
    file: LabFile
    data_set: DataSet | None = None
    data_files: Mapping[str, str] = field(default_factory=dict)

    def plan(self, name: str) -> Plan:
        return next(plan for plan in self.plans if plan.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(plan.name for plan in self.plans)

    def only(self, names: tuple[str, ...]) -> Lab:
        """The part of the lab with these experiments, in the lab's own order."""
        appendices = tuple(
            AppendixPlan(a.name, a.title, tuple(p for p in a.plans if p.name in names))
            for a in self.appendices
        )
        plans = tuple(plan for plan in self.plans if plan.name in names)
        return replace(self, plans=plans, appendices=appendices)

    def recordings(self) -> tuple[Recording, ...]:
        """Every distinct run, in the order in which the report meets it, and its schedule.

        The base configuration is the first: it is the worked example of the report.
        """
        return self._recordings

    @cached_property
    def _recordings(self) -> tuple[Recording, ...]:
        trials = [recording for plan in self._everywhere for recording in plan.recordings]
        return distinct([(self.base, Schedule()), *trials, *self.control_recordings])

    @property
    def _everywhere(self) -> tuple[Plan, ...]:
        """The experiments, and those of the appendices."""
        return (*self.plans, *(plan for a in self.appendices for plan in a.plans))

    @property
    def examined(self) -> tuple[RunConfig, ...]:
        """The base and every run of the experiments, appendices included; no controls."""
        return (self.base, *(trial.config for p in self._everywhere for trial in p.trials))

    @cached_property
    def control_recordings(self) -> tuple[Recording, ...]:
        """Runs that test conclusions, of the base and of all experiments.

        Of appendices those alone that show with how many digits a number is told.
        """
        if not self.file.test_explanations:
            return ()
        of_base = ((config, Schedule()) for config in self.base_tested)
        controls = [control for plan in self.plans for control in plan.controls]
        repeated = (plan for appendix in self.appendices for plan in appendix.plans)
        controls += [control for plan in repeated for control in plan.survival]
        made = ((config, c.schedule) for c in controls for config in c.configurations)
        return distinct([*of_base, *made])

    @property
    def controls(self) -> tuple[RunConfig, ...]:
        """The same without their schedules."""
        return tuple(config for config, _ in self.control_recordings)

    @property
    def base_tested(self) -> tuple[RunConfig, ...]:
        """The base and its control with a linear output, trained as long as any run of the lab.

        Empty where the base can reach its target.
        """
        longest = max(trial.config.rounds for plan in self.plans for trial in plan.trials)
        base = self.base.model_copy(update={"rounds": longest})
        linear = linear_output(base)
        return (base, *linear) if linear else ()

    def configurations(self) -> tuple[RunConfig, ...]:
        """Every distinct run, in the order in which the report meets it."""
        return tuple(config for config, _ in self.recordings())
