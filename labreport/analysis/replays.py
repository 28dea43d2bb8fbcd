"""The runs of a lab computed again by hand: which, how many, and what they differ by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from labreport.errors import BuildError, Fault
from labreport.lab.naming import parameter_names
from labreport.lab.plan import Lab
from labreport.lab.size import MOST_REPLAYED, products
from labreport.reference.replay.replay import replay_together, replayable_with
from labreport.reference.replay.replay_result import Replay
from labreport.runs.run import Run

MOST_STARTS = 20
"""Random starts of one configuration that are carried on by hand before others are: enough to find
any mistake that all share."""


@dataclass(frozen=True)
class Replayed:
    """One run, where in the lab it stands, and what its replay found."""

    run: Run
    experiment: str
    variant: str
    settings: tuple[str, ...]
    replay: Replay

    @property
    def fault(self) -> Fault:
        """The run, and where it differs most."""
        quantity, difference = self.replay.worst
        names = parameter_names(self.run.config.network)
        values = {
            "run": self.run.name[:16],
            "place": " · ".join((self.experiment, self.variant, *self.settings)),
            "quantity": quantity,
            "round": difference.step + 1,
            "parameter": names[difference.parameter] if difference.parameter >= 0 else "—",
            "relative": f"{difference.relative:.3g}",
        }
        ends = quantity == "ending"
        return Fault("replay-ends" if ends else "replay-differs", values)


@dataclass(frozen=True)
class Replays:
    """All replays of a lab."""

    replayed: tuple[Replayed, ...]

    @property
    def runs(self) -> int:
        """Runs that were compared."""
        return len(self.replayed)

    @property
    def carried(self) -> int:
        """Runs that were carried on by hand from step to step; the others at stored steps alone."""
        return sum(found.replay.is_carried for found in self.replayed)

    @property
    def steps(self) -> int:
        """Steps that were computed again."""
        return sum(found.replay.steps for found in self.replayed)

    @property
    def not_drawn(self) -> int:
        """Runs whose start was not drawn again."""
        return sum(not found.replay.draws_start for found in self.replayed)

    @property
    def largest(self) -> float:
        """The largest difference of any number, in units of the terms that it is a sum of."""
        return max((found.replay.largest for found in self.replayed), default=0.0)

    def refuse_differences(self) -> None:
        """Raises BuildError where what is stored is not what is computed by hand."""
        faults = [found.fault for found in self.replayed if not found.replay.agrees]
        if faults:
            raise BuildError(faults)


def replay_lab(lab: Lab, runs: Mapping[str, Run]) -> Replays:
    """Replay every run of a lab.

    Args:
        lab: the lab.
        runs: by the digest of their configuration.
    """
    return _replayed(lab, runs, _places(lab))


def replay_some(lab: Lab, runs: Mapping[str, Run]) -> Replays:
    """Replay those runs of a lab that are given."""
    return _replayed(lab, runs, {d: place for d, place in _places(lab).items() if d in runs})


def _replayed(lab: Lab, runs: Mapping[str, Run], places: Mapping[str, _Place]) -> Replays:
    found: dict[str, Replay] = {}
    controls = [digest for digest in _only_controls(lab) if digest in places]
    at_records = [digest for digest in controls if not runs[digest].trace.is_whole]
    carried = [runs[digest] for digest in places if digest not in at_records]
    groups = [*_groups(carried), *_at_records([runs[digest] for digest in at_records])]
    for group, carries_on in groups:
        for run, replay in zip(group, replay_together(group, carries_on), strict=True):
            found[run.config.digest] = replay
    return Replays(
        tuple(Replayed(runs[digest], *place, found[digest]) for digest, place in places.items())
    )


def _only_controls(lab: Lab) -> list[str]:
    """Digests of the runs that nobody wrote into the lab, in its order."""
    plans = (*lab.plans, *(plan for a in lab.appendices for plan in a.plans))
    written = {trial.config.digest for plan in plans for trial in plan.trials}
    return [c.digest for c in lab.controls if c.digest not in written | {lab.base.digest}]


def _at_records(runs: list[Run]) -> Iterator[tuple[list[Run], bool]]:
    """Controls that are recorded at some steps alone, at which they are compared.

    Many are at rates that nobody would train with; between two records far apart their rounding
    grows beyond any allowance.
    """
    alike: dict[object, list[Run]] = {}
    for run in runs:
        alike.setdefault(replayable_with(run), []).append(run)
    yield from ((group, False) for group in alike.values())


_Place = tuple[str, str, tuple[str, ...]]
"""Experiment, variant, and the values and the seed by which a run of it is told from others."""


def _places(lab: Lab) -> dict[str, _Place]:
    """Locate the first occurrence of each run in the lab, by its digest."""
    places: dict[str, _Place] = {lab.base.digest: ("base", "base", ())}
    for plan in (*lab.plans, *(plan for a in lab.appendices for plan in a.plans)):
        for trial in plan.trials:
            settings = [f"{key} = {value}" for key, value in trial.point]
            settings += [] if trial.seed is None else [f"seed {trial.seed}"]
            places.setdefault(trial.config.digest, (plan.name, trial.variant, tuple(settings)))
    for config in lab.controls:
        places.setdefault(config.digest, ("controls", "control", ()))
    return places


def _groups(runs: list[Run]) -> Iterator[tuple[list[Run], bool]]:
    """Runs that can be replayed together, and whether there is time to carry them on by hand."""
    alike: dict[object, list[Run]] = {}
    for run in runs:
        alike.setdefault(replayable_with(run), []).append(run)
    parts = [group[:MOST_STARTS] for group in alike.values()]
    parts += [group[MOST_STARTS:] for group in alike.values() if len(group) > MOST_STARTS]
    left = MOST_REPLAYED
    for part in parts:
        config = part[0].config
        left -= len(part) * config.rounds * products(config)
        yield part, left >= 0 or part is parts[0]
