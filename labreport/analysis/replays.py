"""The runs of a lab computed again by hand: which, how many, and what they differ by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labreport.backprop.replay import Replay, replay
from labreport.errors import BuildError, Fault
from labreport.lab.naming import parameter_names
from labreport.lab.plan import Lab, Point
from labreport.run import Run

MOST_STARTS = 20
"""Random starts of one variant that are replayed: enough to find any mistake that all share."""


@dataclass(frozen=True)
class Replayed:
    """One run, where in the lab it stands, and what its replay found."""

    run: Run
    experiment: str
    variant: str
    replay: Replay

    @property
    def fault(self) -> Fault:
        """The run, and where it differs most."""
        quantity, difference = self.replay.worst
        names = parameter_names(self.run.config.network)
        values = {
            "run": self.run.name[:16],
            "experiment": self.experiment,
            "variant": self.variant,
            "quantity": quantity,
            "round": difference.step + 1,
            "parameter": names[difference.parameter] if difference.parameter >= 0 else "",
            "relative": f"{difference.relative:.3g}",
        }
        return Fault("replay-differs", values)


@dataclass(frozen=True)
class Replays:
    """All replays of a lab, which has ``runs`` runs."""

    runs: int
    replayed: tuple[Replayed, ...]

    @property
    def steps(self) -> int:
        """Steps that were computed again."""
        return sum(found.replay.steps for found in self.replayed)

    @property
    def batched(self) -> int:
        """Replays of runs with mini-batches, whose losses and gradients cannot be compared."""
        return sum(not found.replay.compares_gradients for found in self.replayed)

    @property
    def largest(self) -> float:
        """The largest relative difference of any number."""
        return max((found.replay.largest for found in self.replayed), default=0.0)

    def refuse_differences(self) -> None:
        """Raises BuildError where what is stored is not what is computed by hand."""
        faults = [found.fault for found in self.replayed if not found.replay.agrees]
        if faults:
            raise BuildError(faults)


def replay_lab(lab: Lab, runs: Mapping[str, Run]) -> Replays:
    """Replay every run of a lab, and some of each variant that has many random starts.

    Args:
        lab: the lab.
        runs: by the digest of their configuration.
    """
    places: dict[str, tuple[str, str]] = {lab.base.digest: ("base", "base")}
    for plan in (*lab.plans, *(plan for a in lab.appendices for plan in a.plans)):
        starts: dict[tuple[str, Point], int] = {}
        for trial in plan.trials:
            place = (trial.variant, trial.point)
            starts[place] = starts.get(place, 0) + 1
            if trial.seed is None or starts[place] <= MOST_STARTS:
                places.setdefault(trial.config.digest, (plan.name, trial.variant))
    for config in lab.controls:
        places.setdefault(config.digest, ("controls", "control"))
    replayed = tuple(
        Replayed(runs[digest], *place, replay(runs[digest])) for digest, place in places.items()
    )
    return Replays(len(runs), replayed)
