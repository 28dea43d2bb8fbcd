"""The result of a replay: the largest difference of each quantity of a run."""

from __future__ import annotations

from dataclasses import dataclass

from labreport.reference.replay.tolerance import Difference

QUANTITIES = ("start", "losses", "gradients", "outputs", "weights", "ending")
"""The compared quantities, in the order in which a fault names the first."""


@dataclass(frozen=True)
class Replay:
    """The result of a replay of one run.

    Attributes:
        steps: how many were computed again.
        draws_start: whether the start was: not of a scheme that depends on the version of torch.
        is_carried: whether the run was carried on by hand from step to step.
        differences: the largest of each quantity, in the order of QUANTITIES.
    """

    steps: int
    draws_start: bool
    is_carried: bool
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        return all(difference.allowed for difference in self.differences)

    @property
    def largest(self) -> float:
        """Of losses, gradients, outputs and weights; a start is drawn by other functions."""
        return max(difference.relative for difference in self.differences[1:])

    @property
    def worst(self) -> tuple[str, Difference]:
        """The first quantity that differs as it may not, else the one that differs most."""
        named = list(zip(QUANTITIES, self.differences, strict=True))
        refused = [pair for pair in named if not pair[1].allowed]
        return refused[0] if refused else max(named, key=lambda pair: pair[1].relative)

    def of(self, quantity: str) -> Difference:
        """The largest difference of one quantity."""
        return self.differences[QUANTITIES.index(quantity)]
