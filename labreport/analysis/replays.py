"""The runs of a lab computed again by hand: which, how many, and what they differ by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from labreport.errors import BuildError, Fault
from labreport.lab.naming import parameter_names
from labreport.lab.plan import Lab
from labreport.lab.size import MOST_REPLAYED, products
from labreport.processes import under_way
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
    with replaying(lab, runs, 0) as replays:
        return replays()


def replay_some(lab: Lab, runs: Mapping[str, Run]) -> Replays:
    """Replay those runs of a lab that are given."""
    places = {d: place for d, place in _places(lab).items() if d in runs}
    return _together(runs, places, [_all_replayed(_groups_of(lab, runs, places))])


@contextmanager
def replaying(lab: Lab, runs: Mapping[str, Run], processes: int) -> Iterator[Callable[[], Replays]]:
    """Begin to replay every run of a lab, and give what waits for the replays.

    Args:
        lab: the lab.
        runs: by the digest of their configuration.
        processes: beside this one; without any, the replays are computed when they are asked for.
    """
    places = _places(lab)
    groups = _groups_of(lab, runs, places)
    parts = max(1, processes)
    makes = [partial(_all_replayed, groups[part::parts]) for part in range(parts)]
    with under_way(makes, processes) as results:
        yield lambda: _together(runs, places, results())


def _together(
    runs: Mapping[str, Run], places: Mapping[str, _Place], found: Iterable[Mapping[str, Replay]]
) -> Replays:
    """All replays, in the order of the lab."""
    replays = {digest: replay for part in found for digest, replay in part.items()}
    return Replays(
        tuple(Replayed(runs[digest], *place, replays[digest]) for digest, place in places.items())
    )


def _groups_of(
    lab: Lab, runs: Mapping[str, Run], places: Mapping[str, _Place]
) -> list[tuple[list[Run], bool]]:
    """Runs that are replayed together, and whether they are carried on by hand."""
    controls = [digest for digest in _only_controls(lab) if digest in places]
    at_records = dict.fromkeys(d for d in controls if not runs[d].trace.is_whole)
    carried = [runs[digest] for digest in places if digest not in at_records]
    return [*_groups(carried), *_at_records([runs[digest] for digest in at_records])]


def _all_replayed(groups: Sequence[tuple[list[Run], bool]]) -> dict[str, Replay]:
    found: dict[str, Replay] = {}
    for group, carries_on in groups:
        replays = replay_together(group, carries_on)
        found |= {run.config.digest: one for run, one in zip(group, replays, strict=True)}
    return found


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
